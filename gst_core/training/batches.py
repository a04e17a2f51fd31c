"""Proteins as arrays, and the order in which training sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gst_core.sequences import PADDING
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
