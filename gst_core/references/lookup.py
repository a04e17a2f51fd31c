"""What is looked up for a query: the numbers that decide it, and what comes of it.

Queries are the proteins to be named, targets the references, whose symbols are known. Two
implementations follow these rules, :mod:`~gst_core.references.compiled_lookup` in C
(``native/lookup.c``) and :mod:`~gst_core.references.portable` for machines without a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: Residues of a query that are looked at; the longest known, titin, has some 35,000. Time and
#: memory of an alignment grow by the square of a low-complexity protein's length.
LONGEST: Final = 65_536
#: Targets found by the prefilter.
FOUND: Final = 160
#: Targets of one symbol that are aligned.
ALIGNED: Final = 3
#: A target is aligned where the prefilter scores it at least this share of the best one's,
#: and at most so many targets of one query. Where they are all of one symbol, the first is.
WORTH_ALIGNING: Final = 0.5
SEARCHED: Final = 40
#: Where no alignment reaches this share of the query's score against itself, the prefilter may
#: mislead: a target of each of the first `COMPETING` symbols is aligned, whatever its seeds.
DOUBTFUL: Final = 0.45
COMPETING: Final = 6
#: Where none reaches this share, the prefilter may have missed the relatives: its best
#: `BEST_BY_SEEDS` targets are aligned, and the best `SENSITIVE` of the sensitive search.
WEAK: Final = 0.25
BEST_BY_SEEDS: Final = 10
SENSITIVE: Final = 10

Queries = Sequence[NDArray[np.uint8]]
Hidden = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was found for a batch of B queries, T targets in all.

    Attributes
    ----------
    numbers
        ``(B,)``: targets found for each.
    own
        ``(B,)``: sum of the weights of each query's seeds, in nats.
    targets
        ``(T,)``: those of the first query, then those of the second, and so on. Those aligned
        come first, by their scores, of equal ones the first symbol; the others as the prefilter
        ranks them.
    shared
        ``(T,)``: sum of the weights of the seeds shared with each, in nats.
    scores
        ``(T,)``: of the alignments; 0 where there is none.
    """

    numbers: NDArray[np.int64]
    own: NDArray[np.float64]
    targets: NDArray[np.int32]
    shared: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the best local alignment with a target shows.

    Attributes
    ----------
    matches, columns
        Columns with the same residue on both sides, and all columns.
    query_coverage, target_coverage
        Share of the residues of each that lie between its ends.
    """

    matches: int
    columns: int
    query_coverage: float
    target_coverage: float

    @property
    def identity(self) -> float:
        """Share of the columns with the same residue on both sides, 0 to 1."""
        return self.matches / max(self.columns, 1)


class LookUp(Protocol):
    """Targets, and the way to find and to align them.

    Attributes
    ----------
    totals
        ``(R,)``: sum of the weights of each target's seeds, in nats. A seed's weight
        is its inverse document frequency.
    self_scores
        ``(R,)``: score of each target's alignment with itself, at least 1.
    """

    totals: NDArray[np.float32]
    self_scores: NDArray[np.int64]

    def look_up(self, queries: Queries, hidden: Hidden | None = None) -> LookedUp:
        """Find targets and align them.

        Parameters
        ----------
        queries
            Plain residue codes of each.
        hidden
            ``(R,)`` for each query: targets that it shall not know of.
        """

    def count_matches(
        self, queries: Queries, rows: NDArray[np.int64], targets: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches and columns of the best local alignments, ``(P, 2)``.

        Parameters
        ----------
        queries
            Plain residue codes of each.
        rows
            ``(P,)``: which query, ascending.
        targets
            ``(P,)``: which target.
        """

    def show(self, query: NDArray[np.uint8], target: int) -> Alignment:
        """Show the best local alignment of a query, plain residue codes, with a target."""
