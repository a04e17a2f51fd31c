"""Takes loaded symbols back out of a core database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from gst_core.ensembl import schema
from gst_core.ensembl.genes import chunks, species_regions
from gst_core.ensembl.load import LOGIC_NAME, PROGRAM
from gst_core.ensembl.undo import Undo

_OUR_DESCRIPTION = re.compile(r"\[Ensembl NN prediction with score [0-9.]+%\]$")
#: every column that refers to ``xref``
_REFERENCES = (
    ("object_xref", "xref_id"),
    ("gene", "display_xref_id"),
    ("transcript", "display_xref_id"),
    ("external_synonym", "xref_id"),
    ("dependent_xref", "master_xref_id"),
    ("dependent_xref", "dependent_xref_id"),
    ("ontology_xref", "source_xref_id"),
    ("associated_xref", "xref_id"),
    ("associated_xref", "source_xref_id"),
)


@dataclass(frozen=True, slots=True)
class Unloaded:
    """What was taken out."""

    genes: int
    xrefs: int


def unload_symbols(connection: Connection, species_id: int) -> Unloaded:
    """Undo every load into a species; the caller commits.

    A gene that has been given another symbol or description since keeps it, and
    a cross-reference stays that something else refers to by now.

    Parameters
    ----------
    connection
        Connection within a transaction.
    species_id
        Species whose genes are meant.
    """
    analyses, links, genes = schema.analysis, schema.object_xref, schema.gene
    analysis = connection.execute(
        select(analyses.c.analysis_id, analyses.c.program).where(
            analyses.c.logic_name == LOGIC_NAME
        )
    ).first()
    if analysis is None:
        return Unloaded(0, 0)
    ours = (
        select(
            links.c.object_xref_id,
            links.c.xref_id,
            links.c.linkage_annotation,
            genes.c.gene_id,
            genes.c.display_xref_id,
            genes.c.description,
        )
        .where(links.c.analysis_id == analysis.analysis_id)
        .where(links.c.ensembl_object_type == "Gene")
    )
    of_gene = genes.c.gene_id == links.c.ensembl_id
    present = connection.execute(
        ours.join_from(links, genes, of_gene)
        .where(genes.c.seq_region_id.in_(species_regions(species_id)))
        .with_for_update()
    ).all()
    # A gene that has been deleted since belongs to no species.
    gone = connection.execute(
        ours.join_from(links, genes, of_gene, isouter=True)
        .where(genes.c.gene_id.is_(None))
        .with_for_update(of=links)
    ).all()
    rows = [*present, *gone]
    undos = {row.object_xref_id: Undo.from_annotation(row.linkage_annotation) for row in rows}
    _restore_genes(connection, present, undos)
    for some in chunks(sorted(undos)):
        connection.execute(delete(links).where(links.c.object_xref_id.in_(some)))
    kept = {row.xref_id for row in rows if undos[row.object_xref_id].reused_xref}
    xrefs = _delete_unreferenced(connection, {row.xref_id for row in rows} - kept)
    remaining = connection.scalar(
        select(func.count()).where(links.c.analysis_id == analysis.analysis_id)
    )
    if not remaining and analysis.program == PROGRAM:
        connection.execute(delete(analyses).where(analyses.c.analysis_id == analysis.analysis_id))
    return Unloaded(len({row.gene_id for row in present}), xrefs)


def _restore_genes(connection: Connection, rows: Sequence[Any], undos: dict[int, Undo]) -> None:
    """Give genes their former values back; nearly all have had ``NULL`` in both columns."""
    former: dict[tuple[int | None, str | None], list[int]] = defaultdict(list)
    for row in rows:
        undo = undos[row.object_xref_id]
        shows_ours = row.display_xref_id == row.xref_id
        display = undo.display_xref_id if shows_ours else row.display_xref_id
        described_by_us = _OUR_DESCRIPTION.search(row.description or "") is not None
        description = undo.description if described_by_us else row.description
        former[display, description].append(row.gene_id)
    table = schema.gene
    for (display, description), gene_ids in former.items():
        for some in chunks(gene_ids):
            connection.execute(
                update(table)
                .where(table.c.gene_id.in_(some))
                .values(display_xref_id=display, description=description)
            )


def _delete_unreferenced(connection: Connection, xref_ids: Iterable[int]) -> int:
    table = schema.xref
    deleted = 0
    for some in chunks(sorted(xref_ids)):
        unused = set(some)
        for name, column in _REFERENCES:
            referring = schema.TABLES[name].c[column]
            query = select(referring).where(referring.in_(some)).distinct()
            unused.difference_update(connection.scalars(query))
        connection.execute(delete(table).where(table.c.xref_id.in_(sorted(unused))))
        deleted += len(unused)
    return deleted
