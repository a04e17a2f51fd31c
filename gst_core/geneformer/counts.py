"""Count matrices of cells by genes, read as chunks of sparse rows, whatever the file format."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gst_core.errors import GstError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from scipy.sparse import csr_matrix

#: What the libraries that read counts raise on files that are damaged or of another kind.
DAMAGE: Final = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
#: Cells of a chunk.
CHUNK: Final = 2048
#: Name of the counts in ``.raw``, as ``--layer`` takes it.
RAW: Final = "raw"


@dataclass
class Counts:
    """Cells by genes.

    Attributes
    ----------
    path
        Where they lie.
    obs
        A row a cell, indexed by their names.
    var
        A row a gene, indexed by their names.
    layer
        What was read: ``X``, ``raw`` or the name of a layer.
    others
        Matrices of the same file that were not read.
    rows
        Gives the rows from one cell to another as CSR.
    left_out
        Type to number of features that are no genes, and not among the rows of `var`.
    """

    path: Path
    obs: pd.DataFrame
    var: pd.DataFrame
    layer: str
    others: tuple[str, ...]
    rows: Callable[[int, int], csr_matrix]
    close: Callable[[], None] = field(default=lambda: None)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.obs)

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return len(self.var)

    def chunks(self, size: int = CHUNK) -> Iterator[tuple[slice, csr_matrix]]:
        """Yield which cells, and their counts: CSR of shape ``(cells, n_genes)``."""
        for start in range(0, self.n_cells, size):
            stop = min(start + size, self.n_cells)
            try:
                rows = _sound(self.rows(start, stop))
            except DAMAGE as error:
                raise GstError(
                    f"cells {start:,} to {stop:,} cannot be read: {error}",
                    where=str(self.path),
                    hint="the file may be truncated; copy it again",
                ) from error
            yield slice(start, stop), rows


def _sound(rows: csr_matrix) -> csr_matrix:
    """Make sure that each value has one place in the matrix; what is given twice is summed.

    Raises
    ------
    ValueError
        If places lie outside of the matrix, as in a damaged file. scipy does not look.
    """
    pointers, places = rows.indptr, rows.indices
    if pointers[0] != 0 or pointers[-1] != len(places) or (np.diff(pointers) < 0).any():
        raise ValueError("the pointers to rows of the sparse matrix do not fit its values")
    if len(places) and not 0 <= places.min() <= places.max() < rows.shape[1]:
        raise ValueError("the sparse matrix has values beyond its last gene")
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def open_counts(path: Path, layer: str | None = None) -> Counts:
    """Open a count matrix.

    Parameters
    ----------
    path
        ``.h5ad``, ``.zarr``, ``.loom``, 10x's ``.h5``, or a folder with ``matrix.mtx``.
    layer
        Name of a layer, or ``raw`` for what AnnData keeps there; ``X`` without it.

    Raises
    ------
    GstError
        If it is not there, is damaged, of another format, or has no such layer.
    """
    from gst_core.geneformer.count_formats import reader_of

    if not path.exists():
        raise GstError("there is no such file", where=str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader_of(path)(path, layer)
    except GstError:
        raise
    except (EOFError, zlib.error) as error:
        raise GstError(
            f"a compressed file ends too early, or is damaged: {error}",
            where=str(path),
            hint="copy it again",
        ) from error
    except DAMAGE as error:
        text = str(error).split("\n")[0]
        raise GstError(
            f"cannot be read as counts of cells: {text}",
            where=str(path),
            hint="give .h5ad, .zarr, .loom, a 10x .h5, or a folder with matrix.mtx",
        ) from error


def of_anndata(adata: AnnData, layer: str | None = None) -> Counts:
    """Take counts that are in memory, as those of a file are taken."""
    from gst_core.geneformer.count_formats import expression

    name = layer or "X"
    var = adata.raw.var if name == RAW and adata.raw is not None else adata.var
    if name == "X":
        matrix = adata.X
    elif name == RAW and adata.raw is not None:
        matrix = adata.raw.X
    elif name in adata.layers:
        matrix = adata.layers[name]
    else:
        raise no_layer(Path("AnnData"), name, list(adata.layers))
    matrix = as_csr(matrix)
    others = tuple(
        k for k in [*adata.layers, *([RAW] if adata.raw is not None else [])] if k != name
    )
    counts = Counts(Path("AnnData"), adata.obs, var, name, others, lambda a, b: matrix[a:b])
    return expression(counts)


def as_csr(matrix: Any) -> csr_matrix:
    """Make CSR of a dense or sparse matrix; scipy has none of half precision."""
    import scipy.sparse as sp

    half = getattr(matrix, "dtype", None) == np.float16
    return sp.csr_matrix(matrix.astype(np.float32) if half else matrix)


def no_layer(path: Path, name: str, there: list[str]) -> GstError:
    """Say that a file has no such matrix, and which it has."""
    return GstError(
        f"has no layer '{name}'",
        where=str(path),
        hint=f"it has: {', '.join(['X', *there])}",
    )
