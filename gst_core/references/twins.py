"""Symbols whose references have the same sequence: no evidence can tell which of them is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gst_core.references.evidence import NUMBERS, SELF_SCORE, Evidence
from gst_core.references.store import References

_SCORE, _SELF = NUMBERS.index("score"), NUMBERS.index("self")


def twins(evidence: Evidence, kept: NDArray[np.bool_], references: References) -> NDArray[np.int64]:
    """Group the candidates whose best references are the same protein.

    Parameters
    ----------
    evidence
        Of B proteins with K candidates each.
    kept
        ``(B, K)``: candidates that are still of interest.
    references
        Those that the evidence is of.

    Returns
    -------
    groups
        ``(B, K)``: number of the first candidate with the same protein; its own where it is alone.
    """
    score, itself = evidence.numbers[:, :, _SCORE], evidence.numbers[:, :, _SELF]
    groups = np.broadcast_to(np.arange(kept.shape[1]), kept.shape).copy()
    aligned = kept & (score > 0)
    same = (score[:, :, None] == score[:, None, :]) & (itself[:, :, None] == itself[:, None, :])
    same &= aligned[:, :, None] & aligned[:, None, :]
    for row, one, other in np.argwhere(np.tril(same, -1)).tolist():
        first = groups[row, other]
        if groups[row, one] == one and np.array_equal(
            references[int(evidence.references[row, one])],
            references[int(evidence.references[row, first])],
        ):
            groups[row, one] = first
    return groups


def shared_equally(
    probabilities: NDArray[np.float32], groups: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Give the candidates of each group one probability, its mean.

    Parameters
    ----------
    probabilities
        ``(B, K)``.
    groups
        Of :func:`twins`.
    """
    rows = np.arange(len(groups))[:, None]
    sizes = np.zeros(probabilities.shape, dtype=np.int64)
    np.add.at(sizes, (rows, groups), 1)
    mean = _sums(probabilities, groups) / np.maximum(sizes, 1)[rows, groups]
    alone = sizes[rows, groups] == 1
    return np.where(alone, probabilities, mean).astype(np.float32)


def ranked_by(
    probabilities: NDArray[np.float32], groups: NDArray[np.int64], evidence: Evidence
) -> NDArray[np.float64]:
    """Say by what candidates are ranked: their probability, or that of their protein.

    Of a histone that five genes have, each is less likely than a single gene whose histone differs
    in one residue. Still its sequence is theirs: symbols of the query's very sequence are ranked by
    what they have together.

    Parameters
    ----------
    probabilities
        ``(B, K)``; 0 for candidates that are out.
    groups
        Of :func:`twins`.
    evidence
        Of the same proteins.
    """
    score = evidence.numbers[:, :, _SCORE]
    whole = evidence.queries[:, SELF_SCORE, None]
    identical = (score > 0) & (score == evidence.numbers[:, :, _SELF]) & (score == whole)
    return np.where(identical, _sums(probabilities, groups), probabilities)


def _sums(probabilities: NDArray[np.float32], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum up the probabilities of each one's group, ``(B, K)``."""
    rows = np.arange(len(groups))[:, None]
    sums = np.zeros(probabilities.shape, dtype=np.float64)
    np.add.at(sums, (rows, groups), probabilities)
    return sums[rows, groups]
