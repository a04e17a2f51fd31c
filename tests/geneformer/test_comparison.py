"""`geneformer compare`: embeddings beside baselines, on made cells whose truth is known."""

from __future__ import annotations

import json
import re
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import sparse

from gst_core.cli.geneformer.compare import compare as command
from gst_core.errors import GstError
from gst_core.geneformer.comparison import baselines, compare
from gst_core.geneformer.embedded_cells import read_embedded_cells

N = 90
GENERATOR = np.random.default_rng(1)
LABELS = np.repeat(["A", "B", "C"], N // 3)
BATCHES = np.tile(["x", "y"], N // 2)
#: One dimension a label, and nothing else but noise.
GOOD = (np.eye(3)[np.repeat([0, 1, 2], N // 3)] * 10 + GENERATOR.normal(size=(N, 3))).astype("f4")
NOISE = GENERATOR.normal(size=(N, 3)).astype(np.float32)
#: Batches are apart, labels are not.
BATCHED = NOISE + np.where(BATCHES == "x", 20, 0)[:, None].astype(np.float32)


def file_of_cells(path: Path) -> Path:
    rates = np.full((N, 60), 0.5)
    for number, label in enumerate("ABC"):
        rates[label == LABELS, number * 20 : number * 20 + 20] = 3
    counts = GENERATOR.poisson(rates)
    obs = pd.DataFrame({"kind": LABELS, "donor": BATCHES}, index=[f"c{i}" for i in range(N)])
    cells = anndata.AnnData(sparse.csr_matrix(counts, dtype=np.float32), obs=obs)
    cells.obsm["X_geneformer"] = NOISE
    cells.obsm["X_good"] = GOOD
    cells.layers["log"] = cells.X.log1p()
    cells.write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return file_of_cells(tmp_path_factory.mktemp("compare") / "cells.h5ad")


def test_every_metric_prefers_what_knows_the_labels() -> None:
    result = compare({"good": GOOD, "noise": NOISE}, LABELS, BATCHES)
    for metric in (
        "label_accuracy",
        "label_accuracy_new_batch",
        "label_silhouette",
        "ari",
        "nmi",
    ):
        assert result.best(metric) == ("good", [])
    assert result.scores["label_accuracy"]["good"].mean > 0.95
    assert result.scores["label_accuracy"]["noise"].mean < 0.6
    assert abs(result.scores["ari"]["noise"].mean) < 0.1
    assert result.chance["label_accuracy"] == pytest.approx(1 / 3)


def test_mixing_is_1_where_batches_are_mixed_and_0_where_they_are_apart() -> None:
    result = compare({"mixed": NOISE, "apart": BATCHED}, LABELS, BATCHES)
    entropy, silhouette = result.scores["batch_entropy"], result.scores["batch_silhouette"]
    assert entropy["mixed"].mean == pytest.approx(1, abs=0.05)
    assert entropy["apart"].mean == pytest.approx(0, abs=0.01)
    assert silhouette["mixed"].mean > 0.8
    assert silhouette["apart"].mean < 0.2


def test_what_differs_by_chance_alone_is_not_told_apart() -> None:
    other = np.random.default_rng(5).normal(size=(N, 3)).astype(np.float32)
    result = compare({"one": NOISE, "other": other}, LABELS)
    best, ties = result.best("label_accuracy")
    assert {best, *ties} == {"one", "other"}
    assert result.batches == 0
    assert "batch_entropy" not in result.scores


def test_rare_labels_are_left_out_and_said() -> None:
    labels = LABELS.astype("<U4")
    labels[:3] = "rare"
    result = compare({"good": GOOD}, labels)
    assert result.cells == N - 3
    assert "rare" in result.notes[0]
    with pytest.raises(GstError, match="fewer than two labels"):
        compare({"good": GOOD}, np.repeat("A", N))


def test_baselines_find_what_the_counts_say(cells: Path) -> None:
    data = read_embedded_cells(cells, ["X_good"], "kind", "donor")
    found = baselines(data.cells, data.batches)
    assert list(found) == ["PCA"]  # 60 genes: nothing to choose from
    assert compare(found, data.labels).scores["label_accuracy"]["PCA"].mean > 0.95


def test_the_command_shows_a_table_and_writes_json(cells: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.json"
    arguments = [str(cells), "--label", "kind", "--batch", "donor", "--output", str(out)]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "clearly behind one in" in result.stdout
    document = json.loads(out.read_text())
    accuracy = document["metrics"]["label_accuracy"]
    assert accuracy["best"] == "PCA"
    assert accuracy["not_told_apart"] == []
    assert set(accuracy["scores"]) == {"X_geneformer", "PCA"}
    assert document["cells"] == N


def test_a_parquet_is_matched_by_order_or_by_name(cells: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame(GOOD, columns=["0", "1", "2"]).assign(cell=[f"c{i}" for i in range(N)])
    frame.to_parquet(tmp_path / "order.parquet")
    frame.sample(frac=1, random_state=0)[3:].to_parquet(tmp_path / "name.parquet")
    order = read_embedded_cells(cells, [str(tmp_path / "order.parquet")], "kind")
    assert (order.embeddings["order.parquet"] == GOOD).all()
    name = read_embedded_cells(cells, [str(tmp_path / "name.parquet")], "kind", cell_column="cell")
    assert name.left_out == 3
    rows = [int(cell[1:]) for cell in name.cells.obs_names]
    assert (name.embeddings["name.parquet"] == GOOD[rows]).all()
    with pytest.raises(GstError, match="87 rows where the counts have 90 cells"):
        read_embedded_cells(cells, [str(tmp_path / "name.parquet")], "kind")


def test_many_cells_are_drawn_from(cells: Path) -> None:
    drawn = read_embedded_cells(cells, ["X_good"], "kind", max_cells=40)
    assert drawn.cells.n_obs == len(drawn.labels) == len(drawn.embeddings["X_good"]) == 40
    rows = [int(cell[1:]) for cell in drawn.cells.obs_names]
    assert (drawn.labels == LABELS[rows]).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--label", "no"], "--label no: no such column of obs.*kind, donor"),
        (["--label", "kind", "--embedding", "X_no"], "no embedding 'X_no'.*X_geneformer"),
        (["--label", "kind", "--layer", "log"], "not raw counts"),
        (["--label", "kind", "--layer", "no"], "no layer 'no'.*log"),
        (["--label", "kind", "--embedding", "no.parquet"], "cannot be read as Parquet"),
    ],
)
def test_what_is_wrong_is_said(cells: Path, arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(command, [str(cells), *arguments])
    assert isinstance(result.exception, GstError)
    assert re.search(says, str(result.exception))
