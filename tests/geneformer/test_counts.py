"""Counts of every format that is read, and files that are something else."""

from __future__ import annotations

import gzip
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from gst_core.errors import GstError
from gst_core.geneformer.counts import of_anndata, open_counts

CELLS, GENES = 7, 5


@pytest.fixture
def matrix() -> np.ndarray:
    return np.random.default_rng(0).poisson(1.0, (CELLS, GENES)).astype(np.float32)


def adata(matrix: np.ndarray, kind=sp.csr_matrix) -> anndata.AnnData:
    obs = pd.DataFrame({"cell_type": list("abababa")}, index=[f"c{i}" for i in range(CELLS)])
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(GENES)])
    return anndata.AnnData(kind(matrix), obs, var)


def whole(path: Path, layer: str | None = None) -> np.ndarray:
    counts = open_counts(path, layer)
    rows = [chunk.toarray() for _, chunk in counts.chunks(3)]
    counts.close()
    assert counts.n_cells == CELLS
    return np.concatenate(rows)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, np.asarray])
@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_anndata(tmp_path, matrix, kind, suffix):
    path = tmp_path / f"x{suffix}"
    made = adata(matrix, kind)
    made.write_h5ad(path) if suffix == ".h5ad" else made.write_zarr(path)
    assert (whole(path) == matrix).all()
    assert list(open_counts(path).obs["cell_type"]) == list("abababa")


def test_layers_and_raw(tmp_path, matrix):
    made = adata(matrix)
    made.raw = made.copy()
    made.layers["counts"] = sp.csr_matrix(matrix * 2)
    made.X = sp.csr_matrix(np.log1p(matrix))
    made.write_h5ad(tmp_path / "x.h5ad")
    assert (whole(tmp_path / "x.h5ad", "raw") == matrix).all()
    assert (whole(tmp_path / "x.h5ad", "counts") == 2 * matrix).all()
    assert set(open_counts(tmp_path / "x.h5ad").others) == {"raw", "counts"}
    with pytest.raises(GstError, match=r"no layer 'other'; it has: X, counts, raw"):
        open_counts(tmp_path / "x.h5ad", "other")


def write_folder(folder: Path, matrix: np.ndarray) -> None:
    scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(matrix.T), field="integer")
    lines = [f"ENSG{i:011d}\tGENE{i}\tGene Expression\n" for i in range(GENES)]
    (folder / "features.tsv").write_text("".join(lines))
    (folder / "barcodes.tsv").write_text("".join(f"c{i}\n" for i in range(CELLS)))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_of_cell_ranger(tmp_path, matrix, zipped):
    write_folder(tmp_path, matrix)
    if zipped:
        for path in list(tmp_path.iterdir()):
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    assert (whole(tmp_path) == matrix).all()
    assert open_counts(tmp_path).var["gene_ids"].iloc[1] == "ENSG00000000001"


def write_10x(path: Path, matrix: np.ndarray, kinds: list[bytes]) -> None:
    csr = sp.csr_matrix(matrix)
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(csr, name)
        group["shape"] = [GENES, CELLS]
        group["barcodes"] = [f"c{i}".encode() for i in range(CELLS)]
        features = group.create_group("features")
        features["id"] = [f"ENSG{i:011d}".encode() for i in range(GENES)]
        features["name"] = [f"GENE{i}".encode() for i in range(GENES)]
        features["feature_type"] = kinds


def test_10x_h5_without_its_antibodies(tmp_path, matrix):
    kinds = [b"Gene Expression"] * (GENES - 1) + [b"Antibody Capture"]
    write_10x(tmp_path / "x.h5", matrix, kinds)
    assert (whole(tmp_path / "x.h5") == matrix[:, :-1]).all()


def test_antibodies_alone_are_no_genes(tmp_path, matrix):
    write_10x(tmp_path / "x.h5", matrix, [b"Antibody Capture"] * GENES)
    with pytest.raises(GstError, match="holds no gene: its features are Antibody Capture"):
        open_counts(tmp_path / "x.h5")


def test_anndata_without_its_antibodies(tmp_path, matrix):
    made = adata(matrix)
    made.var["feature_types"] = ["Antibody Capture"] + ["Gene Expression"] * (GENES - 1)
    made.write_h5ad(tmp_path / "x.h5ad")
    assert (whole(tmp_path / "x.h5ad") == matrix[:, 1:]).all()
    assert of_anndata(made).n_genes == GENES - 1
    assert of_anndata(made).left_out == {"Antibody Capture": 1}
    assert list(open_counts(tmp_path / "x.h5ad").var.index) == [f"GENE{i}" for i in range(1, GENES)]


def test_a_compressed_matrix_that_ends_too_early(tmp_path):
    write_folder(tmp_path, np.random.default_rng(0).poisson(1.0, (CELLS, GENES)))
    zipped = gzip.compress((tmp_path / "matrix.mtx").read_bytes())
    (tmp_path / "matrix.mtx").unlink()
    (tmp_path / "matrix.mtx.gz").write_bytes(zipped[: len(zipped) // 2])
    with pytest.raises(GstError, match="ends too early"):
        open_counts(tmp_path)


def test_half_precision_in_memory(matrix):
    made = adata(matrix.astype(np.float16), np.asarray)
    assert (next(of_anndata(made).chunks())[1].toarray() == matrix).all()


def folder_of(folder: Path, matrix: np.ndarray, sample: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / f"{sample}matrix.mtx.gz", "wb") as file:
        scipy.io.mmwrite(file, sp.coo_matrix(matrix.T), field="integer")
    features = "".join(f'ENSG{i:011d}\t"G{i}\tGene Expression\n' for i in range(GENES))
    barcodes = "".join(f"c{i}\n" for i in range(CELLS))
    for name, text in (("features", features), ("barcodes", barcodes)):
        (folder / f"{sample}{name}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_a_folder_as_geo_has_it(tmp_path, matrix):
    assert (whole(folder_of(tmp_path / "one", matrix, "GSM1_")) == matrix).all()
    assert open_counts(tmp_path / "one").var.index[1] == '"G1'
    folder_of(tmp_path / "one", matrix, "GSM2_")
    with pytest.raises(GstError, match=r"several samples: GSM1_matrix\.mtx\.gz, GSM2_"):
        open_counts(tmp_path / "one")


@pytest.mark.parametrize("name", ["matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"])
@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_a_damaged_file_of_a_folder_is_one_sentence(tmp_path, matrix, name, damage):
    path = folder_of(tmp_path / "x", matrix) / name
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] if damage == "truncated" else data[:half] + bytes(half))
    with pytest.raises(GstError, match=r"x: (a compressed file ends too early|cannot be read)"):
        whole(tmp_path / "x")


def test_a_transposed_folder_is_told(tmp_path, matrix):
    folder = folder_of(tmp_path / "x", matrix)
    with gzip.open(folder / "matrix.mtx.gz", "wb") as file:
        scipy.io.mmwrite(file, sp.coo_matrix(matrix), field="integer")
    with pytest.raises(GstError, match="the other way round"):
        open_counts(folder)


def test_loom(tmp_path, matrix):
    path = tmp_path / "x.loom"
    with h5py.File(path, "w") as file:
        file["matrix"] = matrix.T
        file.create_group("layers")
        file["row_attrs/Gene"] = [f"GENE{i}".encode() for i in range(GENES)]
        file["col_attrs/CellID"] = [f"c{i}".encode() for i in range(CELLS)]
    assert (whole(path) == matrix).all()
    assert open_counts(path).var.index[2] == "GENE2"


def test_what_is_no_file_of_counts(tmp_path, matrix):
    with pytest.raises(GstError, match="no such file"):
        open_counts(tmp_path / "none.h5ad")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(GstError, match="not an HDF5 file"):
        open_counts(tmp_path / "x.csv")
    with pytest.raises(GstError, match=r"without matrix\.mtx"):
        open_counts(tmp_path)
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["something"] = [1]
    with pytest.raises(GstError, match="neither AnnData nor 10x"):
        open_counts(tmp_path / "y.h5")


def test_a_truncated_file_is_one_sentence(tmp_path, matrix):
    path = tmp_path / "x.h5ad"
    adata(matrix).write_h5ad(path)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(GstError, match=r"x\.h5ad"):
        whole(path)


@pytest.mark.parametrize(
    ("array", "value", "message"),
    [("indices", 10**6, "beyond"), ("indices", -1, "beyond"), ("indptr", 10**6, "cells 0 to")],
)
def test_places_beyond_the_matrix_are_not_believed(tmp_path, matrix, array, value, message):
    path = tmp_path / "x.h5ad"
    adata(matrix).write_h5ad(path)
    with h5py.File(path, "a") as file:
        file[f"X/{array}"][2] = value
    with pytest.raises(GstError, match=rf"x\.h5ad: .*{message}"):
        whole(path)


def test_a_gene_given_twice_in_a_cell_is_summed(tmp_path, matrix):
    path = tmp_path / "x.h5ad"
    twice = sp.csr_matrix(
        (np.array([1.0, 4.0, 2.0]), np.array([3, 1, 3]), np.array([0, 3, *[3] * (CELLS - 1)])),
        shape=(CELLS, GENES),
    )
    assert not twice.has_canonical_format
    made = adata(matrix)
    made.X = twice
    made.write_h5ad(path)
    rows = next(open_counts(path).chunks())[1]
    assert rows.indices.tolist() == [1, 3]
    assert rows.data.tolist() == [4, 3]


def test_half_precision_is_read(tmp_path, matrix):
    made = adata(matrix.astype(np.float16), np.asarray)
    made.write_h5ad(tmp_path / "x.h5ad")
    assert (whole(tmp_path / "x.h5ad") == matrix).all()
    with h5py.File(tmp_path / "x.loom", "w") as file:
        file["matrix"] = matrix.T.astype(np.float16)
        file["row_attrs/Gene"] = [f"GENE{i}".encode() for i in range(GENES)]
        file["col_attrs/CellID"] = [f"c{i}".encode() for i in range(CELLS)]
    assert (whole(tmp_path / "x.loom") == matrix).all()


def test_attributes_of_loom_fit_its_matrix(tmp_path, matrix):
    with h5py.File(tmp_path / "x.loom", "w") as file:
        file["matrix"] = matrix.T
        file["row_attrs/Gene"] = [f"GENE{i}".encode() for i in range(GENES + 1)]
        file["col_attrs/CellID"] = [f"c{i}".encode() for i in range(CELLS)]
    with pytest.raises(GstError, match="row_attrs/Gene has 6 values, and the matrix 5"):
        open_counts(tmp_path / "x.loom")
