"""A package that is not installed: which extra brings it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from gst_core.cli._extras import _EXTRAS, missing_package

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = """
import importlib, sys
sys.argv = {argv!r}
sys.modules[{package!r}] = None  # as if it were not installed
importlib.import_module({module!r}).main()
"""


@pytest.mark.parametrize(
    ("program", "arguments", "package", "extra"),
    [
        ("gst_assign", ["--sequences_fasta", "x"], "onnxruntime", "cpu"),
        ("gst", ["db", "dump", "--help"], "sqlalchemy", "ensembl"),
        ("gst", ["train", "--help"], "torch", "train"),
        ("gst", ["dataset", "ensembl", "--help"], "urllib3", "train"),
    ],
)
def test_the_extra_is_named(program: str, arguments: list[str], package: str, extra: str) -> None:
    module = f"gst_core.cli.{'assign' if program == 'gst_assign' else 'main'}"
    code = WITHOUT.format(argv=[program, *arguments], package=package, module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{program}: error: ")
    if "--help" in arguments:  # which reads the command's own module
        assert f"'{' '.join([program, *arguments[:-1]])}' needs" in line
    assert f"needs the Python package '{package}', which is not installed" in line
    assert f".venv/bin/pip install -e '.[{extra}]'" in line


def test_of_two_extras_that_of_the_program_is_named() -> None:
    error = ModuleNotFoundError("No module named 'torch'", name="torch")
    assert "-e '.[geneformer]'" in str(missing_package(error, "geneformer embed"))
    assert "-e '.[train]'" in str(missing_package(error, "gst train"))
    unknown = ModuleNotFoundError("No module named 'x'", name="x.y")
    assert "'x', which is not installed; install GST again" in str(missing_package(unknown, "gst"))


def test_each_package_of_an_extra_is_known() -> None:
    """As pyproject.toml has them: one that is added there is named where it is missing."""
    modules: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            modules.setdefault(re.sub(r"[-_.]+", "-", distribution).lower(), set()).add(module)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    known = {module for own in _EXTRAS.values() for module in own}
    for extra in ("cpu", "train", "ensembl", "geneformer"):
        for requirement in extras[extra]:
            match = re.match(r"[A-Za-z0-9_.-]+", requirement)
            assert match
            name = re.sub(r"[-_.]+", "-", match[0]).lower()
            assert modules[name] & known, f"{name} of [{extra}]"


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("gst", ["db", "dump", "--url", "x", "mysql://me:hush@host/db"]),
     ("gst", ["db", "dump", "--url", "mysql://me:hush@host/db"]),
     ("gst", ["db", "load", "--url", "x", "--port", "mysql://me:hush@host/db"]),
     ("gst", ["mysql://me:hush@host/db"])],
)  # fmt: skip
def test_no_message_repeats_a_password(program: str, arguments: list[str]) -> None:
    command = [str(ROOT / "bin" / program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (1, 2)
    assert done.stderr
    assert "hush" not in done.stdout + done.stderr
