"""From a place on any sequence region to the DNA that is stored for it.

A core database stores DNA for one coordinate system alone, its sequence level
(often contigs). Other regions are put together from those by the ``assembly``
table, directly or in several steps, and the pseudoautosomal regions of Y are
X's. What nothing covers is a gap: N.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, String, select, type_coerce

from gst_core.ensembl import schema
from gst_core.errors import GstError

#: no real database nests its assembly deeper
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a sequence region, 1-based and inclusive.

    Attributes
    ----------
    region
        ``seq_region_id``; None for a gap, which has only a length.
    start, end
        First and last base.
    strand
        1, or -1 where the other strand is meant.
    """

    region: int | None
    start: int
    end: int
    strand: int = 1

    def __len__(self) -> int:
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True)
class _Component:
    """A row of ``assembly``: where a piece of another region lies on this one."""

    start: int
    end: int
    region: int
    region_start: int
    region_end: int
    orientation: int


class Assembly:
    """The assembly of one database.

    Parameters
    ----------
    connection
        A connection whose transaction outlasts this object.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        systems = schema.coord_system
        rows = connection.execute(
            select(
                systems.c.coord_system_id,
                systems.c.species_id,
                systems.c.name,
                systems.c.version,
                type_coerce(systems.c.attrib, String),
            )
        ).all()
        self._stored = {row[0] for row in rows if "sequence_level" in (row[4] or "")}
        self._next_system = self._paths([row[:4] for row in rows])
        self._components = lru_cache(maxsize=64)(self._load_components)
        self._region = lru_cache(maxsize=4096)(self._load_region)

    def stored_spans(self, span: Span) -> list[Span]:
        """Resolve a span into spans of regions whose DNA is stored, and gaps.

        Returns
        -------
        spans
            In the order in which their sequences follow each other on the
            strand of `span`. Their lengths add up to that of `span`.
        """
        spans = self._resolve(span.region, span.start, span.end, depth=0)
        if span.strand >= 0:
            return spans
        return [Span(s.region, s.start, s.end, -s.strand) for s in reversed(spans)]

    def region_length(self, region: int) -> int:
        """Length in bases of a region."""
        return self._region(region)[1]

    def _resolve(self, region: int | None, start: int, end: int, depth: int) -> list[Span]:
        if region is None:
            return [Span(None, start, end)]
        if depth > _DEEPEST:
            raise GstError(
                "is assembled from itself",
                where=f"seq_region {region}",
                hint="mend the assembly table",
            )
        system, _ = self._region(region)
        if system in self._stored:
            return [Span(region, start, end)]
        components = self._components(region, system)
        if not components:
            # Some databases store DNA for a region outside the sequence level.
            return (
                [Span(region, start, end)] if self._is_stored(region) else [Span(None, start, end)]
            )
        spans: list[Span] = []
        position = start
        first = bisect.bisect_left(components, start, key=lambda c: c.end)
        for component in components[first:]:
            if component.start > end:
                break
            left, right = max(component.start, position), min(component.end, end)
            if left > right:
                continue
            if left > position:
                spans.append(Span(None, position, left - 1))
            spans += self._resolve_component(component, left, right, depth)
            position = right + 1
        if position <= end:
            spans.append(Span(None, position, end))
        return spans

    def _resolve_component(self, c: _Component, left: int, right: int, depth: int) -> list[Span]:
        if c.orientation >= 0:
            offset = c.region_start - c.start
            return self._resolve(c.region, left + offset, right + offset, depth + 1)
        mirror = c.region_end + c.start
        inner = self._resolve(c.region, mirror - right, mirror - left, depth + 1)
        return [Span(s.region, s.start, s.end, -s.strand) for s in reversed(inner)]

    def _load_region(self, region: int) -> tuple[int, int]:
        table = schema.seq_region
        row = self._connection.execute(
            select(table.c.coord_system_id, table.c.length).where(table.c.seq_region_id == region)
        ).first()
        if row is None:
            raise GstError(
                "is not in the table seq_region",
                where=f"seq_region_id {region}",
                hint="run gst db check on this database",
            )
        return row[0], row[1]

    def _is_stored(self, region: int) -> bool:
        table = schema.dna
        query = select(table.c.seq_region_id).where(table.c.seq_region_id == region)
        return self._connection.execute(query).first() is not None

    def _load_components(self, region: int, system: int) -> list[_Component]:
        rows, parts = schema.assembly, schema.seq_region
        components: list[_Component] = []
        if system in self._next_system:
            query = (
                select(
                    rows.c.asm_start,
                    rows.c.asm_end,
                    rows.c.cmp_seq_region_id,
                    rows.c.cmp_start,
                    rows.c.cmp_end,
                    rows.c.ori,
                )
                .join(parts, parts.c.seq_region_id == rows.c.cmp_seq_region_id)
                .where(rows.c.asm_seq_region_id == region)
                .where(parts.c.coord_system_id == self._next_system[system])
            )
            components = [_Component(*row) for row in self._connection.execute(query)]
        shared = schema.assembly_exception
        query = select(
            shared.c.seq_region_start,
            shared.c.seq_region_end,
            shared.c.exc_seq_region_id,
            shared.c.exc_seq_region_start,
            shared.c.exc_seq_region_end,
            shared.c.ori,
        ).where(shared.c.seq_region_id == region, type_coerce(shared.c.exc_type, String) == "PAR")
        components += [_Component(*row) for row in self._connection.execute(query)]
        return sorted(components, key=lambda component: component.start)

    def _paths(self, systems: list[tuple[int, int, str, str | None]]) -> dict[int, int]:
        """Find for each coordinate system the next one on the shortest way to stored DNA.

        The ways are those of the meta key ``assembly.mapping``: two or more
        coordinate systems, the assembled one first, joined by ``|`` or ``#``.
        """
        by_name: dict[tuple[int, str], list[int]] = defaultdict(list)
        for identifier, species, name, version in systems:
            by_name[species, name.lower()].append(identifier)
            by_name[species, f"{name}:{version}".lower()].append(identifier)
        query = select(schema.meta.c.species_id, schema.meta.c.meta_value).where(
            schema.meta.c.meta_key == "assembly.mapping"
        )
        parents: dict[int, set[int]] = defaultdict(set)
        for species, mapping in self._connection.execute(query):
            names = mapping.lower().replace("#", "|").split("|")
            for assembled, component in itertools.pairwise(names):
                for child in by_name[species or 1, component]:
                    parents[child].update(by_name[species or 1, assembled])
        towards: dict[int, int] = {}
        queue = deque(sorted(self._stored))
        while queue:
            child = queue.popleft()
            for parent in sorted(parents[child] - self._stored - towards.keys()):
                towards[parent] = child
                queue.append(parent)
        return towards
