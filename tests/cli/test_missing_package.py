"""A package that is not installed: which extra brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gst_core.cli._extras import missing_package

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
    ],
)
def test_the_extra_is_named(program: str, arguments: list[str], package: str, extra: str) -> None:
    module = f"gst_core.cli.{'assign' if program == 'gst_assign' else 'main'}"
    code = WITHOUT.format(argv=[program, *arguments], package=package, module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{program}: error: ")
    assert f"needs the Python package '{package}', which is not installed" in line
    assert f".venv/bin/pip install -e '.[{extra}]'" in line


def test_of_two_extras_that_of_the_program_is_named() -> None:
    error = ModuleNotFoundError("No module named 'torch'", name="torch")
    assert "-e '.[geneformer]'" in str(missing_package(error, "geneformer embed"))
    assert "-e '.[train]'" in str(missing_package(error, "gst train"))
    unknown = ModuleNotFoundError("No module named 'x'", name="x.y")
    assert "'x', which is not installed; install GST again" in str(missing_package(unknown, "gst"))
