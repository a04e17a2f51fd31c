"""What of a classifier may change, how fast, and how much each class counts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gst_core.errors import GstError
from gst_core.geneformer.course import FineTuningConfig, Lesson
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier


def freeze(classifier: Classifier, layers: int) -> None:
    """Keep the embeddings and the first layers as they are; with 0, nothing is kept.

    Raises
    ------
    GstError
        If the network has fewer layers.
    """
    encoder = classifier.bert
    if layers > encoder.config.layers:
        raise GstError(
            f"the network has {encoder.config.layers} layers", where=f"--freeze_layers {layers}"
        )
    encoder.requires_grad_(True)
    if layers:
        encoder.embeddings.requires_grad_(False)
        for layer in encoder.encoder.layer[:layers]:
            layer.requires_grad_(False)


def make_optimizer(classifier: Classifier, config: FineTuningConfig) -> torch.optim.Optimizer:
    """Make AdamW of all that may change; what has one dimension does not decay."""
    groups = []
    for part, rate in (
        (classifier.bert, config.learning_rate),
        (classifier.classifier, config.head_learning_rate),
    ):
        own = [p for p in part.parameters() if p.requires_grad]
        for parameters, decay in (
            ([p for p in own if p.ndim > 1], config.weight_decay),
            ([p for p in own if p.ndim <= 1], 0.0),
        ):
            if parameters:
                groups.append({"params": parameters, "lr": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, fused=True)


def class_weights(
    classifier: Classifier, reader: Reader, train: Lesson, config: FineTuningConfig
) -> list[Tensor]:
    """Weight of each class of each task: n / (classes x n of the class), or 1.

    n counts what the loss is a mean over: cells, or the places of genes in cells.
    """
    times = np.ones(train.labels.shape[1])
    if classifier.kind == "genes":
        times = np.zeros(train.labels.shape[1])
        for cell in train.cells:
            times[reader.cells[int(cell)]] += 1  # a token is in a cell once
    weights = []
    for task, size in enumerate(classifier.sizes):
        labels = train.labels[task]
        own = times
        if classifier.kind == "cells":
            labels, own = labels[train.cells], times[train.cells]
        counts = np.bincount(labels[labels >= 0], own[labels >= 0], minlength=size)
        weight = np.ones(size)
        if config.class_weights == "balanced":
            weight = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights.append(torch.tensor(weight, dtype=torch.float32, device=reader.device))
    return weights
