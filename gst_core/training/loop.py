"""The training loop, to be read from top to bottom.

Every random draw follows from the seed and the step number alone, so a run that
was killed goes on from its last checkpoint exactly as if nothing had happened.

Several processes share each step's batch and sum their gradients; the first of them
watches, writes, and says when to stop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from gst_core.errors import GstError
from gst_core.model.checkpoint import load_tensors, save_tensors
from gst_core.model.network import GeneSymbolTransformer
from gst_core.model.precision import autocast
from gst_core.model.workers import ALONE, Workers
from gst_core.training import metrics as table
from gst_core.training.augmentation import Evolution
from gst_core.training.batches import TrainingSet, steps_per_epoch, training_batches
from gst_core.training.config import TrainingConfig
from gst_core.training.prediction import accuracy
from gst_core.training.state import TrainingState, restore, store

#: Weights of the best validation so far, which are what a run with `patience` leaves behind.
BEST_FILE = "best.safetensors"

#: Called with step, number of steps and the metrics of the step.
OnStep = Callable[[int, int, dict[str, float]], None]


def rate(step: int, steps: int, warmup: float) -> float:
    """Learning rate as a share of its peak: linear rise, then half a cosine down to zero."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def make_optimizer(network: GeneSymbolTransformer, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW with a rate of their own for the tables, which do not decay."""
    tables = [network.table, network.symbols]
    others = [p for p in network.parameters() if all(p is not table for table in tables)]
    groups = [
        {"params": tables, "weight_decay": 0.0, "peak": config.table_rate},
        {"params": others, "weight_decay": config.weight_decay, "peak": config.network_rate},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def train(
    network: GeneSymbolTransformer,
    data: TrainingSet,
    validation: TrainingSet | None,
    config: TrainingConfig,
    folder: Path,
    *,
    evolution: Evolution | None = None,
    device: str = "cpu",
    workers: Workers = ALONE,
    on_step: OnStep | None = None,
) -> None:
    """Train a network in place, or go on where a killed run stopped.

    Parameters
    ----------
    network
        The network; its weights are replaced by those of `folder`'s last
        checkpoint where there is one.
    data, validation
        Proteins to learn from, and to watch.
    config
        The run.
    folder
        Receives ``state.safetensors`` and ``metrics.csv``.
    evolution
        Augmentation; none without it.
    device
        ``"cpu"`` or ``"cuda"``.
    workers
        This process among those that share the run.
    on_step
        Told of every step.

    Raises
    ------
    GstError
        If there are fewer proteins in a batch than processes.
    """
    if min(len(data), config.batch_size) < workers.world:
        raise GstError(
            f"{min(len(data), config.batch_size):,} proteins in a batch for {workers.world} "
            "processes",
            hint="use fewer processes or larger batches",
        )
    folder.mkdir(parents=True, exist_ok=True)
    network.to(device)
    optimizer = make_optimizer(network, config)
    steps = max(1, round(config.epochs * steps_per_epoch(data, config)))
    state = restore(network, optimizer, folder)
    workers.take_first(network.state_dict().values())
    if workers.first:
        table.rewind(folder / "metrics.csv", state.step)
    if _is_stale(state, config):
        steps = state.step  # it had ended early
    began = time.monotonic() - state.seconds

    batches = training_batches(
        data, config, evolution, network.config.num_clades, state.step, steps, workers
    )
    for step, cpu_batch in enumerate(batches, state.step):
        batch = cpu_batch.to(device)
        torch.manual_seed(config.seed * 1_000_003 + step + (workers.rank << 32))  # of dropout
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate(step, steps, config.warmup)

        network.train()
        with autocast(device):
            logits = network(batch.codes, batch.lengths, batch.clades)
        loss = F.cross_entropy(
            logits.float(), batch.classes, label_smoothing=config.label_smoothing
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        right = (logits.argmax(1) == batch.classes).float().mean()
        means = _shared(network, torch.stack([loss.detach(), right]), len(batch.classes), workers)
        optimizer.step()

        state.step = step + 1
        state.seconds = time.monotonic() - began
        metrics = {
            "step": state.step,
            "loss": means[0].item(),
            "accuracy": means[1].item(),
            "seconds": state.seconds,
        }
        last = state.step == steps
        watch = state.step % config.validate_every == 0 or last
        if watch and validation is not None and workers.first:
            metrics["validation_accuracy"] = accuracy(network, validation, device)
            best = state.observe(metrics["validation_accuracy"])
            if best and config.patience:
                save_tensors(folder / BEST_FILE, network.state_dict(), {})
        early = watch and bool(config.patience) and workers.agree(_is_stale(state, config), device)
        if workers.first:
            if early or (last and (folder / BEST_FILE).exists()):
                network.load_state_dict(load_tensors(folder / BEST_FILE)[0])
            table.log(folder / "metrics.csv", metrics)
            if state.step % config.checkpoint_every == 0 or last or early:
                store(network, optimizer, state, folder)
        if on_step is not None:
            on_step(state.step, steps, metrics)
        if early:
            break
    network.eval()


def _is_stale(state: TrainingState, config: TrainingConfig) -> bool:
    return bool(config.patience) and state.stale >= config.patience


def _shared(
    network: GeneSymbolTransformer, means: Tensor, proteins: int, workers: Workers
) -> Tensor:
    """Leave the gradient of the whole batch in the network, and give means over all of it.

    Parameters
    ----------
    network
        With the gradient of this process's part.
    means
        Over the part.
    proteins
        Of the part.
    workers
        The processes.
    """
    if workers.world == 1:
        return means
    total = torch.tensor(float(proteins), device=means.device)
    workers.sum([total])
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    for tensor in (*gradients, means):
        tensor *= proteins / total
    workers.sum([*gradients, means])
    return means
