"""Calibration: the temperature is found again, and reported on genera it was not fitted to."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gst_core.cli.calibrate import calibrate as calibrate_command
from gst_core.cli.export import export as export_command
from gst_core.cli.train import train as train_command
from gst_core.errors import GstError
from gst_core.inference.namer import GeneNamer
from gst_core.training.calibration import (
    TEMPERATURES,
    Calibration,
    Scores,
    calibrate,
    score,
)
from gst_core.training.prediction import predict
from tests.networks import as_set, lively_network, random_proteins


def scores_of(logits: np.ndarray, classes: np.ndarray) -> Scores:
    scaled = torch.from_numpy(logits)[:, None] / torch.from_numpy(TEMPERATURES)[:, None]
    logs = scaled.log_softmax(-1).numpy()
    best = logits.argmax(1)
    rows = np.arange(len(logits))
    return Scores(np.exp(logs[rows, :, best]), best == classes)


def drawn_at(temperature: float, number: int, seed: int) -> Scores:
    """Classes drawn as logits say once they are divided by the temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(number, 30)) * 4
    chances = torch.from_numpy(logits / temperature).softmax(1).numpy().cumsum(1)
    classes = (rng.random((number, 1)) > chances).sum(1).clip(max=29)
    return scores_of(logits, classes)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.8])
def test_the_temperature_is_found_again(temperature: float) -> None:
    scores = {"A": drawn_at(temperature, 3000, 1), "B": drawn_at(temperature, 3000, 2)}
    found = calibrate(scores)
    assert found.temperature == pytest.approx(temperature, rel=0.06)
    for genus in found.genera.values():
        assert genus.error < 0.05
        if temperature != 1.0:
            assert genus.error < genus.uncalibrated_error


def test_each_genus_is_judged_by_the_others() -> None:
    found = calibrate({"A": drawn_at(0.6, 3000, 1), "B": drawn_at(1.8, 3000, 2)})
    assert found.genera["A"].temperature == pytest.approx(1.8, rel=0.06)
    assert found.genera["B"].temperature == pytest.approx(0.6, rel=0.06)
    assert 0.6 < found.temperature < 1.8


def test_scores_are_those_of_the_network() -> None:
    network = lively_network()
    data = as_set(random_proteins(20))
    classes = np.where(np.arange(20) < 15, np.arange(20), -1)
    data = dataclasses.replace(data, classes=classes)
    found = score(network, data, batch_size=7)
    expected = scores_of(predict(network, data)[:15].astype(np.float64), classes[:15])
    np.testing.assert_allclose(found.probability, expected.probability, atol=1e-4)
    assert (found.right == expected.right).all()


def test_from_training_to_a_calibrated_model(
    families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    run, output = tmp_path / "run", tmp_path / "calibration.json"
    proteins = ["--proteins", str(families)]
    result = CliRunner().invoke(
        train_command,
        [*proteins, "--config", str(tiny_config), "--output", str(run), "--epochs", "1",
         "--hold_out_genus", "Gallus", "--validation_genus", "Salmo", "--threads", "1"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(
        calibrate_command, [str(run), *proteins, "--output", str(output), "--threads", "1"]
    )
    assert result.exit_code == 0, result.output
    assert [line.split("\t")[:2] for line in result.stdout.splitlines()] == [
        ["genus", "proteins"],
        ["Gallus", "12"],
        ["Salmo", "12"],
    ]
    calibration = Calibration.read(output)
    model = tmp_path / "model.onnx"
    arguments = [str(run), "-o", str(model), "--calibration", str(output)]
    assert CliRunner().invoke(export_command, arguments).exit_code == 0
    namer = GeneNamer(model, device="cpu", threads=1)
    assert namer.fact("calibration")["temperature"] == calibration.temperature

    wrong = [str(run), *proteins, "--output", str(output), "--genus", "Mus"]
    result = CliRunner().invoke(calibrate_command, wrong)
    assert isinstance(result.exception, GstError)
    assert "was trained on the genus 'Mus'" in str(result.exception)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"temperature": "x", "genera": {}}', "null"])
def test_other_files_are_no_calibration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(GstError, match="not a calibration"):
        Calibration.read(path)
    path.write_text(json.dumps({"temperature": -1, "genera": {}}))
    with pytest.raises(GstError, match="not positive"):
        Calibration.read(path)
