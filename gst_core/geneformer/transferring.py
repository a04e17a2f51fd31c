"""From a labelled file and a new one to a table of labels: what ``geneformer transfer`` does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.backends import Layer
from gst_core.geneformer.classification_scores import METRICS, Predictions, by_class, summary
from gst_core.geneformer.embedding import embed_cells, fingerprint
from gst_core.geneformer.examples import examples_of_cells
from gst_core.geneformer.labelled_cells import LabelledCells, ranks
from gst_core.geneformer.splits import plan_cells
from gst_core.geneformer.transfer import (
    METHODS,
    NEIGHBOURS,
    Labelled,
    Method,
    by_embedding,
    by_expression,
    try_methods,
)

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]


def transfer_labels(
    model: Geneformer,
    reference: LabelledCells,
    query: LabelledCells,
    label: str,
    *,
    method: Method = "logistic",
    donor: str | None = None,
    mode: Literal["cell", "cls"] = "cell",
    layer: Layer = -1,
    neighbours: int = NEIGHBOURS,
    unknown_below: float = 0.0,
    folds: int = 5,
    min_cells: int = 5,
    seed: int = 0,
    work: Path | None = None,
    network: str = "",
    progress: Progress = lambda done, total: None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Test the methods on the reference, and give each new cell a label.

    Parameters
    ----------
    model
        The network.
    reference, query
        Cells with labels, and those that get them.
    label, donor
        Columns of the reference; the query's column `label`, where it has one, tests the result.
    method, neighbours
        As :func:`~gst_core.geneformer.transfer.by_embedding` has them.
    mode, layer
        Of the embeddings.
    unknown_below
        Less probable labels are not given.
    folds
        Of the test; fewer where there are fewer donors.
    min_cells
        Labels of fewer cells are left out.
    seed
        Of all draws.
    work
        Path that names of folders of unfinished embeddings begin with.
    network
        What names the network among others, for these folders.
    progress
        Told how many cells of both files are embedded, of how many.

    Returns
    -------
    table, report
        A row a new cell: its label, the probability, and what the logistic regression on counts
        says; and the figures of the test.

    Raises
    ------
    GstError
        If a column is missing, or has too few labels or cells.
    """
    import pandas as pd

    examples, notes = examples_of_cells(reference, (label,), min_cells)
    rows, classes = examples.rows, examples.classes[0]
    same = reference.measure == query.measure
    measure = reference.measure if same else "ranks"
    vocabulary = model.resources.vocabulary_size
    plain = [
        cells.expression if same else ranks(cells.tokens, vocabulary)
        for cells in (reference, query)
    ]
    total = len(reference.tokens) + len(query.tokens)
    vectors, done = [], 0
    folders = []
    for cells in (reference, query):
        here = done
        folder = _folder(work, network, cells, mode, layer)
        folders.append(folder)
        vectors.append(
            embed_cells(
                model.encoder,
                cells.tokens,
                mode=mode,
                layer=layer,
                special=model.special,
                work=folder,
                where=str(cells.path),
                progress=lambda n, _, here=here: progress(here + n, total),  # type: ignore[misc]
            )
        )
        done += len(cells.tokens)
    known = Labelled(vectors[0][rows], plain[0][rows], examples.labels[0, rows], classes)
    plan = plan_cells(
        known.labels,
        list(classes),
        None if donor is None else reference.donors(donor, rows)[rows],
        folds=folds,
        validation=0.0,
        seed=seed,
    )
    results = try_methods(known, plan, measure=measure, neighbours=neighbours, seed=seed)
    readable = np.flatnonzero(query.readable)
    new = vectors[1][readable]
    chosen = by_embedding(method, known, new, neighbours=neighbours, seed=seed)
    simple = by_expression(known, plain[1][readable], seed)
    table: dict[str, Any] = {"cell": query.obs.index.astype(str).to_numpy()}
    names = np.array(classes, dtype=object)
    for prefix, shares in ((label, chosen), (f"{label}_logistic_on_{measure}", simple)):
        said = np.full(len(query.tokens), "", dtype=object)
        said[readable] = np.where(
            shares.max(1) >= unknown_below, names[shares.argmax(1)], "unknown"
        )
        probability = np.full(len(query.tokens), np.nan)
        probability[readable] = shares.max(1)
        table |= {prefix: said, f"{prefix}_probability": probability}
    report = {
        "label": label,
        "classes": {name: code for code, name in enumerate(classes)},
        "divided_by": plan.by,
        "folds": len(plan.folds),
        "tested": sum(len(split.test) for split in plan.folds),
        "most_frequent": float(np.bincount(known.labels).max() / len(known.labels)),
        "notes": notes,
        "warnings": list(plan.warnings),
        "metrics": METRICS,
        "methods": {name: _figures(p, classes) for name, p in results.items()},
        "query": _of_query(
            query,
            label,
            classes,
            readable,
            {METHODS[method]: chosen, f"logistic regression on {measure}": simple},
        ),
    }
    for folder in folders:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    return pd.DataFrame(table), report


def _figures(predictions: Predictions, classes: tuple[str, ...]) -> dict[str, Any]:
    return {"metrics": summary(predictions), "classes": by_class(predictions, classes)}


def _of_query(
    query: LabelledCells,
    label: str,
    classes: tuple[str, ...],
    readable: NDArray[np.intp],
    shares: dict[str, NDArray[np.float64]],
) -> dict[str, Any]:
    """Score new cells whose label is known; nothing where there are none."""
    if label not in query.obs.columns:
        return {}
    text, there = query.column(label, "--label")
    usable = there[readable] & np.isin(text[readable], classes)
    if not usable.any():
        return {}
    truth = np.searchsorted(np.array(classes), text[readable][usable])
    fold = np.zeros(len(truth), np.int64)
    return {
        name: _figures(Predictions(truth.astype(np.int64), own[usable], fold), classes)
        for name, own in shares.items()
    }


def _folder(
    work: Path | None, network: str, cells: LabelledCells, mode: str, layer: int
) -> Path | None:
    """Name the folder of what is embedded so far by all that it depends on."""
    if work is None:
        return None
    key = fingerprint(network, cells.fingerprint(), mode, layer)
    return work.with_name(f"{work.name}.{key}.parts")
