"""Targets with the very sequence of a query, found whatever their seeds say.

A long repetitive protein shares all its distinct seeds with shorter ones of its family, and the
prefilter may rank it below them; nothing speaks more for a symbol than the same sequence.
``native/identical.c`` finds the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Residues that make a key, at equal distances from the first to the last.
SAMPLED: Final = 16
#: Targets of one query at most; the same histone has a dozen symbols.
IDENTICAL: Final = 64
#: Of the polynomial that sums up a key, modulo 2 ** 64 (Knuth's multiplier of MMIX).
MULTIPLIER: Final = 6364136223846793005


def keys(codes: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Sum up each sequence in one number, which is the same for the same sequences.

    Parameters
    ----------
    codes
        Plain residue codes of all, one sequence after the other, none of them empty.
    starts
        ``(N + 1,)``: where each begins, and where the last ends.

    Returns
    -------
    keys
        ``(N,)``: of its length and :data:`SAMPLED` of its residues. Others may have it too.
    """
    lengths = np.diff(starts)
    key = lengths.astype(np.uint64)
    for number in range(SAMPLED):
        at = starts[:-1] + number * (lengths - 1) // (SAMPLED - 1)
        key = key * np.uint64(MULTIPLIER) + codes[at]
    return key


class Identical:
    """Targets in the order of their keys.

    Parameters
    ----------
    codes, starts
        Of the targets, as for :func:`keys`.

    Attributes
    ----------
    keys
        ``(R,)`` uint64, ascending.
    targets
        ``(R,)`` int32: whose they are; of equal keys the first target comes first.
    """

    def __init__(self, codes: NDArray[np.uint8], starts: NDArray[np.int64]) -> None:
        of_each = keys(codes, starts)
        order = np.argsort(of_each, kind="stable")
        self.keys = np.ascontiguousarray(of_each[order])
        self.targets = order.astype(np.int32)
        self._codes, self._starts = codes, starts

    def find(
        self, codes: NDArray[np.uint8], hidden: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Give the targets with a sequence, :data:`IDENTICAL` at most, ascending.

        Parameters
        ----------
        codes
            Plain residue codes, at least one.
        hidden
            ``(R,)``: targets to leave out.
        """
        key: Any = keys(codes, np.array([0, len(codes)]))[0]
        first, last = (np.searchsorted(self.keys, key, side) for side in ("left", "right"))
        same = [
            number
            for number in self.targets[first:last].tolist()
            if (hidden is None or not hidden[number])
            and np.array_equal(self._codes[self._starts[number] : self._starts[number + 1]], codes)
        ]
        return np.array(same[:IDENTICAL], dtype=np.int32)
