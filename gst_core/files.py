"""Output files that are whole or absent, never half."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gst_core.errors import GstError


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    r"""Open a file that appears under its name only when it is complete.

    What is written goes to a hidden temporary file in the same folder, which is
    flushed to disk and renamed over `path` when the block ends. When the block
    raises, the temporary file is removed and `path` is as it was; a kill leaves
    a ``.<name>.*.tmp`` beside it, never a half table under the final name.
    A device or a pipe, as ``/dev/null``, is written to as it is.

    Parameters
    ----------
    path
        The final name.
    mode
        ``"w"`` for UTF-8 text with ``\n`` line ends, ``"wb"`` for bytes.

    Yields
    ------
    file
        The temporary file, open for writing.

    Raises
    ------
    GstError
        If the folder does not exist or cannot be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise GstError("is a folder, not a file", where=str(target), hint="name a file")
    if target.exists() and not target.is_file():
        # Renaming a file over it would put an end to the device.
        with _opened(target, mode, target) as file:
            yield file
        return
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    file = _opened(temporary, mode.replace("w", "x"), target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _opened(path: Path, mode: str, target: Path) -> IO[Any]:
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        file: IO[Any] = path.open(mode, **text)  # type: ignore[call-overload]
    except OSError as error:
        raise GstError(
            f"cannot write: {error.strerror}",
            where=str(target),
            hint="check that the folder exists and is writable, or name another output",
        ) from error
    return file
