"""Hidden states of a batch of cells, left where they were computed.

A GPU hands over what is asked for, cosines and means, and not the states: these would take
longer to copy than to compute. One code for numpy's arrays and torch's tensors, by the array API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace, device, to_device
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]


class HiddenStates:
    """Hidden states of N cells, one behind the other in T rows.

    Parameters
    ----------
    hidden
        ``(T, D)``, an array of numpy or a tensor of torch on any device.
    lengths
        Rows of each cell: its tokens, or 1 where the first token's state is all there is.

    Attributes
    ----------
    starts
        ``(N,)``: row of each cell's first token.
    """

    def __init__(self, hidden: Any, lengths: Sequence[int] | Rows) -> None:
        self._hidden = hidden
        self._xp = array_namespace(hidden)
        self._lengths = np.asarray(lengths, dtype=np.int64)
        self.starts: Rows = np.cumsum(self._lengths) - self._lengths

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put batches of one network behind each other."""
        if len(parts) == 1:
            return parts[0]
        hidden = parts[0]._xp.concat([part._hidden for part in parts])
        return cls(hidden, np.concatenate([part._lengths for part in parts]))

    def units(self) -> HiddenStates:
        """Scale each state to length 1."""
        lengths = self._xp.linalg.vector_norm(self._hidden, axis=1, keepdims=True)
        return HiddenStates(self._hidden / lengths, self._lengths)

    def split(self) -> list[Vectors]:
        """Hand over all: ``(L, D)`` of each cell."""
        return np.split(_on_host(self._hidden), self.starts[1:])

    def firsts(self) -> Vectors:
        """HiddenStates of the first tokens: ``(N, D)``."""
        return _on_host(self._of(self.starts))

    def means(self, cells: Sequence[NDArray[Any]], special: Sequence[int]) -> Vectors:
        """Mean over the genes of each cell.

        Parameters
        ----------
        cells
            Tokens of each.
        special
            Tokens that are no genes.

        Returns
        -------
        means
            ``(N, D)``, NaN where a cell has no gene.
        """
        genes = [np.flatnonzero(~np.isin(tokens, special)) for tokens in cells]
        some = [cell for cell, own in enumerate(genes) if len(own)]
        means = np.full((len(cells), self._hidden.shape[1]), np.nan, np.float32)
        if some:
            own = [self._xp.mean(self._of(self.starts[i] + genes[i]), axis=0) for i in some]
            means[some] = _on_host(self._xp.stack(own))
        return means

    def cosines(self, rows: Rows, units: HiddenStates, their_rows: Rows) -> Vectors:
        """Cosines of states with others.

        Parameters
        ----------
        rows
            ``(R,)``: which of these states.
        units, their_rows
            HiddenStates of length 1, and ``(R,)`` which of them.

        Returns
        -------
        cosines
            ``(R,)``.
        """
        own, theirs = self._of(rows), units._of(their_rows)
        products = self._xp.linalg.vecdot(theirs, own)
        return _on_host(products / self._xp.linalg.vector_norm(own, axis=1))

    def _of(self, rows: Rows) -> Any:
        indices = self._xp.asarray(rows, device=device(self._hidden))
        return self._xp.take(self._hidden, indices, axis=0)


def _on_host(array: Any) -> Vectors:
    return np.asarray(to_device(array, "cpu"), dtype=np.float32)
