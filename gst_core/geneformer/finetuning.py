"""Fine-tuning: a network and new heads learn classes of cells, or of genes.

The loop reads from top to bottom. It ends when the held-out examples have not been told better for
some epochs, and keeps the weights with which they were told best. Every draw follows from the
seed, the epoch and the number of the batch, so that a run goes on to the bit where it was killed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gst_core.errors import GstError
from gst_core.geneformer.adapters import add_adapters, merge_adapters
from gst_core.geneformer.asking import predict
from gst_core.geneformer.backends import BATCH_TOKENS, batches
from gst_core.geneformer.course import Course, DivergedError, FineTuningConfig, Lesson
from gst_core.geneformer.finetuning_state import Progress, restore, store
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier
from gst_core.geneformer.masking import plan_epoch
from gst_core.geneformer.optimising import class_weights, freeze, make_optimizer
from gst_core.geneformer.pretraining import schedule

#: Told of every step: step, and of how many at most.
OnStep = Callable[[int, int], None]
OnEpoch = Callable[[int, float], None]


def fine_tune(
    classifier: Classifier,
    reader: Reader,
    train: Lesson,
    validation: Lesson | None,
    config: FineTuningConfig,
    state: Path | None = None,
    *,
    facts: dict[str, object] | None = None,
    on_step: OnStep = lambda step, steps: None,
    on_epoch: OnEpoch = lambda epoch, loss: None,
) -> Course:
    """Train a classifier in place, or go on where a killed run stopped.

    Parameters
    ----------
    classifier
        An encoder that was trained before, and new heads.
    reader
        Of all cells; each that is read has a gene. It may know what as many layers say of them as
        the course freezes, and its device is that of the training.
    train, validation
        To learn from, and to stop by.
    config
        The course.
    state
        File of how far the training is; nothing is kept without it.
    facts
        What else makes this run this one: a state of another is refused.
    on_step
        Told of every step.
    on_epoch
        Told of every epoch, from 1, and of the lowest loss of held-out examples so far.

    Raises
    ------
    GstError
        If there is nothing to learn from, the loss is no number, or the state is of another run.
    """
    if not len(train.cells) or not (train.labels >= 0).any():
        raise GstError("nothing to learn from: no cell has a label")
    freeze(classifier, config.freeze_layers)
    if config.adapter_rank:
        torch.manual_seed(config.seed)
        add_adapters(classifier.bert, config.adapter_rank, config.freeze_layers)
    classifier.to(reader.device)
    optimizer = make_optimizer(classifier, config)
    run = json.dumps({**asdict(config), **(facts or {})}, sort_keys=True)
    progress = restore(classifier, optimizer, state, run) if state else Progress()
    weights = class_weights(classifier, reader, train, config)
    lengths = reader.cells.lengths[train.cells]
    per_epoch = math.ceil(len(lengths) / config.batch_cells)
    steps = per_epoch * config.epochs
    heights = [float(group["lr"]) for group in optimizer.param_groups]
    clock = time.monotonic() - progress.seconds
    for epoch in range(progress.step // per_epoch, config.epochs):
        if _is_over(progress, config):
            break
        plan = plan_epoch(lengths, config.batch_cells, config.seed, epoch)
        for number in range(progress.step % per_epoch, per_epoch):
            share = schedule(progress.step, steps, config.warmup)
            for group, height in zip(optimizer.param_groups, heights, strict=True):
                group["lr"] = height * share
            torch.manual_seed(config.seed * 1_000_003 + progress.step)  # of dropout
            classifier.train()
            optimizer.zero_grad(set_to_none=True)
            chosen = train.cells[plan[number]]
            if _learn(classifier, reader, chosen, train.labels, weights, config):
                optimizer.step()
            progress.step += 1
            progress.seconds = time.monotonic() - clock
            if number + 1 == per_epoch:
                _end_epoch(classifier, reader, validation, weights, progress)
            if state and (number + 1 == per_epoch or progress.step % config.checkpoint_every == 0):
                store(classifier, optimizer, state, progress, run)
            on_step(progress.step, steps)
        if progress.losses:
            on_epoch(epoch + 1, min(progress.losses))
    progress.recall(classifier)
    merge_adapters(classifier.bert)
    classifier.eval()
    losses = tuple(progress.losses)
    best = int(np.argmin(losses)) + 1 if losses else progress.step // per_epoch
    return Course(progress.step // per_epoch, best, losses, progress.seconds)


def _is_over(progress: Progress, config: FineTuningConfig) -> bool:
    """Whether the held-out examples have not been told better for too long."""
    if not progress.losses or not config.patience:
        return False
    return len(progress.losses) - 1 - int(np.argmin(progress.losses)) >= config.patience


def _end_epoch(
    classifier: Classifier,
    reader: Reader,
    validation: Lesson | None,
    weights: list[Tensor],
    progress: Progress,
) -> None:
    """Ask about the held-out examples, and keep the weights if they were never told better."""
    if validation is None or not len(validation.cells):
        return
    of_genes = classifier.kind == "genes"
    genes = np.asarray((validation.labels >= 0).any(0)) if of_genes else None
    logits = predict(classifier, reader, validation.cells, genes)
    loss = 0.0
    for task, found in enumerate(logits):
        labels = validation.labels[task]
        if classifier.kind == "cells":
            labels = labels[validation.cells]
        known = (labels >= 0) & np.isfinite(found).all(1)
        if known.any():
            loss += F.cross_entropy(
                torch.from_numpy(found[known]),
                torch.from_numpy(labels[known]),
                weight=weights[task].cpu(),
            ).item()
    if not math.isfinite(loss):
        raise DivergedError("the loss is no number any more", hint="lower the --learning_rate")
    progress.losses.append(loss)
    if loss == min(progress.losses):
        progress.keep(classifier)


def _learn(
    classifier: Classifier,
    reader: Reader,
    chosen: NDArray[np.intp],
    labels: NDArray[np.int64],
    weights: list[Tensor],
    config: FineTuningConfig,
) -> bool:
    """Leave the gradient of a batch in the network; false if nothing in it has a label.

    The loss is the sum over tasks of the mean cross-entropy. Its gradient is summed over parts of
    the batch, each divided by the weights of the whole batch's labels.
    """
    device, cells = reader.device, reader.cells
    of_genes = classifier.kind == "genes"
    asked = torch.from_numpy(np.asarray((labels >= 0).any(0))).to(device) if of_genes else None
    own = np.concatenate([cells[int(cell)] for cell in chosen]) if of_genes else chosen
    totals = [
        weight[torch.from_numpy(found[found >= 0]).to(device)].sum()
        for weight, found in zip(weights, labels[:, own], strict=True)
    ]
    learnt = False
    for part in batches(cells.lengths[chosen], BATCH_TOKENS[device]):
        batch = reader.batch([int(cell) for cell in chosen[part]], asked)
        rows = chosen[part]
        if batch.places is not None:
            rows = batch.tokens[batch.places.rows].cpu().numpy()
        if not (labels[:, rows] >= 0).any():
            continue
        with torch.autocast(device, dtype=torch.bfloat16, enabled=config.bf16):
            logits = classifier(batch)
        loss = logits[0].new_zeros((), dtype=torch.float32)
        for found, wanted, weight, total in zip(
            logits, labels[:, rows], weights, totals, strict=True
        ):
            truth = torch.from_numpy(wanted).to(device)
            errors = F.cross_entropy(
                found.float(), truth, weight=weight, reduction="sum", ignore_index=-1
            )
            loss = loss + errors / total.clamp(min=1e-12)
        loss.backward()
        learnt = True
    return learnt
