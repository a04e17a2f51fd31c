"""How far a perturbation moves a cell, its genes, and the cell towards other states.

A cell's shift is the cosine of its embedding before and after: 1 where nothing changed. Of
``cls`` that is the vector of ``<cls>``; of ``cell`` it is, as in the reference, the mean over the
genes that were not perturbed of the cosine of each. The shift towards a state is the cosine of
cell and state after, minus that before: above 0 where the cell comes nearer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.perturbations import Edit

Mode = Literal["cell", "cls"]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Base:
    """Hidden states of a cell that is not perturbed.

    Attributes
    ----------
    units
        ``(L, D)``: scaled to length 1.
    to_states
        ``(S,)``: cosine of the cell with each state.
    """

    units: Vectors
    to_states: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """What one perturbation did to one cell.

    Attributes
    ----------
    cosine
        Of the cell, before and after.
    to_states
        ``(S,)``: shift towards each state.
    genes
        ``(O,)``: cosine of each gene that was not perturbed, in the order of the edit; nothing
        where that was not asked for.
    """

    cosine: float
    to_states: NDArray[np.float64]
    genes: NDArray[np.float32] | None


class Measure:
    """Compares hidden states before and after.

    Parameters
    ----------
    mode
        What stands for a cell.
    special
        Tokens that are no genes.
    states
        ``(S, D)`` embeddings of states, of the same mode and layer.
    genes
        Keep the cosines of the genes.
    """

    def __init__(
        self,
        mode: Mode,
        special: Sequence[int] = (),
        states: NDArray[np.floating] | None = None,
        *,
        genes: bool = False,
    ) -> None:
        self.mode = mode
        self.special = tuple(special)
        self.genes = genes
        states = np.empty((0, 1)) if states is None else np.asarray(states, dtype=np.float64)
        self.states = states / np.linalg.norm(states, axis=1, keepdims=True)

    @property
    def first_tokens(self) -> bool:
        """Whether the hidden states of the first tokens, ``(1, D)`` a cell, are all it takes."""
        return self.mode == "cls" and not self.genes

    def base(self, tokens: NDArray[np.integer], hidden: Vectors) -> Base:
        """Take in a cell that is not perturbed: ``(L,)`` tokens and ``(L, D)`` hidden states."""
        units = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
        return Base(units, self._to_states(tokens, hidden))

    def shift(self, edit: Edit, base: Base, hidden: Vectors) -> Shift:
        """Compare a perturbed cell, of `hidden` ``(L', D)``, with itself before."""
        genes: NDArray[np.float32] = np.empty(0, np.float32)
        if self.mode == "cell" or self.genes:
            own = hidden[edit.after]
            products = np.einsum("gd,gd->g", base.units[edit.before], own)
            genes = products / np.sqrt(np.einsum("gd,gd->g", own, own))
        if self.mode == "cls":
            cosine = float(base.units[0] @ hidden[0] / np.linalg.norm(hidden[0]))
        else:
            cosine = float(np.mean(genes, dtype=np.float64)) if len(genes) else np.nan
        to_states = self._to_states(edit.tokens, hidden) - base.to_states
        return Shift(cosine, to_states, genes if self.genes else None)

    def _to_states(self, tokens: NDArray[np.integer], hidden: Vectors) -> NDArray[np.float64]:
        """Cosine of a cell with each state."""
        if not len(self.states):
            return np.empty(0)
        if self.mode == "cls":
            vector = hidden[0].astype(np.float64)
        else:
            vector = hidden[~np.isin(tokens, self.special)].mean(0, dtype=np.float64)
        return np.asarray(self.states @ vector / np.linalg.norm(vector))
