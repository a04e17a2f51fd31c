"""Named arrays in one compact file that loads in milliseconds: how dictionaries lie on disk.

A magic, the SHA-256 of what follows, and Zstandard-compressed: the length of a JSON header, the
header, and the arrays one behind the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write

_MAGIC: Final = b"GSTGF\x00\x01\n"
_DIGEST: Final = hashlib.sha256().digest_size


def write_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays of one dimension, of numbers or ASCII text, and what the header says."""
    narrow = {name: _narrow(array) for name, array in arrays.items()}
    layout = [[name, a.dtype.str, len(a)] for name, a in narrow.items()]
    line = json.dumps({**header, "arrays": layout}).encode()
    body = b"".join(
        [len(line).to_bytes(4, "little"), line, *(a.tobytes() for a in narrow.values())]
    )
    content = zstandard.ZstdCompressor(level=12).compress(body)
    with atomic_write(path, "wb") as file:
        file.write(_MAGIC + hashlib.sha256(content).digest() + content)


def read_arrays(
    path: Path, plain: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what :func:`write_arrays` wrote.

    Parameters
    ----------
    path
        The file.
    plain
        Arrays of text to leave as bytes.

    Returns
    -------
    header, arrays
        As they were given.

    Raises
    ------
    GstError
        If it is damaged or something else.
    OSError
        If it cannot be read.
    """
    data = path.read_bytes()
    start = len(_MAGIC) + _DIGEST
    content = data[start:]
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != hashlib.sha256(content).digest():
        raise GstError(
            "is damaged or no dictionary of this program",
            where=str(path),
            hint="run again: geneformer setup --from DIR",
        )
    body = zstandard.ZstdDecompressor().decompress(content)
    end = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:end])
    arrays: dict[str, NDArray[Any]] = {}
    for name, code, count in header.pop("arrays"):
        dtype = np.dtype(code)
        array = np.frombuffer(body, dtype, count, end)
        arrays[name] = array if name in plain else _widened(array)
        end += dtype.itemsize * count
    return header, arrays


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Text at one byte a letter, other arrays as they are: a third to read."""
    return np.ascontiguousarray(values.astype("S") if values.dtype.kind == "U" else values)


def _widened(values: NDArray[Any]) -> NDArray[Any]:
    """Undo :func:`_narrow`, ten times as fast as ``astype("U")``."""
    if values.dtype.kind != "S" or not len(values):
        return values.astype("U") if values.dtype.kind == "S" else values
    letters = values.view(np.uint8).astype(np.uint32)
    return letters.view(f"U{values.dtype.itemsize}")
