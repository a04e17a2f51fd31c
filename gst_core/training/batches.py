"""Proteins as arrays, and the batches in which training sees them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gst_core.model.workers import ALONE, Workers
from gst_core.sequences import PADDING
from gst_core.training.augmentation import Evolution
from gst_core.training.config import TrainingConfig


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
    starts
        ``(N,)`` where the residues of each begin; follows from the lengths, once for all batches.
    """

    codes: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    classes: NDArray[np.int64]
    clades: NDArray[np.int64]
    starts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", np.cumsum(self.lengths) - self.lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: NDArray[np.int64], longest: int | None = None) -> TrainingSet:
        """Select proteins in the given order, cut to their first `longest` residues."""
        lengths = self.lengths[rows] if longest is None else self.lengths[rows].clip(max=longest)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        codes = self.codes[np.repeat(self.starts[rows], lengths) + within]
        return TrainingSet(codes, lengths, self.classes[rows], self.clades[rows])


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step of training, or one call of the network, reads.

    Attributes
    ----------
    codes
        ``(B, L)`` residue codes, padded.
    lengths, clades
        ``(B,)``, inputs of the network beside the codes.
    classes
        ``(B,)``, what it should answer.
    """

    codes: Tensor
    lengths: Tensor
    clades: Tensor
    classes: Tensor

    @classmethod
    def of(cls, data: TrainingSet) -> Batch:
        """Lay all proteins of a set into one batch."""
        return cls(
            pad(data.codes, data.lengths),
            torch.from_numpy(data.lengths),
            torch.from_numpy(data.clades),
            torch.from_numpy(data.classes),
        )

    def to(self, device: str) -> Batch:
        """Move to a device."""
        return Batch(
            self.codes.to(device),
            self.lengths.to(device),
            self.clades.to(device),
            self.classes.to(device),
        )


def pad(codes: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Tensor:
    """Lay proteins from end to end into rows, ``(B, L)``, with padding behind."""
    rows = np.full((len(lengths), int(lengths.max())), PADDING, dtype=np.uint8)
    rows[np.arange(rows.shape[1]) < lengths[:, None]] = codes
    return torch.from_numpy(rows)


def by_length(
    data: TrainingSet, batch_size: int, longest: int | None = None
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Go through all proteins once, neighbours in length together, with their row numbers."""
    rows = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(rows), batch_size):
        chosen = rows[start : start + batch_size]
        yield chosen, Batch.of(data.take(chosen, longest))


def order(data: TrainingSet, config: TrainingConfig, epoch: int) -> NDArray[np.int64]:
    """Row numbers of one epoch: shuffled, then sorted by length within windows of 16 batches."""
    rng = np.random.default_rng((config.seed, 1, epoch))
    if config.balance:
        frequency = np.bincount(data.classes)[data.classes].astype(np.float64)
        weights = frequency**-config.balance
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


def steps_per_epoch(data: TrainingSet, config: TrainingConfig) -> int:
    """Full batches in one pass over the proteins; at least one."""
    return max(1, len(data) // config.batch_size)


def draw(
    data: TrainingSet,
    rows: NDArray[np.int64],
    config: TrainingConfig,
    evolution: Evolution | None,
    num_clades: int,
    step: int,
    workers: Workers = ALONE,
) -> Batch:
    """Make one process's part of a step's batch: proteins evolved, clades forgotten or mistaken."""
    chosen = data.take(rows[workers.rank :: workers.world], config.longest)
    rng = np.random.default_rng((config.seed, 2, step, *([workers.rank] if workers.rank else [])))
    codes, lengths = chosen.codes, chosen.lengths
    if evolution is not None:
        codes, lengths = evolution(codes, lengths, rng)
    clades = chosen.clades.copy()
    noisy = rng.random(len(clades)) < config.clade_noise
    clades[noisy] = rng.integers(0, num_clades, int(noisy.sum()))
    clades[rng.random(len(clades)) < config.clade_dropout] = num_clades
    return Batch.of(TrainingSet(codes, lengths, chosen.classes, clades))


def training_batches(
    data: TrainingSet,
    config: TrainingConfig,
    evolution: Evolution | None,
    num_clades: int,
    first: int,
    steps: int,
    workers: Workers = ALONE,
) -> Iterator[Batch]:
    """Batches of the steps from `first` up to `steps`; the next is drawn while one is in use."""
    per_epoch = steps_per_epoch(data, config)

    def batches() -> Iterator[Batch]:
        rows = order(data, config, first // per_epoch)
        for step in range(first, steps):
            if step % per_epoch == 0:
                rows = order(data, config, step // per_epoch)
            at = step % per_epoch * config.batch_size
            chosen = rows[at : at + config.batch_size]
            yield draw(data, chosen, config, evolution, num_clades, step, workers)

    source = batches()
    with ThreadPoolExecutor(1) as executor:
        coming = executor.submit(next, source, None)
        while (batch := coming.result()) is not None:
            coming = executor.submit(next, source, None)
            yield batch
