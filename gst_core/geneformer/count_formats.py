"""The formats that counts of cells come in.

AnnData (``.h5ad`` and zarr), 10x's ``.h5`` and folders of ``matrix.mtx``, and loom. A matrix that
is stored by cells is read as it is asked for, so that memory does not grow with the file; one
that is stored by genes (CSC) is read at once.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.counts import RAW, Counts, as_csr, no_layer

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Strings = NDArray[np.str_]

#: Features of 10x that are no genes. An antibody is often called as the gene of its protein.
NO_GENES: Final = frozenset(
    (
        *("Antibody Capture", "Antigen Capture", "CRISPR Guide Capture", "Custom"),
        *("Multiplexing Capture", "Peaks"),
    )
)


def reader_of(path: Path) -> Callable[[Path, str | None], Counts]:
    """Tell the format of a file or folder, and give what reads it.

    Raises
    ------
    GstError
        If it is none that is known.
    """
    if path.is_dir():
        if (path / ".zgroup").exists() or (path / "zarr.json").exists():
            return read_anndata
        if find(path, "matrix.mtx"):
            return read_mtx
        raise GstError(
            "is a folder without matrix.mtx, and no zarr",
            where=str(path),
            hint="give the folder that Cell Ranger wrote (filtered_feature_bc_matrix)",
        )
    if path.suffix == ".loom":
        return read_loom
    import h5py

    if not h5py.is_hdf5(path):
        raise GstError(
            "is not an HDF5 file",
            where=str(path),
            hint="give .h5ad, .zarr, .loom, a 10x .h5, or a folder with matrix.mtx; "
            "tables (csv) are read into AnnData first: anndata.io.read_csv(...).write(...)",
        )
    with h5py.File(path) as file:
        if "obs" in file and "var" in file:
            return read_anndata
        if "row_attrs" in file:
            return read_loom
    return read_10x


def read_anndata(path: Path, layer: str | None) -> Counts:
    """Read AnnData, of HDF5 or zarr."""
    import h5py
    from anndata.io import read_elem

    if path.is_dir():
        import zarr

        file: Any = zarr.open_group(str(path), mode="r")
        close: Callable[[], None] = lambda: None  # noqa: E731
    else:
        file = h5py.File(path)
        close = file.close
    there = {
        "X": "X",
        **{name: f"layers/{name}" for name in file.get("layers", ())},
        **({RAW: "raw/X"} if "raw" in file else {}),
    }
    name = layer or "X"
    if name not in there:
        raise no_layer(path, name, [other for other in there if other != "X"])
    if there[name] not in file:
        raise GstError(
            "has no X",
            where=str(path),
            hint=f"name a layer with the counts: {', '.join(n for n in there if n != 'X')}",
        )
    var = _frame(read_elem(file["raw/var" if name == RAW else "var"]))
    obs = _frame(read_elem(file["obs"]))
    rows = _rows_of(file[there[name]], (len(obs), len(var)), path)
    others = tuple(n for n in there if n != name and there[n] in file)
    return expression(Counts(path, obs, var, name, others, rows, close))


def _frame(table: Any) -> pd.DataFrame:
    """Make a table of the structured array that AnnData wrote before 2019."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    frame = pd.DataFrame.from_records(table)
    for column in frame.select_dtypes(object):
        frame[column] = [v.decode() if isinstance(v, bytes) else v for v in frame[column]]
    return frame.set_index(str(frame.columns[0]))


def _rows_of(element: Any, shape: tuple[int, int], path: Path) -> Callable[[int, int], csr_matrix]:
    """Read rows of a dense or sparse matrix of AnnData, by chunks where it is stored by rows."""
    import scipy.sparse as sp
    from anndata.io import read_elem, sparse_dataset

    kind = element.attrs.get("encoding-type", "array")
    if kind in ("csr_matrix", "csc_matrix"):
        if tuple(element.attrs["shape"]) != shape:
            raise GstError("matrix, obs and var are of different sizes", where=str(path))
        if kind == "csc_matrix":
            matrix = sp.csr_matrix(read_elem(element))
            return lambda start, stop: matrix[start:stop]
        stored = sparse_dataset(element)
        return lambda start, stop: sp.csr_matrix(stored[start:stop])
    if element.shape != shape:
        raise GstError("matrix, obs and var are of different sizes", where=str(path))
    return lambda start, stop: as_csr(element[start:stop])


def read_10x(path: Path, layer: str | None) -> Counts:
    """Read the ``.h5`` of Cell Ranger, of version 2 or 3."""
    import h5py
    import pandas as pd
    import scipy.sparse as sp

    _refuse_layer(path, layer)
    file = h5py.File(path)
    groups = [g for g in file.values() if isinstance(g, h5py.Group) and "indptr" in g]
    if not groups:
        raise GstError(
            "is neither AnnData nor 10x's matrix",
            where=str(path),
            hint="give the .h5 that Cell Ranger wrote, or an .h5ad",
        )
    if len(groups) > 1:
        raise GstError(
            f"holds several matrices: {', '.join(g.name for g in groups)}",
            where=str(path),
            hint="write the one that is meant: "
            f"scanpy.read_10x_h5('{path.name}', genome='{groups[0].name[1:]}').write('one.h5ad')",
        )
    group = groups[0]
    features = group.get("features")
    if features is not None:
        var = pd.DataFrame(
            {"gene_ids": _text(features["id"]), "feature_types": _text(features["feature_type"])},
            index=_text(features["name"]),
        )
    else:
        var = pd.DataFrame({"gene_ids": _text(group["genes"])}, index=_text(group["gene_names"]))
    obs = pd.DataFrame(index=_text(group["barcodes"]))
    pointers = group["indptr"][:]

    def rows(start: int, stop: int) -> csr_matrix:
        here = slice(int(pointers[start]), int(pointers[stop]))
        parts = (
            group["data"][here],
            group["indices"][here],
            pointers[start : stop + 1] - here.start,
        )
        return sp.csr_matrix(parts, shape=(stop - start, len(var)))

    return expression(Counts(path, obs, var, "X", (), rows, file.close))


def read_mtx(path: Path, layer: str | None) -> Counts:
    """Read a folder of Cell Ranger or STARsolo, which has one matrix in Matrix Market's format."""
    import pandas as pd
    import scipy.io
    import scipy.sparse as sp

    _refuse_layer(path, layer)
    matrix_file = _needed(path, "matrix.mtx")
    features_file = find(path, "features.tsv") or _needed(path, "genes.tsv")
    with _opened(matrix_file) as file:
        matrix = sp.csr_matrix(scipy.io.mmread(file).T)
    features, barcodes = (
        pd.read_csv(
            file,
            sep="\t",
            header=None,
            dtype=str,
            keep_default_na=False,
            quoting=csv.QUOTE_NONE,
        )
        for file in (features_file, _needed(path, "barcodes.tsv"))
    )
    names = features[1] if features.shape[1] > 1 else features[0]
    var = pd.DataFrame({"gene_ids": features[0].to_numpy()}, index=names.to_numpy())
    if features.shape[1] > 2:
        var["feature_types"] = features[2].to_numpy()
    obs = pd.DataFrame(index=barcodes[0].to_numpy())
    if matrix.shape != (len(obs), len(var)):
        transposed = matrix.shape == (len(var), len(obs))
        raise GstError(
            f"the matrix has {matrix.shape[0]:,} cells and {matrix.shape[1]:,} genes, "
            f"its tables {len(obs):,} and {len(var):,}",
            where=str(path),
            hint="genes must be the matrix's rows: write it the other way round"
            if transposed
            else "the three files must be of one run",
        )
    return expression(Counts(path, obs, var, "X", (), lambda a, b: matrix[a:b]))


def read_loom(path: Path, layer: str | None) -> Counts:
    """Read loom, which has genes by cells."""
    import h5py
    import pandas as pd

    file = h5py.File(path)
    there = {"X": "matrix", **{name: f"layers/{name}" for name in file.get("layers", ())}}
    name = layer or "X"
    if name not in there:
        raise no_layer(path, name, [other for other in there if other != "X"])
    matrix = file[there[name]]
    genes, cells = matrix.shape

    def table(group: str, number: int) -> pd.DataFrame:
        for key, values in file[group].items():
            if values.shape[:1] != (number,):
                raise GstError(
                    f"{group}/{key} has {values.shape[0] if values.shape else 1:,} values, "
                    f"and the matrix {number:,}",
                    where=str(path),
                    hint="the file is damaged, or its matrix lies the other way round",
                )
        columns = {
            key: _text(values) if values.dtype.kind in "SO" else values[:]
            for key, values in file[group].items()
            if values.shape == (number,)
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(number).astype(str))

    var, obs = table("row_attrs", genes), table("col_attrs", cells)
    for frame, keys in ((var, ("Gene", "gene", "Accession")), (obs, ("CellID", "obs_names"))):
        if found := next((key for key in keys if key in frame), None):
            frame.index = pd.Index(frame[found].astype(str))
    others = tuple(n for n in there if n != name)
    return Counts(path, obs, var, name, others, lambda a, b: as_csr(matrix[:, a:b].T), file.close)


def expression(counts: Counts) -> Counts:
    """Leave out what is no gene: antibodies, guides, peaks of 10x's multi-omics.

    Raises
    ------
    GstError
        If nothing is left.
    """
    import scipy.sparse as sp

    kinds = counts.var.get("feature_types")
    if kinds is None or (kinds == "Gene Expression").all():
        return counts
    if not (kinds == "Gene Expression").any():
        others = sorted(set(map(str, kinds)))
        if not set(others) <= NO_GENES:
            return counts  # a table that calls its genes something else
        counts.close()
        raise GstError(
            f"holds no gene: its features are {', '.join(others)}",
            where=str(counts.path),
            hint="give the matrix of the genes of these cells",
        )
    genes = (kinds == "Gene Expression").to_numpy()
    counts.left_out = dict(Counter(kinds[~genes].astype(str)))
    keep = np.flatnonzero(genes)
    inner = counts.rows
    counts.rows = lambda start, stop: sp.csr_matrix(inner(start, stop)[:, keep])
    counts.var = counts.var.iloc[keep]
    return counts


def _refuse_layer(path: Path, layer: str | None) -> None:
    if layer not in (None, "X"):
        raise no_layer(path, str(layer), [])


def find(folder: Path, name: str) -> Path | None:
    """Find a file, gzipped or not; as GEO has it, with the sample before its name (GSM1_...).

    Raises
    ------
    GstError
        If there are several samples.
    """
    endings = (name, f"{name}.gz")
    if found := next((folder / n for n in endings if (folder / n).is_file()), None):
        return found
    there = [p for p in sorted(folder.iterdir()) if p.name.endswith(endings) and p.is_file()]
    if len(there) > 1:
        raise GstError(
            f"holds several samples: {', '.join(p.name for p in there[:4])}",
            where=str(folder),
            hint="give each a folder of its own",
        )
    return there[0] if there else None


def _needed(folder: Path, name: str) -> Path:
    found = find(folder, name)
    if found is None:
        raise GstError(
            f"has no {name}",
            where=str(folder),
            hint="give matrix.mtx, barcodes.tsv and features.tsv in one folder, gzipped or not",
        )
    return found


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _text(values: Any) -> Strings:
    return np.array(
        [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values[:]], "U"
    )
