"""``gst_assign`` with a checkpoint of the original: its result tables, from its FASTA files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gst_core.cli.assign import assign
from gst_core.cli.main import gst
from gst_core.errors import GstError
from tests.legacy.golden import CHECKPOINTS, assert_same_table


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "gst"


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(assign, ["--device", "cpu", *map(str, arguments)])
    assert result.exit_code == 0, (result.output, result.exception)
    return result


@pytest.mark.parametrize(
    ("name", "table", "species"),
    [
        ("transformer", "transformer_humans", "Homo sapiens"),
        ("transformer", "transformer_teleostei", "Danio rerio"),
        ("mlp", "mlp_humans", "Homo sapiens"),
        ("mlp", "mlp_teleostei", "Danio rerio"),
        ("variant", "variant", "Homo sapiens"),
    ],
)
def test_result_tables(
    original_data: Path, tmp_path: Path, cache: Path, name: str, table: str, species: str
) -> None:
    fasta = tmp_path / "proteins_200.fa"
    shutil.copyfile(original_data / "inputs/proteins_200.fa", fasta)
    checkpoint = original_data / "checkpoints" / f"{CHECKPOINTS[name]}.ckpt"
    result = run(
        "--checkpoint", checkpoint, "--sequences_fasta", fasta, "--scientific_name", species
    )
    assert result.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == {fasta.name, "proteins_200_symbols.csv"}
    found = (tmp_path / "proteins_200_symbols.csv").read_bytes().decode()
    expected = (original_data / "expected" / f"{table}_symbols.csv").read_bytes().decode()
    assert_same_table(found, expected)
    assert list(cache.glob("*.onnx"))


@pytest.mark.parametrize("name", ["transformer", "mlp"])
def test_edge_inputs(original_data: Path, tmp_path: Path, name: str) -> None:
    model = tmp_path / "model.onnx"
    checkpoint = original_data / "checkpoints" / f"{CHECKPOINTS[name]}.ckpt"
    imported = CliRunner().invoke(gst, ["import", str(checkpoint), "-o", str(model)])
    assert imported.exit_code == 0, imported.output
    tables = sorted((original_data / "edge").glob(f"*.{name}.csv"))
    compared = 0
    for table in tables:
        expected = table.read_bytes().decode()
        if expected.count("\n") == 1:
            continue  # the original stopped, or had nothing to read
        fasta = table.with_name(f"{table.name.split('.')[0]}.fa")
        arguments = ("--checkpoint", model, "--sequences_fasta", fasta, "--clade", "humans")
        assert_same_table(run(*arguments, "--output", "-").stdout, expected)
        compared += 1
    assert compared == 9


@pytest.mark.parametrize("residue", ["lowercase", "dash", "dot", "digit", "question_mark"])
def test_what_stopped_the_original_does_not_stop_us(original_data: Path, residue: str) -> None:
    fasta = original_data / "edge" / f"{residue}_residue.fa"
    checkpoint = original_data / "checkpoints" / "gst_transformer.ckpt"
    arguments = ("--checkpoint", checkpoint, "--sequences_fasta", fasta, "--clade", "humans")
    result = run(*arguments, "--output", "-")
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    # The first protein is whole, and its answer is the one it has elsewhere.
    assert lines[1].split("\t")[1:3] == ["BGLAP", "0.6620"]
    assert ("replaced by X" in result.stderr) == (residue != "lowercase")


def test_a_tab_in_a_sequence_is_left_out(original_data: Path) -> None:
    """The original stopped at it."""
    fasta = original_data / "edge" / "tab_in_sequence.fa"
    checkpoint = original_data / "checkpoints" / "gst_transformer.ckpt"
    arguments = ("--checkpoint", checkpoint, "--sequences_fasta", fasta, "--clade", "humans")
    row = run(*arguments, "--output", "-").stdout.splitlines()[1]
    # The answer of the same protein without the tab.
    assert row.split("\t")[:3] == ["ENSP00000800001.1", "BGLAP", "0.6620"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_header", "is not FASTA but looks like text without a header"),
        ("empty_file", "is empty"),
    ],
)
def test_what_holds_no_record_is_an_error(
    original_data: Path, tmp_path: Path, name: str, message: str
) -> None:
    """Of the original's programs, one stopped and one wrote a table of no rows."""
    fasta = original_data / "edge" / f"{name}.fa"
    checkpoint = original_data / "checkpoints" / "mlp_10_min_frequency.ckpt"
    arguments = ["--checkpoint", checkpoint, "--sequences_fasta", fasta, "--clade", "humans"]
    arguments += ["--device", "cpu", "--output", tmp_path / "table.csv"]
    result = CliRunner().invoke(assign, [str(argument) for argument in arguments])
    assert isinstance(result.exception, GstError)
    assert f"{name}.fa" in str(result.exception)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_wrong_clades_of_the_original_are_named(original_data: Path) -> None:
    fasta = original_data / "edge" / "crlf.fa"
    checkpoint = original_data / "checkpoints" / "mlp_10_min_frequency.ckpt"
    arguments = ("--checkpoint", checkpoint, "--sequences_fasta", fasta, "--output", "-")
    said = run(*arguments, "--scientific_name", "Monodelphis domestica").stderr
    assert "clade marsupials, which this model takes as mammalia" in said


def test_a_checkpoint_that_is_none(tmp_path: Path) -> None:
    checkpoint = tmp_path / "bad.ckpt"
    checkpoint.write_bytes(b"PK\x03\x04 no more")
    (tmp_path / "a.fa").write_text(">a\nMKV\n")
    arguments = ["--checkpoint", str(checkpoint), "--sequences_fasta", str(tmp_path / "a.fa")]
    result = CliRunner().invoke(assign, arguments)
    assert isinstance(result.exception, GstError)
    assert "bad.ckpt" in str(result.exception)
    assert not (tmp_path / "a_symbols.csv").exists()
