"""Reads many stretches of stored DNA with few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from gst_core.annotation.translate import reverse_complement
from gst_core.ensembl import schema
from gst_core.ensembl.assembly import Assembly, Span
from gst_core.errors import GstError

#: regions up to this length are read whole, many with one query
_SHORT = 200_000
#: bases asked for at a time
_AT_ONCE = 8_000_000
#: stretches closer to each other than this are read as one
_NEAR = 16_384
#: stretches a query; the server reads a region's DNA once for all of them
_STRETCHES = 200


class DnaReader:
    """The DNA of one database, on any sequence region of it.

    Parameters
    ----------
    connection
        A connection whose transaction outlasts this object.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.assembly = Assembly(connection)

    def read(self, spans: Sequence[Span]) -> list[str]:
        """Return the sequence of each span, on its strand, N where nothing is stored."""
        resolved = [self._resolve(span) for span in spans]
        wanted: dict[int, list[Span]] = defaultdict(list)
        for parts in resolved:
            for part in parts:
                if part.region is not None:
                    wanted[part.region].append(part)
        stretches = self._read_stretches(wanted)
        return ["".join(_sequence(part, stretches) for part in parts) for parts in resolved]

    def _resolve(self, span: Span) -> list[Span]:
        if span.region is None or span.start <= span.end:
            return self.assembly.stored_spans(span)
        # Across the origin of a circular region.
        length = self.assembly.region_length(span.region)
        halves = [
            Span(span.region, span.start, length, span.strand),
            Span(span.region, 1, span.end, span.strand),
        ]
        if span.strand < 0:
            halves.reverse()
        return [part for half in halves for part in self.assembly.stored_spans(half)]

    def _read_stretches(self, wanted: dict[int, list[Span]]) -> dict[int, list[tuple[int, str]]]:
        """Read what covers the spans: region to (first base, sequence) pairs."""
        stretches: dict[int, list[tuple[int, str]]] = {}
        short: list[int] = []
        for region, spans in wanted.items():
            if self.assembly.region_length(region) <= _SHORT:
                short.append(region)
            else:
                stretches[region] = self._read_parts(region, spans)
        at_once = _AT_ONCE // _SHORT
        for i in range(0, len(short), at_once):
            table = schema.dna
            query = select(table.c.seq_region_id, table.c.sequence).where(
                table.c.seq_region_id.in_(short[i : i + at_once])
            )
            for region, sequence in self._connection.execute(query):
                stretches[region] = [(1, sequence)]
        return stretches

    def _read_parts(self, region: int, spans: list[Span]) -> list[tuple[int, str]]:
        table = schema.dna
        ranges = _merge(spans)
        stretches: list[tuple[int, str]] = []
        while ranges:
            some: list[tuple[int, int]] = []
            bases = 0
            while ranges and len(some) < _STRETCHES and bases < _AT_ONCE:
                some.append(ranges.pop())
                bases += some[-1][1] - some[-1][0] + 1
            query = select(
                *(func.substr(table.c.sequence, start, end - start + 1) for start, end in some)
            ).where(table.c.seq_region_id == region)
            row = self._connection.execute(query).first()
            if row is None:
                return []
            stretches += [(start, sequence) for (start, _), sequence in zip(some, row, strict=True)]
        return stretches


def _merge(spans: Iterable[Span]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for start, end in sorted((span.start, span.end) for span in spans):
        if ranges and start - ranges[-1][1] <= _NEAR:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges


def _sequence(span: Span, stretches: dict[int, list[tuple[int, str]]]) -> str:
    if span.region is None:
        return "N" * len(span)
    for first, sequence in stretches.get(span.region, ()):
        if first <= span.start and span.end < first + len(sequence):
            text = sequence[span.start - first : span.end - first + 1]
            return text if span.strand >= 0 else reverse_complement(text)
    raise GstError(
        f"there is no DNA for bases {span.start} to {span.end}",
        where=f"seq_region_id {span.region}",
        hint="load the table dna, or mend the assembly table",
    )
