"""Bytes in from files, pipes and file objects, decompressed by their content."""

from __future__ import annotations

import contextlib
import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol, cast

import zstandard

from gst_core.errors import GstError

#: Size of the blocks that the reader works on.
BLOCK: Final = 1 << 20
# As little as 20 bytes of zstd can hold 128 KiB of repetitive text, and what is fed to
# the decompressor comes out at once: small pieces keep memory flat.
_ZSTD_PIECE: Final = 1 << 10

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
# pzstd and seekable zstd begin with a skippable frame: one of sixteen bytes, then these.
_ZSTD_SKIPPABLE_MAGIC: Final = b"\x2a\x4d\x18"
_UNREADABLE: Final = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip, as Word and Excel files are,",
    b"7z\xbc\xaf": "7-zip",
}


class BinaryStream(Protocol):
    """What is asked of a file object: ``read`` that gives bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """Read at most `size` bytes; none at the end."""
        ...


Source = str | os.PathLike[str] | BinaryStream


def name_of(source: Source) -> str:
    """Name a source in messages."""
    if source == "-":
        return "standard input"
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "input"


@contextlib.contextmanager
def open_blocks(source: Source, name: str) -> Iterator[Iterator[bytes]]:
    """Open a source and give its decompressed content in blocks of :data:`BLOCK` and more.

    A path is closed at the end; standard input and file objects are left open.

    Raises
    ------
    GstError
        If the file cannot be opened, or is compressed in a way that is not read.
    """
    with contextlib.ExitStack() as stack:
        stream: BinaryStream
        if source == "-":
            stream = sys.stdin.buffer
        elif isinstance(source, str | os.PathLike):
            try:
                stream = stack.enter_context(Path(source).open("rb"))
            except OSError as error:
                raise GstError(
                    f"cannot read: {error.strerror}", where=name, hint="check the path"
                ) from error
        else:
            stream = source
        yield _in_blocks(_decompressed(stream, name))


class _Rejoined:
    """A stream with the bytes back in front that were read to recognise it."""

    def __init__(self, head: bytes, rest: BinaryStream) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = BLOCK) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        return head or self._rest.read(size)


def _decompressed(stream: BinaryStream, name: str) -> Iterator[bytes]:
    head = b""
    while len(head) < 6 and (piece := stream.read(6 - len(head))):
        if isinstance(cast("object", piece), str):
            raise GstError(
                "is open as text", where=name, hint="open it as binary, open(path, 'rb')"
            )
        head += piece
    for magic, kind in _UNREADABLE.items():
        if head.startswith(magic):
            raise GstError(
                f"is compressed with {kind} and is not read",
                where=name,
                hint="give it as plain text, gzip, bgzip or zstd",
            )
    whole = _Rejoined(head, stream)
    try:
        if head.startswith(_GZIP_MAGIC):
            yield from _pieces(gzip.GzipFile(mode="rb", fileobj=whole))  # type: ignore[call-overload]
        elif head.startswith(_ZSTD_MAGIC) or head[1:4] == _ZSTD_SKIPPABLE_MAGIC:
            yield from _zstd_pieces(whole)
        else:
            yield from _pieces(whole)
    except EOFError as error:
        raise GstError(
            "the compressed data stop before their end: the file is truncated",
            where=name,
            hint="copy or download it again",
        ) from error
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise GstError(
            f"the compressed data are damaged ({error})",
            where=name,
            hint="copy or download it again",
        ) from error


def _pieces(stream: BinaryStream) -> Iterator[bytes]:
    while piece := stream.read(BLOCK):
        yield piece


def _zstd_pieces(stream: BinaryStream) -> Iterator[bytes]:
    """Decompress frame by frame; the library's own reader takes truncated data for whole."""
    context = zstandard.ZstdDecompressor()
    frame = None
    for block in _pieces(stream):
        for start in range(0, len(block), _ZSTD_PIECE):
            piece = block[start : start + _ZSTD_PIECE]
            while piece:
                frame = frame or context.decompressobj()
                if text := frame.decompress(piece):
                    yield text
                if not frame.eof:
                    break
                piece, frame = frame.unused_data, None
    if frame is not None:
        raise EOFError


def _in_blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
