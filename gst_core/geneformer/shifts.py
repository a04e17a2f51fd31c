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

from gst_core.geneformer.hidden_states import HiddenStates
from gst_core.geneformer.perturbations import Edit

Mode = Literal["cell", "cls"]
Tokens = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Base:
    """Cells that are not perturbed.

    Attributes
    ----------
    units
        Their hidden states, scaled to length 1.
    to_states
        ``(N, S)``: cosine of each cell with each state.
    """

    units: HiddenStates
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

    def base(self, cells: Sequence[Tokens], states: HiddenStates) -> Base:
        """Take in cells that are not perturbed: tokens of each, and their hidden states."""
        return Base(states.units(), self._to_states(cells, states))

    def shifts(
        self, edits: Sequence[Edit], base: Base, cells: Sequence[int], states: HiddenStates
    ) -> list[Shift]:
        """Compare perturbed cells with themselves before.

        Parameters
        ----------
        edits
            What was done to each.
        base, cells
            Cells that are not perturbed, and for each edit which of them is its own.
        states
            Hidden states of the perturbed cells.
        """
        own = np.asarray(cells)
        starts = base.units.starts[own]
        genes: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(edits)
        if self.mode == "cell" or self.genes:
            after = [at + edit.after for at, edit in zip(states.starts, edits, strict=True)]
            before = [at + edit.before for at, edit in zip(starts, edits, strict=True)]
            found = states.cosines(np.concatenate(after), base.units, np.concatenate(before))
            genes = np.split(found, np.cumsum([len(rows) for rows in after])[:-1])
        if self.mode == "cls":
            cosines = states.cosines(states.starts, base.units, starts).tolist()
        else:
            cosines = [float(np.mean(g, dtype=np.float64)) if len(g) else np.nan for g in genes]
        to_states = self._to_states([edit.tokens for edit in edits], states) - base.to_states[own]
        kept = genes if self.genes else [None] * len(edits)
        return [Shift(*shift) for shift in zip(cosines, to_states, kept, strict=True)]

    def _to_states(self, cells: Sequence[Tokens], states: HiddenStates) -> NDArray[np.float64]:
        """Cosine of each cell with each state: ``(N, S)``."""
        if not len(self.states):
            return np.empty((len(cells), 0))
        vectors = states.firsts() if self.mode == "cls" else states.means(cells, self.special)
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        return np.asarray(vectors @ self.states.T / lengths)
