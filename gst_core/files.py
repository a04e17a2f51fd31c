"""Output files: checked before work begins, then whole or absent, never half."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from gst_core.errors import GstError

AnyPath = str | os.PathLike[str]

_HINT = "check that the folder exists and is writable, or name another output"
#: A process's own descriptors, as the system shows them: /dev/stdout leads to the second.
_DESCRIPTOR_FOLDERS = re.compile(r"/dev/fd|/proc/(?:self|thread-self|\d+)(?:/task/\d+)?/fd")
_MOST_LINKS = 40
#: Bytes of a file's name that its temporary file repeats; most systems take 255.
_REPEATED = 200


def is_folder(path: AnyPath) -> bool:
    """Whether an output is a folder: it is one, or its name ends with a slash."""
    text = os.fspath(path)
    return text.endswith("/") or (text != "-" and Path(text).is_dir())


def make_folder(path: AnyPath) -> Path:
    """Make a folder for outputs where it is not there.

    Raises
    ------
    GstError
        If that cannot be done.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GstError(
            f"cannot make the folder: {error.strerror}", where=str(path), hint=_HINT
        ) from error
    return folder


def check_folder(path: AnyPath) -> None:
    """Make sure, before any work, that a folder can be made and files written into it.

    Raises
    ------
    GstError
        If it is a file, or neither it nor the nearest folder above it may be written to.
    """
    name = os.fspath(path)
    there = Path(os.path.realpath(name))
    while not os.path.lexists(there):
        there = there.parent
    if not there.is_dir():
        raise _unwritable(name, errno.ENOTDIR)
    if not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(name, errno.EACCES)


def check_outputs(outputs: Iterable[AnyPath], inputs: Iterable[AnyPath] = ()) -> None:
    """Make sure, before any work, that outputs can be written and take nothing's place.

    Files are told apart by what they are, not by how they are written: links, hard links
    and streams that a shell has put into a file count as that file.

    Parameters
    ----------
    outputs
        Files that will be written, each once; ``-`` is standard output.
    inputs
        Files that are read; ``-`` is standard input. Those that do not exist are passed over.

    Raises
    ------
    GstError
        If an output is an input or another output, is a folder, lies in a folder that is
        not there, or may not be written.
    """
    read: set[object] = set()
    for path in inputs:
        read |= _identities(path, 0)
    written: dict[object, AnyPath] = {}
    for path in outputs:
        own = _identities(path, 1)
        if own & read:
            raise GstError(
                "the result would overwrite an input",
                where=_named(path, "standard output"),
                hint="choose another output",
            )
        for identity in own:
            if identity in written:
                raise GstError(
                    f"is there twice among the outputs ({_named(written[identity])})",
                    where=_named(path, "standard output"),
                    hint="give each its own file",
                )
        written |= dict.fromkeys(own, path)
        _check_writable(path)


def _named(path: AnyPath, stream: str = "standard output") -> str:
    return stream if os.fspath(path) == "-" else os.fspath(path)


def _identities(path: AnyPath, descriptor: int) -> set[object]:
    """Names and numbers that two paths of one regular file share; none of devices and pipes."""
    name = os.fspath(path)
    streamed = name == "-" or _descriptor(name) is not None
    try:
        found = os.fstat(descriptor) if name == "-" else Path(name).stat()
    except OSError:
        return set() if streamed else {os.path.realpath(name)}
    if not stat.S_ISREG(found.st_mode):
        return set()
    number = (found.st_dev, found.st_ino)
    return {number} if streamed else {number, os.path.realpath(name)}


def _check_writable(path: AnyPath) -> None:
    name = os.fspath(path)
    descriptor = 1 if name == "-" else _descriptor(name)
    if descriptor is not None:
        if not _is_open_for_writing(descriptor):
            raise GstError("is closed", where=_named(path), hint="name a file as output")
        return
    target = _followed(name)
    if target.is_dir():
        raise GstError("is a folder, not a file", where=name, hint="name a file")
    exists = target.exists()
    if exists and not os.access(target, os.W_OK):
        raise _unwritable(name, errno.EACCES)
    if exists and not target.is_file():
        return
    folder = target.parent
    if not folder.is_dir():
        raise _unwritable(name, errno.ENOTDIR if folder.exists() else errno.ENOENT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(name, errno.EACCES)


def _is_open_for_writing(descriptor: int) -> bool:
    import fcntl

    try:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        return False
    return flags & os.O_ACCMODE != os.O_RDONLY


def _unwritable(name: str, number: int) -> GstError:
    return GstError(f"cannot write: {os.strerror(number)}", where=name, hint=_HINT)


def is_descriptor(path: AnyPath) -> bool:
    """Tell whether a path is one of the process's own open files: ``/dev/stdin``, ``<(zcat f.gz)``.

    Such an input lies in no folder of its owner's.
    """
    return _descriptor(os.fspath(path)) is not None


def _descriptor(name: str) -> int | None:
    """Give the number of the process's own descriptor that a path leads to, as /dev/stdout does."""
    path = Path(name)
    for _ in range(_MOST_LINKS):
        folder = os.path.normpath(path.parent)
        if path.name.isdigit() and _DESCRIPTOR_FOLDERS.fullmatch(folder):
            own = f"/proc/{os.getpid()}/fd"
            return int(path.name) if os.path.realpath(folder) == own else None
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _followed(name: str) -> Path:
    """Give the file that a path leads to, so that writing leaves links alone."""
    target = Path(os.path.realpath(name))
    if target.is_symlink():
        raise GstError("is a link that leads to itself", where=name, hint="name another output")
    return target


@contextlib.contextmanager
def named_when_full(name: str) -> Iterator[None]:
    """Name the output where the system does not: a full disk, quota or size limit.

    Raises
    ------
    GstError
        In place of the :class:`OSError` of such a write within the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise GstError(
            f"cannot write: {error.strerror}", where=name, hint="make room, or name another output"
        ) from error


@contextlib.contextmanager
def atomic_write(path: AnyPath, mode: str = "w") -> Iterator[IO[Any]]:
    r"""Open a file that appears under its name only when it is complete.

    What is written goes to a hidden temporary file in the same folder, which is
    flushed to disk and renamed over `path` when the block ends. When the block
    raises, the temporary file is removed and `path` is as it was; a kill leaves
    a ``.<name>.*.tmp`` beside it, never a half table under the final name.

    A link is followed, and the file it leads to replaced. A file that was there
    keeps its mode and, where the system allows it, its owner. A device, a pipe or
    an open descriptor (``/dev/null``, ``/dev/stdout``) is written to as it is.

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
        If the folder does not exist or cannot be written to, or the disk is full.
    """
    name = os.fspath(path)
    _check_writable(name)
    with named_when_full(name), _written(name, mode) as file:
        yield file


@contextlib.contextmanager
def _written(name: str, mode: str) -> Iterator[IO[Any]]:
    descriptor = _descriptor(name)
    if descriptor is not None:
        # Opened by its name, a file that the shell has put there would be cut to nothing.
        with _opened(os.dup(descriptor), mode, name) as file:
            yield file
        return
    target = _followed(name)
    if target.exists() and not target.is_file():
        # Renaming a file over it would put an end to the device.
        with _opened(target, mode, name) as file:
            yield file
        return
    short = os.fsdecode(os.fsencode(target.name)[:_REPEATED])
    temporary = target.with_name(f".{short}.{secrets.token_hex(4)}.tmp")
    try:
        with _opened(temporary, mode.replace("w", "x"), name) as file:
            _dress_as(target, file.fileno())
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _dress_as(target: Path, descriptor: int) -> None:
    """Give a new file the mode and, if possible, the owner of the file that it will replace."""
    try:
        old = target.stat()
    except OSError:
        return
    new = os.fstat(descriptor)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _opened(path: Path | int, mode: str, name: str) -> IO[Any]:
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        file: IO[Any] = open(path, mode, **text)  # type: ignore[call-overload]  # noqa: PTH123, SIM115
    except OSError as error:
        raise GstError(f"cannot write: {error.strerror}", where=name, hint=_HINT) from error
    return file
