"""How good names and their scores are, in numbers; for probabilities see `gst_core.reliability`.

All functions take plain arrays with one element a protein. `right` says whether
the first name given is the known one; `scores` rise with confidence and need not
be probabilities unless they are called so: bit scores of a search do as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gst_core.reliability import paired

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold on the score yields.

    Attributes
    ----------
    threshold
        Names with this score or a higher one are kept; infinite where none is.
    precision
        Share of right names among those kept; NaN where none is kept.
    recall
        Share of the nameable proteins that keep their right name.
    kept
        Share of all proteins that keep a name.
    """

    threshold: float
    precision: float
    recall: float
    kept: float


def exact_match(assigned: Sequence[str], known: Sequence[str]) -> Flags:
    """Compare symbols without regard to case.

    Returns
    -------
    right
        ``(N,)``; an empty symbol is never right.

    Raises
    ------
    ValueError
        If there are not as many of the one as of the other.
    """
    pairs = zip(assigned, known, strict=True)
    return np.array([bool(a) and a.casefold() == k.casefold() for a, k in pairs], dtype=bool)


def rank_of_known(candidates: Sequence[Sequence[str]], known: Sequence[str]) -> NDArray[np.int64]:
    """Find at which place among the candidates the known symbol stands.

    Parameters
    ----------
    candidates
        For each protein its symbols, best first; there may be none.
    known
        The known symbols, compared without regard to case.

    Returns
    -------
    ranks
        ``(N,)``, from 1; 0 where the known symbol is not among the candidates.
    """
    ranks = np.zeros(len(known), dtype=np.int64)
    for row, (names, symbol) in enumerate(zip(candidates, known, strict=True)):
        wanted = symbol.casefold()
        ranks[row] = next((i for i, n in enumerate(names, 1) if n and n.casefold() == wanted), 0)
    return ranks


def top_k_accuracy(ranks: ArrayLike, k: int) -> float:
    """Share of proteins whose known symbol is among the first `k` candidates; NaN of nothing.

    Parameters
    ----------
    ranks
        As :func:`rank_of_known` gives them.
    k
        At least 1.
    """
    places = np.asarray(ranks)
    return _share((places >= 1) & (places <= k))


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Chance that a positive scores higher than a negative, ties counted half.

    The area under the receiver operating characteristic, as the Mann-Whitney
    statistic (Hanley and McNeil 1982, Radiology 143:29). NaN where there are no
    positives or no negatives.

    Parameters
    ----------
    scores
        ``(N,)``, comparable; infinities are allowed, NaN is not.
    positive
        ``(N,)``, true for right names.

    Raises
    ------
    ValueError
        If the arrays differ in length or a score is NaN.
    """
    values, flags = paired(scores, positive)
    positives = int(flags.sum())
    negatives = len(flags) - positives
    if not positives or not negatives:
        return math.nan
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    # The mean rank of a group of ties: those below it, and half of itself.
    rank = np.cumsum(counts) - (counts - 1) / 2
    wins = float(rank[group][flags].sum()) - positives * (positives + 1) / 2
    return wins / (positives * negatives)


def at_threshold(
    scores: ArrayLike, right: ArrayLike, threshold: float, nameable: int | None = None
) -> OperatingPoint:
    """Precision and recall when only names with at least this score are kept.

    Parameters
    ----------
    scores, right
        ``(N,)`` each.
    threshold
        The lowest score that is kept.
    nameable
        How many proteins could have been named right at all, those whose symbol
        is in the vocabulary; all of them where not given.

    Raises
    ------
    ValueError
        As for :func:`auroc`.
    """
    values, flags = paired(scores, right)
    kept = values >= threshold
    found = int((flags & kept).sum())
    possible = len(flags) if nameable is None else nameable
    return OperatingPoint(
        threshold=float(threshold),
        precision=found / int(kept.sum()) if kept.any() else math.nan,
        recall=found / possible if possible else math.nan,
        kept=_share(kept),
    )


def recall_at_precision(
    scores: ArrayLike, right: ArrayLike, precision: float, nameable: int | None = None
) -> OperatingPoint:
    """Find the threshold that keeps the most right names at a precision or better.

    It is chosen with the answers in hand, for a fair comparison of scores of
    different kinds; a threshold for use is set on other proteins.

    Parameters
    ----------
    scores, right, nameable
        As for :func:`at_threshold`.
    precision
        The least share of right names among those kept.

    Returns
    -------
    point
        The lowest threshold that will do; recall 0 at an infinite one where none does.
    """
    values, flags = paired(scores, right)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    # Ties are kept or dropped together: a threshold is possible only where the score falls.
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(ordered)]
    found = np.cumsum(flags[order])
    enough = found >= precision * np.arange(1, len(ordered) + 1)
    good = np.flatnonzero(last & enough & (found > 0))
    threshold = float(ordered[good[-1]]) if good.size else math.inf
    return at_threshold(values, flags, threshold, nameable)


def _share(flags: Flags) -> float:
    return float(flags.mean()) if flags.size else math.nan
