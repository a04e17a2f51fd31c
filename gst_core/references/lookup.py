"""What is looked up for a protein: the numbers that decide it, and what comes of it.

Two implementations follow these rules, :mod:`~gst_core.references.compiled` in C and
:mod:`~gst_core.references.portable` for machines without a compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: Residues of a protein that are looked at; the longest known, titin, has some 35,000. Time and
#: memory of an alignment grow by the square of a low-complexity protein's length.
LONGEST: Final = 65_536
#: References found by words.
FOUND: Final = 160
#: References of one symbol that are aligned.
ALIGNED: Final = 3
#: A reference is aligned where its words score at least this share of the best one's,
#: and at most so many references of one protein. Where they are all of one symbol, the first is.
WORTH_ALIGNING: Final = 0.5
SEARCHED: Final = 40
#: Once so many alignments are no better than chance, only references are aligned of which a part
#: is, without gaps.
TRIED: Final = 5
#: Where no alignment reaches this share of the protein's score against itself, words may mislead:
#: a reference of each of the first `RIVALS` symbols is aligned, whatever its words.
DOUBTFUL: Final = 0.45
RIVALS: Final = 6
#: Where none reaches this share, words may have missed the relatives: the best `SURE` references by
#: their words are aligned, and the best `SIMILAR` by words that are only alike.
WEAK: Final = 0.25
SURE: Final = 10
SIMILAR: Final = 10

Proteins = Sequence[NDArray[np.uint8]]
Hidden = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What was found for a batch of B proteins, T references in all.

    Attributes
    ----------
    numbers
        ``(B,)``: references found for each.
    own
        ``(B,)``: sum of the weights of each protein's words, in nats.
    references
        ``(T,)``: those of the first protein, then those of the second, and so on. Those aligned
        come first, by their scores, of equal ones the first symbol; the others by their words.
    shared
        ``(T,)``: sum of the weights of the words shared with each, in nats.
    scores
        ``(T,)``: of the alignments; 0 where there is none.
    """

    numbers: NDArray[np.int64]
    own: NDArray[np.float64]
    references: NDArray[np.int32]
    shared: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the best local alignment with a reference shows.

    Attributes
    ----------
    matches, columns
        Columns with the same residue on both sides, and all columns.
    query_coverage, reference_coverage
        Share of the residues of each that lie between its ends.
    """

    matches: int
    columns: int
    query_coverage: float
    reference_coverage: float

    @property
    def identity(self) -> float:
        """Share of the columns with the same residue on both sides, 0 to 1."""
        return self.matches / max(self.columns, 1)


class LookUp(Protocol):
    """References, and the way to find and to align them.

    Attributes
    ----------
    totals
        ``(R,)``: sum of the weights of each reference's words, in nats. A word's weight
        is its inverse document frequency.
    self_scores
        ``(R,)``: score of each reference's alignment with itself, at least 1.
    """

    totals: NDArray[np.float32]
    self_scores: NDArray[np.int64]

    def look_up(self, proteins: Proteins, hidden: Hidden | None = None) -> LookedUp:
        """Find references and align them.

        Parameters
        ----------
        proteins
            Plain residue codes of each.
        hidden
            ``(R,)`` for each protein: references that it shall not know of.
        """

    def count_matches(
        self, proteins: Proteins, rows: NDArray[np.int64], references: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches and columns of the best local alignments, ``(P, 2)``.

        Parameters
        ----------
        proteins
            Plain residue codes of each.
        rows
            ``(P,)``: which protein, ascending.
        references
            ``(P,)``: which reference.
        """

    def show(self, protein: NDArray[np.uint8], reference: int) -> Alignment:
        """Show the best local alignment of a protein, plain residue codes, with a reference."""
