"""Import a checkpoint of the original once, and keep the result."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from gst_core.files import atomic_write
from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.graph import FORMAT, write_onnx


def is_checkpoint(path: Path) -> bool:
    """Tell by its content whether a file is a PyTorch checkpoint, and not an ``.onnx`` model."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def convert(checkpoint: Path, output: Path) -> None:
    """Write a checkpoint of the original as a self-contained ``.onnx`` file.

    Parameters
    ----------
    checkpoint
        A Lightning ``.ckpt`` of the original.
    output
        The file to write; whole or not there at all.

    Raises
    ------
    GstError
        If the checkpoint is refused, or the output cannot be written.
    """
    content = read_checkpoint(checkpoint)
    with atomic_write(output, "wb") as file:
        write_onnx(content, file)


def _is_writable(folder: Path) -> bool:
    """Make the folder if need be, and say whether files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def import_checkpoint(path: Path, cache: bool = True) -> Path:
    """Convert a checkpoint, or find what an earlier call made of the same content.

    The result lies in the user's cache folder (``$XDG_CACHE_HOME/gst``, as a
    rule ``~/.cache/gst``) under the checkpoint's SHA-256. Where that folder
    cannot be written, as in a read-only container, it lies in memory, under a
    path that is good until the program ends.

    Parameters
    ----------
    path
        A Lightning ``.ckpt`` of the original.
    cache
        Whether to look in the cache folder and to write there.

    Returns
    -------
    Path
        The ``.onnx`` file.

    Raises
    ------
    GstError
        If the checkpoint is refused.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{digest}.{FORMAT}.onnx"
    target = platformdirs.user_cache_path("gst") / name
    if cache and target.is_file():
        return target
    content = read_checkpoint(path)
    if cache and _is_writable(target.parent):
        with atomic_write(target, "wb") as file:
            write_onnx(content, file)
        return target
    # No file at all: even /tmp may be read-only.
    descriptor = os.memfd_create("gst-checkpoint")
    with open(descriptor, "wb", closefd=False) as file:
        write_onnx(content, file)
    return Path(f"/proc/self/fd/{descriptor}")
