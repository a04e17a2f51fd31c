"""``gst train`` as a user runs it: learns, survives a kill, refuses what does not fit."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from gst_core.cli.train import train as train_command
from gst_core.errors import GstError
from gst_core.model.checkpoint import load_tensors
from gst_core.nomenclature import Canonical, Entry, Rule, write_canonical
from gst_core.training.run import load_network, read_run
from tests.launching import LOOPBACK, TWO_PROCESSES


def options(families: Path, config: Path, output: Path, *more: str) -> list[str]:
    return [
        "--proteins", str(families), "--config", str(config), "--output", str(output),
        "--validation_genus", "Salmo", "--epochs", "10", "--threads", "1", "--device", "cpu",
        *more,
    ]  # fmt: skip


def gst_train(arguments: list[str], launcher: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "gst_core.cli.main", "train", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])} | LOOPBACK,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def finished(families: Path, tiny_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    result = CliRunner().invoke(train_command, options(families, tiny_config, folder))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "36 proteins with 12 gene symbols from families.fasta" in result.stderr
    return folder


def test_a_run_learns_the_symbols_of_a_table(
    families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    table = tmp_path / "symbols.tsv"
    entries = [Entry(f"FAM{i}", "FAM0", Rule.PREVIOUS) for i in (3, 4)]
    write_canonical(table, Canonical(entries))
    more = ("--symbols", str(table))
    arguments = options(families, tiny_config, tmp_path / "run", *more)
    arguments[arguments.index("10")] = "0.5"
    result = CliRunner().invoke(train_command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    run = read_run(tmp_path / "run")
    assert {s.symbol for s in run.vocabulary} == {f"FAM{i}" for i in range(12)} - {"FAM3", "FAM4"}
    assert [file.name for file in run.data] == ["families.fasta", "symbols.tsv"]


def test_a_run_learns_and_describes_itself(finished: Path) -> None:
    with (finished / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 41))
    validated = [row for row in rows if row["validation_accuracy"]]
    assert [int(row["step"]) for row in validated] == [10, 20, 30, 40]
    assert float(validated[-1]["validation_accuracy"]) > 0.9
    run = read_run(finished)
    assert [symbol.symbol for symbol in run.vocabulary] == sorted(f"FAM{i}" for i in range(12))
    assert run.data[0].name == "families.fasta"
    assert len(run.data[0].sha256) == 64
    assert run.validation == ("Salmo",)
    assert run.proteins == 36


def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    finished: Path, families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    arguments = options(families, tiny_config, folder)
    process = gst_train(arguments)
    metrics = folder / "metrics.csv"
    deadline = time.monotonic() + 120
    while not metrics.exists() or len(metrics.read_text().splitlines()) < 9:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, metadata = load_tensors(folder / "state.safetensors")
    assert 0 < json.loads(metadata["state"])["step"] < 40

    result = CliRunner().invoke(train_command, arguments)
    assert result.exit_code == 0, result.output
    whole, _ = load_tensors(finished / "state.safetensors")
    resumed, _ = load_tensors(folder / "state.safetensors")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)

    def steps(path: Path) -> list[tuple[str, ...]]:
        with path.open() as file:
            return [(r["step"], r["loss"], r["accuracy"]) for r in csv.DictReader(file)]

    assert steps(metrics) == steps(finished / "metrics.csv")


def test_two_processes_do_what_one_does_and_go_on_with_each_other_s_runs(
    families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    """Each takes half of a batch; what is drawn for proteins would differ, so nothing is drawn."""
    config = json.loads(tiny_config.read_text())
    # So much smoothing, that there is something to learn of proteins that are as they were.
    config["training"] |= {"clade_noise": 0, "clade_dropout": 0, "label_smoothing": 0.4}
    config["model"]["dropout"] = 0
    config["evolution"] = {"unchanged": 1, "exon_loss": 0, "late_start": 0, "fragment": 0}
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(config))

    def few_steps(name: str) -> list[str]:
        arguments = options(families, plain, tmp_path / name)
        arguments[arguments.index("--epochs") + 1] = "3"
        return arguments

    def losses(name: str) -> list[float]:
        with (tmp_path / name / "metrics.csv").open() as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]

    one = CliRunner().invoke(train_command, few_steps("one"))
    assert one.exit_code == 0, one.output
    two = gst_train(few_steps("two"), TWO_PROCESSES)
    said = two.communicate()[1].decode()
    assert two.returncode == 0, said
    assert "2 processes" in said
    assert said.count("done: ") == 1
    # Sums of bfloat16 depend on what is summed first.
    assert losses("two") == pytest.approx(losses("one"), rel=0.02)
    (weights, _), (others, _) = (
        load_tensors(tmp_path / name / "state.safetensors") for name in ("one", "two")
    )
    assert weights.keys() == others.keys()
    # An ended run has nothing left to do, whoever looks at it.
    again = CliRunner().invoke(train_command, few_steps("two"))
    assert again.exit_code == 0
    assert len(losses("two")) == len(losses("one")) == 12


def test_another_seed_is_another_run(
    finished: Path, families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    arguments = options(families, tiny_config, tmp_path / "other", "--seed", "2")
    assert CliRunner().invoke(train_command, arguments).exit_code == 0
    one, _ = load_tensors(finished / "state.safetensors")
    two, _ = load_tensors(tmp_path / "other" / "state.safetensors")
    assert not torch.equal(one["network.table"], two["network.table"])


def test_other_settings_do_not_go_on_with_a_run(
    finished: Path, families: Path, tiny_config: Path
) -> None:
    arguments = options(families, tiny_config, finished, "--seed", "7")
    result = CliRunner().invoke(train_command, arguments)
    assert isinstance(result.exception, GstError)
    assert "other settings (training)" in str(result.exception)


def test_weights_of_another_run_are_taken_over_by_symbol(
    finished: Path, families: Path, tiny_config: Path, tmp_path: Path
) -> None:
    text = families.read_text()
    more = tmp_path / "more.fasta"
    more.write_text(
        text.replace("GN=FAM3\n", "GN=AAA\n") + ">sp|N1|X OX=9606 GN=Fam3\nMKVLAAGIVGLLLA\n"
    )
    # No step is worth mentioning at this rate: what is compared is the start.
    config = json.loads(tiny_config.read_text())
    config["training"] |= {"table_rate": 1e-12, "network_rate": 1e-12}
    slow = tmp_path / "slow.json"
    slow.write_text(json.dumps(config))
    output = tmp_path / "next"
    arguments = options(more, slow, output, "--init_from", str(finished), "--epochs", "0.1")
    result = CliRunner().invoke(train_command, arguments)
    assert result.exit_code == 0, result.output
    old_run, old = load_network(finished)
    new_run, new = load_network(output)
    assert new_run.init_from
    old_rows = {s.symbol: i for i, s in enumerate(old_run.vocabulary)}
    for row, symbol in enumerate(new_run.vocabulary):
        if symbol.symbol == "AAA":
            cosines = torch.cosine_similarity(new.symbols[row][None], old.symbols)
            assert cosines.argmax() == old_rows["FAM3"]  # the same proteins under a new name
        else:
            known = old.symbols[old_rows[symbol.symbol.upper()]]
            torch.testing.assert_close(new.symbols[row], known)
    torch.testing.assert_close(new.table, old.table)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"model": {"wide": 3}}', "there is no 'wide'"),
        ('{"model": {"width": "3"}}', "'width' cannot be '3'"),
        ('{"model": {"layers": 1.5}}', "'layers' cannot be 1.5"),
        ('{"modell": {}}', "there is no section 'modell'"),
        ('{"model": 3}', "not an object of objects"),
        ("{", "not JSON"),
    ],
)
def test_wrong_configurations_are_errors(
    families: Path, tmp_path: Path, config: str, message: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(config)
    result = CliRunner().invoke(train_command, options(families, file, tmp_path / "run"))
    assert isinstance(result.exception, GstError)
    assert message in str(result.exception)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_cuda_is_never_silently_replaced(families: Path, tiny_config: Path, tmp_path: Path) -> None:
    arguments = [*options(families, tiny_config, tmp_path / "run")[:-2], "--device", "cuda"]
    result = CliRunner().invoke(train_command, arguments)
    assert isinstance(result.exception, GstError)
    assert "CUDA cannot run" in str(result.exception)


def test_an_empty_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(GstError, match="holds no training run"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text('{"format": "other"}')
    with pytest.raises(GstError, match=r"run\.json: not the description of a run"):
        read_run(tmp_path)
