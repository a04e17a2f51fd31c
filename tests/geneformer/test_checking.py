"""``geneformer check``: files of every kind of wrong."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from click.testing import CliRunner

from gst_core.cli.geneformer.check import check
from gst_core.geneformer.resources import resources_file

IDS = [f"ENSG{i:011d}" for i in range(30)]


@pytest.fixture
def resources_dir(tiny_resources, tmp_path) -> Path:
    tiny_resources.save(resources_file("V2", tmp_path))
    return tmp_path


def counts(**changes: object) -> anndata.AnnData:
    values = np.random.default_rng(3).poisson(1.5, (20, 30)).astype(np.float32)
    obs = pd.DataFrame(index=[f"c{i}" for i in range(20)])
    made = anndata.AnnData(values, obs, pd.DataFrame(index=changes.get("names", IDS)))
    return made


def looked_at(adata: anndata.AnnData, folder: Path, *words: str) -> tuple[int, dict]:
    adata.X = sp.csr_matrix(adata.X)
    adata.write_h5ad(folder / "x.h5ad")
    common = [str(folder / "x.h5ad"), "--resources", str(folder)]
    result = CliRunner().invoke(check, [*common, "--format", "json", *words])
    table = CliRunner().invoke(check, [*common, *words])
    assert table.exit_code == result.exit_code
    return result.exit_code, json.loads(result.stdout)


def finding(report: dict, what: str) -> dict:
    return next(f for f in report["findings"] if f["what"].startswith(what))


def test_a_good_file(resources_dir):
    code, report = looked_at(counts(), resources_dir)
    assert (code, report["good"], report["values"]) == (0, True, "counts")
    assert report["genes_with_token"] == 30
    assert report["counts_with_token"] == 1


def test_log_normalised_values_point_at_the_counts(resources_dir):
    adata = counts()
    adata.layers["counts"] = sp.csr_matrix(adata.X)
    adata.raw = adata.copy()
    adata.X = np.log1p(adata.X / adata.X.sum(1, keepdims=True) * 1e4)
    code, report = looked_at(adata, resources_dir)
    assert code == 1
    assert report["values"] == "log-normalised"
    assert set(report["raw_counts_in"]) == {"counts", "raw"}
    assert "--layer" in finding(report, "values")["advice"]
    assert looked_at(adata, resources_dir, "--layer", "counts")[0] == 0


def test_scaled_values_and_nothing_else(resources_dir):
    adata = counts()
    adata.X = adata.X - adata.X.mean(0)
    code, report = looked_at(adata, resources_dir)
    assert code == 1
    assert "nothing in this file" in finding(report, "values")["advice"]
    assert looked_at(adata, resources_dir, "--allow_failures") == (0, report)


def test_fractions_are_noted(resources_dir):
    adata = counts()
    adata.X = adata.X + np.float32(0.25) * (adata.X > 1)
    code, report = looked_at(adata, resources_dir)
    assert (code, report["values"]) == (0, "fractional counts")


@pytest.mark.parametrize(
    ("names", "kind", "code"),
    [
        ([f"{i}.3" for i in IDS], "human Ensembl ids", 0),
        ([i.lower() for i in IDS], "human Ensembl ids", 0),
        ([f"GENE{i}" for i in range(30)], "symbols", 0),
        ([f"ENSMUSG{i:011d}" for i in range(30)], "Ensembl ids of another species", 1),
        ([str(i + 1) for i in range(30)], "Entrez ids", 1),
        ([f"{i + 1}.0" for i in range(30)], "Entrez ids", 1),
        ([str(i) for i in range(30)], "row numbers", 1),
        ([f"{i}_TP53" for i in IDS], "human Ensembl ids joined with other text", 1),
        ([f"GRCh38_{i}" for i in IDS], "human Ensembl ids joined with other text", 1),
        ([f"hg19___GENE{i}" for i in range(30)], "names with the genome before them", 1),
        ([f"Gene{i}" for i in range(30)], "rodent symbols", 1),
    ],
)
def test_kinds_of_names(resources_dir, names, kind, code):
    found, report = looked_at(counts(names=names), resources_dir)
    assert (report["gene_ids"], found) == (kind, code)


@pytest.mark.parametrize(
    ("names", "column"),
    [
        ([f"{i}|TP53" for i in IDS], r"(ENSG\d{11})"),
        ([f"GRCh38_GENE{i}" for i in range(30)], r"^(?:GRCh\d+|hg\d+)_+(.+)"),
    ],
)
def test_the_advice_on_names_with_other_text_is_right(resources_dir, names, column):
    adata = counts(names=names)
    code, report = looked_at(adata, resources_dir)
    assert code == 1
    assert column in finding(report, "genes with a token")["advice"]
    adata.var["ensembl_id"] = adata.var_names.str.extract(column, expand=False).values
    code, report = looked_at(adata, resources_dir)
    assert (code, report["genes_with_token"]) == (0, 30)


def test_symbols_that_a_spreadsheet_made_dates_of_are_noted(resources_dir):
    turned = ["1-Mar", "Sep-02", "2023-03-01", "1-Dec"]
    code, report = looked_at(counts(names=[*IDS[:-4], *turned]), resources_dir)
    assert (code, report["dates"]) == (0, 4)
    assert "4, such as 1-Mar" in finding(report, "dates")["value"]
    _, report = looked_at(counts(names=[*IDS[:-2], "MARCH1", "MAR1-IT1"]), resources_dir)
    assert "dates" not in report


def test_antibodies_are_left_out_and_noted(resources_dir):
    adata = counts()
    adata.var["feature_types"] = ["Gene Expression"] * 28 + ["Antibody Capture"] * 2
    code, report = looked_at(adata, resources_dir)
    assert (code, report["genes"]) == (0, 28)
    assert finding(report, "features left out")["value"] == "2 Antibody Capture"


def test_versions_and_genes_named_twice_are_noted(resources_dir):
    names = [*(f"{i}.1" for i in IDS[:-1]), f"{IDS[0]}.2"]
    code, report = looked_at(counts(names=names), resources_dir)
    assert code == 0
    assert report["repeated"] == 1
    assert finding(report, "versions")["state"] == "note"


def test_empty_cells_and_wrong_totals(resources_dir):
    adata = counts()
    adata.X[4] = 0
    adata.obs["n_counts"] = 7.0
    code, report = looked_at(adata, resources_dir)
    assert (code, report["empty_cells"]) == (0, 1)
    assert report["wrong_n_counts"] >= 15


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("celltypist_human_559cells_raw.h5ad", 0, "raw counts"),
        ("wu2020_tcells_200_raw.h5ad", 0, "raw counts"),
        ("scanpy_10x_v3_tiny.h5", 0, "human Ensembl ids"),
        ("pbmc68k_reduced.h5ad", 1, "scaled"),
        ("mouse_pancreas_50obs.h5ad", 1, "bridge"),
        ("mouse_dentategyrus_100obs.h5ad", 1, "bridge"),
    ],
)
def test_real_files(singlecell_data, resources_folder, name, code, word):
    words = [str(singlecell_data / name), "--resources", str(resources_folder), "--format", "json"]
    result = CliRunner().invoke(check, words)
    assert result.exit_code == code, result.output
    assert word in result.stdout
