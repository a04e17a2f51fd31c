"""`geneformer pretrain`: masks, learning, going on after a kill, several processes, the files."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gst_core.cli.geneformer.pretrain import pretrain as command
from gst_core.errors import GstError
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.dataset_writer import DatasetWriter
from gst_core.geneformer.layout import Layout
from gst_core.geneformer.masking import IGNORED, baselines, cut, mask, plan_epoch
from gst_core.geneformer.network import IGNORED as OF_NETWORK
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.pretraining import (
    PretrainingConfig,
    _accumulate,
    pretrain,
    schedule,
)
from gst_core.geneformer.pretraining_state import STATE_FILE
from gst_core.geneformer.resources import Resources, resources_file
from gst_core.geneformer.weights import load_masked_language_model
from gst_core.model.workers import Workers
from tests.launching import LOOPBACK, TWO_PROCESSES

ROOT = Path(__file__).resolve().parents[2]


def two_kinds_of_cells(number: int, seed: int = 0) -> list[np.ndarray]:
    """Cells of genes 0 to 14 or of genes 15 to 29, in nearly the same order: easy to learn."""
    generator = np.random.default_rng(seed)
    cells = []
    for cell in range(number):
        genes = np.arange(15) + 15 * (cell % 2)
        kept = genes[generator.random(15) < 0.8]
        cells.append(np.array([2, *(kept + 4), 3], np.int64))
    return cells


def small_network(dropout: float = 0.0) -> MaskedLanguageModel:
    torch.manual_seed(0)
    config = NetworkConfig(34, 16, 1, 2, 32, 32, hidden_dropout=dropout, attention_dropout=dropout)
    return MaskedLanguageModel(config)


@pytest.fixture
def files(tmp_path: Path, tiny_resources: Resources) -> Path:
    tiny_resources.save(resources_file("V2", tmp_path))
    cells = two_kinds_of_cells(60)
    with DatasetWriter(tmp_path / "cells.dataset") as writer:
        offsets = np.cumsum([0, *(len(cell) for cell in cells)])
        writer.write(Tokens(np.concatenate(cells).astype(np.int32), offsets))
    return tmp_path


def options(files: Path, output: str, *more: str) -> list[str]:
    shape = "--layers 1 --width 16 --heads 2 --positions 32 --batch_cells 6 --epochs 2 --threads 1"
    where = [str(files / "cells.dataset"), "--output", str(files / output)]
    return [*where, "--resources", str(files), "--device", "cpu", *shape.split(), *more]


# --- masks and batches -------------------------------------------------------------------------


def test_masks_hide_15_percent_80_10_10_and_no_special_token(tiny_resources: Resources) -> None:
    cells = two_kinds_of_cells(4000)
    batch = mask(cells, tiny_resources, 1, 2, 3)
    truth = np.concatenate(sorted(cells, key=len))
    genes, hidden = truth >= 4, batch.labels != IGNORED
    assert IGNORED == OF_NETWORK
    assert not (hidden & ~genes).any()
    assert (batch.labels[hidden] == truth[hidden]).all()
    assert hidden.sum() / genes.sum() == pytest.approx(0.15, abs=0.005)
    assert (batch.tokens[~hidden] == truth[~hidden]).all()
    shown = batch.tokens[hidden]
    assert (shown == tiny_resources.mask_token).mean() == pytest.approx(0.8, abs=0.01)
    same = (shown == batch.labels[hidden]).mean()
    assert same == pytest.approx(0.1 + 0.1 / 30, abs=0.01)
    swapped = shown[(shown != tiny_resources.mask_token) & (shown != batch.labels[hidden])]
    assert swapped.min() >= 4
    assert swapped.max() < 34


def test_masks_follow_from_their_numbers_alone(tiny_resources: Resources) -> None:
    cells = two_kinds_of_cells(10)
    one, same, other = (mask(cells, tiny_resources, 5, 0, n) for n in (1, 1, 2))
    assert (one.tokens == same.tokens).all()
    assert (one.labels != other.labels).any()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=300), st.integers(1, 9), st.integers(0, 5))
def test_an_epoch_has_each_cell_once(lengths: list[int], size: int, epoch: int) -> None:
    plan = plan_epoch(np.array(lengths), size, 3, epoch)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    assert max(map(len, plan)) <= size
    assert len(plan) == math.ceil(len(lengths) / size)


def test_batches_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 2000, 3000)
    spreads = [np.ptp(lengths[batch]) for batch in plan_epoch(lengths, 10, 0, 0)]
    assert np.mean(spreads) < 100


def test_a_cell_that_is_cut_still_ends_with_eos() -> None:
    cell = np.array([2, 10, 11, 12, 3], np.int32)
    assert cut(cell, 4, 3).tolist() == [2, 10, 11, 3]
    assert cut(cell, 4, None).tolist() == [2, 10, 11, 12]
    assert cut(cell, 5, 3).tolist() == cell.tolist()


def test_baselines_by_hand(tiny_resources: Resources) -> None:
    # Gene 0 was seen 9 times, all others never: 10 / 39 and 1 / 39 with one more each.
    train = [np.array([2, 4, 3])] * 9
    batch = mask([np.array([2, *range(4, 34), 3])], tiny_resources, 0)
    found = baselines(train, [batch], tiny_resources)
    hidden = batch.labels[batch.labels != IGNORED]
    share = np.where(hidden == 4, 10 / 39, 1 / 39)
    assert found.unigram == pytest.approx(-np.log(share).mean())
    left = len(hidden) / 39 if 4 not in hidden else (len(hidden) + 9) / 39
    assert found.unseen == pytest.approx(-np.log(share / left).mean())


def test_the_rate_rises_and_falls_in_straight_lines() -> None:
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == 1
    assert (np.diff(rates[10:]) < 0).all()
    assert 0 < rates[-1] < 0.02


# --- the loop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bf16", [False, True])
def test_it_learns(tmp_path: Path, tiny_resources: Resources, bf16: bool) -> None:
    config = PretrainingConfig(epochs=12, batch_cells=10, learning_rate=0.01, bf16=bf16)
    train, held_out = two_kinds_of_cells(200), two_kinds_of_cells(40, seed=1)
    summary = pretrain(small_network(), train, held_out, tiny_resources, config, tmp_path)
    assert summary["held_out_loss"] < summary["unseen"] - 0.3
    assert summary["unseen"] < summary["unigram"]
    assert json.loads((tmp_path / "pretraining.json").read_text()) == summary


def test_accumulated_batches_are_one_large_batch(tmp_path: Path, tiny_resources: Resources) -> None:
    """The gradient is that of the mean over all hidden genes, whatever batch they are in."""
    network = small_network()
    batches = [mask(two_kinds_of_cells(n, n), tiny_resources, n) for n in (3, 8)]
    config = PretrainingConfig()
    loss = _accumulate(network, list(enumerate(batches)), config, (0, "cpu"), Workers())
    found = [p.grad.clone() for p in network.parameters()]
    network.zero_grad()
    whole = network.loss(
        torch.from_numpy(np.concatenate([b.tokens for b in batches])),
        Layout.of([n for b in batches for n in b.lengths]),
        torch.from_numpy(np.concatenate([b.labels for b in batches])),
    )
    whole.backward()
    assert loss == pytest.approx(whole.item(), rel=1e-5)
    for ours, parameter in zip(found, network.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad, rtol=1e-4, atol=1e-6)


def test_a_state_of_another_run_is_refused(tmp_path: Path, tiny_resources: Resources) -> None:
    cells = two_kinds_of_cells(20)
    pretrain(small_network(), cells, [], tiny_resources, PretrainingConfig(epochs=1), tmp_path)
    with pytest.raises(GstError, match="other settings"):
        pretrain(small_network(), cells, [], tiny_resources, PretrainingConfig(seed=9), tmp_path)


# --- the command -------------------------------------------------------------------------------


def start(arguments: list[str], launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    program = [sys.executable, *launcher, "-m", "gst_core.cli.geneformer.main", "pretrain"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | LOOPBACK
    return subprocess.Popen([*program, *arguments], env=environment, cwd=ROOT)


def test_killed_it_goes_on_to_the_bit(files: Path) -> None:
    more = ("--dropout", "0.1", "--checkpoint_every", "3", "--epochs", "8")
    CliRunner().invoke(command, options(files, "whole", *more), catch_exceptions=False)
    whole = files / "whole"
    run = start(options(files, "killed", *more))
    metrics = files / "killed" / "metrics.csv"
    while run.poll() is None:
        if metrics.exists() and metrics.read_text().count("\n") > 6:
            run.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    run.wait()
    killed = files / "killed"
    assert (killed / STATE_FILE).exists()
    assert not (killed / "model.safetensors").exists(), "it was done before it could be killed"
    CliRunner().invoke(command, options(files, "killed", *more), catch_exceptions=False)
    name = "model.safetensors"
    assert (killed / name).read_bytes() == (whole / name).read_bytes()

    def losses(folder: Path) -> list[list[str]]:
        rows = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
        return [[*row[:4], row[5]] for row in rows]  # seconds are their own

    assert losses(killed) == losses(whole)


def test_two_processes_do_what_one_does(files: Path) -> None:
    """Each of two takes half of the batches of a step: the same as one that accumulates two."""
    one = options(files, "one", "--accumulate", "2")
    CliRunner().invoke(command, one, catch_exceptions=False)
    assert start(options(files, "two"), TWO_PROCESSES).wait() == 0
    metrics = [np.genfromtxt(files / n / "metrics.csv", delimiter=",") for n in ("one", "two")]
    np.testing.assert_allclose(metrics[1][1:, 2], metrics[0][1:, 2], rtol=1e-4)
    assert len(metrics[0]) == 1 + 2 * 5  # 57 cells in 10 batches, two a step, two epochs
    alone, shared = (load_masked_language_model(files / n).state_dict() for n in ("one", "two"))
    for name, weights in alone.items():
        torch.testing.assert_close(shared[name], weights, rtol=1e-3, atol=1e-5)


def test_transformers_reads_what_was_written(files: Path) -> None:
    from transformers import BertForMaskedLM

    CliRunner().invoke(command, options(files, "run"), catch_exceptions=False)
    theirs, report = BertForMaskedLM.from_pretrained(files / "run", output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    ours = load_masked_language_model(files / "run").eval()
    cell = torch.from_numpy(two_kinds_of_cells(1)[0])
    with torch.inference_mode():
        expected = theirs.eval()(cell[None]).logits[0]
        torch.testing.assert_close(
            ours(cell, Layout.of([len(cell)])), expected, rtol=1e-4, atol=1e-5
        )
    # what was trained can be trained further
    more = ["--checkpoint", str(files / "run")]
    result = CliRunner().invoke(command, options(files, "further", *more), catch_exceptions=False)
    assert result.exit_code == 0


def test_what_does_not_fit_is_said(files: Path) -> None:
    wrong = CliRunner().invoke(command, options(files, "run", "--width", "15"))
    assert wrong.exit_code == 2
    cells = Tokens(np.array([2, 99, 3], np.int32), np.array([0, 3]))
    with DatasetWriter(files / "other.dataset") as writer:
        writer.write(cells)
    given = options(files, "run")
    given[0] = str(files / "other.dataset")
    result = CliRunner().invoke(command, given)
    assert "a token beyond the 34 of V2" in str(result.exception)
