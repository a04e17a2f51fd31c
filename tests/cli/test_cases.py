"""Each file of ``tests/data/cases`` and what comes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gst_core.cli.assign import assign
from gst_core.cli.import_checkpoint import import_checkpoint

CASES = Path(__file__).resolve().parents[1] / "data" / "cases"


def named(*arguments: object) -> Result:
    return CliRunner().invoke(assign, [*map(str, arguments), "--output", "-"])


def fasta(name: str, *arguments: str) -> Result:
    return named("--sequences_fasta", CASES / name, "--clade", "mammalia", *arguments)


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.exception
    return [line.split("\t")[:2] for line in result.stdout.splitlines()[1:]]


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_a_dot_is_a_stop(strict: list[str]) -> None:
    result = fasta("stop_written_as_dot_gffread.fa", *strict)
    assert [symbol for _, symbol in rows(result)] == ["OVOL1", "SHKBP1"]
    assert "replaced by X" not in result.stderr


def test_a_space_before_the_id() -> None:
    assert rows(fasta("header_with_leading_space.fa")) == [["p1", "OVOL1"], ["p2", "SHKBP1"]]


def test_a_comment_is_counted() -> None:
    result = fasta("hash_comment_becomes_residues.fa")
    assert [symbol for _, symbol in rows(result)] == ["OVOL1", "SHKBP1"]
    assert "1 line was taken for comments (#), first line 3" in result.stderr
    assert "replaced by X" not in result.stderr


def test_an_archive_is_no_fasta() -> None:
    result = fasta("binary_tar_header_after_4096_bytes.fa")
    assert result.exit_code == 1
    assert "binary data (a zero byte)" in str(result.exception)
    assert "record " in str(result.exception)
    assert ", line " in str(result.exception)


@pytest.mark.parametrize("name", ["manifest_space_after_comma.csv", "manifest_semicolons.csv"])
def test_manifests_of_spreadsheets(name: str) -> None:
    assert [symbol for _, symbol in rows(named("--manifest", CASES / name))] == ["OVOL1", "SHKBP1"]


def test_a_mistyped_column_is_told() -> None:
    result = named("--manifest", CASES / "manifest_unknown_column_ignored.csv")
    assert result.exit_code == 1
    assert "'Scientific_Name' is no column; 'scientific_name' is meant?" in str(result.exception)


def test_a_checkpoint_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    name = "global_newline_escape.ckpt"
    shutil.copy(CASES / name, tmp_path / name)
    result = CliRunner().invoke(import_checkpoint, [str(tmp_path / name)])
    assert r"\x1b[31mevil\x07\x1b]0;title" in str(result.exception)
    assert str(result.exception).isprintable()
