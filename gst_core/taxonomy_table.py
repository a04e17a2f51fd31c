"""The taxonomy's two files: names in alphabetical order, and taxon ids, in blocks.

Each block is compressed on its own, and a header says where which begins, so that a look-up
reads one or two blocks of 128 KB in place of all. A file is the length of its header (unsigned
32-bit integer, little-endian), the header (JSON, zstd), and the blocks (zstd).

A line of the names is one of

- ``Name<tab>class<tab>taxon id<tab>genus``: a taxon, by its scientific name. `class` counts in
  the header's ``classes``, triples of clade, legacy clade and rank; the genus is empty where
  it is the first word of the name, and ``-`` where there is none;
- ``Name<tab>=taxon id``: another name of that taxon;
- ``Name<tab><taxon id``: a name of a taxon below that one, which has no line of its own.

They are sorted by the name in lower case, and of taxa of one name the higher stands first.
Element `i` of the ids is one more than the number of the line that answers for taxon id `i`,
counted from 0; 0 where NCBI has no such id.
"""

from __future__ import annotations

import array
import json
import re
import struct
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import zstandard

__all__ = ["Entry", "IdTable", "NameTable", "pack_ids", "pack_names"]

_LENGTH: Final = struct.Struct("<I")
_BLOCK: Final = 1 << 17
_IDS_A_BLOCK: Final = _BLOCK // 4
_LEVEL: Final = 19


class Entry(NamedTuple):
    """A line of the names.

    Attributes
    ----------
    name
        As NCBI writes it.
    kind
        ``""`` for a taxon, ``"="`` for another name of one, ``"<"`` for a name below one.
    taxon_id
        The taxon that is meant.
    clade, legacy_clade, rank, genus
        Of a taxon; empty where it has none, and in the other kinds of lines.
    """

    name: str
    kind: str
    taxon_id: int
    clade: str = ""
    legacy_clade: str = ""
    rank: str = ""
    genus: str = ""


class _Blocks:
    """Blocks of a file, decompressed one by one."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._zstd = zstandard.ZstdDecompressor()
        (length,) = _LENGTH.unpack_from(content)
        start = _LENGTH.size + length
        self.header: dict[str, Any] = json.loads(
            self._zstd.decompress(content[_LENGTH.size : start])
        )
        self._starts = [start]
        for size in self.header["sizes"]:
            self._starts.append(self._starts[-1] + size)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, block: int) -> bytes:
        return self._zstd.decompress(self._content[self._starts[block] : self._starts[block + 1]])


class NameTable:
    """The names.

    Parameters
    ----------
    content
        What :func:`pack_names` made.
    """

    def __init__(self, content: bytes) -> None:
        self._blocks = _Blocks(content)
        self._first_keys: list[str] = self._blocks.header["keys"]
        self._first_lines: list[int] = self._blocks.header["lines"]
        self._classes: list[list[str]] = self._blocks.header["classes"]

    def line(self, number: int) -> Entry:
        """Give the line of that number."""
        block = bisect_right(self._first_lines, number) - 1
        lines = self._blocks[block].split(b"\n")
        return self._entry(lines[number - self._first_lines[block]])

    def named(self, key: str) -> list[Entry]:
        """Lines of a name, given in lower case."""
        if not self._first_keys or not key.isascii() or "\t" in key or "\n" in key:
            return []
        block = max(bisect_right(self._first_keys, key) - 1, 0)
        content = self._blocks[block]
        lower = content.lower()
        start = key.encode() + b"\t"
        at = 0 if lower.startswith(start) else lower.find(b"\n" + start) + 1
        entries = []
        while lower.startswith(start, at):
            end = content.index(b"\n", at)
            entries.append(self._entry(content[at:end]))
            at = end + 1
        return entries

    def starting(self, prefix: str) -> Iterator[str]:
        """Names that begin with a prefix, given in lower case, in alphabetical order."""
        for block in range(max(bisect_right(self._first_keys, prefix) - 1, 0), len(self._blocks)):
            if self._first_keys[block] > prefix and not self._first_keys[block].startswith(prefix):
                return
            for name in self._names(block):
                if name.lower().startswith(prefix):
                    yield name

    def words(self, shortest: int, longest: int) -> Iterator[str]:
        """Names of one word of as many letters, in alphabetical order."""
        pattern = re.compile(rb"^([^\t\n ]{%d,%d})\t" % (shortest, longest), re.MULTILINE)
        for block in range(len(self._blocks)):
            yield from (word.decode("ascii") for word in pattern.findall(self._blocks[block]))

    def _names(self, block: int) -> list[str]:
        return [
            line[: line.index("\t")] for line in self._blocks[block].decode("ascii").splitlines()
        ]

    def _entry(self, line: bytes) -> Entry:
        name, what, *rest = line.decode("ascii").split("\t")
        if not rest:
            return Entry(name, what[0], int(what[1:]))
        taxon_id, genus = rest
        clade, legacy_clade, rank = self._classes[int(what)]
        genus = "" if genus == "-" else genus or name.split(" ")[0]
        return Entry(name, "", int(taxon_id), clade, legacy_clade, rank, genus)


class IdTable:
    """The taxon ids.

    Parameters
    ----------
    content
        What :func:`pack_ids` made.
    """

    def __init__(self, content: bytes) -> None:
        self._blocks = _Blocks(content)

    def line(self, taxon_id: int) -> int | None:
        """Give the number of the line that answers for a taxon id; None where there is none."""
        block, at = divmod(taxon_id, _IDS_A_BLOCK)
        if taxon_id < 1 or block >= len(self._blocks):
            return None
        content = self._blocks[block]
        if at >= len(content) // _LENGTH.size:
            return None
        number: int = _LENGTH.unpack_from(content, at * _LENGTH.size)[0]
        return number - 1 if number else None


def pack_names(entries: Sequence[Entry]) -> bytes:
    """Make the file of names.

    Parameters
    ----------
    entries
        In the order of the file, ASCII, without tabs and line ends in a name.
    """
    classes: dict[tuple[str, str, str], int] = {}
    keys: list[str] = []
    lines: list[int] = []
    blocks: list[bytearray] = []
    block = bytearray()
    last = ""
    for number, entry in enumerate(entries):
        key = entry.name.lower()
        if not lines or (len(block) >= _BLOCK and key != last):
            keys.append(key)
            lines.append(number)
            blocks.append(block := bytearray())
        last = key
        if entry.kind:
            what = f"{entry.kind}{entry.taxon_id}"
        else:
            of = (entry.clade, entry.legacy_clade, entry.rank)
            genus = "" if entry.genus == entry.name.split(" ")[0] else entry.genus or "-"
            what = f"{classes.setdefault(of, len(classes))}\t{entry.taxon_id}\t{genus}"
        block += f"{entry.name}\t{what}\n".encode("ascii")
    return _pack({"classes": list(classes), "keys": keys, "lines": lines}, blocks)


def pack_ids(lines: Sequence[int]) -> bytes:
    """Make the file of ids.

    Parameters
    ----------
    lines
        For each taxon id from 0, one more than the number of its line, or 0.
    """
    numbers = array.array("I", lines)
    if sys.byteorder == "big":
        numbers.byteswap()
    content = numbers.tobytes()
    return _pack({}, [content[i : i + _BLOCK] for i in range(0, len(content), _BLOCK)])


def _pack(header: dict[str, Any], blocks: Sequence[bytes | bytearray]) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed = [compressor.compress(bytes(block)) for block in blocks]
    head = compressor.compress(json.dumps(header | {"sizes": [len(p) for p in packed]}).encode())
    return _LENGTH.pack(len(head)) + head + b"".join(packed)
