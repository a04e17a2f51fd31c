"""Records of FASTA files with their whole headers, which say whose proteins they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gst_core.annotation.lines import numbered_lines
from gst_core.errors import GstError


class Record(NamedTuple):
    """A record: its number in the file, from 1, the header without ``>``, and the sequence."""

    number: int
    header: str
    sequence: str


def read_records(path: Path) -> Iterator[Record]:
    """Read a FASTA file, plain or compressed.

    Raises
    ------
    GstError
        If it cannot be read, is empty, or does not begin with a header.
    """
    number = 0
    header = ""
    lines: list[str] = []
    for line_number, raw in numbered_lines(path):
        line = raw.decode("utf-8", "replace").strip()
        if line.startswith(">"):
            if number:
                yield Record(number, header, "".join(lines))
            number, header, lines = number + 1, line[1:].strip(), []
        elif number:
            lines.append(line)
        elif line:
            raise GstError(
                f"begins with '{line[:40]}', not with a header (>)",
                where=f"{path}, line {line_number:,}",
                hint="is it FASTA?",
            )
    if not number:
        raise GstError("holds no sequences", where=str(path), hint="copy or download it again")
    yield Record(number, header, "".join(lines))
