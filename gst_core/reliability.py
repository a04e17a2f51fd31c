"""What probabilities promise beside what they keep.

Used by training and by evaluation, which may not import each other; numpy alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Bins of equal width from 0 to 1, or of equally many proteins.
Bins = Literal["width", "count"]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Proteins of similar probability.

    Attributes
    ----------
    lower, upper
        Of bins of equal width their bounds, of which the upper one belongs to the bin; of bins
        of equally many proteins the lowest and the highest probability in it.
    count
        Proteins in the bin.
    confidence
        Mean probability; NaN for an empty bin.
    accuracy
        Share of right names; NaN for an empty bin.
    """

    lower: float
    upper: float
    count: int
    confidence: float
    accuracy: float


def reliability(
    probabilities: ArrayLike, right: ArrayLike, number: int = 10, *, equal: Bins = "width"
) -> list[ReliabilityBin]:
    """Sort proteins into bins by their probability.

    Parameters
    ----------
    probabilities
        ``(N,)``, each from 0 to 1.
    right
        ``(N,)``.
    number
        Bins of equal width; the first holds 0 as well. Of equally many proteins at most as many
        as there are proteins.
    equal
        ``"width"``: a table or a picture whose rows mean the same for all models. ``"count"``: no
        bin is empty or of a few chance proteins, which steadies a number over few proteins;
        proteins of one probability may come to lie in two bins.

    Raises
    ------
    ValueError
        If the arrays differ in length or a probability is not from 0 to 1.
    """
    p, flags = paired(probabilities, right)
    if len(p) and not (p.min() >= 0 and p.max() <= 1):
        raise ValueError("probabilities lie between 0 and 1")
    if equal == "count":
        order = np.argsort(p, kind="stable")
        parts = np.array_split(order, min(number, len(order))) if len(order) else []
        return [_bin(p[rows], flags[rows], p[rows[0]], p[rows[-1]]) for rows in parts]
    # Half-open on the left, as in Guo et al.: a probability of exactly 0.9 counts for (0.8, 0.9].
    edges = np.linspace(0, 1, number + 1)
    member = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, number - 1)
    inside = [member == own for own in range(number)]
    return [_bin(p[own], flags[own], *edges[place : place + 2]) for place, own in enumerate(inside)]


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean distance between probability and accuracy, bins weighted by their proteins.

    NaN where there is no protein.
    """
    total = sum(own.count for own in bins)
    if not total:
        return math.nan
    return sum(own.count * abs(own.accuracy - own.confidence) for own in bins if own.count) / total


def expected_calibration_error(
    probabilities: ArrayLike, right: ArrayLike, number: int = 15, *, equal: Bins = "width"
) -> float:
    """Give the :func:`calibration_error` of proteins sorted into bins.

    Naeini, Cooper and Hauskrecht (2015), AAAI, with the 15 bins of equal width of
    Guo et al. (2017), ICML, equation 3, unless told otherwise.

    Parameters
    ----------
    probabilities, right, number, equal
        As for :func:`reliability`.
    """
    return calibration_error(reliability(probabilities, right, number, equal=equal))


def paired(scores: ArrayLike, flags: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Take scores and what is true of each as arrays of one and the same shape ``(N,)``.

    Raises
    ------
    ValueError
        If they are not, or a score is NaN.
    """
    values = np.asarray(scores, dtype=np.float64)
    marks = np.asarray(flags, dtype=bool)
    if values.shape != marks.shape or values.ndim != 1:
        raise ValueError(f"shapes {values.shape} and {marks.shape} are not one and the same (N,)")
    if np.isnan(values).any():
        raise ValueError("a score is NaN")
    return values, marks


def _bin(
    p: NDArray[np.float64], flags: NDArray[np.bool_], lower: float, upper: float
) -> ReliabilityBin:
    return ReliabilityBin(
        lower=float(lower),
        upper=float(upper),
        count=len(p),
        confidence=float(p.mean()) if len(p) else math.nan,
        accuracy=float(flags.mean()) if len(p) else math.nan,
    )
