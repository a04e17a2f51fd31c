"""`geneformer classify`: what is learnt and what is chance, donors, files, a killed run."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner, Result

from gst_core.cli.geneformer.main import geneformer
from gst_core.errors import GstError
from gst_core.geneformer.classifier_files import load_classifier
from gst_core.geneformer.weights import load_encoder

from .classification_cells import common

NETWORK, LOGISTIC = "fine-tuned network", "logistic regression on counts"


@pytest.fixture(scope="session")
def files(labelled_files: Path) -> Path:
    return labelled_files


def call(files: Path, *arguments: str) -> Result:
    return CliRunner().invoke(geneformer, ["classify", *arguments, *common(files)])


def train(files: Path, output: Path, *more: str, source: str = "cells.h5ad") -> Result:
    rates = ["--learning_rate", "3e-3", "--head_learning_rate", "1e-2", "--epochs", "12"]
    where = [str(files / source), "--checkpoint", str(files / "network"), "--output", str(output)]
    return call(files, "cells", *where, *rates, *more)


def report_of(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


def metric(report: dict, method: str, name: str, task: int = 0) -> float:
    return report["tasks"][task]["methods"][method]["metrics"][name]["mean"]


@pytest.fixture(scope="session")
def trained(files: Path) -> tuple[Path, Result]:
    output = files / "trained"
    result = train(files, output, "--label", "cell_type", "--donor", "donor")
    assert result.exit_code == 0, result.output
    return output, result


def test_a_planted_difference_is_learnt_and_said_beside_the_logistic_regression(trained) -> None:
    folder, result = trained
    report = report_of(folder)
    assert metric(report, NETWORK, "accuracy") > 0.9
    assert metric(report, LOGISTIC, "accuracy") > 0.9
    assert report["tasks"][0]["classes"] == {"B cell": 0, "NK cell": 1, "T cell": 2}
    assert "fine-tuned network: accuracy 0.9" in result.output or "accuracy 1.000" in result.output
    assert "logistic regression on counts" in result.output
    assert (folder / "classification.png").stat().st_size > 10_000
    assert not (folder / "unfinished").exists()


def test_no_donor_is_on_both_sides_and_every_tested_cell_has_a_row(trained, files) -> None:
    folder, _ = trained
    report = report_of(folder)
    obs = anndata.read_h5ad(files / "cells.h5ad").obs
    rows = list(csv.DictReader((folder / "predictions.csv").open()))
    (fold,) = report["folds"]
    assert report["divided_by"] == "donor"
    tested = obs.loc[[row["cell"] for row in rows]]
    assert sorted(tested.donor.unique()) == fold["test_donors"]
    assert len(rows) == fold["test"] == int(obs.donor.isin(fold["test_donors"]).sum())
    assert fold["train"] + fold["validation"] + fold["test"] == len(obs)
    assert [row["true"] for row in rows] == tested.cell_type.tolist()


def test_permuted_labels_are_told_at_chance(files, tmp_path) -> None:
    result = train(files, tmp_path / "out", "--label", "shuffled", "--folds", "3", "--epochs", "3")
    assert result.exit_code == 0, result.output
    report = report_of(tmp_path / "out")
    # 120 cells: a fair coin is within 0.14 in 99.8 of 100 runs
    for method in (NETWORK, LOGISTIC):
        assert abs(metric(report, method, "accuracy") - 0.5) < 0.14
        assert abs(metric(report, method, "auc") - 0.5) < 0.16


def test_cross_validation_tests_each_cell_once(files, tmp_path) -> None:
    more = ["--label", "cell_type", "--donor", "donor", "--folds", "3", "--epochs", "2"]
    assert train(files, tmp_path / "out", *more).exit_code == 0
    report = report_of(tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").open()))
    assert [row["cell"] for row in rows] == [f"cell{i}" for i in range(120)]
    donors = [set(fold["test_donors"]) for fold in report["folds"]]
    assert set.union(*donors) == {f"donor{d}" for d in range(6)}
    assert sum(map(len, donors)) == 6
    assert report["tasks"][0]["methods"][NETWORK]["metrics"]["auc"]["deviation"] is not None


def test_several_labels_are_learnt_together_and_cells_without_one_are_used_for_the_other(
    files, tmp_path
) -> None:
    adata = anndata.read_h5ad(files / "cells.h5ad")
    adata.obs["cell_type"] = adata.obs.cell_type.astype(object)
    adata.obs.iloc[:10, 0] = None
    adata.write_h5ad(tmp_path / "some.h5ad")
    labels = ["--label", "cell_type", "--label", "state", "--donor", "donor"]
    result = train(files, tmp_path / "out", *labels, source=str(tmp_path / "some.h5ad"))
    assert result.exit_code == 0, result.output
    assert "10 cells have no cell_type" in result.output
    report = report_of(tmp_path / "out")
    assert [task["task"] for task in report["tasks"]] == ["cell_type", "state"]
    assert metric(report, NETWORK, "accuracy", 0) > 0.85
    assert {p.name for p in (tmp_path / "out").glob("*.png")} == {"cell_type.png", "state.png"}


def test_prediction_from_the_saved_classifier_equals_that_of_the_test(
    trained, files, tmp_path
) -> None:
    folder, _ = trained
    output = tmp_path / "predicted.csv"
    arguments = [str(files / "cells.h5ad"), "--model", str(folder), "--output", str(output)]
    result = call(files, "predict", *arguments)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(output, index_col="cell")
    assert table.index.tolist() == [f"cell{i}" for i in range(120)]
    classes = ["B cell", "NK cell", "T cell"]
    shares = table[[f"cell_type:{name}" for name in classes]]
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-4)
    before = pd.read_csv(folder / "predictions.csv", index_col="cell")
    assert (table.loc[before.index, "cell_type"] == before.network).all()
    there = table.loc[before.index, "cell_type_probability"]
    assert np.allclose(there, before.network_probability, atol=1e-3)


def test_new_cells_are_classified_and_one_without_genes_has_no_class(
    trained, files, tmp_path
) -> None:
    adata = anndata.read_h5ad(files / "new.h5ad")
    adata.X[3] = 0
    adata.write_h5ad(tmp_path / "new.h5ad")
    output = tmp_path / "new.csv"
    arguments = [str(tmp_path / "new.h5ad"), "--model", str(trained[0]), "--output", str(output)]
    assert call(files, "predict", *arguments).exit_code == 0
    table = pd.read_csv(output)
    assert np.flatnonzero(table.cell_type.isna()).tolist() == [3]
    right = (table.cell_type.to_numpy() == adata.obs.cell_type.to_numpy())[np.arange(30) != 3]
    assert right.mean() > 0.9


def test_the_folder_is_a_checkpoint_too(trained) -> None:
    folder, _ = trained
    classifier, description = load_classifier(folder)
    assert torch.equal(
        load_encoder(folder).embeddings.word_embeddings.weight,
        classifier.bert.embeddings.word_embeddings.weight,
    )
    assert description.tasks[0].classes == ("B cell", "NK cell", "T cell")


def test_frozen_layers_stay_and_the_others_change(files, tmp_path) -> None:
    more = ["--label", "cell_type", "--freeze_layers", "1", "--epochs", "1"]
    assert train(files, tmp_path / "out", *more).exit_code == 0
    before, after = load_encoder(files / "network"), load_encoder(tmp_path / "out")
    changed = {
        name
        for (name, one), (_, other) in zip(
            before.named_parameters(), after.named_parameters(), strict=True
        )
        if not torch.equal(one, other)
    }
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)


def test_filtered_cells_alone_are_read(files, tmp_path) -> None:
    more = ["--label", "cell_type", "--min_cells", "2", "--epochs", "1", "--folds", "2"]
    more += ["--filter", "state=low"]
    assert (
        train(files, tmp_path / "out", *more, "--filter", "donor=donor0,donor1,donor2").exit_code
        == 0
    )
    tested = pd.read_csv(tmp_path / "out" / "predictions.csv").cell
    obs = anndata.read_h5ad(files / "cells.h5ad").obs
    fits = (obs.state == "low") & obs.donor.isin(["donor0", "donor1", "donor2"])
    assert sorted(tested) == sorted(obs.index[fits])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--label", "nothing"], "no such column"),
        (["--label", "cell_type", "--donor", "nothing"], "no such column"),
        (["--label", "cell_type", "--filter", "state=middle"], "no cell fits"),
        (["--label", "cell_type", "--min_cells", "500"], "0 labels have 500 cells or more"),
        (["--label", "cell_type", "--freeze_layers", "9"], "the network has 2 layers"),
    ],
)
def test_what_cannot_be_trained_is_said(files, tmp_path, more: list[str], message: str) -> None:
    result = train(files, tmp_path / "out", *more)
    assert isinstance(result.exception, GstError)
    assert message in str(result.exception)


@pytest.mark.parametrize("name", ["classifier.json", "model.safetensors"])
def test_a_damaged_classifier_is_refused(trained, files, tmp_path, name: str) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(trained[0], folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    arguments = [
        str(files / "new.h5ad"),
        "--model",
        str(folder),
        "--output",
        str(tmp_path / "o.csv"),
    ]
    result = call(files, "predict", *arguments)
    assert isinstance(result.exception, GstError)
    assert not (tmp_path / "o.csv").exists()


def test_a_run_that_was_killed_goes_on_to_the_bit(files, tmp_path) -> None:
    options = ["--label", "cell_type", "--epochs", "3", "--patience", "0", "--dropout", "0.2"]
    options += [
        "--checkpoint_every",
        "2",
        "--learning_rate",
        "1e-3",
        "--head_learning_rate",
        "1e-2",
    ]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    where = [str(files / "cells.h5ad"), "--checkpoint", str(files / "network"), *options]
    command = [sys.executable, "-m", "gst_core.cli.geneformer.main", "classify", "cells", *where]
    process = subprocess.Popen(
        [*command, *common(files), "--output", str(killed)], stderr=subprocess.DEVNULL
    )
    state = killed / "unfinished" / "fold0.safetensors"
    deadline = time.monotonic() + 120
    while not state.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert state.exists()
    assert not (killed / "report.json").exists()
    for output in (whole, killed):
        assert call(files, "cells", *where, "--output", str(output)).exit_code == 0
    for name in ("model.safetensors", "predictions.csv"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()
