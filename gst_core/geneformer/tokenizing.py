"""A file of counts to a dataset of tokens, in memory that does not grow with the cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.counts import Counts, open_counts
from gst_core.geneformer.dataset_writer import DatasetWriter, arrow_type
from gst_core.geneformer.gene_kinds import RODENT_SYMBOLS, kinds_of_names
from gst_core.geneformer.kinds import require_raw
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizer import Tokenizer, TokenStatistics, gene_column, gene_names

if TYPE_CHECKING:
    import pandas as pd

#: Attribute that is the names of the cells rather than a column of `obs`.
CELL_NAMES: Final = "obs_names"
_RESERVED: Final = frozenset(("input_ids", "length"))


@dataclass(frozen=True, slots=True)
class Opened:
    """Counts that are fit to be tokenised.

    Attributes
    ----------
    counts
        The file.
    tokenizer
        For its genes.
    column
        Where their names were found: a column of `var`, or ``index``.
    warnings
        What a user should know of values and genes; mostly nothing.
    """

    counts: Counts
    tokenizer: Tokenizer
    column: str
    warnings: tuple[str, ...] = ()


def prepare(
    counts: Counts,
    resources: Resources,
    column: str | None = None,
    max_length: int | None = None,
) -> Opened:
    """Make sure that counts are raw and that their genes are known.

    Parameters
    ----------
    counts
        The counts.
    resources
        The dictionary.
    column
        Column of `var` with the genes, if not where they are looked for.
    max_length
        Tokens of a cell at most; the dictionary's without it.

    Raises
    ------
    GstError
        If they are not, with where raw counts may be.
    """
    matrix = require_raw(counts)
    found = gene_column(counts.var, resources, column)
    names = gene_names(counts.var, found)
    tokenizer = Tokenizer(resources, names, max_length, whole=matrix.kind == "counts")
    if not tokenizer.mapped:
        examples = ", ".join(tokenizer.genes[:3])
        raise GstError(
            f"no gene has a token of Geneformer {resources.model_version}: {examples}, ...",
            where=f"{counts.path}, genes by {found}",
            hint="genes must be human Ensembl ids or symbols; run geneformer check, or, for "
            "another species, geneformer bridge",
        )
    warnings = []
    if matrix.kind == "fractional counts":
        warnings.append(f"{matrix.reason}: taken as estimated counts")
    if kinds_of_names(names)[RODENT_SYMBOLS]:
        warnings.append(
            "genes are written as those of mouse and rat, and taken for human genes of the same "
            "letters; geneformer bridge goes by orthologues"
        )
    return Opened(counts, tokenizer, found, tuple(warnings))


def tokenize_file(
    path: Path,
    output: Path,
    resources: Resources,
    *,
    attributes: Mapping[str, str] | None = None,
    all_attributes: bool = False,
    layer: str | None = None,
    column: str | None = None,
    filter_column: str | None = None,
    progress: Callable[[int, int], None] = lambda done, cells: None,
) -> tuple[Opened, TokenStatistics, int]:
    """Tokenise a file.

    Cells without any gene of the vocabulary, which no network can read, are left out.

    Parameters
    ----------
    path
        Counts; see :func:`~gst_core.geneformer.counts.open_counts`.
    output
        Folder of the dataset, or a ``.parquet`` file.
    resources
        The dictionary.
    attributes
        Column of `obs`, or ``obs_names``, to name of the dataset's column.
    all_attributes
        Carry over all columns of `obs` and ``obs_names``; `attributes` may rename some.
    layer, column
        Where counts and genes' names are, if not where they are looked for.
    filter_column
        Column of `obs`: cells where it is 1 or true are taken.
    progress
        Told after each chunk how many cells are done, of how many.

    Returns
    -------
    opened, statistics, written
        What was read; what became of it; cells written.

    Raises
    ------
    GstError
        If the counts are not raw, genes unknown, or a column is missing.
    """
    counts = open_counts(path, layer)
    try:
        opened = prepare(counts, resources, column)
        wanted = dict(attributes or {})
        if all_attributes:
            wanted = {n: n for n in (CELL_NAMES, *map(str, counts.obs.columns))} | wanted
        columns = _attributes(counts, wanted)
        taken = _filter(counts, filter_column)
        kinds = {name: arrow_type(values) for name, values in columns.items()}
        import pyarrow as pa

        dtype = pa.int16() if resources.model_version == "V1" else pa.int32()
        with DatasetWriter(output, kinds, dtype) as writer:
            for cells, rows in counts.chunks():
                here = taken[cells]
                if not here.all():
                    rows = rows[np.flatnonzero(here)]
                before = opened.tokenizer.statistics.empty
                tokens = opened.tokenizer.tokenize(rows)
                own = {name: values[cells][here] for name, values in columns.items()}
                if opened.tokenizer.statistics.empty > before:
                    kept = tokens.lengths > len(resources.special_tokens)
                    tokens = tokens.selected(kept)
                    own = {name: values[kept] for name, values in own.items()}
                writer.write(tokens, own)
                progress(cells.stop, counts.n_cells)
            if not writer.cells:
                raise GstError(
                    "no cell is left to write",
                    where=str(path),
                    hint="its cells have no gene with a token, or the filter takes none",
                )
            return opened, opened.tokenizer.statistics, writer.cells
    finally:
        counts.close()


def _attributes(counts: Counts, wanted: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for name, renamed in wanted.items():
        if renamed in _RESERVED or renamed in columns:
            raise GstError(
                f"the dataset has a column '{renamed}' of its own"
                if renamed in _RESERVED
                else f"two attributes would be named '{renamed}'",
                where="custom attributes",
                hint="rename it: --custom_attribute NAME=NEW_NAME",
            )
        if name == CELL_NAMES:
            columns[renamed] = np.asarray(counts.obs.index.astype(str), dtype=object)
            continue
        columns[renamed] = _plain(column_of(counts.obs, name, counts.path))
    return columns


def column_of(obs: pd.DataFrame, name: str, path: Path) -> pd.Series:
    """Give a column of `obs`.

    Raises
    ------
    GstError
        If there is none, with those that are there.
    """
    if name not in obs.columns:
        there = ", ".join(map(str, obs.columns[:12])) or "none"
        raise GstError(f"obs has no column '{name}'", where=str(path), hint=f"it has: {there}")
    return obs[name]


def _plain(values: pd.Series) -> NDArray[Any]:
    """Numbers and truth values as they are, all else as text; what is missing as None."""
    if values.dtype.kind in "iufb":
        return np.asarray(values.to_numpy())
    text = values.astype(object)
    return np.array([None if v is None or v != v else str(v) for v in text], dtype=object)


def _filter(counts: Counts, name: str | None) -> NDArray[np.bool_]:
    if name is None:
        return np.ones(counts.n_cells, dtype=np.bool_)
    values = column_of(counts.obs, name, counts.path)
    if values.dtype.kind in "iufb":
        return np.asarray(values == 1, dtype=np.bool_)
    return np.asarray(values.astype(str).str.lower().isin(("1", "true")), dtype=np.bool_)
