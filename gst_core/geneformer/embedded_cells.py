"""Cells with their counts, labels and embeddings, as a comparison needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError

if TYPE_CHECKING:
    from anndata import AnnData

#: Where ``geneformer embed`` puts its vectors.
OBSM_KEY = "X_geneformer"


@dataclass(frozen=True, slots=True)
class EmbeddedCells:
    """What one file, or a file and its Parquet, say of the same cells.

    Attributes
    ----------
    cells
        Raw counts in ``X``; cells without a label or an embedding are left out.
    labels
        ``(N,)``.
    batches
        ``(N,)``, or nothing.
    embeddings
        Name -> ``(N, d)``.
    left_out
        Number of cells without a label, a batch or an embedding.
    """

    cells: AnnData
    labels: NDArray[np.str_]
    batches: NDArray[np.str_] | None
    embeddings: dict[str, NDArray[np.float32]]
    left_out: int


def read_embedded_cells(
    counts: Path,
    embeddings: list[str],
    label: str,
    batch: str | None = None,
    *,
    layer: str | None = None,
    cell_column: str | None = None,
    max_cells: int | None = None,
    seed: int = 0,
) -> EmbeddedCells:
    """Read counts, labels and embeddings of the same cells.

    Parameters
    ----------
    counts
        ``.h5ad`` with raw counts.
    embeddings
        Keys of its ``obsm``, or Parquet files of ``geneformer embed``, whose rows are the cells in
        their order, or are found by `cell_column`.
    label, batch
        Columns of ``obs``.
    layer
        Layer with the counts, ``X`` by default.
    cell_column
        Column of the Parquet files with the cells' names in the h5ad.
    max_cells
        Draw so many cells where there are more.
    seed
        Of that draw.

    Raises
    ------
    GstError
        If a column, key or file is missing, counts are not raw, or rows cannot be matched.
    """
    import anndata

    try:
        cells = anndata.read_h5ad(counts, backed="r")
    except Exception as error:  # h5py and anndata raise whatever a damaged file provokes
        raise GstError(f"cannot be read as h5ad: {error}", where=str(counts)) from error
    try:
        labels, known = _column(cells, label, "--label", counts)
        batches = None
        if batch is not None:
            batches, present = _column(cells, batch, "--batch", counts)
            known &= present
        vectors = {
            name: _vectors(cells, name, counts, cell_column) for name in embeddings or [OBSM_KEY]
        }
        for matrix in vectors.values():
            known &= np.isfinite(matrix).all(1)
        rows = np.flatnonzero(known)
        if not len(rows):
            raise GstError("no cell has a label and an embedding", where=str(counts))
        if max_cells is not None and len(rows) > max_cells:
            generator = np.random.default_rng(seed)
            rows = np.sort(generator.choice(rows, max_cells, replace=False))
        kept = anndata.AnnData(
            _matrix(cells, layer, counts, rows), obs=cells.obs.iloc[rows], var=cells.var
        )
    finally:
        cells.file.close()
    return EmbeddedCells(
        cells=kept,
        labels=labels[rows],
        batches=batches[rows] if batches is not None else None,
        embeddings={Path(name).name: matrix[rows] for name, matrix in vectors.items()},
        left_out=int((~known).sum()),
    )


def _column(
    cells: AnnData, name: str, option: str, where: Path
) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    if name not in cells.obs:
        raise GstError(
            f"{option} {name}: no such column of obs",
            where=str(where),
            hint=f"there are: {', '.join(map(str, cells.obs.columns)) or 'none'}",
        )
    column = cells.obs[name]
    known = column.notna().to_numpy() & (column.astype(str) != "").to_numpy()
    return column.astype(str).to_numpy(dtype=str), known


def _vectors(
    cells: AnnData, name: str, where: Path, cell_column: str | None
) -> NDArray[np.float32]:
    if name.endswith(".parquet"):
        return _from_parquet(Path(name), cells, cell_column)
    if name not in cells.obsm:
        raise GstError(
            f"no embedding '{name}' in obsm",
            where=str(where),
            hint=f"there are: {', '.join(cells.obsm) or 'none'}; write one with geneformer embed, "
            "or name its .parquet",
        )
    return np.asarray(cells.obsm[name], np.float32)


def _from_parquet(path: Path, cells: AnnData, cell_column: str | None) -> NDArray[np.float32]:
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise GstError(f"cannot be read as Parquet: {error}", where=str(path)) from error
    dimensions: list[str] = []
    while str(len(dimensions)) in table.column_names:
        dimensions.append(str(len(dimensions)))
    if not dimensions:
        raise GstError(
            "has no columns 0, 1, ...", where=str(path), hint="give a Parquet of geneformer embed"
        )
    matrix = np.stack([table.column(d).to_numpy() for d in dimensions], 1).astype(np.float32)
    if cell_column is None:
        if len(matrix) != cells.n_obs:
            raise GstError(
                f"{len(matrix)} rows where the counts have {cells.n_obs} cells",
                where=str(path),
                hint="name the column with the cells' names by --cell_column",
            )
        return matrix
    if cell_column not in table.column_names:
        raise GstError(f"no column '{cell_column}'", where=str(path))
    names = pd.Index(table.column(cell_column).to_pylist())
    if names.has_duplicates:
        raise GstError(f"the names in '{cell_column}' occur more than once", where=str(path))
    found = names.get_indexer(cells.obs_names)
    if not (found >= 0).any():
        raise GstError(f"no name in '{cell_column}' is a cell of the counts", where=str(path))
    result = np.full((cells.n_obs, len(dimensions)), np.nan, np.float32)
    result[found >= 0] = matrix[found[found >= 0]]
    return result


def _matrix(cells: AnnData, layer: str | None, where: Path, rows: NDArray[np.intp]) -> object:
    """Read the counts of some cells as a sparse matrix, and see that they are counts."""
    from scipy import sparse

    if layer is not None and layer not in cells.layers:
        raise GstError(
            f"no layer '{layer}'",
            where=str(where),
            hint=f"there are: {', '.join(cells.layers) or 'none'}",
        )
    part = cells[rows]
    read = part.to_memory() if part.is_view else part
    matrix = sparse.csr_matrix(read.layers[layer] if layer else read.X, dtype=np.float32)
    if matrix.data.size and ((matrix.data % 1).any() or matrix.data.min() < 0):
        raise GstError(
            "the values are not raw counts",
            where=f"{where}, {f'layer {layer}' if layer else 'X'}",
            hint="the baselines start from raw counts: name their --layer; "
            "geneformer check says where they are",
        )
    return matrix
