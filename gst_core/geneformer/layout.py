"""Where the cells of a batch lie in its one row of tokens, and which tokens are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of a batch lie in its row of T tokens.

    Attributes
    ----------
    lengths
        Tokens of each cell, in their order; cells of one length attend together where
        they are neighbours.
    positions
        ``(T,)`` int64: position of each token in its cell.
    """

    lengths: tuple[int, ...]
    positions: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device | str = "cpu") -> Self:
        """Lay out cells of these lengths, each of one token or more."""
        positions = np.concatenate([np.arange(length) for length in lengths])
        return cls(tuple(int(n) for n in lengths), torch.from_numpy(positions).to(device))

    def runs(self, places: Places | None = None) -> list[tuple[int, int, int]]:
        """``(N, L, Q)`` of neighbours of one length L, of which Q tokens each are asked about."""
        asked = self.lengths if places is None else places.counts
        same = groupby(zip(self.lengths, asked, strict=True))
        return [(len(list(cells)), length, count) for (length, count), cells in same]

    def starts(self) -> list[int]:
        """Row of each cell's first token."""
        return [0, *np.cumsum(self.lengths)[:-1].tolist()]


@dataclass(frozen=True, slots=True)
class Places:
    """Tokens whose hidden states are asked for: the last layer is computed for these alone.

    Attributes
    ----------
    rows
        ``(R,)`` int64: their rows, rising.
    counts
        How many of them are in each cell.
    """

    rows: Tensor
    counts: tuple[int, ...]

    @classmethod
    def first(cls, layout: Layout) -> Self:
        """Ask about the first token of each cell."""
        starts = torch.tensor(layout.starts(), device=layout.positions.device)
        return cls(starts, (1,) * len(layout.lengths))

    @classmethod
    def where(cls, layout: Layout, asked: Tensor) -> Self:
        """Ask about tokens for which `asked`, ``(T,)`` bool, is true."""
        ends = torch.tensor(layout.lengths, device=asked.device).cumsum(0)
        # Taken off the device once: each look at a number there waits for all work before it.
        until = asked.cumsum(0)[ends - 1].tolist()
        return cls(asked.nonzero()[:, 0], tuple(np.diff(until, prepend=0).tolist()))
