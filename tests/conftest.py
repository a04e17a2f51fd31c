"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data that lies beside the project; skip without it."""
    folder = Path(os.environ.get("GST_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set GST_SHARED_DATA)")
    return folder


# Machines that run tests are busy: how long an example takes says nothing.
settings.register_profile("gst", deadline=None)
settings.load_profile("gst")
