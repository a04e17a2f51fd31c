"""What there is to perturb: which cells, which genes of each, and in which parts it is done.

The perturbations of all cells, one cell after the other, are numbered, and a part is so many
neighbours. Parts depend on nothing but cells and options, so that processes which never talk
to each other can share them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.perturbations import Perturber, Tokens

#: Perturbed cells of a part: what a killed run loses at most.
PART: Final = 256

Chosen = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Targets:
    """Genes to perturb.

    Attributes
    ----------
    listed
        Tokens of genes that are perturbed together, for each perturbation; None for all genes of
        a cell, each in turn.
    anchor
        A gene to perturb with each of all others, beside each by itself.
    """

    listed: tuple[Chosen, ...] | None = None
    anchor: int | None = None

    @classmethod
    def each(cls, tokens: Sequence[int]) -> Targets:
        """Each gene by itself."""
        return cls(tuple((int(token),) for token in dict.fromkeys(tokens)))

    @classmethod
    def pairs(cls, tokens: Sequence[int]) -> Targets:
        """Each gene by itself, and each two together."""
        single = cls.each(tokens).listed or ()
        return cls((*single, *((a[0], b[0]) for a, b in combinations(single, 2))))

    def of(self, perturber: Perturber, cell: Tokens) -> list[Chosen]:
        """Perturbations of one cell."""
        if self.listed is not None:
            return [own for own in self.listed if perturber.applies(cell, own)]
        singles: list[Chosen] = [(int(token),) for token in perturber.singles(cell)]
        if self.anchor is None:
            return singles
        genes = cell[perturber.span(cell)]
        if self.anchor not in genes:
            return []
        both = [(self.anchor, int(gene)) for gene in genes if gene != self.anchor]
        return singles + [own for own in both if perturber.applies(cell, own)]

    def count(self, perturber: Perturber, cell: Tokens) -> int:
        """Count the perturbations of one cell."""
        if self.listed is None and self.anchor is None:
            return len(perturber.singles(cell))
        return len(self.of(perturber, cell))


@dataclass(frozen=True, slots=True)
class Plan:
    """Perturbed cells, numbered, cell after cell.

    Attributes
    ----------
    cells
        ``(C,)``: rows of the dataset with one perturbation or more.
    offsets
        ``(C + 1,)``: number of the first perturbation of each, and of the one after the last.
    tokens
        ``(C,)``: length of each.
    """

    cells: NDArray[np.int64]
    offsets: NDArray[np.int64]
    tokens: NDArray[np.int64]

    @classmethod
    def of(
        cls, cells: Cells, chosen: NDArray[np.int64], targets: Targets, perturber: Perturber
    ) -> Plan:
        """Count what there is to do in the chosen cells."""
        counts = np.array([targets.count(perturber, cells[int(cell)]) for cell in chosen], int)
        kept = counts > 0
        chosen, counts = chosen[kept], counts[kept]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(chosen, offsets, cells.lengths[chosen])

    @property
    def passes(self) -> int:
        """Forward passes: the perturbed cells, and each cell as it is."""
        return int(self.offsets[-1]) + len(self.cells)

    @property
    def parts(self) -> int:
        """Number of parts."""
        return -(-int(self.offsets[-1]) // PART)

    def size(self, number: int) -> int:
        """Perturbed cells of a part."""
        return min(PART, int(self.offsets[-1]) - number * PART)

    def part(self, number: int) -> Iterator[tuple[int, int, int]]:
        """Say what belongs to a part: ``cell, start, stop`` of the cell's perturbations."""
        begin, end = number * PART, min((number + 1) * PART, int(self.offsets[-1]))
        first = int(np.searchsorted(self.offsets, begin, "right")) - 1
        for i in range(first, len(self.cells)):
            start, stop = int(self.offsets[i]), int(self.offsets[i + 1])
            if start >= end:
                return
            yield int(self.cells[i]), max(begin, start) - start, min(end, stop) - start


def select(
    n: int,
    columns: Mapping[str, Any],
    filters: Mapping[str, Sequence[str]],
    *,
    max_cells: int | None = None,
    seed: int = 0,
    where: str = "cells",
) -> NDArray[np.int64]:
    """Choose cells by their attributes.

    Parameters
    ----------
    n
        Number of cells.
    columns
        ``(n,)`` values, by name.
    filters
        Values that a cell may have, by column; compared as text.
    max_cells
        Draw so many of those that fit.
    seed
        Of the draw.
    where
        The dataset, for messages.

    Returns
    -------
    cells
        Rows, rising.

    Raises
    ------
    GstError
        If there is no such column or value, or no cell fits.
    """
    kept = np.ones(n, dtype=bool)
    for name, values in filters.items():
        own = text_of(columns, name, where)
        for value in values:
            if not (own == value).any():
                some = ", ".join(sorted(set(own.tolist()))[:8])
                raise GstError(f"no cell has {name} {value}", where=where, hint=f"there is: {some}")
        kept &= np.isin(own, list(values))
    chosen = np.flatnonzero(kept)
    if not len(chosen):
        raise GstError("no cell fits all filters", where=where)
    if max_cells is not None and len(chosen) > max_cells:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, max_cells, replace=False))
    return chosen


def text_of(columns: Mapping[str, Any], name: str, where: str) -> NDArray[np.str_]:
    """Values of a column, as text.

    Raises
    ------
    GstError
        If there is no such column.
    """
    if name not in columns:
        there = ", ".join(columns) or "none"
        raise GstError(f"has no column {name}", where=where, hint=f"it has: {there}")
    return np.asarray(columns[name]).astype(str)
