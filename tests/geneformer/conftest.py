"""Fixtures of the tests of Geneformer."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def geneformer_data(shared_data: Path) -> Path:
    """Return the folder of the official dictionaries and golden files; skip without it."""
    folder = shared_data / "geneformer"
    if not folder.is_dir():
        pytest.skip(f"no Geneformer data at {folder}")
    return folder


@pytest.fixture(scope="session")
def singlecell_data(shared_data: Path) -> Path:
    """Return the folder of single-cell sets; skip without it."""
    folder = shared_data / "singlecell"
    if not folder.is_dir():
        pytest.skip(f"no single-cell data at {folder}")
    return folder
