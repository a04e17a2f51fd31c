"""Batches of cells of like length, and genes hidden in them: what pretraining draws at random.

Every draw follows from the seed, the epoch and the number of the batch, and from nothing else, so
that a run goes on to the bit where it was killed, and does not depend on how many processes share
its batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.resources import Resources

#: Share of a cell's genes that the network must tell.
MASKED: Final = 0.15
#: Of these, the share behind the mask, and the share that shows another gene; the rest is shown.
HIDDEN, SWAPPED = 0.8, 0.1
#: What the loss leaves out; :data:`gst_core.geneformer.network.IGNORED` is the same.
IGNORED: Final = -100
#: Batches of which the cells are sorted by length together.
_GROUP: Final = 50


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """Cells one behind the other, with genes to tell.

    Attributes
    ----------
    tokens
        ``(T,)`` int64: as the network sees them.
    labels
        ``(T,)`` int64: the genes to tell, :data:`IGNORED` elsewhere.
    lengths
        Tokens of each cell, rising.
    """

    tokens: NDArray[np.int64]
    labels: NDArray[np.int64]
    lengths: tuple[int, ...]

    @property
    def masked(self) -> int:
        """Number of genes to tell."""
        return int((self.labels != IGNORED).sum())


def plan_epoch(
    lengths: NDArray[np.int64], batch_cells: int, seed: int, epoch: int
) -> list[NDArray[np.intp]]:
    """Divide the cells of an epoch into batches of like length, in random order.

    Parameters
    ----------
    lengths
        ``(cells,)`` tokens of each.
    batch_cells
        Cells of a batch; the last has what is left.
    seed, epoch
        Of the draw.

    Returns
    -------
    batches
        Each cell is in one of them.
    """
    generator = np.random.default_rng([seed, epoch])
    shuffled = generator.permutation(len(lengths))
    batches: list[NDArray[np.intp]] = []
    for start in range(0, len(shuffled), _GROUP * batch_cells):
        group = shuffled[start : start + _GROUP * batch_cells]
        group = group[np.argsort(lengths[group], kind="stable")]
        batches += [group[at : at + batch_cells] for at in range(0, len(group), batch_cells)]
    return [batches[number] for number in generator.permutation(len(batches))]


def cut(tokens: NDArray[np.integer], positions: int, eos: int | None) -> NDArray[np.int64]:
    """Shorten a cell to the network's positions; what ends with ``<eos>`` still does."""
    if len(tokens) <= positions:
        return tokens.astype(np.int64)
    shorter = tokens[:positions].astype(np.int64)
    if eos is not None and tokens[-1] == eos:
        shorter[-1] = eos
    return shorter


def mask(cells: Sequence[NDArray[np.int64]], resources: Resources, *draw: int) -> MaskedBatch:
    """Hide 15% of the genes: 80% behind ``<mask>``, 10% behind another gene, 10% not at all.

    Parameters
    ----------
    cells
        Their tokens.
    resources
        Knows the special tokens, which are never chosen nor shown in a gene's place.
    draw
        Numbers that the draw follows from.
    """
    generator = np.random.default_rng(draw)
    ordered = sorted(cells, key=len)
    tokens = np.concatenate(ordered)
    chosen = generator.random(len(tokens)) < MASKED
    chosen &= ~np.isin(tokens, [resources.pad_token, resources.mask_token])
    chosen &= ~np.isin(tokens, resources.special_tokens)
    labels = np.where(chosen, tokens, IGNORED)
    how = generator.random(len(tokens))
    others = resources.token_ids[generator.integers(0, len(resources.token_ids), len(tokens))]
    shown = np.where(chosen & (how < HIDDEN), resources.mask_token, tokens)
    swapped = chosen & (how >= HIDDEN) & (how < HIDDEN + SWAPPED)
    return MaskedBatch(
        np.where(swapped, others, shown).astype(np.int64),
        labels.astype(np.int64),
        tuple(len(cell) for cell in ordered),
    )


@dataclass(frozen=True, slots=True)
class Baselines:
    """What is to be beaten: mean surprise at hidden genes, in nats, of two that read no cell.

    Attributes
    ----------
    unigram
        Each gene is as likely as it is frequent in the training cells.
    unseen
        The same, but of the genes alone that the cell does not show: each has one rank.
    """

    unigram: float
    unseen: float


def baselines(
    train: Sequence[NDArray[np.int64]], batches: Sequence[MaskedBatch], resources: Resources
) -> Baselines:
    """Compute the baselines, with one count more for every gene so that none is impossible."""
    counts = np.zeros(resources.vocabulary_size)
    counts[resources.token_ids] = 1
    for cell in train:
        counts += np.bincount(cell, minlength=len(counts))
    counts[[resources.pad_token, resources.mask_token, *resources.special_tokens]] = 0
    share = counts / counts.sum()
    plain: list[NDArray[np.float64]] = []
    unseen: list[NDArray[np.float64]] = []
    for batch in batches:
        stops = np.cumsum(batch.lengths)
        for start, stop in zip([0, *stops[:-1]], stops, strict=True):
            labels, shown = batch.labels[start:stop], batch.tokens[start:stop]
            hidden = labels[labels != IGNORED]
            # What is shown where a gene must be told may be the gene itself, and nobody knows.
            given = np.unique(shown[labels == IGNORED])
            plain.append(-np.log(share[hidden]))
            unseen.append(-np.log(share[hidden] / max(1 - share[given].sum(), 1e-12)))
    return Baselines(float(np.concatenate(plain).mean()), float(np.concatenate(unseen).mean()))
