"""Fine-tuning: a network and new heads learn classes of cells, or of genes.

The loop reads from top to bottom. It ends when the held-out examples have not been told better for
some epochs, and keeps the weights with which they were told best. Every draw follows from the
seed, the epoch and the number of the batch, so that a run goes on to the bit where it was killed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gst_core.errors import GstError
from gst_core.geneformer.backends import BATCH_TOKENS, batches
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.finetuning_state import Progress, restore, store
from gst_core.geneformer.heads import Classifier
from gst_core.geneformer.masking import plan_epoch
from gst_core.geneformer.network import Layout
from gst_core.geneformer.pretraining import schedule

#: Told of every step: step, and of how many at most.
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FineTuningConfig:
    """The course of a training.

    Attributes
    ----------
    epochs
        How often each cell is seen at most.
    batch_cells
        Cells of a batch; each makes a step.
    learning_rate, head_learning_rate
        Of the encoder and of the heads, which begin with random weights, at their height.
    warmup
        Share of the steps in which the rates rise; then they fall to zero in a straight line.
    weight_decay
        Of AdamW; not of biases and norms.
    dropout
        Before the heads.
    freeze_layers
        So many of the first layers, and the embeddings below them, stay as they are.
    class_weights
        ``balanced``: a class counts the more the rarer it is; or ``none``.
    patience
        Epochs without a lower loss of the held-out examples until training ends; 0: never.
    seed
        Of every draw.
    bf16
        Compute in bfloat16 where that is safe (autocast).
    checkpoint_every
        Steps between states on disk.
    """

    epochs: int = 10
    batch_cells: int = 12
    learning_rate: float = 5e-5
    head_learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 1e-3
    dropout: float = 0.1
    freeze_layers: int = 0
    class_weights: Literal["balanced", "none"] = "balanced"
    patience: int = 3
    seed: int = 0
    bf16: bool = False
    checkpoint_every: int = 100


@dataclass(frozen=True, slots=True)
class Lesson:
    """Examples to learn from, or to be asked about.

    Attributes
    ----------
    cells
        Numbers of the cells that are read.
    labels
        ``(tasks, cells of the file)``, or of genes ``(tasks, vocabulary)``; -1 is no label.
    """

    cells: NDArray[np.intp]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Course:
    """What came of a training.

    Attributes
    ----------
    epochs
        Number of epochs that were run.
    best_epoch
        The one whose weights were kept, from 1.
    losses
        Loss of the held-out examples after each epoch; of a training without them, none.
    seconds
        That it took.
    """

    epochs: int
    best_epoch: int
    losses: tuple[float, ...]
    seconds: float


def fine_tune(
    classifier: Classifier,
    cells: Cells,
    train: Lesson,
    validation: Lesson | None,
    config: FineTuningConfig,
    state: Path | None = None,
    *,
    facts: dict[str, object] | None = None,
    device: str = "cpu",
    on_step: OnStep = lambda step, steps: None,
) -> Course:
    """Train a classifier in place, or go on where a killed run stopped.

    Parameters
    ----------
    classifier
        An encoder that was trained before, and new heads.
    cells
        Tokens of all cells; each that is read has a gene.
    train, validation
        To learn from, and to stop by.
    config
        The course.
    state
        File of how far the training is; nothing is kept without it.
    facts
        What else makes this run this one: a state of another is refused.
    device
        ``cpu``, ``cuda`` or ``mps``.
    on_step
        Told of every step.

    Raises
    ------
    GstError
        If there is nothing to learn from, the loss is no number, or the state is of another run.
    """
    if not len(train.cells) or not (train.labels >= 0).any():
        raise GstError("nothing to learn from: no cell has a label")
    freeze(classifier, config.freeze_layers)
    classifier.to(device)
    optimizer = make_optimizer(classifier, config)
    run = json.dumps({**asdict(config), **(facts or {})}, sort_keys=True)
    progress = restore(classifier, optimizer, state, run) if state else Progress()
    weights = class_weights(classifier, train, config, device)
    lengths = cells.lengths[train.cells]
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
            loss = _loss(classifier, cells, chosen, train.labels, weights, config, device)
            if loss is not None:
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            progress.step += 1
            progress.seconds = time.monotonic() - clock
            if number + 1 == per_epoch:
                _end_epoch(classifier, cells, validation, weights, progress, device)
            if state and (number + 1 == per_epoch or progress.step % config.checkpoint_every == 0):
                store(classifier, optimizer, state, progress, run)
            on_step(progress.step, steps)
    progress.recall(classifier)
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
    cells: Cells,
    validation: Lesson | None,
    weights: list[Tensor],
    progress: Progress,
    device: str,
) -> None:
    """Ask about the held-out examples, and keep the weights if they were never told better."""
    if validation is None or not len(validation.cells):
        return
    logits = predict(classifier, cells, validation.cells, device)
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
        raise GstError("the loss is no number any more", hint="lower the --learning_rate")
    progress.losses.append(loss)
    if loss == min(progress.losses):
        progress.keep(classifier)


def _loss(
    classifier: Classifier,
    cells: Cells,
    chosen: NDArray[np.intp],
    labels: NDArray[np.int64],
    weights: list[Tensor],
    config: FineTuningConfig,
    device: str,
) -> Tensor | None:
    """Sum over tasks of the mean cross-entropy of a batch; None if nothing in it has a label."""
    chosen = chosen[np.argsort(cells.lengths[chosen], kind="stable")]
    tokens, layout = batch_of([cells[int(cell)] for cell in chosen], device)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=config.bf16):
        logits = classifier(tokens, layout)
    own = labels[:, chosen] if classifier.kind == "cells" else labels[:, tokens.cpu().numpy()]
    total: Tensor | None = None
    for task, found in enumerate(logits):
        rows = np.flatnonzero(own[task] >= 0)
        if not len(rows):
            continue
        wanted = torch.from_numpy(own[task][rows]).to(device)
        here = found[torch.from_numpy(rows).to(device)].float()
        loss = F.cross_entropy(here, wanted, weight=weights[task])
        total = loss if total is None else total + loss
    return total


def predict(
    classifier: Classifier,
    cells: Cells,
    chosen: NDArray[np.intp],
    device: str = "cpu",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[NDArray[np.float32]]:
    """Give the logits of cells, or of the genes in them.

    Parameters
    ----------
    classifier
        On `device`.
    cells
        Tokens of all cells.
    chosen
        Which are read.
    device
        Where the network is.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    logits
        Of each task ``(len(chosen), classes)``; or of genes ``(vocabulary, classes)``, the mean
        over the cells that have it, and NaN of a gene that none has.
    """
    classifier.eval()
    genes = classifier.kind == "genes"
    rows = classifier.bert.config.vocabulary if genes else len(chosen)
    sizes = [head.out_features for head in classifier.classifier]
    sums = [np.zeros((rows, int(size)), np.float64) for size in sizes]  # type: ignore[arg-type]
    counts = np.zeros(rows)
    done = 0
    for batch in batches(cells.lengths[chosen], BATCH_TOKENS.get(device, 2048)):
        tokens, layout = batch_of([cells[int(chosen[i])] for i in batch], device)
        with torch.inference_mode():
            logits = classifier(tokens, layout)
        where = tokens.cpu().numpy() if genes else batch
        np.add.at(counts, where, 1)
        for own, found in zip(sums, logits, strict=True):
            np.add.at(own, where, found.float().cpu().numpy())
        done += len(batch)
        progress(done, len(chosen))
    with np.errstate(invalid="ignore"):
        return [(own / counts[:, None]).astype(np.float32) for own in sums]


def batch_of(cells: Sequence[NDArray[Any]], device: str) -> tuple[Tensor, Layout]:
    """Lay cells one behind the other."""
    tokens = torch.from_numpy(np.concatenate(cells).astype(np.int64)).to(device)
    return tokens, Layout.of([len(cell) for cell in cells], device)


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
    return torch.optim.AdamW(groups)


def class_weights(
    classifier: Classifier, train: Lesson, config: FineTuningConfig, device: str
) -> list[Tensor]:
    """Weight of each class of each task: examples / (classes x examples of the class), or 1."""
    weights = []
    for task, head in enumerate(classifier.classifier):
        labels = train.labels[task]
        if classifier.kind == "cells":
            labels = labels[train.cells]
        counts = np.bincount(labels[labels >= 0], minlength=int(head.out_features))  # type: ignore[arg-type]
        own = np.ones(len(counts))
        if config.class_weights == "balanced":
            own = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights.append(torch.tensor(own, dtype=torch.float32, device=device))
    return weights
