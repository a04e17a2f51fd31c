"""What a classifier learns from and is asked about: labelled cells, or labelled genes in cells."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.asking import predict
from gst_core.geneformer.course import Lesson
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier, Kind
from gst_core.geneformer.labelled_cells import CutCells, LabelledCells

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Examples:
    """Cells or genes with labels, and what methods read of them.

    Attributes
    ----------
    kind
        ``cells``: an example is a cell; ``genes``: a token of the vocabulary.
    tokens
        Of all cells.
    readers
        Numbers of the cells that may be read.
    tasks, classes
        Names of the tasks, and of the classes of each, sorted.
    labels
        ``(tasks, examples)`` numbers of the classes, -1 where there is none.
    features
        ``(examples, columns)``, for plain methods.
    measure
        What these are of: ``counts`` or ``ranks``.
    """

    kind: Kind
    tokens: CutCells
    readers: Rows
    tasks: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    labels: NDArray[np.int64]
    features: csr_matrix
    measure: str

    @property
    def rows(self) -> Rows:
        """Numbers of the examples that have a label and can be read."""
        known = np.asarray((self.labels >= 0).any(0))
        if self.kind == "cells":
            readable = np.zeros(len(known), np.bool_)
            readable[self.readers] = True
            known = known & readable
        return np.flatnonzero(known)

    def lesson(self, rows: Rows) -> Lesson:
        """Show some examples, and hide the labels of all others."""
        if self.kind == "cells":
            return Lesson(rows, self.labels)
        labels = np.full_like(self.labels, -1)
        labels[:, rows] = self.labels[:, rows]
        return Lesson(self.readers, labels)

    def logits(
        self, classifier: Classifier, reader: Reader, rows: Rows
    ) -> list[NDArray[np.float32]]:
        """Ask about some examples: of each task ``(len(rows), classes)``."""
        if self.kind == "cells":
            return predict(classifier, reader, rows)
        asked = np.zeros(self.labels.shape[1], np.bool_)
        asked[rows] = True
        found = predict(classifier, reader, self.readers, asked)
        return [of_all[rows] for of_all in found]

    def fingerprint(self) -> str:
        """SHA-256 of tokens and labels."""
        digest = hashlib.sha256()
        for cell in self.readers:
            digest.update(self.tokens[int(cell)].astype(np.int32).tobytes())
            digest.update(b"|")
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        digest.update(repr((self.kind, self.tasks, self.classes)).encode())
        return digest.hexdigest()


def examples_of_cells(
    cells: LabelledCells, columns: tuple[str, ...], min_cells: int
) -> tuple[Examples, list[str]]:
    """Take the labels of cells from their columns.

    Parameters
    ----------
    cells
        Of a file.
    columns
        One a task.
    min_cells
        Labels of fewer cells are left out.

    Returns
    -------
    examples, notes
        And what was left out.

    Raises
    ------
    GstError
        If a column is missing, or has fewer than two labels.
    """
    notes = []
    if cells.shortened:
        notes.append(f"{cells.shortened:,} cells are cut to the network's positions")
    if not cells.readable.all():
        notes.append(f"{(~cells.readable).sum():,} cells without a gene of the network left out")
    labels, classes = [], []
    for column in columns:
        text, known = cells.column(column, "--label")
        known = known & cells.readable
        names, counts = np.unique(text[known], return_counts=True)
        rare = names[counts < min_cells]
        if len(rare):
            notes.append(
                f"labels of fewer than {min_cells} cells left out: "
                + ", ".join(f"{name} ({counts[names == name][0]})" for name in rare)
            )
        kept = names[counts >= min_cells]
        if len(kept) < 2:
            raise GstError(
                f"{len(kept)} labels have {min_cells} cells or more, and two are needed",
                where=f"{cells.path}, column {column}",
                hint="name another --label, or lower --min_cells",
            )
        labelled = known & np.isin(text, kept)
        if unlabelled := int((cells.readable & ~known).sum()):
            notes.append(f"{unlabelled:,} cells have no {column}")
        labels.append(np.where(labelled, np.searchsorted(kept, text).clip(0, len(kept) - 1), -1))
        classes.append(tuple(str(name) for name in kept))
    examples = Examples(
        "cells",
        cells.tokens,
        np.flatnonzero(cells.readable),
        columns,
        tuple(classes),
        np.array(labels, np.int64),
        cells.expression,
        cells.measure,
    )
    return examples, notes
