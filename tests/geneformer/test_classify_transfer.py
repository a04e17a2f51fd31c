"""`geneformer transfer`: labels by embeddings, beside a logistic regression, and chance."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from gst_core.cli.geneformer.main import geneformer
from gst_core.errors import GstError
from gst_core.geneformer.transfer import Labelled, by_embedding

from .classification_cells import common


@pytest.fixture
def files(labelled_files: Path) -> Path:
    return labelled_files


def call(files: Path, output: Path, *more: str, label: str = "cell_type") -> Result:
    where = [str(files / "new.h5ad"), "--reference", str(files / "cells.h5ad"), "--label", label]
    where += ["--checkpoint", str(files / "network"), "--output", str(output)]
    return CliRunner().invoke(geneformer, ["transfer", *where, *common(files), *more])


def accuracy(figures: dict) -> float:
    return figures["metrics"]["accuracy"]["mean"]


@pytest.mark.parametrize("method", ["knn", "logistic", "prototypes"])
def test_labels_are_transferred_by_each_method(files, tmp_path, method: str) -> None:
    output, report = tmp_path / "labels.csv", tmp_path / "report.json"
    more = ["--method", method, "--donor", "donor", "--report", str(report)]
    result = call(files, output, *more)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(output)
    truth = anndata.read_h5ad(files / "new.h5ad").obs.cell_type.to_numpy()
    assert table.cell.tolist() == [f"cell{i}" for i in range(30)]
    found = json.loads(report.read_text())
    assert found["divided_by"] == "donor"
    assert len(found["methods"]) == 4
    for figures in found["methods"].values():
        assert accuracy(figures) > 0.85
    right = (table.cell_type == truth).mean()
    assert right > 0.85
    (mine, simple) = found["query"].values()
    assert accuracy(mine) == pytest.approx(right)
    assert accuracy(simple) == pytest.approx((table.cell_type_logistic_on_counts == truth).mean())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["labels.csv", "report.json"]


def test_permuted_labels_are_transferred_at_chance(files, tmp_path) -> None:
    report = tmp_path / "report.json"
    result = call(files, tmp_path / "o.csv", "--report", str(report), label="shuffled")
    assert result.exit_code == 0, result.output
    for figures in json.loads(report.read_text())["methods"].values():
        assert abs(accuracy(figures) - 0.5) < 0.14


def test_improbable_labels_are_not_given(files, tmp_path) -> None:
    output = tmp_path / "o.csv"
    assert call(files, output, "--unknown_below", "1").exit_code == 0
    table = pd.read_csv(output)
    assert ((table.cell_type == "unknown") == (table.cell_type_probability < 1)).mean() > 0.9
    assert (table.cell_type == "unknown").any()


def test_a_missing_column_is_named(files, tmp_path) -> None:
    result = call(files, tmp_path / "o.csv", "--donor", "nobody")
    assert isinstance(result.exception, GstError)
    assert "--donor nobody" in str(result.exception)


def test_neighbours_vote_by_their_nearness() -> None:
    vectors = np.array([[1, 0.0], [1, 0.1], [-1, 0], [-1, 0.1], [0, 1.0]], np.float32)
    known = Labelled(vectors, None, np.array([0, 0, 1, 1, 1]), ("a", "b"))
    shares = by_embedding("knn", known, np.array([[2, 0.1], [-2, 0]], np.float32), neighbours=3)
    assert shares.argmax(1).tolist() == [0, 1]
    assert np.allclose(shares.sum(1), 1)
