"""The worked examples: each command names options that exist, and files that are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from gst_core.cli.geneformer.main import geneformer

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "geneformer_examples").glob("*.md"))
WITH_COMMANDS = [*PAGES, *sorted(DOCS.glob("geneformer*.md"))]
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Words of each geneformer command in the shell blocks of a page."""
    found = []
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "bin/geneformer":
                found.append(words[1:])
    return found


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """Walk from the group to the command that some words name."""
    command: click.Command = geneformer
    context = click.Context(geneformer)
    while isinstance(command, click.Group):
        name, *words = words
        inner = command.get_command(context, name)
        assert inner is not None, f"there is no command {name}"
        command, context = inner, click.Context(inner, parent=context)
    return command, words


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_commands_have_options_that_exist_and_values_that_fit(page: Path) -> None:
    for words in commands(page):
        if "--help" in words:
            continue
        command, rest = resolve(words)
        for parameter in command.params:  # whether files are there is not asked
            if isinstance(parameter.type, click.Path):
                parameter.type.exists = False
        command.make_context(words[0], rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_command_and_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert commands(page)
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        target = page.parent / link
        assert target.exists(), link
        if target.suffix in (".png", ".svg"):
            assert 1_000 < target.stat().st_size < 100_000, link
    if page.stem != "README":
        assert "![" in text
        assert f"({page.name})" in (page.parent / "README.md").read_text(encoding="utf-8")


def test_each_thing_that_the_paper_shows_has_a_page() -> None:
    assert len(PAGES) == 12
