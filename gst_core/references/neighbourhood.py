"""Neighbouring words: the seeds that are like a query's (Altschul et al. 1990).

``native/neighbourhood.c`` does the same in C.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references import seeds
from gst_core.references.seeds import GROUPS, LETTERS, OFFSETS, SEEDS, SPAN
from gst_core.references.substitutions import BLOSUM62

#: A seed is a neighbour of another where their four substitutions score so much, by BLOSUM62:
#: BLAST's threshold T.
NEIGHBOUR_SCORE: Final = 18


def neighbour_table(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """List the neighbours of a query's seeds.

    Parameters
    ----------
    codes
        Plain residue codes.

    Returns
    -------
    table
        ``(N, 3)``: a seed, the position in the query of one that it is a neighbour of, and the
        score of their four substitutions, :data:`NEIGHBOUR_SCORE` at least; of a seed and in all no
        more than :data:`~gst_core.references.seeds.POSITIONS_OF_SEED` and
        :data:`~gst_core.references.seeds.POSITIONS_OF_ALL` allow.
    """
    scores, letters = BLOSUM62.astype(np.int32), GROUPS[codes]
    parts = [np.empty((0, 3), dtype=np.int32)]
    positions_of = np.zeros(SEEDS, dtype=np.int32)
    number = 0
    for position in range(len(codes) - SPAN + 1):
        if number >= seeds.POSITIONS_OF_ALL:
            break
        seed = [int(letters[position + offset]) for offset in OFFSETS]
        if min(seed) < 0:
            continue
        left, right = ((scores[a][:, None] + scores[b]).ravel() for a, b in (seed[:2], seed[2:]))
        # Few pairs score enough with the best of the others; only these are combined.
        heads = np.flatnonzero(left >= NEIGHBOUR_SCORE - right.max())
        tails = np.flatnonzero(right >= NEIGHBOUR_SCORE - left.max())
        score = left[heads][:, None] + right[tails]
        first, last = np.nonzero(score >= NEIGHBOUR_SCORE)
        numbers, own = heads[first] * LETTERS**2 + tails[last], score[first, last]
        kept = positions_of[numbers] < seeds.POSITIONS_OF_SEED
        numbers, own = numbers[kept], own[kept]
        positions_of[numbers] += 1
        number += len(numbers)
        parts.append(np.stack([numbers, np.full_like(numbers, position), own], axis=1))
    return np.concatenate(parts).astype(np.int32)
