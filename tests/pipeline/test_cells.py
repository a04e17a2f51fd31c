"""A real Nextflow takes cells of species that it has just named to embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np

from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.weights import weight_file
from tests.geneformer import made_cells

from .conftest import COW, ROOT, RunPipeline, write_samplesheet

MADE = ROOT / "tests/config/made_cells"
MODEL = ["--geneformer_model", MADE / "network", "--geneformer_resources", MADE / "dictionaries"]


def test_made_cells_are_those_of_the_script(tmp_path: Path) -> None:
    made_cells.write(tmp_path)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file() and path.suffix != weight_file(MADE / "network").suffix:
            assert (MADE / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()


def test_from_proteins_and_counts_to_embedded_cells(run_pipeline: RunPipeline) -> None:
    run = run_pipeline("-profile", "test_cells")
    run.assert_clean()
    record = run.genomes["cow"]
    assert (record["status"], record["failed_step"]) == ("done", None)

    report = json.loads((run.results / "cells/cow/cow_human.json").read_text())
    assert (report["species"], report["human_genes"]) == ("Bos taurus", 30)
    assert json.loads((run.results / "cells/cow/cow_check.json").read_text())["good"]
    tokens = TokenDataset.open(run.results / record["cell_tokens"])
    cells = anndata.read_h5ad(run.results / record["embedded_cells"])
    assert list(cells.obs_names) == [f"cell{number:02}" for number in range(made_cells.CELLS)]
    assert len(tokens) == made_cells.CELLS
    vectors = np.asarray(cells.obsm["X_geneformer"])
    assert vectors.shape == (made_cells.CELLS, 16)
    # The two kinds of cells lie apart.
    half = made_cells.CELLS // 2
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    alike = unit @ unit.T
    assert alike[:half, :half].mean() > alike[:half, half:].mean()
    assert (run.results / "cells/cow/cow_embedded.png").read_bytes().startswith(b"\x89PNG")

    again = run_pipeline("-profile", "test_cells", "-resume")
    again.assert_clean()
    assert {task["status"] for task in again.trace} == {"CACHED"}


def test_counts_that_fail_leave_the_symbols(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    made_cells.write(tmp_path)
    normalised = anndata.AnnData(
        np.log1p(np.random.default_rng(0).random((5, 2)) * 1000).astype(np.float32)
    )
    normalised.var_names = ["A2VDT4", "A3KMV1"]
    normalised.write_h5ad(tmp_path / "log values, cow's.h5ad")
    # No cell has a gene with a token.
    lost = anndata.AnnData(np.array([[0, 4], [0, 5]], dtype=np.float32))
    lost.var_names = ["A2VDT4", "other"]
    lost.write_h5ad(tmp_path / "lost.h5ad")
    sheet = write_samplesheet(
        tmp_path / "genomes.csv",
        COW | {"id": "log", "counts": "log values, cow's.h5ad"},
        COW | {"id": "lost", "counts": "lost.h5ad"},
        COW | {"id": "fine", "counts": "counts"},
        COW | {"id": "without"},
    )
    run = run_pipeline("--input", sheet, *MODEL, "--batch_size", "4")
    assert run.status == 1
    failed = {id: record["failed_step"] for id, record in run.genomes.items()}
    assert failed == {"log": "bridge", "lost": "check_cells", "fine": None, "without": None}
    for word, id in {"raw counts": "log", "all values are zero": "lost"}.items():
        assert word in run.genomes[id]["error"]
        assert f"{id} ({failed[id]}): {run.genomes[id]['error']}" in run.console
    for record in run.genomes.values():
        assert (run.results / record["filtered_symbols"]).is_file()
    assert (run.results / run.genomes["fine"]["embedded_cells"]).is_file()
    assert run.genomes["without"]["counts"] is None
