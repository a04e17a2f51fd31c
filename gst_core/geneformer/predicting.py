"""Classes of new cells and genes by a classifier that was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.asking import predict
from gst_core.geneformer.classification_scores import softmax
from gst_core.geneformer.classifier_files import Description
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier
from gst_core.geneformer.labelled_cells import LabelledCells

if TYPE_CHECKING:
    import pandas as pd


def predict_table(
    model: Geneformer,
    classifier: Classifier,
    description: Description,
    cells: LabelledCells,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Classify cells, or the genes in them.

    Parameters
    ----------
    model
        With the dictionary.
    classifier, description
        As they were loaded.
    cells
        To be classified, or to be read for their genes.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    table
        A row a cell, in order, or a row a gene that a cell has, by rising token. Of each task its
        class, the probability of that, and one column ``TASK:CLASS`` for each class.

    Raises
    ------
    GstError
        If no cell has a gene that the network knows.
    """
    import pandas as pd

    readers = np.flatnonzero(cells.readable)
    if not len(readers):
        raise GstError("no cell has a gene that the network knows", where=str(cells.path))
    reader = Reader(classifier.bert, cells.tokens, device=model.encoder.device)
    logits = predict(classifier, reader, readers, progress=progress)
    columns: dict[str, Any] = {}
    if description.kind == "cells":
        columns["cell"] = cells.obs.index.astype(str).to_numpy()
        rows, number = readers, len(columns["cell"])
    else:
        found = np.asarray(np.isfinite(logits[0]).all(1))
        found[list(description.special)] = False
        tokens = np.flatnonzero(found)
        columns["gene"], columns["symbol"] = model.names_of(tokens)
        logits = [own[tokens] for own in logits]
        rows, number = np.arange(len(tokens)), len(tokens)
    for task, own in zip(description.tasks, logits, strict=True):
        shares = np.full((number, len(task.classes)), np.nan)
        shares[rows] = softmax(own, task.temperature)
        said = np.full(number, "", dtype=object)
        said[rows] = np.array(task.classes, dtype=object)[shares[rows].argmax(1)]
        columns[task.name] = said
        columns[f"{task.name}_probability"] = shares.max(1)
        for code, name in enumerate(task.classes):
            columns[f"{task.name}:{name}"] = shares[:, code]
    return pd.DataFrame(columns)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, numbers to five decimals."""
    with atomic_write(path) as file:
        table.to_csv(file, index=False, float_format="%.5f", lineterminator="\n")
