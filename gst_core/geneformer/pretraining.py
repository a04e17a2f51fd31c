"""Pretraining: a network learns to tell genes that are hidden in cells.

The loop reads from top to bottom. Several processes share each step's batches and sum their
gradients, which is all they tell each other; the loss of a step is the mean over the hidden genes
of all of them, so that it does not matter who had which.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.layout import Layout, Places
from gst_core.geneformer.masking import IGNORED, MaskedBatch, baselines, mask, plan_epoch
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.pretraining_state import log, restore, rewind, store
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.weights import save_checkpoint
from gst_core.model.workers import ALONE, Workers

Cells = Sequence[NDArray[np.int64]]

METRICS_FILE: Final = "metrics.csv"
SUMMARY_FILE: Final = "pretraining.json"
#: Draw of the held-out cells' masks: always the same.
_HELD_OUT: Final = 2**31


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """The course of a run.

    Attributes
    ----------
    epochs
        How often each cell is seen.
    batch_cells
        Cells of a batch of one process.
    accumulate
        Batches of one process whose gradients make one step.
    learning_rate
        At its height.
    warmup
        Share of the steps in which it rises; then it falls to zero in a straight line.
    weight_decay
        Of AdamW; not of biases and norms.
    seed
        Of every draw.
    bf16
        Compute in bfloat16 where that is safe (autocast).
    evaluate_every, checkpoint_every
        Steps between looks at the held-out cells, and between states on disk.
    """

    epochs: int = 3
    batch_cells: int = 12
    accumulate: int = 1
    learning_rate: float = 1e-3
    warmup: float = 0.1
    weight_decay: float = 1e-3
    seed: int = 0
    bf16: bool = False
    evaluate_every: int = 500
    checkpoint_every: int = 500


#: Told of every step: step, steps, and the row of the metrics.
OnStep = Callable[[int, int, dict[str, float]], None]


def pretrain(
    network: MaskedLanguageModel,
    train: Cells,
    held_out: Cells,
    resources: Resources,
    config: PretrainingConfig,
    folder: Path,
    *,
    facts: dict[str, object] | None = None,
    device: str = "cpu",
    workers: Workers = ALONE,
    on_step: OnStep = lambda step, steps, metrics: None,
) -> dict[str, object]:
    """Train a network in place, or go on where a killed run stopped.

    Parameters
    ----------
    network
        With new weights, or those to train further; replaced by those of a state in `folder`.
    train, held_out
        Tokens of the cells to learn from, and of those to be asked about.
    resources
        The dictionary they were made with.
    config
        The course.
    folder
        Receives ``state.safetensors``, ``metrics.csv``, and at the end ``config.json``,
        ``model.safetensors`` and ``pretraining.json``.
    facts
        What else makes this run this one: a state of another is refused.
    device
        ``cpu``, ``cuda`` or ``mps``.
    workers
        This process among those that share the run.
    on_step
        Told of every step.

    Returns
    -------
    summary
        What ``pretraining.json`` has.

    Raises
    ------
    GstError
        If there are too few cells, or the state in `folder` is of another run.
    """
    if not train:
        raise GstError("no cells to learn from")
    folder.mkdir(parents=True, exist_ok=True)
    network.to(device).train()
    optimizer = make_optimizer(network, config)
    run = json.dumps({**asdict(config), **(facts or {}), "world": workers.world}, sort_keys=True)
    done, began = restore(network, optimizer, folder, run)
    if workers.first:
        rewind(folder / METRICS_FILE, done)
    watched = [
        mask(held_out[at : at + config.batch_cells], resources, config.seed, _HELD_OUT, at)
        for at in range(0, len(held_out), config.batch_cells)
    ]
    lengths = np.array([len(cell) for cell in train], np.int64)
    share = config.accumulate * workers.world
    steps = config.epochs * math.ceil(math.ceil(len(train) / config.batch_cells) / share)
    loss_of_held_out = float("nan")
    clock = time.monotonic() - began
    for step, epoch, batches in _steps(lengths, config, share, done):
        rate = config.learning_rate * schedule(step, steps, config.warmup)
        for group in optimizer.param_groups:
            group["lr"] = rate
        mine = [
            (number, mask([train[cell] for cell in cells], resources, config.seed, epoch, number))
            for number, cells in batches[workers.rank :: workers.world]
        ]
        loss = _accumulate(network, mine, config, (step, device), workers)
        optimizer.step()
        metrics = {
            "step": step + 1.0,
            "epoch": float(epoch),
            "loss": loss,
            "learning_rate": rate,
            "seconds": time.monotonic() - clock,
        }
        last = step + 1 == steps
        if workers.first:
            if watched and (last or (step + 1) % config.evaluate_every == 0):
                loss_of_held_out = evaluate(network, watched, device, bf16=config.bf16)
                metrics["held_out_loss"] = loss_of_held_out
            log(folder / METRICS_FILE, metrics)
            if last or (step + 1) % config.checkpoint_every == 0:
                store(network, optimizer, folder, step + 1, metrics["seconds"], run)
        on_step(step + 1, steps, metrics)
    network.eval()
    summary: dict[str, object] = {"settings": asdict(config), **(facts or {})}
    if workers.first:
        save_checkpoint(network, folder)
        summary |= {"steps": steps, "training_cells": len(train), "held_out_cells": len(held_out)}
        if watched:
            if done == steps:  # it had ended before: nothing was computed now
                loss_of_held_out = evaluate(network, watched, device, bf16=config.bf16)
            summary |= {"held_out_loss": loss_of_held_out}
            summary |= asdict(baselines(train, watched, resources))
        with atomic_write(folder / SUMMARY_FILE) as file:
            file.write(json.dumps(summary, indent=2) + "\n")
    return summary


def _steps(
    lengths: NDArray[np.int64], config: PretrainingConfig, share: int, done: int
) -> Iterator[tuple[int, int, list[tuple[int, NDArray[np.intp]]]]]:
    """Yield each step that is left: its number, its epoch, and its numbered batches."""
    step = 0
    for epoch in range(config.epochs):
        plan = list(enumerate(plan_epoch(lengths, config.batch_cells, config.seed, epoch)))
        for at in range(0, len(plan), share):
            if step >= done:
                yield step, epoch, plan[at : at + share]
            step += 1


def _accumulate(
    network: MaskedLanguageModel,
    batches: list[tuple[int, MaskedBatch]],
    config: PretrainingConfig,
    draw: tuple[int, str],
    workers: Workers,
) -> float:
    """Leave the gradient of a step in the network; return the mean loss of its hidden genes."""
    step, device = draw
    network.train()
    network.zero_grad(set_to_none=True)
    total = torch.zeros(2, dtype=torch.float32, device=device)
    for number, batch in batches:
        torch.manual_seed(config.seed * 1_000_003 + step * 4_099 + number)  # of dropout
        if not batch.masked:
            continue
        loss = _loss(network, batch, device, bf16=config.bf16)
        loss.backward()  # type: ignore[no-untyped-call]
        total += torch.tensor([loss.item(), batch.masked], device=device)
    parameters = [p for p in network.parameters() if p.requires_grad]
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [p.grad for p in parameters if p.grad is not None]
    workers.sum([*gradients, total])
    for gradient in gradients:
        gradient /= total[1].clamp(min=1)
    return float(total[0] / total[1].clamp(min=1))


def _loss(network: MaskedLanguageModel, batch: MaskedBatch, device: str, *, bf16: bool) -> Tensor:
    """Sum of the cross-entropies of the hidden genes, in nats."""
    tokens = torch.from_numpy(batch.tokens).to(device)
    labels = torch.from_numpy(batch.labels).to(device)
    layout = Layout.of(batch.lengths, device)
    places = Places.where(layout, labels != IGNORED)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=bf16):
        logits = network(tokens, layout, places)
    return F.cross_entropy(logits.float(), labels[places.rows], reduction="sum")


def evaluate(
    network: MaskedLanguageModel, batches: Sequence[MaskedBatch], device: str, *, bf16: bool
) -> float:
    """Mean cross-entropy of hidden genes, in nats, without dropout."""
    network.eval()
    with torch.inference_mode():
        losses = [_loss(network, b, device, bf16=bf16).item() for b in batches if b.masked]
    return sum(losses) / max(1, sum(batch.masked for batch in batches))


def schedule(step: int, steps: int, warmup: float) -> float:
    """Learning rate as a share of its height: a straight line up, a straight line down to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return max(0.0, (steps - step) / max(1, steps - rise + 1))


def make_optimizer(
    network: MaskedLanguageModel, config: PretrainingConfig
) -> torch.optim.Optimizer:
    """AdamW; what has one dimension, biases and norms, does not decay."""
    parameters = list(network.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
