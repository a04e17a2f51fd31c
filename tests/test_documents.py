"""The examples of documents do what the documents say."""

from __future__ import annotations

import doctest
import importlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from gst_core import GeneNamer
from gst_core.assignment import Assignment, Evidence
from gst_core.cli.assign import assign
from gst_core.cli.geneformer.main import geneformer
from gst_core.cli.main import gst
from gst_core.errors import GstError
from gst_core.inference.frames import frame_of
from gst_core.vocabulary import Symbol

DOCS = Path(__file__).resolve().parents[1] / "docs"
PROGRAMS: dict[str, click.Command] = {"gst_assign": assign, "gst": gst, "geneformer": geneformer}


def test_the_page_on_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    found = doctest.testfile(
        str(DOCS / "python.md"), module_relative=False, optionflags=flags, encoding="utf-8"
    )
    assert found.attempted > 20
    assert found.failed == 0
    assert (tmp_path / "probability.png").stat().st_size > 1000


def _assignments() -> list[Assignment]:
    hbb = Symbol("HBB", "hemoglobin subunit beta", "HGNC Symbol", "HGNC:4827")
    evidence = Evidence("P68871", 0.5, 1.0, 0.25, ("HBD", "HBE1"))
    return [
        Assignment("a", ((hbb, 0.9), (Symbol("HBD"), 0.1)), 147, evidence, "g"),
        Assignment("b", ((Symbol(""), 0.0),), 0),
    ]


def test_a_frame_has_a_row_a_protein_and_numbers_that_are_numbers() -> None:
    frame = frame_of(_assignments(), "pandas", top_k=2, evidence=True)
    assert frame.symbol.tolist() == ["HBB", ""]
    assert frame.probability.dtype == frame.identity.dtype == frame.probability_2.dtype == float
    assert frame.symbol_2.tolist() == ["HBD", None]
    assert frame.identity.isna().tolist() == [False, True]
    assert frame.fits_equally.tolist() == ["HBD,HBE1", None]
    assert frame.gene.tolist() == ["g", ""]


def test_a_library_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(GstError, match="polars is not installed; pip install polars"):
        frame_of([], "polars")
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(DataFrame=dict))
    assert frame_of(_assignments(), "polars")["length"] == [147, 0]


def test_objects_say_what_they_are() -> None:
    first, second = _assignments()
    assert repr(first) == "Assignment('a': HBB 0.9000 and 1 more, 147 residues, like P68871)"
    assert repr(second) == "Assignment('b': no symbol 0.0000, 0 residues)"
    assert repr(first.best) == "Symbol('HBB', hemoglobin subunit beta, HGNC:4827)"
    assert repr(Symbol("hbb1")) == "Symbol('hbb1')"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    plt.close("all")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((DOCS / "notebooks" / "proteins_to_plot.ipynb").read_text("utf-8"))
    cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    names: dict[str, object] = {}
    for cell in cells:
        exec(cell, names)
    assert len(plt.get_fignums()) == 2
    plt.close("all")
    assert len(names["frame"]) == 60  # type: ignore[arg-type]


def test_the_documents_make_a_site(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    made = tmp_path / "site"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs"),
            *("build", "--strict", "--quiet", "-d", str(made)),
        ],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
    )
    # every page is in the navigation, every link and anchor leads somewhere
    assert done.returncode == 0, done.stdout + done.stderr
    assert (made / "index.html").is_file()


def test_the_table_of_the_readme_is_what_the_command_writes() -> None:
    lines = (DOCS.parent / "README.md").read_text("utf-8").splitlines()
    start = lines.index("| stable_id | symbol | probability | description | source |")
    shown = [line.strip("| ").split(" | ") for line in lines[start + 2 : start + 7]]
    fish = DOCS.parent / "gst_core" / "assets" / "sample" / "danio_rerio.fa"
    assignments = GeneNamer().assign(fish, scientific_name="Danio rerio")
    for row, found in zip(shown, itertools.islice(assignments, 5), strict=True):
        best = found.best
        assert [found.stable_id, found.symbol, best.description, best.source] == row[:2] + row[3:]
        assert found.probability == pytest.approx(float(row[2]), abs=0.0005)


def _commands_in(text: str) -> Iterator[tuple[click.Command, list[str]]]:
    """Commands in blocks of code and in single words of code, each a line."""
    inside = False
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            inside = not inside
            continue
        if not inside and not line.startswith("    "):
            continue
        words = line.split("#")[0].split()
        words = words[: next((n for n, w in enumerate(words) if w in {"|", "&&", ">", ";"}), None)]
        if words and (program := PROGRAMS.get(words[0].rsplit("/", 1)[-1])):
            yield program, words[1:]


@pytest.mark.parametrize(
    "page", [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.stem
)
def test_commands_have_the_options_that_documents_give_them(page: Path) -> None:
    for program, words in _commands_in(page.read_text("utf-8")):
        command, rest, context = program, words, click.Context(program)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(context, rest[0])
            assert found is not None, f"{page.name}: {' '.join(words)}"
            command, rest = found, rest[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        asked = {word.split("=")[0] for word in rest if word.startswith("--")}
        assert asked <= known | {"--help", "--version"}, f"{page.name}: {' '.join(words)}"
