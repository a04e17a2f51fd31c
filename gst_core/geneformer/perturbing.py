"""Perturbed cells through a network: in batches of one length, part by part."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.backends import BATCH_TOKENS, Encoder, Layer, batches
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.perturbation_plan import Chosen, Plan, Targets
from gst_core.geneformer.perturbations import Edit, Perturber
from gst_core.geneformer.shifts import Base, Measure, Vectors

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
        bases: dict[tuple[int, bytes], Base] = {}
        missing: dict[tuple[int, bytes], NDArray[np.integer]] = {}
        for item in items:
            missing[item.cell, item.edit.base.tobytes()] = item.edit.base
        for i, hidden in self._encoded(list(missing.values())):
            key = list(missing)[i]
            bases[key] = self.measure.base(missing[key], hidden)
        found: list[tuple[float, NDArray[np.float64]] | None] = [None] * len(items)
        for i, hidden in self._encoded([item.edit.tokens for item in items]):
            item = items[i]
            base = bases[item.cell, item.edit.base.tobytes()]
            shift = self.measure.shift(item.edit, base, hidden)
            found[i] = shift.cosine, shift.to_states
            if shift.genes is not None:
                own = item.edit.tokens[item.edit.after]
                results.genes.append((item.chosen, own, shift.genes))
        for item, one in zip(items, found, strict=True):
            assert one is not None
            results.cells.append(item.cell)
            results.perturbed.append(item.chosen)
            results.cosines.append(one[0])
            results.to_states.append(one[1])

    def _encoded(self, cells: Sequence[NDArray[np.integer]]) -> Iterator[tuple[int, Vectors]]:
        """Encode cells in batches of one length; each with its number."""
        lengths = np.array([len(own) for own in cells], dtype=np.int64)
        for batch in batches(lengths, BATCH_TOKENS[self.encoder.device]):
            states = self._encode([cells[i] for i in batch])
            yield from zip(batch.tolist(), states, strict=True)

    def _encode(self, cells: Sequence[NDArray[np.integer]]) -> Sequence[Vectors]:
        """Encode a batch: ``(L, D)`` of each cell, or ``(1, D)`` where that is all it takes."""
        if self.measure.first_tokens:
            return list(self.encoder.first(cells, self.layer)[:, None])
        return self.encoder.hidden(cells, self.layer)
