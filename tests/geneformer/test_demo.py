"""``geneformer demo`` end to end, on what is bundled; and what is bundled."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gst_core.cli.geneformer.main import geneformer
from gst_core.geneformer import Geneformer, Resources

BUNDLED = Path(str(files("gst_core"))) / "assets" / "geneformer"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demonstration once, and leave what it said beside what it wrote."""
    made = tmp_path_factory.mktemp("demo") / "new" / "demo"
    result = CliRunner().invoke(geneformer, ["demo", "--output", str(made)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (made / "said.txt").write_text(result.output)
    return made


def test_it_says_what_it_does_and_what_it_is_not(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    for command in ("check", "tokenize", "embed", "compare", "bridge"):
        assert f"$ geneformer {command} " in said
    assert "$ gst_assign --sequences_fasta" in said
    assert "demonstrates the program and not Geneformer" in said
    assert "label_accuracy" in said
    assert f"picture: {folder}/cells.png" in said


def test_what_it_writes_is_whole(folder: Path) -> None:
    import anndata

    embedded = anndata.read_h5ad(folder / "embedded.h5ad")
    measured = json.loads((folder / "network" / "measured.json").read_text())
    vectors = embedded.obsm["X_geneformer"]
    assert vectors.shape == (measured["shown_cells"], 64)
    assert np.isfinite(vectors).all()
    # Each cell type lies together more than all cells do.
    unit = vectors - vectors.mean(0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    cosines, types = unit @ unit.T, embedded.obs["cell_type"].astype(str).to_numpy()
    same = types[:, None] == types[None]
    assert cosines[same].mean() > cosines[~same].mean() + 0.2
    assert (folder / "cells.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "cells.dataset" / "state.json").is_file()


def test_mouse_cells_are_led_to_human_genes_by_the_names_that_gst_gave(folder: Path) -> None:
    import anndata

    bridged = anndata.read_h5ad(folder / "mouse" / "human_genes.h5ad")
    embedded = anndata.read_h5ad(folder / "mouse" / "embedded.h5ad")
    assert bridged.n_vars > 400
    # ENSG00000111640 is GAPDH, whose counts are those of the mouse's Gapdh and of nothing else.
    mouse = anndata.read_h5ad(folder / "mouse" / "cells.h5ad")
    gapdh = bridged[:, "ENSG00000111640"].X.toarray().ravel()
    assert gapdh.tolist() == mouse[:, "Gapdh"].X.toarray().ravel().tolist()
    assert gapdh.sum() > 0
    assert embedded.obsm["X_geneformer"].shape == (50, 64)
    assert np.isfinite(embedded.obsm["X_geneformer"]).all()


def test_the_bundled_network_learnt_more_than_frequencies() -> None:
    measured = json.loads((BUNDLED / "network" / "measured.json").read_text())
    assert measured["loss"] < measured["unigram"] - 0.4


def test_the_measured_loss_is_that_of_the_bundled_files(folder: Path) -> None:
    from gst_core.geneformer.dataset import TokenDataset
    from gst_core.geneformer.demo import hide
    from gst_core.geneformer.pretraining import evaluate
    from gst_core.geneformer.weights import load_masked_language_model

    resources = Resources.load("V2", BUNDLED)
    cells = [np.asarray(cell, np.int64) for cell in TokenDataset.open(folder / "cells.dataset")]
    network = load_masked_language_model(BUNDLED / "network")
    loss = evaluate(network, hide(cells, resources), "cpu", bf16=False)
    measured = json.loads((BUNDLED / "network" / "measured.json").read_text())
    assert loss == pytest.approx(measured["loss"], abs=1e-3)


def test_the_bundled_files_are_small_and_attributed() -> None:
    sizes = {path.name: path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()}
    assert sizes["model.safetensors"] <= 1.5e6
    assert sum(sizes.values()) <= 4e6
    notice = (BUNDLED / "NOTICE").read_text()
    for words in ("Wu", "BSD 3-Clause", "celltypist", "MIT License", "HGNC", "scvelo", "CC BY 4.0"):
        assert words in notice


def test_the_bundled_network_is_the_package_s_own(folder: Path) -> None:
    model = Geneformer.load(folder / "network", device="cpu", threads=1, resources=folder)
    # A dictionary of our own: nothing of Geneformer's is in the package.
    assert list(model.resources.sources) == ["scripts/build_geneformer_demo.py"]
