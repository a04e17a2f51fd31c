"""Output files that are whole or absent."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.files import atomic_write


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    with atomic_write(path) as file:
        file.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == b"\xc3\xa9\n"
    with pytest.raises(ZeroDivisionError), atomic_write(path, "wb") as file:
        file.write(bytes([1 // 0]))
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    """As does a device: /dev/null of a user who may rename over it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with atomic_write(pipe) as file:
        file.write("row\n")
    reader.join(10)
    assert read == [b"row\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(GstError, match="is a folder"), atomic_write(tmp_path):
        pass
    with pytest.raises(GstError, match="cannot write"), atomic_write(tmp_path / "no" / "file"):
        pass
