"""The references of each word, as an index has them; what both of its implementations share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.store import References
from gst_core.references.words import WORDS

#: Words in more references than this say too little for what they cost.
COMMON: Final = 300
#: A protein's rarest words are looked up, until they are in so many references together: the
#: commoner ones cost most and change little. Long proteins are given more.
BUDGET: Final = 20_000
BUDGET_PER_WORD: Final = 16
#: Numbers of so many references fit 16 bits. `COMMON` and the budgets are for up to as many: among
#: more, each word is in more.
NARROW: Final = 65_535

#: Residues of the shortest reference that gains by its length: a single shared word must
#: not bring fragments to the top.
SHORT: Final = 100

#: References are found whose score is more than this share of the best one's.
LEAST: Final = 0.25

#: Words are alike whose four substitutions score so much, by BLOSUM62; and where references are
#: first tallied, so much.
ALIKE: Final = 18
MORE_ALIKE: Final = 20
#: Places of a protein at which one word is looked for, the first ones, and about how many of all
#: words: of W's alone each is like each, and a record of them would take gigabytes. Of the
#: proteins of Swiss-Prot none has more than 449 of one (MLRR1_PLAF7), and titin has 500,000.
PLACES_OF_WORD: Final = 512
PLACES_OF_ALL: Final = 1 << 20
#: References that are looked at by such words, those that were tallied highest, and how many of
#: them together: after a block in which none stands out from chance the search is over. Of 199
#: held-out proteins that it found a relative of, 193 had theirs in the first block.
TALLIED: Final = 4000
BLOCK: Final = 500
#: Of a block, those with the best diagonals: so many have the residues on their best `DIAGONALS`
#: scored, one by one, and so many where one of these stands out.
PROBED: Final = 50
RANKED: Final = 200
DIAGONALS: Final = 3  # as in native/similar.c
#: Of the scores that such segments of strangers have (Karlin and Altschul 1990), for BLOSUM90
#: without gaps, as NCBI's BLAST has it.
UNGAPPED_LAMBDA: Final = 0.3346
UNGAPPED_KAPPA: Final = 0.190

#: Weights are whole numbers of so many parts of a nat: sums do not depend on their order.
PARTS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """The references of each word.

    Attributes
    ----------
    starts
        ``(WORDS + 1,)`` int32: where the references of each word begin, and where the last's end.
    references
        Numbers of references, those of one word ascending; of :func:`number_type`.
    weights
        ``(WORDS,)`` int32: the inverse document frequency of each word, in :data:`PARTS` of
        a nat; 0 for words that are in no reference or in more than :data:`COMMON`.
    totals
        ``(R,)`` int64: sum of the weights of each reference's words.
    inverse_root
        ``(R,)`` float32: 1 over the root of each reference's length.
    self_scores
        ``(R,)`` int64: score of each reference's alignment with itself, at least 1.
    """

    starts: NDArray[np.int32]
    references: NDArray[np.unsignedinteger[Any]]
    weights: NDArray[np.int32]
    totals: NDArray[np.int64]
    inverse_root: NDArray[np.float32]
    self_scores: NDArray[np.int64]


def number_type(references: int) -> type[np.unsignedinteger[Any]]:
    """Give the type of a reference's number, where there are so many."""
    return np.uint16 if references <= NARROW else np.uint32


def common(references: int) -> int:
    """Give the number of references beyond which a word has no postings, among so many."""
    return _scaled(COMMON, references)


def budgets(references: int) -> tuple[int, int]:
    """Give the postings looked up for a protein, and for each of its words, among so many."""
    return _scaled(BUDGET, references), _scaled(BUDGET_PER_WORD, references)


def _scaled(number: int, references: int) -> int:
    return -(-number * max(references, NARROW) // NARROW)


def starts_and_weights(
    counts: NDArray[np.int32], references: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lay out postings, and weigh words.

    Parameters
    ----------
    counts
        ``(WORDS,)``: references of each word, 0 for those left out.
    references
        How many there are.
    """
    starts = np.zeros(WORDS + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    nats = np.log(max(references, 2) / np.maximum(counts, 1))
    weights = np.where(counts > 0, np.rint(nats * PARTS), 0).astype(np.int32)
    return starts, weights


def inverse_root(references: References) -> NDArray[np.float32]:
    """One over the root of each reference's length: long ones share more words by chance."""
    return (1 / np.sqrt(np.maximum(references.lengths, SHORT))).astype(np.float32)
