"""The images' recipes; containers/try builds and runs them for real."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from gst_core import __version__

from .conftest import ROOT

RECIPES = {"Dockerfile": "cpu", "Dockerfile.gpu": "gpu", "Dockerfile.geneformer": "geneformer"}

each_recipe = pytest.mark.parametrize("recipe", RECIPES)


def instructions(recipe: str) -> list[tuple[str, str]]:
    """Instruction and rest of each step, continued lines joined."""
    text = (ROOT / "containers" / recipe).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


@each_recipe
def test_image_is_pinned_and_labelled(recipe: str) -> None:
    steps = instructions(recipe)
    [base] = [rest for word, rest in steps if word == "ARG"]
    assert re.fullmatch(r"BASE=docker\.io/library/debian:\d+\.\d+-slim", base)
    assert [rest for word, rest in steps if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    [label] = [rest for word, rest in steps if word == "LABEL"]
    assert f'org.opencontainers.image.version="{__version__}"' in label
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in label


@each_recipe
def test_image_runs_without_root_and_carries_no_tools(recipe: str) -> None:
    steps = instructions(recipe)
    last = steps[max(i for i, (word, _) in enumerate(steps) if word == "FROM") :]
    [user] = [rest for word, rest in last if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert "HEALTHCHECK" not in dict(steps)
    [packages] = [rest for word, rest in last if "apt-get install" in rest]
    assert re.search(r"--no-install-recommends procps python3 ", packages)
    build = " ".join(rest for _, rest in steps)
    assert "--require-hashes" in build
    # torch declares that it needs setuptools
    tools = "pip" if recipe.endswith("geneformer") else "setuptools pip"
    assert f"pip uninstall --yes {tools}" in build


@pytest.mark.parametrize("extra", RECIPES.values())
def test_lock_has_every_dependency_with_its_hash(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    databases = [] if extra == "geneformer" else optional["ensembl"]
    wanted = {
        re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-")
        for requirement in [*project["dependencies"], *optional[extra], *databases]
    }
    lock = (ROOT / f"containers/requirements-{extra}.lock").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert wanted <= {entry.split("==")[0] for entry in entries}
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([], "gst_assign --help"),
        (["--sequences_fasta", "two words.fa"], "gst_assign --sequences_fasta two words.fa"),
        (["gst", "report"], "gst report"),
        (["/bin/sh", "-c", "echo as Nextflow starts it"], "as Nextflow starts it"),
    ],
)
def test_entrypoint(tmp_path: Path, arguments: list[str], answer: str) -> None:
    for name in ("gst_assign", "gst"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o755)
    done = subprocess.run(
        [ROOT / "containers/entrypoint", *arguments],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == answer
