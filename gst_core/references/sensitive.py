"""The sensitive search: targets with many neighbouring words on one diagonal.

It finds relatives that share hardly any seed with a query, and takes many times longer.
``native/sensitive.c`` does the same in C.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.diagonals import best_diagonals
from gst_core.references.index import Index
from gst_core.references.neighbourhood import neighbour_table
from gst_core.references.store import References
from gst_core.references.ungapped import extend_ungapped, ungapped_cutoff

#: Neighbours that score so much are those by which targets are first tallied.
TALLY_SCORE: Final = 20
#: Targets that are looked at, those that were tallied highest, how many of them together at first,
#: and how many then: after a block in which none stands out from chance, or is as good as the best
#: so far, the search is over. Of 199 held-out proteins that it found a relative of, 193 had theirs
#: in the first block.
TALLIED: Final = 1500
BLOCK: Final = 500
NEXT_BLOCK: Final = 250
#: Of a block, those with the best diagonals: so many are extended without gaps, and so many where
#: one of these stands out.
PROBED: Final = 25
RANKED: Final = 100


def search_sensitively(
    index: Index,
    references: References,
    codes: NDArray[np.uint8],
    most: int,
    hidden: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Find the targets that have many neighbours of a query's seeds, one behind the other.

    The targets that exceed most what is to be expected of their length (:data:`TALLIED` of them)
    are gone through in blocks. Those of a block are ranked by their best diagonal, with that before
    and after it, and the first of these (:data:`PROBED`, and where one of them stands out
    :data:`RANKED`) by the best segment of these diagonals. After a block in which none stands
    out from chance, or is as good as the `most` best so far, there is no other.

    Parameters
    ----------
    index, references
        The targets.
    codes
        Plain residue codes of the query.
    most
        Targets to be found at most.
    hidden
        ``(R,)``: targets to leave out.

    Returns
    -------
    found
        Numbers of at most `most` targets that stand out, the best first; of equally good
        ones the first stored comes first.
    """
    table = neighbour_table(codes)
    lengths = references.lengths
    tally = _tally(index, table)
    expected = np.float32(int(tally.sum(dtype=np.int64)) / int(lengths.sum()))
    excess = tally.astype(np.float32) - expected * lengths.astype(np.float32)
    tallied = excess * index.inverse_root
    if hidden is not None:
        tallied[hidden] = 0
    highest = np.argsort(-tallied, kind="stable")[:TALLIED]
    highest = highest[tallied[highest] > 0]
    found: NDArray[np.int32] = np.empty(0, dtype=np.int32)
    scores: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    cutoff = ungapped_cutoff(references, len(codes))
    for numbers in np.split(highest, range(BLOCK, len(highest), NEXT_BLOCK)):
        block = np.sort(numbers).astype(np.int32)
        sums, diagonals = best_diagonals(references, table, len(codes), block)
        order = np.argsort(-sums, kind="stable")[:RANKED]
        ranked, diagonals = block[order], diagonals[order]
        segments = extend_ungapped(references, codes, ranked[:PROBED], diagonals[:PROBED])
        least = max(cutoff, scores[-1] if len(scores) == most else 0)
        stands_out = segments.max(initial=0) >= least
        if stands_out:
            others = extend_ungapped(references, codes, ranked[PROBED:], diagonals[PROBED:])
            segments = np.append(segments, others)
        found = np.append(found, ranked[: len(segments)])
        scores = np.append(scores, segments)
        best = np.lexsort((found, -scores))[:most]
        found, scores = found[best], scores[best]
        if not stands_out:
            break
    return found[scores >= cutoff]


def _tally(index: Index, table: NDArray[np.int32]) -> NDArray[np.int32]:
    """Tally targets by the neighbours of a query's seeds.

    Returns
    -------
    tally
        ``(R,)``: sum of the weights of a target's seeds, the more the more alike they are,
        for each position of the query.
    """
    seeds, _, scores = table[table[:, 2] >= TALLY_SCORE].T
    weights = index.weights[seeds] * (scores - TALLY_SCORE + 2) // 16
    return index.tally(seeds, weights).astype(np.int32)
