"""The training loop, to be read from top to bottom.

Every random draw follows from the seed and the step number alone, so a run that
was killed goes on from its last checkpoint exactly as if nothing had happened.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from gst_core.model.network import GeneSymbolTransformer
from gst_core.training.augmentation import Evolution
from gst_core.training.batches import TrainingSet, order, pad
from gst_core.training.config import TrainingConfig
from gst_core.training.prediction import accuracy
from gst_core.training.state import restore, store


def rate(step: int, steps: int, warmup: float) -> float:
    """Learning rate as a share of its peak: linear rise, then half a cosine down to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def train(
    network: GeneSymbolTransformer,
    data: TrainingSet,
    validation: TrainingSet | None,
    config: TrainingConfig,
    folder: Path,
    *,
    evolution: Evolution | None = None,
    device: str = "cpu",
    on_step: Callable[[int, int, dict[str, float]], None] | None = None,
) -> None:
    """Train a network in place, or go on where a killed run stopped.

    Parameters
    ----------
    network
        The network; its weights are replaced by those of `folder`'s last
        checkpoint where there is one.
    data, validation
        Proteins to learn from and to watch.
    config
        The run.
    folder
        Receives ``state.safetensors``, ``state.json`` and ``metrics.csv``.
    evolution
        Augmentation; none without it.
    device
        ``"cpu"`` or ``"cuda"``.
    on_step
        Called with step, number of steps and the metrics of the step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.to(device)
    tables = [network.table, network.symbols]
    others = [p for p in network.parameters() if all(p is not table for table in tables)]
    optimizer = torch.optim.AdamW(
        [
            {
                "params": tables,
                "lr": config.table_rate,
                "weight_decay": 0.0,
                "peak": config.table_rate,
            },
            {
                "params": others,
                "lr": config.network_rate,
                "weight_decay": config.weight_decay,
                "peak": config.network_rate,
            },
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    per_epoch = max(1, len(data) // config.batch_size)
    steps = round(config.epochs * per_epoch)
    state = restore(network, optimizer, folder)
    rows = order(data, config, state.step // per_epoch)
    began = time.monotonic()
    for step in range(state.step, steps):
        if step % per_epoch == 0:
            rows = order(data, config, step // per_epoch)
        at = step % per_epoch * config.batch_size
        batch = data.take(rows[at : at + config.batch_size], config.longest)
        rng = np.random.default_rng((config.seed, 2, step))
        torch.manual_seed(config.seed * 1_000_003 + step)
        codes, lengths = batch.codes, batch.lengths
        if evolution is not None:
            codes, lengths = evolution(codes, lengths, rng)
        clades = batch.clades.copy()
        noisy = rng.random(len(clades)) < config.clade_noise
        clades[noisy] = rng.integers(0, network.config.num_clades, int(noisy.sum()))
        clades[rng.random(len(clades)) < config.clade_dropout] = network.config.num_clades

        share = rate(step, steps, config.warmup)
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
        network.train()
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = network(
                pad(codes, lengths).to(device),
                torch.from_numpy(lengths).to(device),
                torch.from_numpy(clades).to(device),
            )
        target = torch.from_numpy(batch.classes).to(device)
        loss = F.cross_entropy(logits.float(), target, label_smoothing=config.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

        metrics = {
            "step": step + 1.0,
            "loss": loss.item(),
            "accuracy": (logits.argmax(1) == target).float().mean().item(),
            "seconds": time.monotonic() - began,
        }
        last = step + 1 == steps
        if validation is not None and ((step + 1) % config.validate_every == 0 or last):
            metrics["validation_accuracy"] = accuracy(network, validation, device)
            state.observe(metrics["validation_accuracy"])
        _log(folder / "metrics.csv", metrics)
        if on_step is not None:
            on_step(step + 1, steps, metrics)
        stop = bool(config.patience and state.stale >= config.patience)
        state.step = step + 1
        if (step + 1) % config.checkpoint_every == 0 or last or stop:
            store(network, optimizer, state, folder)
        if stop:
            break
    network.eval()


def _log(path: Path, metrics: dict[str, float]) -> None:
    """Append one step to the table of metrics."""
    columns = ("step", "loss", "accuracy", "seconds", "validation_accuracy")
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.6g}" for name, value in metrics.items()})
