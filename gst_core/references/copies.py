"""Copies of a gene among the candidates of a protein."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def share_with_copies(
    classes: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    originals: NDArray[np.int32],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give a gene's symbol and those of its copies one probability where they do not compete.

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
    target = given_to(classes, probabilities, originals)
    kept = (classes >= 0) & (target == np.arange(classes.shape[1]))
    merged = np.zeros(probabilities.shape, dtype=np.float64)
    np.add.at(merged, (np.arange(len(target))[:, None], target), probabilities)
    return np.where(kept, merged, 0).astype(np.float32), kept


def given_to(
    classes: NDArray[np.int32],
    probabilities: NDArray[np.floating[Any]],
    originals: NDArray[np.integer[Any]],
) -> NDArray[np.int64]:
    """Say which candidate takes each one's probability, as :func:`share_with_copies` does it.

    Parameters
    ----------
    classes, probabilities, originals
        As there.

    Returns
    -------
    takers
        ``(B, K)``: number of the candidate that takes it; its own where nobody does.
    """
    there = classes >= 0
    takers = np.broadcast_to(np.arange(classes.shape[1]), classes.shape).copy()
    original = np.where(there, originals[classes], -1)
    copy = there & (original != classes)
    # (B, K, K): whether the second candidate is a copy of the first.
    copies = (original[:, None, :] == classes[:, :, None]) & copy[:, None, :]
    if not copies.any():
        return takers
    of_copies = np.where(copies, probabilities[:, None, :], -1)
    best, highest = of_copies.argmax(2), of_copies.max(2)
    has_copies = copies.any(2)
    takes = has_copies & (probabilities >= highest)
    rows, genes, own = np.nonzero(copies & takes[:, :, None])
    takers[rows, own] = genes
    rows, genes = np.nonzero(has_copies & ~takes)
    takers[rows, genes] = best[rows, genes]
    return takers
