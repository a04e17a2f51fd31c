"""Attention: what transformers gives, summed; by gene and by cell; from the command line."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from click.testing import CliRunner, Result

from gst_core.cli.geneformer.attention import attention
from gst_core.errors import GstError
from gst_core.geneformer import Geneformer
from gst_core.geneformer import attention as room
from gst_core.geneformer.backends import TorchEncoder, open_encoder
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.embedding import embed_cells, embed_genes
from gst_core.geneformer.export import export
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.resources import Resources, resources_file
from gst_core.geneformer.weights import save_checkpoint

SPECIAL = [2, 3]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    config = NetworkConfig(34, 16, 3, 2, 32, 40, initializer_range=0.5)
    save_checkpoint(MaskedLanguageModel(config), folder)
    return folder


@pytest.fixture(scope="module")
def encoder(checkpoint: Path) -> TorchEncoder:
    return TorchEncoder(checkpoint, "cpu", 1)


@pytest.fixture
def resources_dir(tiny_resources: Resources, tmp_path: Path) -> Path:
    tiny_resources.save(resources_file("V2", tmp_path))
    return tmp_path


@pytest.fixture
def adata() -> anndata.AnnData:
    counts = np.random.default_rng(2).poisson(0.8, (6, 30)).astype(np.float32)
    counts[3] = 0
    obs = pd.DataFrame(index=[f"cell{i}" for i in range(6)])
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(30)])
    return anndata.AnnData(sp.csr_matrix(counts), obs, var)


def cells_of(*cells: list[int]) -> Tokens:
    lengths = [len(cell) for cell in cells]
    values = np.array([token for cell in cells for token in cell], dtype=np.int32)
    return Tokens(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


CELLS = cells_of([2, 10, 7, 30, 3], [2, 7, 3], [2, 12, 10, 9, 8, 7, 6, 5, 3])


def test_the_weights_are_transformers(checkpoint: Path, encoder: TorchEncoder) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.BertForMaskedLM.from_pretrained(checkpoint, attn_implementation="eager")
    theirs.eval()
    for source in ("all", "cls"):
        found = dict(room.attention_of_cells(encoder, CELLS, source=source, special=SPECIAL))
        assert sorted(found) == [0, 1, 2]
        for cell, ours in found.items():
            tokens = torch.from_numpy(CELLS[cell].astype(np.int64))
            with torch.no_grad():
                matrices = theirs(tokens[None], output_attentions=True).attentions
            stacked = torch.stack([matrix[0] for matrix in matrices])  # layers, H, L, L
            expected = stacked.sum(2) if source == "all" else stacked[:, :, 0] * len(tokens)
            np.testing.assert_allclose(ours, expected.permute(2, 0, 1), atol=1e-5)
            np.testing.assert_allclose(ours.mean(0), 1, atol=1e-5)


def test_blocks_of_the_matrix_give_what_the_whole_gives(
    encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dict(room.attention_of_cells(encoder, CELLS))
    monkeypatch.setattr(room, "_BLOCK", 30)
    for cell, weights in room.attention_of_cells(encoder, CELLS):
        np.testing.assert_allclose(weights, whole[cell], atol=1e-6)


def test_genes_have_the_mean_over_their_cells(encoder: TorchEncoder) -> None:
    found = room.attention_of_genes(encoder, CELLS, layers=[2, 0])
    assert found.tokens.tolist() == sorted(set(CELLS.values.tolist()))
    assert found.weights.shape == (len(found.tokens), 2, 2)
    each = dict(room.attention_of_cells(encoder, CELLS, layers=[0, 2]))
    expected = np.mean([each[0][2], each[1][1], each[2][5]], axis=0)
    place = found.tokens.tolist().index(7)
    assert found.cells[place] == 3
    np.testing.assert_allclose(found.weights[place], expected, atol=1e-6)


def test_what_cannot_be_is_said(
    encoder: TorchEncoder, checkpoint: Path, tiny_resources: Resources, tmp_path: Path
) -> None:
    with pytest.raises(GstError, match=r"no layer 3.*0 to 2"):
        room.attention_of_genes(encoder, CELLS, layers=[3])
    with pytest.raises(GstError, match="no <cls>"):
        room.attention_of_genes(encoder, CELLS, source="cls")
    export(checkpoint, tmp_path / "m.onnx", tiny_resources)
    with pytest.raises(GstError, match="checkpoint folder"):
        room.attention_of_genes(open_encoder(tmp_path / "m.onnx", "cpu"), CELLS)


def run(*words: object) -> Result:
    return CliRunner().invoke(attention, [str(word) for word in words])


def test_tables_by_gene_and_by_cell(
    checkpoint: Path, adata: anndata.AnnData, resources_dir: Path, tmp_path: Path
) -> None:
    adata.write_h5ad(tmp_path / "c.h5ad")
    common = (tmp_path / "c.h5ad", "--checkpoint", checkpoint, "--resources", resources_dir)
    result = run(*common, "--output", tmp_path / "g.parquet", "--layer", 1)
    assert result.exit_code == 0, result.output
    genes = pd.read_parquet(tmp_path / "g.parquet").set_index("ensembl_id")
    weights = ["layer1_head0", "layer1_head1"]
    assert list(genes.columns) == ["symbol", "cells", *weights]
    result = run(*common, "--output", tmp_path / "c.parquet", "--by", "cell", "--layer", 1)
    assert result.exit_code == 0, result.output
    cells = pd.read_parquet(tmp_path / "c.parquet")
    assert list(cells.columns) == ["ensembl_id", "symbol", "cell", "rank", *weights]
    assert cells[cells["rank"] == 0]["ensembl_id"].eq("<cls>").all()
    assert set(cells["cell"]) == set(range(6))
    means = cells.groupby("ensembl_id")[weights].mean()
    np.testing.assert_allclose(means.loc[genes.index], genes[weights], atol=1e-5)
    table = Geneformer.load(checkpoint, resources=resources_dir).attention(adata, layers=[1])
    assert table.loc["<cls>", "cells"] == 6
    np.testing.assert_allclose(table[weights], genes.loc[table.index, weights], atol=1e-5)


def test_outputs_are_checked_before_work(
    checkpoint: Path, adata: anndata.AnnData, resources_dir: Path, tmp_path: Path
) -> None:
    adata.write_h5ad(tmp_path / "c.h5ad")
    common = (tmp_path / "c.h5ad", "--checkpoint", checkpoint, "--resources", resources_dir)
    for output, message in (("x.csv", "is not .parquet"), ("none/x.parquet", "No such file")):
        assert message in str(run(*common, "--output", tmp_path / output).exception)


def test_the_reference_s_tokens(geneformer_data: Path) -> None:
    golden = geneformer_data / "golden"
    cells = TokenDataset.open(golden / "g" / "tiny_V1.dataset")
    found = room.attention_of_genes(TorchEncoder(golden / "m_v1", "cpu", 1), cells)
    assert len(found.tokens) == 2570
    total = (found.weights * found.cells[:, None, None]).sum(0)
    np.testing.assert_allclose(total, cells.lengths.sum(), rtol=1e-5)


def test_cells_without_any_token_are_passed_over(encoder: TorchEncoder) -> None:
    cells = cells_of([], [7, 8], [])
    assert [cell for cell, _ in room.attention_of_cells(encoder, cells)] == [1]
    missing = np.isnan(embed_cells(encoder, cells)).all(1)
    assert missing.tolist() == [True, False, True]
    assert embed_genes(encoder, cells).tokens.tolist() == [7, 8]
    assert np.isnan(embed_cells(encoder, cells_of([], []))).all()
