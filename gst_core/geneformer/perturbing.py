"""Perturbed cells through a network: in batches of one length, part by part."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.backends import BATCH_TOKENS, Encoder, Layer, batches
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.hidden_states import HiddenStates
from gst_core.geneformer.perturbation_plan import Chosen, Plan, Targets
from gst_core.geneformer.perturbations import Edit, Perturber
from gst_core.geneformer.shifts import Measure, Shift

#: Seconds that the trial before a run may take, about.
_TRIAL = 2.0


@dataclass(slots=True)
class Results:
    """What some perturbations did.

    Attributes
    ----------
    cells
        ``(P,)``: row of the cell in the dataset.
    perturbed
        ``(P,)``: the genes.
    cosines
        ``(P,)``: cell before and after.
    to_states
        ``(P,)``, each ``(S,)``: shift towards each state.
    genes
        For perturbed genes in a cell: tokens of all others, and their cosines.
    """

    cells: list[int] = field(default_factory=list)
    perturbed: list[Chosen] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)
    to_states: list[NDArray[np.float64]] = field(default_factory=list)
    genes: list[tuple[Chosen, NDArray[np.integer], NDArray[np.float32]]] = field(
        default_factory=list
    )


@dataclass(frozen=True, slots=True)
class _Item:
    cell: int
    chosen: Chosen
    edit: Edit


class Experiment:
    """Perturbs cells of a dataset; :meth:`part` does one part of the plan.

    Parameters
    ----------
    encoder
        The network.
    cells
        The dataset.
    plan, targets, perturber, measure
        What to do, to which genes, how, and what to compare.
    layer
        As for embeddings.
    """

    def __init__(
        self,
        encoder: Encoder,
        cells: Cells,
        plan: Plan,
        targets: Targets,
        perturber: Perturber,
        measure: Measure,
        layer: Layer = -1,
    ) -> None:
        self.encoder = encoder
        self.cells = cells
        self.plan = plan
        self.targets = targets
        self.perturber = perturber
        self.measure = measure
        self.layer = layer

    def part(self, number: int) -> Results:
        """Perturb what belongs to a part."""
        results = Results()
        budget = BATCH_TOKENS[self.encoder.device]
        group: list[_Item] = []
        for cell, start, stop in self.plan.part(number):
            tokens = np.asarray(self.cells[cell])
            chosen = self.targets.of(self.perturber, tokens)[start:stop]
            group += [_Item(cell, own, self.perturber.edit(tokens, own)) for own in chosen]
            # Cells with few perturbations share batches.
            if sum(len(item.edit.tokens) for item in group) >= budget:
                self._measure(group, results)
                group = []
        self._measure(group, results)
        return results

    def seconds(self, passes: int) -> float:
        """Guess how long so many passes take, by a trial on a cell of median length."""
        if not len(self.plan.cells):
            return 0.0
        order = np.argsort(self.plan.tokens)
        tokens = np.asarray(self.cells[int(self.plan.cells[order[len(order) // 2]])])
        together = max(1, BATCH_TOKENS[self.encoder.device] // len(tokens))
        self._encode([tokens] * together)
        began, runs = time.perf_counter(), 0
        while runs < 3 and (not runs or time.perf_counter() - began < _TRIAL):
            self._encode([tokens] * together)
            runs += 1
        each = (time.perf_counter() - began) / (runs * together)
        per_cell = np.diff(self.plan.offsets) + 1
        mean = np.average(self._operations(self.plan.tokens), weights=per_cell)
        return float(passes * each * mean / self._operations(np.array(len(tokens))))

    def _operations(self, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """Multiplications of a pass through one layer."""
        config, n = self.encoder.config, lengths.astype(np.float64)
        return n * (4 * config.width**2 + 2 * config.width * config.feedforward) + (
            2 * n**2 * config.width
        )

    def _measure(self, items: Sequence[_Item], results: Results) -> None:
        if not items:
            return
        keys = [(item.cell, item.edit.base.tobytes()) for item in items]
        unperturbed = {key: item.edit.base for key, item in zip(keys, items, strict=True)}
        encoded = list(self._encoded(list(unperturbed.values())))
        order = [list(unperturbed)[i] for batch, _ in encoded for i in batch]
        place = {key: number for number, key in enumerate(order)}
        states = HiddenStates.join([states for _, states in encoded])
        base = self.measure.base([unperturbed[key] for key in order], states)
        shifts: list[Shift | None] = [None] * len(items)
        for batch, states in self._encoded([item.edit.tokens for item in items]):
            edits, own = [items[i].edit for i in batch], [place[keys[i]] for i in batch]
            for i, shift in zip(batch, self.measure.shifts(edits, base, own, states), strict=True):
                shifts[i] = shift
        for item, found in zip(items, shifts, strict=True):
            assert found is not None
            results.cells.append(item.cell)
            results.perturbed.append(item.chosen)
            results.cosines.append(found.cosine)
            results.to_states.append(found.to_states)
            if found.genes is not None:
                own_genes = item.edit.tokens[item.edit.after]
                results.genes.append((item.chosen, own_genes, found.genes))

    def _encoded(
        self, cells: Sequence[NDArray[np.integer]]
    ) -> Iterator[tuple[list[int], HiddenStates]]:
        """Encode cells in batches of similar length: their numbers, and hidden states."""
        lengths = np.array([len(own) for own in cells], dtype=np.int64)
        for batch in batches(lengths, BATCH_TOKENS[self.encoder.device]):
            yield batch.tolist(), self._encode([cells[i] for i in batch])

    def _encode(self, cells: Sequence[NDArray[np.integer]]) -> HiddenStates:
        """Encode a batch; of first tokens alone where they are all it takes."""
        return self.encoder.states(cells, self.layer, first=self.measure.first_tokens)
