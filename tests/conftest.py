"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.native import use_other_library

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = Path(os.environ.get("GST_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data that lies beside the project; skip without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared data at {SHARED_DATA} (set GST_SHARED_DATA)")
    return SHARED_DATA


# One of several processes keeps to one core, as do the programs that it starts.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Machines that run tests are busy: how long an example takes says nothing.
settings.register_profile("gst", deadline=None)
settings.load_profile("gst")

use_other_library()
