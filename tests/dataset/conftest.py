"""What the tests of datasets share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from gst_core.cli.main import gst
from gst_core.errors import GstError

Gst = Callable[..., Result]


@pytest.fixture
def run_gst() -> Gst:
    """Run a gst command in this process; a GstError stays an exception of the result."""

    def run(*arguments: str | Path, **options: Any) -> Result:
        return CliRunner().invoke(gst, list(map(str, arguments)), **options)

    return run


def refusal(read: Callable[[], object]) -> str:
    """Return what a reader says of what it does not take; nothing where it takes it."""
    try:
        read()
    except GstError as error:
        return str(error)
    return ""


def rows_of(dataset: Path) -> list[dict[str, Any]]:
    """Read a dataset as others would."""
    rows: list[dict[str, Any]] = pq.read_table(dataset / "proteins.parquet").to_pylist()
    return rows
