"""Looks genes up by stable id, and the symbols that they bear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Table, select

from gst_core.ensembl import schema

#: values a query; SQLite takes no more than 32,766
CHUNK = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GeneRow:
    """A gene as the load must know it.

    Attributes
    ----------
    gene_id, stable_id, version, description, display_xref_id
        Columns of ``gene``.
    label
        Label of the cross-reference that the gene displays; None without one.
    other_version
        Whether it was asked for by a version that is not the database's.
    """

    gene_id: int
    stable_id: str
    version: int | None
    description: str | None
    display_xref_id: int | None
    label: str | None = None
    other_version: bool = False


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield the values in lists that a query can take."""
    remaining = iter(values)
    while some := list(islice(remaining, size)):
        yield some


def find_genes(
    connection: Connection, stable_ids: set[str], species_id: int, *, lock: bool = False
) -> dict[str, GeneRow]:
    """Return the current genes by the stable ids they were asked for by.

    What follows the last dot of a stable id is taken for a version, unless
    there is a gene whose stable id it is part of.

    Parameters
    ----------
    connection
        The database.
    stable_ids
        The stable ids, with or without version.
    species_id
        Species whose genes are meant.
    lock
        Lock the rows, in one order for all programs: two that lock the same
        genes wait for each other and do not deadlock.
    """
    split = _versions(stable_ids)
    known = _current_genes(
        connection, {split.get(name, (name, 0))[0] for name in stable_ids}, species_id, lock
    )
    dotted = {
        name
        for name, (base, version) in split.items()
        if base not in known or known[base].version != version
    }
    known |= _current_genes(connection, dotted, species_id, lock)
    found: dict[str, GeneRow] = {}
    for name in stable_ids:
        base, version = split.get(name, (name, None))
        if name in known:
            found[name] = known[name]
        elif base in known:
            gene = known[base]
            found[name] = gene if gene.version == version else replace(gene, other_version=True)
    return found


@dataclass(frozen=True, slots=True)
class Feature:
    """A transcript or a translation, and the stable id of its gene."""

    kind: Literal["transcript", "translation"]
    gene: str


def find_features(connection: Connection, stable_ids: set[str]) -> dict[str, Feature]:
    """Return which of some stable ids, with or without version, are not genes' but of their parts.

    Parameters
    ----------
    connection
        The database.
    stable_ids
        Stable ids that no gene has.
    """
    genes, transcripts = schema.gene, schema.transcript
    asked: dict[str, list[str]] = defaultdict(list)
    for name in stable_ids:
        asked[name].append(name)
    for name, (base, _) in _versions(stable_ids).items():
        asked[base].append(name)
    found: dict[str, Feature] = {}
    translations = schema.translation
    parts: tuple[tuple[Literal["transcript", "translation"], Table, Any], ...] = (
        ("transcript", transcripts, transcripts),
        (
            "translation",
            translations,
            translations.join(
                transcripts, transcripts.c.transcript_id == translations.c.transcript_id
            ),
        ),
    )
    for kind, table, source in parts:
        query = select(table.c.stable_id, genes.c.stable_id).select_from(
            source.join(genes, genes.c.gene_id == transcripts.c.gene_id)
        )
        for some in chunks(sorted(asked)):
            for name, gene in connection.execute(query.where(table.c.stable_id.in_(some))):
                found.update(dict.fromkeys(asked[name], Feature(kind, gene)))
    return found


def _versions(stable_ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Take versions off stable ids; those without one are left out."""
    return {
        name: (base, int(version))
        for name in stable_ids
        for base, dot, version in [name.rpartition(".")]
        if dot and version.isdecimal()
    }


def _current_genes(
    connection: Connection, stable_ids: set[str], species_id: int, lock: bool
) -> dict[str, GeneRow]:
    genes, xrefs = schema.gene, schema.xref
    query = select(
        genes.c.gene_id,
        genes.c.stable_id,
        genes.c.version,
        genes.c.description,
        genes.c.display_xref_id,
    ).where(genes.c.is_current == 1, genes.c.seq_region_id.in_(species_regions(species_id)))
    known: dict[str, GeneRow] = {}
    for some in chunks(sorted(stable_ids)):
        rows = query.where(genes.c.stable_id.in_(some)).order_by(genes.c.gene_id)
        for row in connection.execute(rows.with_for_update() if lock else rows):
            known.setdefault(row.stable_id, GeneRow(*row))
    labels: dict[int | None, str] = {}
    for ids in chunks(sorted({g.display_xref_id for g in known.values() if g.display_xref_id})):
        labelled = select(xrefs.c.xref_id, xrefs.c.display_label).where(xrefs.c.xref_id.in_(ids))
        labels.update({row.xref_id: row.display_label for row in connection.execute(labelled)})
    return {
        name: replace(gene, label=labels.get(gene.display_xref_id)) if labels else gene
        for name, gene in known.items()
    }


def symbol_holders(
    connection: Connection, symbols: Iterable[str], species_id: int
) -> dict[str, list[str]]:
    """Return who bears these symbols already: case-folded symbol to stable ids."""
    genes, xrefs = schema.gene, schema.xref
    query = (
        select(xrefs.c.display_label, genes.c.stable_id)
        .join(genes, genes.c.display_xref_id == xrefs.c.xref_id)
        .where(genes.c.is_current == 1, genes.c.seq_region_id.in_(species_regions(species_id)))
        .order_by(genes.c.gene_id)
    )
    label_column: ColumnElement[str] = xrefs.c.display_label
    if connection.dialect.name == "sqlite":
        # MySQL's collations fold case; SQLite's does when asked.
        label_column = label_column.collate("NOCASE")
    holders: dict[str, list[str]] = defaultdict(list)
    folded = {symbol.casefold(): symbol for symbol in symbols}
    for some in chunks(sorted(folded.values())):
        for label, stable_id in connection.execute(query.where(label_column.in_(some))):
            holders[label.casefold()].append(stable_id)
    return dict(holders)


def species_regions(species_id: int) -> ScalarSelect[Any]:
    """Return a subquery of the sequence regions of a species."""
    regions, systems = schema.seq_region, schema.coord_system
    return (
        select(regions.c.seq_region_id)
        .join(systems, systems.c.coord_system_id == regions.c.coord_system_id)
        .where(systems.c.species_id == species_id)
        .scalar_subquery()
    )
