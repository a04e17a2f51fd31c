"""Embeddings: the reference's, by torch and by ONNX Runtime; resumed; from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
import torch
from click.testing import CliRunner

from gst_core.cli.geneformer.embed import embed
from gst_core.errors import GstError
from gst_core.geneformer import Geneformer
from gst_core.geneformer.backends import batches, open_encoder
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.dataset_writer import DatasetWriter
from gst_core.geneformer.embedding import embed_cells, embed_genes
from gst_core.geneformer.export import export
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.resources import resources_file
from gst_core.geneformer.tokenizer import Tokenizer
from gst_core.geneformer.weights import save_checkpoint

NAMES = [f"GENE{i}" for i in range(30)]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    config = NetworkConfig(34, 16, 3, 2, 32, 40, initializer_range=0.3)
    save_checkpoint(MaskedLanguageModel(config), folder)
    return folder


@pytest.fixture(scope="module")
def onnx_file(checkpoint, tiny_resources, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export(checkpoint, path, tiny_resources)
    return path


@pytest.fixture
def resources_dir(tiny_resources, tmp_path) -> Path:
    tiny_resources.save(resources_file("V2", tmp_path))
    return tmp_path


@pytest.fixture
def adata() -> anndata.AnnData:
    counts = np.random.default_rng(2).poisson(0.8, (12, 30)).astype(np.float32)
    obs = pd.DataFrame({"cell_type": list("aabbccaabbcc")}, index=[f"cell{i}" for i in range(12)])
    return anndata.AnnData(sp.csr_matrix(counts), obs, pd.DataFrame(index=NAMES))


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_the_reference_s_embeddings(geneformer_data, request, tmp_path, version, backend):
    resources = request.getfixturevalue(f"resources_{version.lower()}")
    golden = geneformer_data / "golden"
    model = golden / f"m_{version.lower()}"
    if backend == "onnx":
        export(model, tmp_path / "m.onnx", resources)
        model = tmp_path / "m.onnx"
    encoder = open_encoder(model, "cpu")
    cells = TokenDataset.open(golden / "g" / f"tiny_{version}.dataset")
    rows = {cell: row for row, cell in enumerate(cells.column("cell"))}
    special = resources.special_tokens
    for mode in ("cell", "cls"):
        for layer in (-1, 0):
            path = golden / "g" / f"emb_{version}_{mode}_{layer}.csv"
            if mode == "cls" and version == "V1":
                with pytest.raises(GstError, match="no <cls>"):
                    embed_cells(encoder, cells, mode=mode, special=special)
                continue
            theirs = pd.read_csv(path, index_col=0)
            ours = embed_cells(encoder, cells, mode=mode, layer=layer, special=special)
            ours = ours[[rows[cell] for cell in theirs["cell"]]]
            np.testing.assert_allclose(ours, theirs.iloc[:, :32], atol=1e-5)
    for layer in (-1, 0):
        theirs = pd.read_csv(golden / "g" / f"emb_{version}_gene_{layer}.csv", index_col=0)
        found = embed_genes(encoder, cells, layer=layer, special=special)
        ids = resources.gene_ids[resources.position_of_token[found.tokens]]
        # The reference counts <cls> and <eos> among the genes.
        theirs = theirs.drop(index=["<cls>", "<eos>"], errors="ignore")
        assert sorted(ids) == sorted(theirs.index)
        np.testing.assert_allclose(found.vectors, theirs.loc[ids], atol=1e-5)


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_the_reference_s_states(geneformer_data, request, version):
    resources = request.getfixturevalue(f"resources_{version.lower()}")
    golden = geneformer_data / "golden"
    cells = TokenDataset.open(golden / "g" / f"tiny_{version}.dataset")
    mode = "cell" if version == "V1" else "cls"
    ours = embed_cells(
        open_encoder(golden / f"m_{version.lower()}", "cpu"),
        cells,
        mode=mode,
        special=resources.special_tokens,
    )
    states = json.loads((golden / "g" / f"state_{version}.json").read_text())
    assert states
    for state, theirs in states.items():
        mean = ours[cells.column("grp") == state].mean(0)
        np.testing.assert_allclose(mean, np.ravel(theirs), atol=1e-5)


def test_batches_hold_every_cell_once_within_the_budget():
    lengths = np.random.default_rng(0).integers(0, 50, 200)
    found = list(batches(lengths, 100))
    assert sorted(np.concatenate(found).tolist()) == list(range(200))
    assert all(lengths[batch].sum() <= 100 for batch in found)
    assert [len(b) for b in batches(np.array([500, 3]), 100)] == [1, 1]


def test_a_cell_does_not_depend_on_its_neighbours(checkpoint, adata, resources_dir):
    model = Geneformer.load(checkpoint, resources=resources_dir)
    tokens = model.tokenize(adata)
    together = embed_cells(model.encoder, tokens, special=model.special)
    for cell in range(len(tokens)):
        alone = Tokens(tokens[cell], np.array([0, len(tokens[cell])]))
        single = embed_cells(model.encoder, alone, special=model.special)
        np.testing.assert_allclose(together[cell], single[0], atol=1e-5)


def test_onnx_and_torch_agree(checkpoint, onnx_file, adata, resources_dir):
    one, other = (Geneformer.load(c, resources=resources_dir) for c in (checkpoint, onnx_file))
    for mode in ("cell", "cls"):
        first, second = (m.embed(adata, embedding=mode, copy=True) for m in (one, other))
        np.testing.assert_allclose(
            first.obsm["X_geneformer"], second.obsm["X_geneformer"], atol=1e-4
        )


def test_bfloat16_is_near_and_not_of_onnx(checkpoint, onnx_file, adata, resources_dir):
    found = [
        Geneformer.load(checkpoint, resources=resources_dir, bf16=bf16)
        .embed(adata, copy=True)
        .obsm["X_geneformer"]
        for bf16 in (False, True)
    ]
    difference = np.abs(found[0] - found[1]).max()
    assert 1e-6 < difference < 0.05
    with pytest.raises(GstError, match="computes in 32 bits"):
        Geneformer.load(onnx_file, resources=resources_dir, bf16=True)


def test_the_api_writes_where_scverse_looks(checkpoint, adata, resources_dir):
    model = Geneformer.load(checkpoint, resources=resources_dir)
    assert "3 layers of 16" in repr(model)
    copied = model.embed(adata, copy=True)
    assert "X_geneformer" in copied.obsm
    assert "X_geneformer" not in adata.obsm
    assert model.embed(adata, key_added="X_own") is None
    assert adata.obsm["X_own"].shape == (12, 16)
    genes = model.embed(adata, embedding="gene")
    assert genes.shape[1] == 16
    assert genes.index[0].startswith("ENSG")


def test_a_network_of_few_positions_reads_the_first_ranks(adata, resources_dir, tmp_path):
    torch.manual_seed(0)
    save_checkpoint(MaskedLanguageModel(NetworkConfig(34, 16, 3, 2, 32, 8)), tmp_path / "short")
    model = Geneformer.load(tmp_path / "short", resources=resources_dir)
    cells = model.tokenize(adata)
    whole = Tokenizer(model.resources, NAMES).tokenize(adata.X)
    assert whole.lengths.max() > 8
    for cell in range(len(cells)):
        assert cells[cell].tolist() == [*whole[cell][:7], 3]
    model.embed(adata)
    assert np.isfinite(adata.obsm["X_geneformer"]).all()


def test_a_cell_without_genes_is_nan_and_no_other(checkpoint, adata, resources_dir):
    matrix = adata.X.toarray()
    matrix[4] = 0
    adata.X = sp.csr_matrix(matrix)
    Geneformer.load(checkpoint, resources=resources_dir).embed(adata)
    missing = np.isnan(adata.obsm["X_geneformer"]).all(1)
    assert missing.tolist() == [cell == 4 for cell in range(12)]


def run(*words: object):
    return CliRunner().invoke(embed, [str(word) for word in words])


def test_from_counts_to_h5ad_and_parquet_and_a_picture(checkpoint, adata, resources_dir, tmp_path):
    adata.write_h5ad(tmp_path / "c.h5ad")
    common = (tmp_path / "c.h5ad", "--checkpoint", checkpoint, "--resources", resources_dir)
    plot = ("--plot", tmp_path / "p.png", "--color", "cell_type")
    result = run(*common, "--output", tmp_path / "e.h5ad", *plot)
    assert result.exit_code == 0, result.output
    written = anndata.read_h5ad(tmp_path / "e.h5ad")
    assert written.obsm["X_geneformer"].shape == (12, 16)
    assert (written.X != adata.X).nnz == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert run(*common, "--output", tmp_path / "e.parquet").exit_code == 0
    table = pd.read_parquet(tmp_path / "e.parquet")
    assert list(table.columns) == [*map(str, range(16)), "obs_names", "cell_type"]
    np.testing.assert_allclose(table.iloc[:, :16], written.obsm["X_geneformer"], atol=1e-6)
    assert not list(tmp_path.glob(".*parts"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--output", "x.csv"), "neither .h5ad nor .parquet"),
        (("--output", "none/x.h5ad"), "No such file or directory; check that the folder exists"),
        (("--output", "x.h5ad", "--embedding", "gene"), "into .parquet"),
    ],
)
def test_outputs_are_checked_before_work(
    checkpoint, adata, resources_dir, tmp_path, monkeypatch, words, message
):
    monkeypatch.chdir(tmp_path)
    adata.write_h5ad("c.h5ad")
    result = run("c.h5ad", "--checkpoint", checkpoint, "--resources", resources_dir, *words)
    assert message in str(result.exception)


def test_a_dataset_of_the_other_version_is_refused(checkpoint, resources_dir, tmp_path):
    with DatasetWriter(tmp_path / "d.dataset", {}) as writer:
        writer.write(Tokens(np.array([2, 40, 3], np.int32), np.array([0, 3])))
    result = run(
        *(tmp_path / "d.dataset", "--checkpoint", checkpoint, "--resources", resources_dir),
        *("--output", tmp_path / "e.parquet"),
    )
    assert "other --model_version" in str(result.exception)


_SLOW = """
import sys, time
from gst_core.geneformer import backends
from gst_core.cli.geneformer.main import main
states = backends.TorchEncoder.states
def slow(self, cells, layer):
    time.sleep(0.3)
    print("batch", flush=True)
    return states(self, cells, layer)
backends.TorchEncoder.states = slow
backends.BATCH_TOKENS["cpu"] = 60
main()
"""


def test_a_killed_run_goes_on_where_it_was(checkpoint, adata, resources_dir, tmp_path):
    adata.write_h5ad(tmp_path / "c.h5ad")
    words = ["embed", str(tmp_path / "c.h5ad"), "--checkpoint", str(checkpoint), "--device", "cpu"]
    words += ["--resources", str(resources_dir), "--output", str(tmp_path / "e.parquet")]
    command = [sys.executable, "-c", _SLOW, *words]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    for _ in range(3):
        assert first.stdout.readline() == "batch\n"
    time.sleep(0.1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "e.parquet").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    model = Geneformer.load(checkpoint, resources=resources_dir)
    tokens = model.tokenize(adata)
    whole = len(list(batches(tokens.lengths, 60)))
    assert again.stdout.count("batch") <= whole - 2
    expected = embed_cells(model.encoder, tokens, special=model.special)
    table = pd.read_parquet(tmp_path / "e.parquet")
    np.testing.assert_allclose(table.iloc[:, :16], expected, atol=1e-5)
    assert not list(tmp_path.glob(".*parts"))


@pytest.mark.parametrize("gaps", [[0], range(12)])
def test_cells_of_a_dataset_with_gaps_go_into_h5ad(checkpoint, resources_dir, tmp_path, gaps):
    """Arrow has gaps in text, HDF5 has none."""
    texts: list[str | None] = [f"d{i}" for i in range(12)]
    for gap in gaps:
        texts[gap] = None
    values = np.array([[2, 5 + i, 3] for i in range(12)], np.int32)
    tokens = Tokens(values.ravel(), np.arange(0, 37, 3))
    with DatasetWriter(tmp_path / "x.dataset", {"donor": pa.string()}, pa.int32()) as writer:
        writer.write(tokens, {"donor": np.array(texts, object)})
    result = run(
        *(tmp_path / "x.dataset", "--checkpoint", checkpoint, "--resources", resources_dir),
        *("--output", tmp_path / "x.h5ad"),
    )
    assert result.exit_code == 0, result.output
    donors = anndata.read_h5ad(tmp_path / "x.h5ad").obs["donor"]
    assert [None if d != d else d for d in donors] == texts
