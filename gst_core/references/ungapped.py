"""Ungapped extension: the best-scoring segment of a target's best diagonal.

Targets without a segment that stands out from chance (Karlin and Altschul 1990) are not aligned.
``native/ungapped.c`` does the same in C.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.store import References
from gst_core.references.substitutions import BLOSUM90

#: Of the scores that segments of strangers have, for BLOSUM90 without gaps, as NCBI's BLAST has it.
UNGAPPED_LAMBDA: Final = 0.3346
UNGAPPED_KAPPA: Final = 0.190
#: A segment stands out from chance where strangers are expected to have at most so many as good
#: (its E-value; BLAST's default as well).
CHANCE: Final = 10.0
#: Of queries with fewer residues each segment is taken for better than that: what is right scores
#: hardly more than chance.
SHORTEST_JUDGED: Final = 60


def ungapped_cutoff(references: References, length: int) -> float:
    """Score from which a segment stands out from chance; 0 for short queries."""
    if length < SHORTEST_JUDGED:
        return 0
    cells = length * len(references.codes)
    return math.log(UNGAPPED_KAPPA * cells / CHANCE) / UNGAPPED_LAMBDA


def extend_ungapped(
    references: References,
    codes: NDArray[np.uint8],
    targets: NDArray[np.int32],
    diagonals: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Score the best segment of a diagonal of each target, or of that before or after it.

    Parameters
    ----------
    references
        All targets.
    codes
        Plain residue codes of the query.
    targets
        Numbers of those that are looked at.
    diagonals
        ``(T,)``: which diagonal of each, as :func:`~gst_core.references.diagonals.best_diagonals`
        gives them.
    """
    scores = [
        max(_segment_score(codes, references[target], diagonal + beside) for beside in (-1, 0, 1))
        for target, diagonal in zip(targets.tolist(), diagonals.tolist(), strict=True)
    ]
    return np.array(scores, dtype=np.int64)


def _segment_score(codes: NDArray[np.uint8], target: NDArray[np.uint8], diagonal: int) -> int:
    """Score the best segment of a diagonal."""
    first, last = max(0, -diagonal), min(len(codes), len(target) - diagonal)
    if first >= last:
        return 0
    scores = BLOSUM90[codes[first:last], target[first + diagonal : last + diagonal]]
    sums = np.concatenate([[0], np.cumsum(scores, dtype=np.int64)])
    return int((sums - np.minimum.accumulate(sums)).max())
