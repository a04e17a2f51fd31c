"""What a perturbation does to the ranked genes of a cell.

- ``delete``: the genes are taken out;
- ``overexpress``: they go to the front, also where the cell did not have them;
- ``inhibit`` and ``activate``: they go down or up by quartiles of the cell's ranks, to the
  middle of the quartile that they come to, or to the very end where there is none.

Special tokens stay where they are. Nothing here knows of a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["delete", "overexpress", "inhibit", "activate"]
KINDS: Final = ("delete", "overexpress", "inhibit", "activate")

#: A cell's ranks are cut in so many, and genes shifted by whole ones.
QUARTILES: Final = 4

Indices = NDArray[np.int64]
Tokens = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """A cell with some genes perturbed, and what to compare it with.

    Attributes
    ----------
    tokens
        ``(L',)``, special ones included.
    base
        ``(L,)``: the cell without its perturbation. That is the cell as it is but where genes
        that came in pushed the last ones out: those are then missing here too.
    after, before
        ``(O,)``: where the genes that were not perturbed stand in `tokens` and in `base`, in
        one order.
    """

    tokens: Tokens
    base: Tokens
    after: Indices
    before: Indices


class Perturber:
    """One kind of perturbation, for cells of one kind.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    longest
        Tokens that the network reads, special ones included.
    special
        Tokens that are no genes; none in V1.
    quartiles
        How far ``inhibit`` and ``activate`` shift, 1 to 3.
    """

    def __init__(
        self, kind: Kind, longest: int, special: Sequence[int] = (), quartiles: int = 1
    ) -> None:
        self.kind = kind
        self.longest = longest
        self.special = tuple(special)
        self.quartiles = quartiles

    def span(self, cell: Tokens) -> slice:
        """Where the genes stand: between a leading and a closing special token."""
        start = int(len(cell) > 0 and cell[0] in self.special)
        stop = len(cell) - int(len(cell) > start and cell[-1] in self.special)
        return slice(start, stop)

    def singles(self, cell: Tokens) -> Tokens:
        """Genes of a cell that can be perturbed each by itself, in order of rank.

        A gene that stands first already is not overexpressed, and none is shifted to where it is.
        """
        genes = cell[self.span(cell)]
        n = len(genes)
        if self.kind == "delete":
            return genes if n > 1 else genes[:0]
        ranks = np.arange(n)
        moved: Tokens = genes[self._targets(ranks, n) != ranks]
        return moved

    def applies(self, cell: Tokens, chosen: Sequence[int]) -> bool:
        """Whether these genes, together, can be perturbed in a cell.

        All must be there, but to be overexpressed; and deletion must leave something.
        """
        genes = cell[self.span(cell)]
        if self.kind == "overexpress":
            return len(chosen) < self.longest - (len(cell) - len(genes))
        if not np.isin(chosen, genes).all():
            return False
        return self.kind != "delete" or len(genes) > len(chosen)

    def edit(self, cell: Tokens, chosen: Sequence[int]) -> Edit:
        """Perturb genes of a cell, together.

        Parameters
        ----------
        cell
            ``(L,)`` tokens.
        chosen
            Genes to which :meth:`applies` applies, each once.
        """
        span = self.span(cell)
        genes = cell[span]
        is_chosen = np.isin(genes, chosen)
        others = np.flatnonzero(~is_chosen)
        base = cell
        slots = np.empty(0, np.int64)
        put = np.asarray(chosen, dtype=cell.dtype)
        if self.kind == "overexpress":
            room = self.longest - (len(cell) - len(genes))
            slots = np.arange(len(put))
            lost = max(0, len(others) + len(put) - room)
            if lost:
                # What no longer fits is missing from what it is compared with too.
                out = others[len(others) - lost :]
                others = others[: len(others) - lost]
                base = np.delete(cell, out + span.start)
                before = np.flatnonzero(~np.isin(base[span.start :][: len(genes) - lost], chosen))
                return self._laid_out(cell, span, put, slots, genes[others], base, before)
        elif self.kind != "delete":
            ranks = np.flatnonzero(is_chosen)
            put = genes[ranks]
            slots = self._free(self._targets(ranks, len(genes)), len(genes))
        return self._laid_out(cell, span, put, slots, genes[others], base, others)

    @staticmethod
    def _laid_out(
        cell: Tokens,
        span: slice,
        put: Tokens,
        slots: Indices,
        others: Tokens,
        base: Tokens,
        before: Indices,
    ) -> Edit:
        """Put genes into their slots, and the others, in their order, into what is left."""
        taken = np.zeros(len(slots) + len(others), dtype=bool)
        taken[slots] = True
        genes = np.empty(len(taken), dtype=cell.dtype)
        genes[slots] = put[: len(slots)]
        after = np.flatnonzero(~taken)
        genes[after] = others
        tokens = np.concatenate([cell[: span.start], genes, cell[span.stop :]])
        return Edit(tokens, base, after + span.start, before + span.start)

    def _targets(self, ranks: Indices, n: int) -> Indices:
        """Ranks, from 0, that genes of these ranks go to, among `n`."""
        if self.kind == "overexpress":
            return np.zeros_like(ranks)
        quartile = QUARTILES * ranks // max(n, 1)
        by = self.quartiles if self.kind == "inhibit" else -self.quartiles
        middle = (2 * (quartile + by) + 1) * n // (2 * QUARTILES)
        last = np.where(quartile + by >= QUARTILES, n - 1, middle)
        return np.where(quartile + by < 0, 0, last)

    @staticmethod
    def _free(targets: Indices, n: int) -> Indices:
        """Slots of genes, by rising rank, that want these: each its own, as near as can be.

        Targets rise with rank, so genes that want one slot follow each other in their order.
        """
        slots = targets.copy()
        for i in range(1, len(slots)):
            slots[i] = max(slots[i], slots[i - 1] + 1)
        for i in range(len(slots)):
            slots[i] = min(slots[i], n - len(slots) + i)
        return slots
