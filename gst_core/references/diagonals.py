"""Seed matches of a query and its targets, added up by diagonal.

``native/diagonals.c`` does the same in C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gst_core.references.index import ranges
from gst_core.references.seeds import SEEDS, seed_numbers
from gst_core.references.store import References


def add_diagonals(
    references: References, table: NDArray[np.int32], length: int, targets: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Add up, for each diagonal of targets, the scores of its seed matches.

    Relatives have many seeds in common at the same distance from each other: what each match scores
    is added up for each difference of its positions in target and query.

    Parameters
    ----------
    references
        All targets.
    table
        Of :func:`~gst_core.references.neighbourhood.neighbour_table` or
        :func:`~gst_core.references.seeds.seed_table`.
    length
        Of the query.
    targets
        Numbers of those that are looked at.

    Returns
    -------
    owners
        Places in `targets`, ascending.
    diagonals
        Positions in the target less those in the query, ascending for each target.
    sums
        Of each.
    """
    table = table[np.argsort(table[:, 0], kind="stable")]
    entries_of = np.bincount(table[:, 0], minlength=SEEDS)
    first_of = np.cumsum(entries_of) - entries_of
    parts = [seed_numbers(references[number]) for number in targets.tolist()]
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    seeds = np.concatenate([np.empty(0, dtype=np.int32), *parts])
    matched = (seeds >= 0) & (entries_of[seeds] > 0)
    owners = np.repeat(np.arange(len(targets)), sizes)[matched]
    positions = ranges(np.zeros_like(sizes), sizes)[matched]
    counts = entries_of[seeds[matched]]
    at = ranges(first_of[seeds[matched]], counts)
    # The diagonals of all targets in one row of numbers.
    room = sizes + length
    begins = np.cumsum(room) - room
    keys = np.repeat(begins[owners] + positions + length, counts) - table[at, 1]
    keys, which = np.unique(keys, return_inverse=True)
    sums = np.bincount(which, table[at, 2], len(keys)).astype(np.int64)
    owners = np.searchsorted(begins, keys, side="right") - 1
    return owners, keys - begins[owners] - length, sums


def best_diagonals(
    references: References, table: NDArray[np.int32], length: int, targets: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the best diagonal of each target, with that before and after it.

    Parameters
    ----------
    references, table, length, targets
        As for :func:`add_diagonals`.

    Returns
    -------
    sums
        ``(T,)``: of the three diagonals; 0 where there is no match.
    diagonals
        ``(T,)``: that in the middle, of equal ones the first.
    """
    owners, diagonals, sums = add_diagonals(references, table, length, targets)
    next_to = np.flatnonzero((np.diff(diagonals) == 1) & (np.diff(owners) == 0))
    three = sums.copy()
    three[next_to] += sums[next_to + 1]
    three[next_to + 1] += sums[next_to]
    order = np.lexsort((diagonals, -three, owners))
    there, first = np.unique(owners[order], return_index=True)
    best, middle = np.zeros((2, len(targets)), dtype=np.int64)
    best[there], middle[there] = three[order[first]], diagonals[order[first]]
    return best, middle
