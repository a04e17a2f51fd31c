"""The few stretches of a genome that are coding, taken out of its FASTA file in one pass.

An index (``.fai``) would serve plain files alone and has to be made by such a pass first. One
pass reads gzip and zstd as well, leaves no file behind, and holds no more than a block of the
genome and the stretches asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gst_core.annotation.lines import FASTA
from gst_core.errors import GstError, display
from gst_core.sequences.streams import Source, name_of, open_blocks

_WHITESPACE = b" \t\r\n"

Stretch = tuple[str, int, int]


@dataclass(slots=True)
class GenomeStretches:
    """What a genome holds at some places.

    Attributes
    ----------
    bases
        Sequence of the plus strand by region, first and last base (1-based), as in the file.
    lengths
        Of the regions that were asked for and are there.
    others
        The first few regions that nobody asked for.
    """

    bases: dict[Stretch, bytes] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def read_stretches(
    source: Source, wanted: Iterable[Stretch], *, after_features: bool = False
) -> GenomeStretches:
    """Read stretches of a genome.

    Parameters
    ----------
    source
        FASTA of the genome; plain, gzip, bgzip or zstd.
    wanted
        Region, first and last base. What lies beyond the end of a region, or on one that is not
        there, is missing from the result.
    after_features
        The sequences follow the features of a GFF3 file.

    Raises
    ------
    GstError
        If the file is no FASTA, or has a region that was asked for twice.
    """
    by_region: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for region, start, end in set(wanted):
        by_region[region].append((start, end))
    found = GenomeStretches()
    name = name_of(source)
    current: _Region | None = None
    for header, piece in _pieces(source, name, after_features):
        if header is not None:
            if current is not None:
                current.close(found)
            region = header.split(None, 1)[0].decode("utf-8", "replace") if header.split() else ""
            current = None
            if region in found.lengths:
                raise GstError(
                    f"the sequence '{display(region)}' is there twice",
                    where=name,
                    hint="keep one of them",
                )
            if region in by_region:
                current = _Region(region, sorted(by_region[region]))
            elif len(found.others) < 3:
                found.others.append(region)
        elif current is not None:
            current.add(piece.translate(None, _WHITESPACE), found)
    if current is not None:
        current.close(found)
    return found


class _Region:
    """One region while it passes by."""

    def __init__(self, name: str, stretches: list[tuple[int, int]]) -> None:
        self._name = name
        self._waiting = stretches[::-1]
        self._open: list[tuple[int, int, list[bytes]]] = []
        self._length = 0

    def add(self, bases: bytes, found: GenomeStretches) -> None:
        """Take the next bases."""
        before = self._length
        self._length += len(bases)
        while self._waiting and self._waiting[-1][0] <= self._length:
            start, end = self._waiting.pop()
            self._open.append((start, end, []))
        still = []
        for start, end, parts in self._open:
            parts.append(bases[max(start - 1 - before, 0) : end - before])
            if end <= self._length:
                found.bases[self._name, start, end] = b"".join(parts)
            else:
                still.append((start, end, parts))
        self._open = still

    def close(self, found: GenomeStretches) -> None:
        """Note the length, when all bases have passed."""
        found.lengths[self._name] = self._length


def _pieces(
    source: Source, name: str, after_features: bool
) -> Iterator[tuple[bytes | None, bytes]]:
    """Cut a FASTA file into headers and pieces of sequence."""
    with open_blocks(source, name) as blocks:
        held = b""
        reading = not after_features
        begun = False
        for block in blocks:
            text = held + block
            held = b""
            if not reading:
                at = text.find(b"\n" + FASTA)
                at = text.find(b"\n>") if at < 0 else text.find(b"\n>", at)
                if at < 0:
                    held = text[-len(FASTA) - 1 :]
                    continue
                reading, text = True, text[at + 1 :]
            if not begun:
                text = text.lstrip()
                if not text:
                    continue
                if not text.startswith(b">"):
                    raise GstError(
                        "does not begin with '>'", where=name, hint="give the genome as FASTA"
                    )
                begun, text = True, b"\n" + text
            # a header that is not whole waits, and so does a line end, which a '>' may follow
            cut = text.rfind(b"\n>")
            if cut >= 0 and b"\n" not in text[cut + 1 :]:
                text, held = text[:cut], text[cut:]
            elif text.endswith((b"\n", b"\r")):
                text, held = text[:-1], text[-1:]
            yield from _records(text)
        if held.strip():
            yield from _records(held)
        if not begun:
            raise GstError("holds no sequence", where=name, hint="give the genome as FASTA")


def _records(text: bytes) -> Iterator[tuple[bytes | None, bytes]]:
    first, *records = text.split(b"\n>")
    if first:
        yield None, first
    for record in records:
        header, _, bases = record.partition(b"\n")
        yield header, b""
        yield None, bases
