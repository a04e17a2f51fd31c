"""The training loop, to be read from top to bottom.

Every random draw follows from the seed and the step number alone, so a run that
was killed goes on from its last checkpoint exactly as if nothing had happened.
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from gst_core.model.checkpoint import load_tensors, save_tensors
from gst_core.model.network import GeneSymbolTransformer, count_words
from gst_core.sequences import PADDING
from gst_core.training.augmentation import Evolution


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Proteins as arrays.

    Attributes
    ----------
    codes
        Residue codes of all proteins, end to end, uint8.
    lengths
        ``(N,)`` residues of each.
    classes
        ``(N,)`` symbol indices; -1 where the symbol is not in the vocabulary.
    clades
        ``(N,)`` clade indices.
    """

    codes: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    classes: NDArray[np.int64]
    clades: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: NDArray[np.int64], longest: int | None = None) -> TrainingSet:
        """Select proteins in the given order, cut to their first `longest` residues."""
        starts = (np.cumsum(self.lengths) - self.lengths)[rows]
        lengths = self.lengths[rows] if longest is None else self.lengths[rows].clip(max=longest)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        codes = self.codes[np.repeat(starts, lengths) + within]
        return TrainingSet(codes, lengths, self.classes[rows], self.clades[rows])


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What fixes a training run besides the data and the network.

    Attributes
    ----------
    epochs
        Passes over the training proteins.
    batch_size
        Proteins a step.
    table_rate, network_rate
        Peak learning rates (Adam) of the tables and of everything else.
    warmup
        Share of the steps in which the rates rise to their peak.
    weight_decay
        Decoupled, of everything but the tables.
    clade_dropout
        Share of proteins trained as of unknown clade.
    clade_noise
        Share of proteins trained under a clade drawn at random. A clade with
        few proteins would otherwise learn that nothing but their symbols
        exists in it, and be wrong of the next species.
    balance
        A symbol seen n times is drawn in proportion to ``n ** (1 - balance)``.
    longest
        Residues of a protein that training reads; inference reads all.
    label_smoothing
        Of the cross entropy.
    patience
        Validations without a better result before training ends early; 0: never.
    validate_every, checkpoint_every
        Steps; checkpoints also at the end of training.
    seed
        Of every random draw.
    """

    epochs: float = 8
    batch_size: int = 512
    table_rate: float = 1e-3
    network_rate: float = 5e-4
    warmup: float = 0.05
    weight_decay: float = 0.01
    clade_dropout: float = 0.3
    clade_noise: float = 0.5
    balance: float = 0.0
    longest: int = 1024
    label_smoothing: float = 0.0
    patience: int = 0
    validate_every: int = 400
    checkpoint_every: int = 400
    seed: int = 1


def pad(codes: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Tensor:
    """Lay proteins from end to end into rows, ``(B, L)``, with padding behind."""
    rows = np.full((len(lengths), int(lengths.max())), PADDING, dtype=np.uint8)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = codes
    return torch.from_numpy(rows)


def order(data: TrainingSet, config: TrainingConfig, epoch: int) -> NDArray[np.int64]:
    """Row numbers of one epoch: shuffled, then sorted by length within windows of 16 batches."""
    rng = np.random.default_rng((config.seed, 1, epoch))
    frequency = np.bincount(data.classes)[data.classes].astype(np.float64)
    weights = frequency**-config.balance
    if config.balance:
        rows = rng.choice(len(data), len(data), p=weights / weights.sum())
    else:
        rows = rng.permutation(len(data))
    size = config.batch_size
    batches = []
    for start in range(0, len(rows), size * 16):
        window = rows[start : start + size * 16]
        window = window[np.argsort(data.lengths[window], kind="stable")]
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    full = [batch for batch in batches if len(batch) == size] or batches
    return np.concatenate([full[i] for i in rng.permutation(len(full))])


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
            {"params": tables, "lr": config.table_rate, "weight_decay": 0.0, "peak": config.table_rate},
            {"params": others, "lr": config.network_rate, "weight_decay": config.weight_decay, "peak": config.network_rate},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    per_epoch = max(1, len(data) // config.batch_size)
    steps = round(config.epochs * per_epoch)
    state = _restore(network, optimizer, folder)
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
        loss.backward()
        optimizer.step()

        metrics = {"step": step + 1.0, "loss": loss.item(), "accuracy": (logits.argmax(1) == target).float().mean().item(), "seconds": time.monotonic() - began}
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
            _store(network, optimizer, state, folder)
        if stop:
            break
    network.eval()


@torch.no_grad()
def start_from_prototypes(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 256
) -> None:
    """Weigh words by rarity and set each symbol's vector to the mean of its proteins'.

    A random table of words is a random projection, which keeps angles (Johnson
    and Lindenstrauss 1984): the network starts as a nearest-centroid classifier
    of words, weighed by inverse document frequency, instead of from nothing.
    """
    network.eval().to(device)
    network.table *= inverse_document_frequency(network, data)[:, None]
    total = torch.zeros_like(network.symbols)
    by_length = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(data), batch_size):
        batch = data.take(by_length[start : start + batch_size], 2048)
        with torch.autocast(device, dtype=torch.bfloat16):
            vectors = network.represent(
                pad(batch.codes, batch.lengths).to(device),
                torch.from_numpy(batch.lengths).to(device),
                torch.full((len(batch),), network.config.num_clades, device=device),
            )
        total.index_add_(0, torch.from_numpy(batch.classes).to(device), vectors.float())
    seen = total.norm(dim=1) > 0
    typical = network.symbols[0].norm()
    network.symbols[seen] = F.normalize(total[seen], dim=1) * typical


def inverse_document_frequency(network: GeneSymbolTransformer, data: TrainingSet) -> Tensor:
    """Rarity of each word, ``(rows,)``: log of one over the share of proteins that have it; mean 1."""
    found = torch.zeros(network.config.bag_rows, device=network.table.device)
    for start in range(0, len(data), 512):
        batch = data.take(np.arange(start, min(start + 512, len(data))), 2048)
        rows, present = network.words(pad(batch.codes, batch.lengths).to(found.device))
        found += count_words(rows.flatten(1), present.flatten(1), len(found), 1).sum(0)
    rarity = torch.log(len(data) / (found + 1)).clamp(min=0.1)
    return rarity / rarity.mean()


def accuracy(network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu") -> float:
    """Share of proteins of the vocabulary that are given exactly their symbol."""
    scores = predict(network, data, device)
    known = data.classes >= 0
    return float((scores.argmax(1)[known] == data.classes[known]).mean())


@torch.no_grad()
def predict(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 128
) -> NDArray[np.float32]:
    """Logits of a set of proteins, in their order.

    Parameters
    ----------
    network
        The network; it is left in evaluation mode.
    data
        Proteins; each is read whole.
    device
        ``"cpu"`` or ``"cuda"``.
    batch_size
        Proteins at a time; neighbours in length go together.

    Returns
    -------
    logits
        ``(N, C)`` float32.
    """
    network.eval()
    logits = np.empty((len(data), network.config.num_symbols), dtype=np.float32)
    by_length = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(data), batch_size):
        rows = by_length[start : start + batch_size]
        batch = data.take(rows)
        result = network(
            pad(batch.codes, batch.lengths).to(device),
            torch.from_numpy(batch.lengths).to(device),
            torch.from_numpy(batch.clades).to(device),
        )
        logits[rows] = result.float().cpu().numpy()
    return logits


@dataclass(slots=True)
class _State:
    """What a run must remember besides tensors."""

    step: int = 0
    best: float = -1.0
    stale: int = 0

    def observe(self, value: float) -> None:
        """Note a validation: `stale` counts those since the best."""
        if value > self.best:
            self.best, self.stale = value, 0
        else:
            self.stale += 1


def _store(
    network: GeneSymbolTransformer, optimizer: torch.optim.Optimizer, state: _State, folder: Path
) -> None:
    """Write weights and optimizer state; the step is in the same file, so the two never disagree."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"optimizer.{number}.{name}"] = value
    save_tensors(folder / "state.safetensors", tensors, {"state": json.dumps(asdict(state))})


def _restore(
    network: GeneSymbolTransformer, optimizer: torch.optim.Optimizer, folder: Path
) -> _State:
    """Load what :func:`_store` wrote, where there is something."""
    path = folder / "state.safetensors"
    if not path.exists():
        return _State()
    tensors, metadata = load_tensors(path)
    network.load_state_dict(
        {name.removeprefix("network."): v for name, v in tensors.items() if name.startswith("network.")}
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return _State(**json.loads(metadata["state"]))


def _log(path: Path, metrics: dict[str, float]) -> None:
    """Append one step to the table of metrics."""
    columns = ("step", "loss", "accuracy", "seconds", "validation_accuracy")
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.6g}" for name, value in metrics.items()})
