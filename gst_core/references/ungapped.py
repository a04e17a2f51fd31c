"""Ungapped extension: the best-scoring segment of a target's best diagonals.

``native/ungapped.c`` does the same in C.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.diagonals import add_diagonals
from gst_core.references.evalue import cutoff_score
from gst_core.references.store import References
from gst_core.references.substitutions import BLOSUM90

#: Diagonals of a target on which segments are scored, those with the highest sums.
DIAGONALS: Final = 3  # as in native/ungapped.c
#: Of the scores that segments of strangers have (Karlin and Altschul 1990), for BLOSUM90
#: without gaps, as NCBI's BLAST has it.
UNGAPPED_LAMBDA: Final = 0.3346
UNGAPPED_KAPPA: Final = 0.190


def ungapped_cutoff(references: References, length: int) -> float:
    """Score of the best segment of a query and any target by chance."""
    return cutoff_score(length, len(references.codes), UNGAPPED_LAMBDA, UNGAPPED_KAPPA)


def extend_ungapped(
    references: References,
    codes: NDArray[np.uint8],
    table: NDArray[np.int32],
    targets: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Score the best segments of targets, on the best of their diagonals.

    Parameters
    ----------
    references
        All targets.
    codes
        Plain residue codes of the query.
    table
        Of :func:`~gst_core.references.neighbourhood.neighbour_table` or
        :func:`~gst_core.references.seeds.seed_table`: it says which diagonals.
    targets
        Numbers of those that are looked at.
    """
    owners, diagonals, sums = add_diagonals(references, table, len(codes), targets)
    scores = np.zeros(len(targets), dtype=np.int64)
    for place, number in enumerate(targets.tolist()):
        own = slice(*np.searchsorted(owners, [place, place + 1]).tolist())
        best = np.lexsort((diagonals[own], -sums[own]))[:DIAGONALS]
        for diagonal in diagonals[own][best].tolist():
            score = _segment_score(codes, references[number], diagonal)
            scores[place] = max(scores[place], score)
    return scores


def _segment_score(codes: NDArray[np.uint8], target: NDArray[np.uint8], diagonal: int) -> int:
    """Score the best segment of a diagonal."""
    first, last = max(0, -diagonal), min(len(codes), len(target) - diagonal)
    scores = BLOSUM90[codes[first:last], target[first + diagonal : last + diagonal]]
    sums = np.concatenate([[0], np.cumsum(scores, dtype=np.int64)])
    return int((sums - np.minimum.accumulate(sums)).max())
