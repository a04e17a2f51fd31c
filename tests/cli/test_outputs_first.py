"""Every command looks at what it will write before it works: one check, by the types of options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gst_core import GstError
from gst_core.cli import _paths
from gst_core.cli._paths import FileOrFolder, InputFile, OutputFile, OutputFolder
from gst_core.cli.assign import assign
from gst_core.cli.geneformer.main import geneformer
from gst_core.cli.main import gst
from gst_core.files import check_folder

WRITES = (OutputFile, OutputFolder, FileOrFolder)
#: Options of plain paths: folders and databases that are read or kept, each looked at where it is.
READS = {
    *("run", "checkpoint", "folder", "resources", "init_from", "database", "source", "counts"),
    *("external_db", "baseline", "null", "reference", "validation", "npm_archives", "model"),
}


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command, info_name=name)
    for own in command.list_commands(context):
        inner = command.get_command(context, own)
        assert inner is not None
        yield from commands(inner, f"{name} {own}")


ALL = dict(
    found
    for group, name in ((gst, "gst"), (geneformer, "geneformer"), (assign, "gst_assign"))
    for found in commands(group, name)
)


def written(command: click.Command) -> list[click.Parameter]:
    return [p for p in command.params if isinstance(p.type, WRITES)]


@pytest.mark.parametrize("name", ALL)
def test_each_path_says_whether_it_is_read_or_written(name: str) -> None:
    for parameter in ALL[name].params:
        if isinstance(parameter.type, click.Path):
            known = (InputFile, *WRITES)
            assert isinstance(parameter.type, known) or parameter.name in READS, parameter.name


class Looked(GstError):
    """In place of the check."""


def value_for(parameter: click.Parameter, folder: Path, number: int) -> str:
    kind = parameter.type
    if isinstance(kind, WRITES):
        return str(folder / f"written{number}.parquet")
    if isinstance(kind, click.Path):
        if isinstance(kind, InputFile) or kind.file_okay:
            (folder / "read.txt").write_text("x\n")
            return str(folder / "read.txt")
        return str(folder)
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    return {"genes": "all", "perturbation": "delete"}.get(parameter.name or "", "1")


#: What a command needs besides the options that it requires.
MORE = {
    "gst symbols": [],
    "gst db dump": ["--url", "sqlite:////nonexistent/x.db"],
    "gst db load": ["--url", "sqlite:////nonexistent/x.db", "--plan", "p.tsv"],
    "gst_assign": ["--sequences_fasta", "x.fa"],
    "geneformer compare": ["--output", "c.json"],
    "geneformer classify genes": ["--genes", "a=x", "--genes", "b=y"],
    "gst report": ["x_symbols.csv"],
}


@pytest.mark.parametrize("name", [name for name, command in ALL.items() if written(command)])
def test_it_is_checked_before_anything_is_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*_: object) -> None:
        raise Looked("looked")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_paths, "check_outputs", look)
    arguments: list[str] = []
    for number, parameter in enumerate(ALL[name].params):
        if parameter.required:
            value = value_for(parameter, tmp_path, number)
            option = isinstance(parameter, click.Option)
            arguments += [max(parameter.opts, key=len), value] if option else [value]
    result = CliRunner().invoke(ALL[name], [*arguments, *MORE.get(name, [])])
    assert isinstance(result.exception, Looked), (arguments, result.output, result.exception)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name, said in (("file", "Not a directory"), ("file/x", "Not a directory")):
        with pytest.raises(GstError, match=said) as caught:
            check_folder(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
    for name in (".", "new", "new/er/", "link"):
        check_folder(tmp_path / name)
        assert not (tmp_path / "new").exists()
