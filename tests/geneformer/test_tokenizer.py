"""Rank value encoding: by hand, by the reference's golden sets, and from the command line."""

from __future__ import annotations

from pathlib import Path

import anndata
import datasets
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gst_core.cli.geneformer.tokenize import tokenize
from gst_core.errors import GstError
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.kinds import kind_of
from gst_core.geneformer.resources import resources_file
from gst_core.geneformer.tokenizer import Tokenizer, gene_column, gene_names

NAMES = [f"GENE{i}" for i in range(30)]


def test_a_cell_by_hand(tiny_resources):
    # Medians are 1 to 30: values are 6, 12 / 2 = 6, 3 / 3 = 1, 40 / 4 = 10.
    counts = sp.csr_matrix(np.array([[6, 12, 3, 40] + [0] * 26]))
    tokens = Tokenizer(tiny_resources, NAMES).tokenize(counts)
    # Genes 0 and 1 are equal: the lower token comes first.
    assert tokens[0].tolist() == [2, 3 + 4, 0 + 4, 1 + 4, 2 + 4, 3]


def test_columns_of_one_gene_are_summed(tiny_resources):
    names = ["GENE0", "alias0", "ENSG00000000000.7", "GENE5", "unknown"]
    tokenizer = Tokenizer(tiny_resources, names)
    tokens = tokenizer.tokenize(sp.csr_matrix(np.array([[1, 2, 3, 12, 99]])))
    assert tokens[0].tolist() == [2, 4, 9, 3]
    assert tokenizer.mapped == 4
    assert tokenizer.statistics.umis == 117
    assert tokenizer.statistics.mapped_umis == 18


def test_cells_are_cut_and_empty_ones_are_counted(tiny_resources):
    tokenizer = Tokenizer(tiny_resources, NAMES, max_length=6)
    tokens = tokenizer.tokenize(sp.csr_matrix(np.array([np.arange(30), np.zeros(30)])))
    assert tokens.lengths.tolist() == [6, 2]
    assert tokens[1].tolist() == [2, 3]
    assert (tokenizer.statistics.cut, tokenizer.statistics.empty) == (1, 1)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_what_is_no_count_is_refused(tiny_resources, value):
    with pytest.raises(GstError, match="not raw counts"):
        Tokenizer(tiny_resources, NAMES).tokenize(sp.csr_matrix(np.full((1, 30), value)))


@given(st.integers(0, 2**32 - 1), st.floats(1, 1000))
def test_ranks_know_no_depth(tiny_resources, seed, factor):
    counts = np.random.default_rng(seed).poisson(0.7, (4, 30))
    tokenizer = Tokenizer(tiny_resources, NAMES)
    once = tokenizer.tokenize(sp.csr_matrix(counts))
    again = tokenizer.tokenize(sp.csr_matrix(counts * int(factor)))
    assert (once.values == again.values).all()
    values = tokenizer.values(sp.csr_matrix(counts)).toarray()
    for cell in range(4):
        ranked = values[cell, once[cell][1:-1] - 4]
        assert (np.diff(ranked) <= 0).all()
        assert len(ranked) == (counts[cell] > 0).sum()


@pytest.mark.parametrize(("version", "folder"), [("V1", "ensv1"), ("V2", "sym")])
def test_the_reference_s_tokens_up_to_ties(geneformer_data, request, version, folder):
    resources = request.getfixturevalue(f"resources_{version.lower()}")
    golden = TokenDataset.open(geneformer_data / "golden" / f"gold_{version}.dataset")
    counts = open_counts(geneformer_data / "golden" / folder / "x.h5ad")
    tokenizer = Tokenizer(resources, gene_names(counts.var, gene_column(counts.var, resources)))
    place = resources.position_of_token
    special = len(resources.special_tokens)
    cells = 0
    for cells_here, rows in counts.chunks():
        tokens, values = tokenizer.tokenize(rows), tokenizer.values(rows)
        for number, cell in enumerate(range(cells_here.start, cells_here.stop)):
            ours, theirs = tokens[number], golden.tokens(cell)
            assert len(ours) == len(theirs)
            row = values[number].toarray()[0]
            inner = slice(special // 2, len(ours) - special // 2)
            ranked = [row[place[part[inner].astype(int)]] for part in (ours, theirs)]
            # The reference's values are of 32 bits: nearer ones are ties to it.
            np.testing.assert_allclose(*ranked, rtol=1.2e-7)
            assert sorted(ours.tolist()) == sorted(theirs.tolist())
            cells += 1
    assert cells == len(golden)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda c: c, "counts"),
        (lambda c: c * 0, "empty"),
        (lambda c: c + 0.5 * (c > 2), "fractional counts"),
        (lambda c: c / c.sum(1, keepdims=True) * 1e4, "normalised"),
        (lambda c: np.log1p(c / c.sum(1, keepdims=True) * 1e4), "log-normalised"),
        (lambda c: (c - c.mean(0)) / (c.std(0) + 1e-9), "scaled"),
    ],
)
def test_kinds_of_values(make, kind):
    counts = np.random.default_rng(1).poisson(2.0, (50, 40)).astype(float)
    assert kind_of(sp.csr_matrix(make(counts))).kind == kind


@pytest.fixture
def resources_dir(tiny_resources, tmp_path) -> Path:
    tiny_resources.save(resources_file("V2", tmp_path))
    return tmp_path


@pytest.fixture
def cells(tmp_path) -> Path:
    counts = np.random.default_rng(2).poisson(1.0, (12, 30)).astype(np.float32)
    counts[3] = 0
    obs = pd.DataFrame(
        {"cell_type": list("aabbccaabbcc"), "age": range(12), "filter_pass": [1] * 10 + [0] * 2},
        index=[f"cell{i}" for i in range(12)],
    )
    path = tmp_path / "cells.h5ad"
    anndata.AnnData(sp.csr_matrix(counts), obs, pd.DataFrame(index=NAMES)).write_h5ad(path)
    return path


def run(*words: object):
    return CliRunner().invoke(tokenize, [str(word) for word in words])


def test_a_dataset_that_hugging_face_reads(cells, resources_dir, tmp_path):
    output = tmp_path / "out.dataset"
    result = run(
        *(
            cells,
            "--output",
            output,
            "--resources",
            resources_dir,
            "--filter_column",
            "filter_pass",
        ),
        *("--custom_attribute", "cell_type=type", "--custom_attribute", "obs_names"),
    )
    assert result.exit_code == 0, result.output
    assert "1 cells without any gene" in result.stderr
    read = datasets.load_from_disk(str(output))
    assert read.column_names == ["input_ids", "type", "obs_names", "length"]
    assert read["obs_names"][:4] == ["cell0", "cell1", "cell2", "cell4"]
    assert len(read) == 9
    assert all(len(row["input_ids"]) == row["length"] for row in read)


def test_all_attributes_and_one_of_them_renamed(cells, resources_dir, tmp_path):
    output = tmp_path / "out.dataset"
    words = (cells, "--output", output, "--resources", resources_dir, "--all_attributes")
    assert run(*words, "--custom_attribute", "age=years").exit_code == 0
    read = datasets.load_from_disk(str(output))
    others = ["obs_names", "cell_type", "years", "filter_pass", "length"]
    assert read.column_names == ["input_ids", *others]
    assert read["obs_names"][2:4] == ["cell2", "cell4"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--custom_attribute", "none"), "no column 'none'; it has: cell_type"),
        (("--custom_attribute", "age=length"), "a column 'length' of its own"),
        (("--filter_column", "none"), "no column 'none'"),
        (("--layer", "none"), "no layer 'none'"),
        (("--gene_column", "none"), "no column 'none' of genes"),
    ],
)
def test_wrong_options_leave_nothing(cells, resources_dir, tmp_path, words, message):
    output = tmp_path / "out.dataset"
    result = run(cells, "--output", output, "--resources", resources_dir, *words)
    assert isinstance(result.exception, GstError)
    assert message in str(result.exception)
    assert not output.exists()
    assert not list(tmp_path.glob(".*tmp*"))


def test_what_is_not_raw_is_refused_with_where_counts_are(cells, resources_dir, tmp_path):
    adata = anndata.read_h5ad(cells)
    adata.layers["counts"] = adata.X.copy()
    adata.X = sp.csr_matrix(np.log1p(adata.X.toarray() / 3))
    adata.write_h5ad(cells)
    result = run(cells, "--output", tmp_path / "o", "--resources", resources_dir)
    assert "no raw counts" in str(result.exception)
    assert "counts (--layer)" in str(result.exception)
    again = run(
        cells, "--output", tmp_path / "o", "--resources", resources_dir, "--layer", "counts"
    )
    assert again.exit_code == 0


def test_without_a_dictionary_it_says_what_to_run(cells, tmp_path):
    result = run(cells, "--output", tmp_path / "o", "--resources", tmp_path / "nothing")
    assert "geneformer setup --from" in str(result.exception)


def test_parts_that_are_no_counts_are_noticed_wherever_they_are(cells, resources_dir, tmp_path):
    raw = anndata.read_h5ad(cells)
    both = anndata.concat([*[raw] * 200, raw], index_unique="-")
    both.X[-1] *= 0.5
    both.write_h5ad(cells)
    result = run(cells, "--output", tmp_path / "o", "--resources", resources_dir)
    assert "fractions where the first hold whole numbers" in str(result.exception)
    assert not (tmp_path / "o").exists()


def test_names_of_rodents_are_warned_of(cells, resources_dir, tmp_path):
    adata = anndata.read_h5ad(cells)
    adata.var_names = [name.title() for name in NAMES]
    adata.write_h5ad(cells)
    result = run(cells, "--output", tmp_path / "o", "--resources", resources_dir)
    assert result.exit_code == 0
    assert "warning: genes are written as those of mouse and rat" in result.stderr
