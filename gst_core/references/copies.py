"""Copies of a gene among the candidates of a protein."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def without_rivalry(
    classes: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    originals: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give a gene's symbol and those of its copies one probability where they are no rivals.

    A protein is of USP22, and frogs have a ``usp22-a`` and a ``usp22-b``: all three say that it
    is this gene. So a gene takes what its copies have. A copy that is likelier than its gene takes
    what the gene has; from other copies it takes nothing, for these are genes beside it.

    Parameters
    ----------
    classes
        ``(B, K)``: class indices of the candidates; -1 where there are fewer.
    probabilities
        ``(B, K)``: of each.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.

    Returns
    -------
    probabilities
        ``(B, K)``; each row has the sum that it had.
    kept
        ``(B, K)``: candidates that did not give theirs away.
    """
    kept = classes >= 0
    original = np.where(kept, originals[classes], -1)
    copy = kept & (original != classes)
    # (B, K, K): whether the second candidate is a copy of the first.
    copies = (original[:, None, :] == classes[:, :, None]) & copy[:, None, :]
    merged = probabilities.astype(np.float32)
    if not copies.any():
        return merged, kept
    of_copies = np.where(copies, merged[:, None, :], 0)
    best, highest = of_copies.argmax(2), of_copies.max(2)
    has_copies = copies.any(2)
    takes = has_copies & (probabilities >= highest)
    gives = has_copies & ~takes
    merged += np.where(takes, of_copies.sum(2), 0)
    rows, places = np.nonzero(gives)
    merged[rows, best[rows, places]] += probabilities[rows, places]
    kept &= ~(copies & takes[:, :, None]).any(1) & ~gives
    return np.where(kept, merged, 0), kept
