"""Labels of genes, from the lists and tables that people have."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.examples import Examples
from gst_core.geneformer.labelled_cells import LabelledCells
from gst_core.geneformer.resources import Resources

_MISSING = frozenset(("", "NA", "NaN", "nan", "None"))


def read_lists(files: Mapping[str, Path]) -> dict[str, list[str]]:
    """Read a list of genes a class: the first word of each line.

    Raises
    ------
    GstError
        If a file cannot be read as text.
    """
    found = {}
    for name, path in files.items():
        lines = _text(path).splitlines()
        found[name] = [line.replace(",", " ").split()[0] for line in lines if line.strip()]
    return found


def read_table(path: Path, label: str | None, resources: Resources) -> dict[str, list[str]]:
    """Read a table, comma- or tab-separated, with a header.

    Parameters
    ----------
    path
        The table.
    label
        Column with each gene's label; the genes are in the first column that names genes. Without
        it each column is a class, and its header the name.
    resources
        Knows genes.

    Returns
    -------
    classes
        Name -> genes, as they are written.

    Raises
    ------
    GstError
        If it cannot be read, or has no such column or no genes.
    """
    text = _text(path)
    first = text.splitlines()[0] if text.strip() else ""
    rows = list(csv.reader(text.splitlines(), delimiter="\t" if "\t" in first else ","))
    if len(rows) < 2:
        raise GstError("has no genes", where=str(path), hint="give a header and a row a gene")
    header, *body = rows
    columns = {
        name: [row[place].strip() if place < len(row) else "" for row in body]
        for place, name in enumerate(header)
    }
    if label is None:
        classes = {
            name: [gene for gene in genes if gene not in _MISSING]
            for name, genes in columns.items()
        }
        named = {name: genes for name, genes in classes.items() if _are_genes(genes, resources)}
        if len(named) < 2:
            raise GstError(
                "does not have a column of genes for each class",
                where=str(path),
                hint="name the column with the labels by --label",
            )
        return named
    if label not in columns:
        raise GstError(
            f"has no column '{label}'", where=str(path), hint=f"it has: {', '.join(header[:20])}"
        )
    genes = next(
        (own for name, own in columns.items() if name != label and _are_genes(own, resources)), None
    )
    if genes is None:
        raise GstError("no column names genes", where=str(path), hint="Ensembl ids or symbols")
    classes = {}
    for gene, value in zip(genes, columns[label], strict=True):
        if gene not in _MISSING and value not in _MISSING:
            classes.setdefault(value, []).append(gene)
    return classes


def examples_of_genes(
    cells: LabelledCells,
    classes: Mapping[str, list[str]],
    resources: Resources,
    *,
    task: str,
    max_cells: int,
    min_cells: int,
    seed: int,
) -> tuple[Examples, list[str]]:
    """Look labelled genes up in cells.

    Parameters
    ----------
    cells
        To read the genes in.
    classes
        Name -> genes.
    resources
        The dictionary of the cells.
    task
        What the classes are of, for reports.
    max_cells
        Cells that are read at most: drawn among those with a labelled gene.
    min_cells
        Genes that fewer of these cells have are left out.
    seed
        Of that draw.

    Returns
    -------
    examples, notes
        And what was left out.
    """
    names = tuple(sorted(classes))
    labels = np.full(resources.vocabulary_size, -1, np.int64)
    notes, twice, unknown, given = [], set(), 0, 0
    for code, name in enumerate(names):
        unique = list(dict.fromkeys(classes[name]))
        positions = resources.index_of(unique)
        given += len(unique)
        unknown += int((positions < 0).sum())
        tokens = np.unique(resources.token_ids[positions[positions >= 0]])
        twice |= set(tokens[labels[tokens] >= 0].tolist())
        labels[tokens] = code
    labels[list(twice)] = -1
    if twice:
        notes.append(f"{len(twice)} genes with two labels left out")
    if unknown:
        notes.append(f"{unknown} of {given} genes have no token in {resources.model_version}")
    readers = np.flatnonzero(cells.readable)
    readers = np.array([c for c in readers if (labels[cells.tokens[int(c)]] >= 0).any()], np.intp)
    if len(readers) > max_cells:
        generator = np.random.default_rng([seed, 13])
        readers = np.sort(generator.choice(readers, max_cells, replace=False))
        notes.append(f"{max_cells:,} cells were drawn: see --max_cells")
    times = _times(cells, readers, len(labels))
    rare = (labels >= 0) & (times < min_cells)
    if rare.any():
        notes.append(f"{rare.sum()} genes left out that fewer than {min_cells} cells have")
    labels[rare] = -1
    examples = Examples(
        "genes",
        cells.tokens,
        readers,
        (task,),
        (names,),
        labels[None, :],
        cells.expression[readers].T.tocsr(),
        cells.measure,
    )
    return examples, notes


def _times(cells: LabelledCells, readers: NDArray[np.intp], vocabulary: int) -> NDArray[np.int64]:
    times = np.zeros(vocabulary, np.int64)
    for cell in readers:
        times[cells.tokens[int(cell)]] += 1  # a token is in a cell once
    return times


def _are_genes(names: list[str], resources: Resources) -> bool:
    """Whether most of some names are genes with a token."""
    there = [name for name in names if name not in _MISSING]
    return bool(there) and float((resources.index_of(there) >= 0).mean()) > 0.3


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise GstError(f"cannot be read: {reason}", where=str(path)) from error
