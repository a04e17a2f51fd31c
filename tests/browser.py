"""A real browser, for tests that look at pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def chromium(page: Path, home: Path, *arguments: str) -> str:
    """Open a page without a window, as a user who lives in `home`; return what is printed."""
    return subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            # Containers have little shared memory.
            *(
                "--disable-dev-shm-usage",
                "--disable-sync",
                f"--user-data-dir={home / 'profile'}",
                *arguments,
                page.as_uri(),
            ),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(home)},
    ).stdout
