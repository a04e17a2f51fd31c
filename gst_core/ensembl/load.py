"""Writes planned symbols to a core database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, case, func, insert, or_, select, update

from gst_core.ensembl import schema
from gst_core.ensembl.checks import DATACHECKS
from gst_core.ensembl.datacheck import critical_failures
from gst_core.ensembl.genes import chunks
from gst_core.ensembl.plan import Plan, PlannedRow
from gst_core.ensembl.xrefs import INFO_TEXT, INFO_TYPE, VERSION, find_xrefs
from gst_core.errors import GstError

#: ``analysis.logic_name`` that Ensembl's browsers and pipelines know these symbols by
LOGIC_NAME = "gene_symbol_classifier"
PROGRAM = "gst"
#: genes an update; the statement names each of them
_GENES = 500


def load_symbols(
    connection: Connection, plan: Plan, *, species_id: int, program_version: str
) -> None:
    """Write what a plan says, and see that no datacheck fails that passed before.

    The caller commits; on any error it must roll back.

    Parameters
    ----------
    connection
        Connection within a transaction, which the plan was made in.
    plan
        What to load.
    species_id
        Species whose genes it is for.
    program_version
        Version for the ``analysis``, if it is made now.

    Raises
    ------
    GstError
        If a critical datacheck finds something that was not there before.
    """
    rows = plan.to_load
    if not rows:
        return
    before = critical_failures(connection, DATACHECKS, species_id)
    analysis_id = _analysis(connection, program_version)
    xref_ids = _write_xrefs(connection, rows)
    _write_object_xrefs(connection, rows, xref_ids, analysis_id)
    _write_genes(connection, rows, xref_ids)
    new = critical_failures(connection, DATACHECKS, species_id) - before
    if new:
        name, description, *row = min(new, key=str)
        more = f"; and {len(new) - 1} more" if len(new) > 1 else ""
        raise GstError(
            f"the datacheck {name} would fail: {description}, "
            f"but here is {', '.join(map(str, row))}{more}",
            hint="nothing was changed; mend the table of symbols, or the database",
        )


def _analysis(connection: Connection, program_version: str) -> int:
    table = schema.analysis
    query = select(table.c.analysis_id).where(table.c.logic_name == LOGIC_NAME)
    found = connection.scalar(query)
    if found is None:
        connection.execute(
            insert(table).values(
                logic_name=LOGIC_NAME,
                created=func.now(),
                program=PROGRAM,
                program_version=program_version,
            )
        )
        found = connection.scalar(query)
    assert found is not None
    return int(found)


def _key(row: PlannedRow) -> tuple[int, str]:
    assert row.external_db_id is not None
    assert row.accession is not None
    return row.external_db_id, row.accession.accession


def _write_xrefs(connection: Connection, rows: list[PlannedRow]) -> dict[tuple[int, str], int]:
    """Insert the cross-references that are lacking; return all their numbers."""
    new: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        if row.xref is None:
            external_db_id, accession = _key(row)
            new.setdefault(
                (external_db_id, accession),
                {
                    "external_db_id": external_db_id,
                    "dbprimary_acc": accession,
                    "display_label": row.assigned.symbol,
                    "version": VERSION,
                    "description": row.assigned.description or None,
                    "info_type": INFO_TYPE,
                    "info_text": INFO_TEXT,
                },
            )
    for some in chunks(new.values()):
        connection.execute(insert(schema.xref), some)
    ids = {key: xref.xref_id for key, xref in find_xrefs(connection, new).items()}
    return ids | {_key(row): row.xref.xref_id for row in rows if row.xref is not None}


def _write_object_xrefs(
    connection: Connection,
    rows: list[PlannedRow],
    xref_ids: dict[tuple[int, str], int],
    analysis_id: int,
) -> None:
    table = schema.object_xref
    new = [
        {
            "ensembl_id": row.gene.gene_id,
            "ensembl_object_type": "Gene",
            "xref_id": xref_ids[_key(row)],
            "linkage_annotation": row.undo.to_annotation(),
            "analysis_id": analysis_id,
        }
        for row in rows
        if row.gene is not None
    ]
    for some in chunks(new):
        connection.execute(insert(table), some)


def _write_genes(
    connection: Connection, rows: list[PlannedRow], xref_ids: dict[tuple[int, str], int]
) -> None:
    """Set symbol and description, many genes a statement."""
    table = schema.gene
    unnamed = or_(table.c.display_xref_id.is_(None), table.c.display_xref_id == 0)
    for some in chunks(rows, _GENES):
        xrefs = {row.gene.gene_id: xref_ids[_key(row)] for row in some if row.gene}
        descriptions = {row.gene.gene_id: row.description for row in some if row.gene}
        result = connection.execute(
            update(table)
            .where(table.c.gene_id.in_(xrefs), unnamed)
            .values(
                display_xref_id=case(xrefs, value=table.c.gene_id),
                description=case(descriptions, value=table.c.gene_id),
            )
        )
        if result.rowcount != len(xrefs):
            raise GstError(
                f"{len(xrefs) - result.rowcount} genes were given symbols by another program",
                hint="nothing was changed; run it again",
            )
