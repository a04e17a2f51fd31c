"""The prefilter: targets that share a query's rarest seeds.

``native/prefilter.c`` does the same in C.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.index import PARTS, Index, scaled
from gst_core.references.seeds import distinct_seeds

#: A query's rarest seeds are looked up, until they are in so many targets together: the commoner
#: ones cost most and change little. Long queries are given more.
BUDGET: Final = 20_000
BUDGET_PER_SEED: Final = 16
#: Targets are found whose score is more than this share of the best one's.
LEAST: Final = 0.25


def budgets(targets: int) -> tuple[int, int]:
    """Give the postings looked up for a query, and for each of its seeds, among so many."""
    return scaled(BUDGET, targets), scaled(BUDGET_PER_SEED, targets)


def prefilter(
    index: Index, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
    """Find the targets that share the rarest seeds with a query.

    A target's score is the sum of the weights of shared seeds, each counted once,
    over the root of its length: long targets share more by chance.

    Parameters
    ----------
    index
        Of the targets.
    codes
        Plain residue codes of the query.
    most
        Targets to be found at most.
    hidden
        ``(R,)``: targets to leave out.

    Returns
    -------
    found
        Numbers of at most `most` targets that score more than :data:`LEAST` of the best, the best
        first; of equally good ones the first stored comes first.
    shared
        Sum of the weights of the seeds shared with each, in nats, as if those not looked
        up were shared as often as the others.
    own
        Sum of the weights of the query's seeds, in nats.
    """
    seeds = distinct_seeds(codes)
    weights = index.weights[seeds]
    rare = _rarest(index.starts[seeds + 1] - index.starts[seeds], len(index.inverse_root))
    own, used = int(weights.sum()), int(weights[rare].sum())
    shared = index.tally(seeds[rare], weights[rare])
    if hidden is not None:
        shared[hidden] = 0
    scores = shared.astype(np.float32)
    scores *= index.inverse_root
    least = np.float32(LEAST) * scores.max(initial=0)
    found = np.flatnonzero(scores > least)
    found = found[np.argsort(-scores[found], kind="stable")][:most]
    nats = shared[found].astype(np.float64) * (own / max(used, 1) / PARTS)
    return found.astype(np.int32), nats, own / PARTS


def _rarest(counts: NDArray[np.int32], targets: int) -> NDArray[np.bool_]:
    """Choose seeds, those in fewest targets first, within the budget; equal ones alike."""
    known = int(np.count_nonzero(counts))
    budget, per_seed = budgets(targets)
    budget = max(budget, per_seed * known)
    if int(counts.sum()) <= budget:
        return counts > 0
    of_size = np.cumsum(np.bincount(counts, counts))
    return (counts > 0) & (counts < np.searchsorted(of_size, budget, side="right"))
