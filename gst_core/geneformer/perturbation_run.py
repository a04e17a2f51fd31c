"""A perturbation from a file to a folder: resumable, and shared by processes that never talk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.backends import Layer
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.embedding import Cells, check_cells, embed_cells, fingerprint
from gst_core.geneformer.embedding_files import open_cells
from gst_core.geneformer.perturbation_files import PerturbationFolder, digest_of_checkpoint
from gst_core.geneformer.perturbation_plan import PART, Plan, Targets, select
from gst_core.geneformer.perturbations import Kind, Perturber
from gst_core.geneformer.perturbing import Experiment
from gst_core.geneformer.shifts import Measure, Mode


@dataclass(frozen=True, slots=True)
class States:
    """States of cells, between which perturbations may move them.

    Attributes
    ----------
    column
        Attribute of the cells that says their state.
    start
        That of the cells to perturb.
    goal, alternatives
        Those towards which shifts are measured.
    """

    column: str
    start: str
    goal: str
    alternatives: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the start first."""
        return (self.start, self.goal, *self.alternatives)


@dataclass(frozen=True, slots=True)
class Options:
    """What to do to which cells, and what to compare.

    Attributes
    ----------
    kind, quartiles
        As :class:`~gst_core.geneformer.perturbations.Perturber` has them.
    targets
        Which genes.
    embedding
        What stands for a cell; without it ``cls`` where cells have it, else ``cell``.
    layer
        -1: second to last of the network's; 0: last.
    filters
        Values that a cell may have, by attribute.
    states
        Between which states to measure shifts.
    max_cells, seed
        Draw so many cells.
    gene_shifts
        Measure the shift of each gene that was not perturbed, too.
    """

    kind: Kind = "delete"
    quartiles: int = 1
    targets: Targets = field(default_factory=Targets)
    embedding: Mode | None = None
    layer: Layer = -1
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    states: States | None = None
    max_cells: int | None = None
    seed: int = 0
    gene_shifts: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run has before it.

    Attributes
    ----------
    cells, passes
        Cells with something to perturb, and forward passes, of the whole perturbation.
    parts, missing
        Parts of it, and those of this process that are not done.
    left
        Perturbed cells in those.
    seconds
        How long they will take here, about.
    gene_rows
        Shifts of single genes that will be measured, at most.
    """

    cells: int
    passes: int
    parts: int
    missing: int
    left: int
    seconds: float
    gene_rows: int


def perturb_file(
    model: Geneformer,
    source: Path,
    output: Path,
    options: Options,
    *,
    checkpoint: Path,
    state_vectors: Mapping[str, Sequence[float]] | None = None,
    counts_layer: str | None = None,
    gene_column: str | None = None,
    shard: tuple[int, int] = (1, 1),
    forecast: Callable[[Forecast], bool] = lambda _: True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int | None:
    """Perturb cells of a dataset, or of counts.

    Parameters
    ----------
    model
        The network and its dictionary.
    source
        A dataset of ``geneformer tokenize``, or counts.
    output
        Folder. A run that was killed goes on there.
    options
        What to do.
    checkpoint
        Where the network came from.
    state_vectors
        Embeddings of the states by name; without them, the mean of each state's cells that pass
        the filters.
    counts_layer, gene_column
        As for :meth:`Geneformer.embed`.
    shard
        ``i, n``: do the i-th of n shares, from 1. Whoever ends last makes the table.
    forecast
        Told what is before the run; if it says False, nothing is done.
    progress
        Told how many perturbed cells are done, of how many.

    Returns
    -------
    rows
        Of the table; None where it is not made yet.

    Raises
    ------
    GstError
        If options, cells and network do not fit, or `output` holds something else.
    """
    where = str(source)
    cells, adata = open_cells(model, source, counts_layer, gene_column)
    check_cells(model.encoder, cells, where)
    columns = _columns(cells, adata)
    mode = options.embedding or ("cls" if model.special else "cell")
    if mode == "cls" and not model.special:
        raise GstError("cells of V1 have no <cls>", where="cls", hint="take the genes' mean: cell")
    perturber = Perturber(
        options.kind, model.encoder.config.positions, model.special, options.quartiles
    )
    filters = dict(options.filters)
    if options.states is not None:
        if options.states.column in filters:
            raise GstError("the states choose the cells by it already", where=options.states.column)
        filters[options.states.column] = [options.states.start]
    chosen = select(
        len(cells),
        columns,
        filters,
        max_cells=options.max_cells,
        seed=options.seed,
        where=where,
    )
    plan = Plan.of(cells, chosen, options.targets, perturber)
    if not len(plan.cells):
        raise GstError(
            f"none of {len(chosen):,} cells has the genes to {options.kind}",
            where=where,
            hint="choose other genes or cells",
        )
    folder = PerturbationFolder(
        output,
        _description(
            model, cells, plan, options, mode, digest_of_checkpoint(checkpoint), state_vectors
        )
        | {"source": where, "checkpoint": str(checkpoint)},
    )
    number, of = shard
    missing = [n for n in folder.missing(plan.parts) if n % of == number - 1]
    vectors = None
    if options.states is not None and missing:
        vectors = folder.kept_states(
            lambda: _state_vectors(model, cells, columns, options, mode, state_vectors, where)
        )
    experiment = Experiment(
        model.encoder,
        cells,
        plan,
        options.targets,
        perturber,
        Measure(mode, model.special, vectors, genes=options.gene_shifts),
        options.layer,
    )
    total = sum(plan.size(n) for n in missing)
    told = Forecast(
        cells=len(plan.cells),
        passes=plan.passes,
        parts=plan.parts,
        missing=len(missing),
        left=total,
        seconds=experiment.seconds(total) if missing else 0.0,
        gene_rows=int(np.diff(plan.offsets) @ plan.tokens) if options.gene_shifts else 0,
    )
    if not forecast(told):
        return None
    folder.begin()
    done = 0
    for n in missing:
        folder.write(n, experiment.part(n))
        done += plan.size(n)
        progress(done, total)
    return None if folder.missing(plan.parts) else folder.merge(plan.parts, model.resources)


def _columns(cells: Cells, adata: Any) -> Mapping[str, Any]:
    if isinstance(cells, TokenDataset):
        return {name: cells.column(name) for name in cells.columns}
    return {str(name): adata.obs[name].to_numpy() for name in adata.obs.columns}


def _description(
    model: Geneformer,
    cells: Cells,
    plan: Plan,
    options: Options,
    mode: Mode,
    network: str,
    state_vectors: Mapping[str, Sequence[float]] | None,
) -> dict[str, Any]:
    """Say what is done, and name everything that the result depends on."""
    content = hashlib.sha256()
    for cell in plan.cells:
        content.update(np.asarray(cells[int(cell)], dtype=np.int32).tobytes() + b"/")
    states = options.states
    said: dict[str, Any] = {
        "perturbation": options.kind,
        "quartiles": options.quartiles if options.kind in ("inhibit", "activate") else None,
        "genes": options.targets.listed or "all",
        "anchor": options.targets.anchor,
        "embedding": mode,
        "layer": options.layer,
        "filters": {name: list(values) for name, values in options.filters.items()},
        "states": states and list(states.names),
        "state_column": states and states.column,
        "max_cells": options.max_cells,
        "seed": options.seed,
        "gene_shifts": options.gene_shifts,
        "bf16": model.encoder.bf16,
        "model_version": model.resources.model_version,
        "cells": len(plan.cells),
        "passes": plan.passes,
        "parts": plan.parts,
    }
    key = fingerprint(
        json.dumps(said, sort_keys=True),
        PART,
        network,
        content.hexdigest(),
        plan.cells.tolist(),
        json.dumps(state_vectors, sort_keys=True),
    )
    return {"key": key, **said}


def _state_vectors(
    model: Geneformer,
    cells: Cells,
    columns: Mapping[str, Any],
    options: Options,
    mode: Mode,
    given: Mapping[str, Sequence[float]] | None,
    where: str,
) -> NDArray[np.float64]:
    """``(S, D)`` embeddings of the states."""
    states = options.states
    assert states is not None
    width = model.encoder.config.width
    if given is not None:
        absent = [name for name in states.names if np.size(given.get(name, ())) != width]
        if absent:
            raise GstError(
                f"no embedding of {width} numbers for state {absent[0]}",
                where="--state_embeddings",
            )
        return np.array([np.ravel(given[name]) for name in states.names], dtype=np.float64)
    means = []
    for name in states.names:
        rows = select(len(cells), columns, {**options.filters, states.column: [name]}, where=where)
        vectors = embed_cells(
            model.encoder,
            _Some(cells, rows),
            mode=mode,
            layer=options.layer,
            special=model.special,
            where=where,
        )
        means.append(np.nanmean(vectors, 0, dtype=np.float64))
    return np.array(means)


class _Some:
    """Some cells of others."""

    def __init__(self, cells: Cells, rows: NDArray[np.int64]) -> None:
        self._cells = cells
        self._rows = rows
        self.lengths = cells.lengths[rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, cell: int) -> NDArray[Any]:
        return np.asarray(self._cells[int(self._rows[cell])])
