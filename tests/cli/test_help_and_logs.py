"""What the programs say of themselves, in shells, to people and to programs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gst_core.cli._common import run
from gst_core.cli.assign import assign
from gst_core.cli.geneformer.main import geneformer
from gst_core.cli.main import gst

BIN = Path(__file__).resolve().parents[2] / "bin"
SAMPLE = Path("gst_core/assets/sample")


def _commands(group: click.Command, path: str, parent: click.Context | None = None):
    context = click.Context(group, parent=parent, info_name=path.split()[-1])
    if not isinstance(group, click.Group):
        yield path, group, context
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _commands(command, f"{path} {name}", context)


@pytest.mark.parametrize(
    "program", [assign, gst, geneformer], ids=["gst_assign", "gst", "geneformer"]
)
def test_each_command_shows_examples_that_it_understands(program: click.Command) -> None:
    start = "gst_assign" if program is assign else program.name
    assert start
    for path, command, context in _commands(program, start):
        text = command.get_help(context)
        examples = [line.strip() for line in text.splitlines() if f"{path} " in line]
        examples = [line for line in examples if not line.startswith("Usage:")]
        assert examples, f"{path} --help has no example"
        for example in examples:
            words = shlex.split(example.replace("<(", "").replace(")", "").rstrip("\\"))
            words = words[words.index(path.split()[-1]) + 1 :]
            end = next((n for n, word in enumerate(words) if word in {">", "|", "&&"}), len(words))
            known = {name for parameter in command.params for name in parameter.opts}
            unknown = [w for w in words[:end] if w.startswith("-") and w != "-" and w not in known]
            assert not unknown, f"{path} --help: {example}"


@pytest.mark.parametrize("program", ["gst", "geneformer"])
def test_a_program_alone_shows_its_help_as_it_is_laid_out(program: str) -> None:
    alone, asked = (
        subprocess.run([BIN / program, *more], capture_output=True, text=True, check=False)
        for more in ([], ["--help"])
    )
    assert alone.returncode == 2
    assert alone.stderr == asked.stdout


@pytest.mark.parametrize(
    ("program", "written", "meant"),
    [
        (geneformer, ["tokenise", "x.h5ad"], "tokenize"),
        (geneformer, ["classify", "cell"], "cells"),
        (gst, ["dataset", "uniprott"], "uniprot"),
    ],
)
def test_a_misspelt_command_is_told(program: click.Command, written: list[str], meant: str) -> None:
    result = CliRunner().invoke(program, written)
    assert result.exit_code == 2
    assert f"Did you mean '{meant}'?" in result.stderr


def test_shells_complete_programs_commands_and_options() -> None:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    script = "source <(gst completion bash) && complete -p gst_assign gst geneformer"
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("complete -o nosort -F") == 3
    for shell in ("zsh", "fish"):
        assert CliRunner().invoke(gst, ["completion", shell]).output.count("_COMPLETE=") >= 3
    words = {"COMP_WORDS": "gst db lo", "COMP_CWORD": "2", "_GST_COMPLETE": "bash_complete"}
    done = subprocess.run(
        ["gst"], env=environment | words, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["plain,load"]


def test_messages_for_programs_are_json(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        f"id,fasta\ngood,{(SAMPLE / 'danio_rerio.fa').resolve()}\nbad,x.fa\n"
    )
    done = subprocess.run(
        [
            *(BIN / "gst_assign", "--manifest", tmp_path / "m.csv"),
            *("--output", f"{tmp_path}/o/", "--log_format", "json"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert {entry["program"] for entry in entries} == {"gst_assign"}
    assert {entry["level"] for entry in entries} == {"info", "error"}
    bad = [entry for entry in entries if entry.get("genome") == "bad" and entry["level"] == "error"]
    assert "cannot read" in bad[0]["message"]
    assert "1 of 2 genomes failed: bad" in entries[-1]["message"]


def test_wrong_usage_is_json_too() -> None:
    done = subprocess.run(
        [BIN / "gst_assign", "--log_format", "json"], capture_output=True, text=True
    )
    assert done.returncode == 2
    (entry,) = map(json.loads, done.stderr.splitlines())
    assert entry["level"] == "error"
    assert entry["message"].startswith("give one of --sequences_fasta")


def test_no_color_is_obeyed() -> None:
    """Not even where a terminal is claimed."""
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = subprocess.run(
        [BIN / "gst_assign", "--sequences_fasta", SAMPLE / "danio_rerio.fa", "--output", "-"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\x1b[3" not in done.stdout + done.stderr


def test_the_end_of_a_file_is_not_taken_for_that_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """click makes of each EOFError an Abort without words."""

    @click.command()
    def read() -> None:
        raise EOFError("the stream ended early")

    monkeypatch.setattr("sys.argv", ["gst"])
    with pytest.raises(SystemExit) as ended:
        run(read, "gst")
    assert ended.value.code == 1
    assert "EOFError: the stream ended early" in capsys.readouterr().err


def test_chained_commands_end_well(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Click gives back what each of them returned, which is no exit status."""

    @click.group(chain=True)
    def steps() -> None: ...

    @steps.command()
    def step() -> None: ...

    monkeypatch.setattr("sys.argv", ["steps", "step", "step"])
    with pytest.raises(SystemExit) as ended:
        run(steps, "steps")
    assert ended.value.code == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_numpy_starts_no_threads_for_naming(given: dict[str, str], threads: str) -> None:
    code = (
        "import os, sys; from gst_core.cli import assign; sys.argv = ['gst_assign', '--version']\n"
        "try: assign.main()\n"
        "finally: print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    kept = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | given, capture_output=True, text=True
    )
    assert done.stdout.split()[-1] == threads
