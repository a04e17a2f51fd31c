"""Adapters and the search for settings: `geneformer classify`'s ways to train."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from gst_core.cli.geneformer.main import geneformer
from gst_core.errors import GstError
from gst_core.geneformer.adapters import Adapted, add_adapters, merge_adapters
from gst_core.geneformer.layout import Layout
from gst_core.geneformer.weights import load_encoder

from .classification_cells import common


def train(files: Path, output: Path, *more: str) -> Result:
    where = [str(files / "cells.h5ad"), "--checkpoint", str(files / "network")]
    where += ["--label", "cell_type", "--output", str(output), *common(files)]
    return CliRunner().invoke(geneformer, ["classify", "cells", *where, *more])


def test_adapters_change_nothing_at_first_and_the_same_when_merged(labelled_files) -> None:
    encoder = load_encoder(labelled_files / "network")
    tokens, layout = torch.arange(4, 24), Layout.of([20])
    before = encoder(tokens, layout)
    add_adapters(encoder, 3, first=1)
    adapted = [m for m in encoder.modules() if isinstance(m, Adapted)]
    assert len(adapted) == 6
    assert torch.equal(encoder(tokens, layout), before)
    trained = [name for name, p in encoder.named_parameters() if p.requires_grad]
    assert len(trained) == 12
    assert all(name.endswith(("up", "down")) and ".1." in name for name in trained)
    for adapter in adapted:
        torch.nn.init.normal_(adapter.up)
    changed = encoder(tokens, layout)
    assert not torch.allclose(changed, before, atol=1e-2)
    merge_adapters(encoder)
    assert torch.allclose(encoder(tokens, layout), changed, atol=1e-5)
    assert (
        encoder.state_dict().keys() == load_encoder(labelled_files / "network").state_dict().keys()
    )


def test_a_network_learns_by_adapters_alone(labelled_files, tmp_path) -> None:
    rates = ["--learning_rate", "1e-2", "--head_learning_rate", "1e-2"]
    result = train(
        labelled_files, tmp_path / "out", "--adapter_rank", "4", "--epochs", "12", *rates
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    methods = report["tasks"][0]["methods"]
    assert methods["fine-tuned network"]["metrics"]["accuracy"]["mean"] > 0.85
    before, after = load_encoder(labelled_files / "network"), load_encoder(tmp_path / "out")
    assert torch.equal(
        before.embeddings.word_embeddings.weight, after.embeddings.word_embeddings.weight
    )
    change = (
        after.encoder.layer[0].attention.self.query.weight
        - before.encoder.layer[0].attention.self.query.weight
    )
    assert np.linalg.matrix_rank(change.numpy(), tol=1e-5) == 4


def test_a_search_finds_better_settings_and_never_looks_at_the_test(
    labelled_files, tmp_path
) -> None:
    bad = ["--learning_rate", "1e-6", "--head_learning_rate", "1e-4", "--epochs", "3"]
    result = train(labelled_files, tmp_path / "out", *bad, "--search", "5")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    tried = report["search"]
    assert len(tried) == 5
    assert tried[0]["settings"]["learning_rate"] == pytest.approx(1e-6)
    best = min((t for t in tried if t["state"] == "complete"), key=lambda t: t["loss"])
    assert best["loss"] < tried[0]["loss"]
    assert report["settings"]["learning_rate"] == best["settings"]["learning_rate"]
    # what was kept is the training with these settings, by the loss of the same held-out cells
    assert min(report["kept"]["losses"]) == pytest.approx(best["loss"], rel=1e-5)
    assert "best of 5 settings" in result.output


def test_a_search_that_was_killed_does_what_is_left(labelled_files, tmp_path, monkeypatch) -> None:
    from gst_core.geneformer import hyperparameters

    real, calls = hyperparameters.train, []

    def killed(*arguments, **named):
        calls.append(arguments[0].config)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    monkeypatch.setattr(hyperparameters, "train", killed)
    more = ["--epochs", "1", "--search", "4"]
    assert train(labelled_files, tmp_path / "out", *more).exit_code != 0
    result = train(labelled_files, tmp_path / "out", *more)
    assert result.exit_code == 0, result.output
    assert len(calls) == 5
    assert calls[3] == calls[2]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    rates = [trial["settings"]["learning_rate"] for trial in report["search"]]
    assert len(set(rates)) == 4


def test_settings_cannot_be_compared_without_held_out_examples(labelled_files, tmp_path) -> None:
    result = train(labelled_files, tmp_path / "out", "--search", "2", "--validation", "0")
    assert isinstance(result.exception, GstError)
    assert "nothing is held out" in str(result.exception)
