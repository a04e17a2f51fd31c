"""Looks up external databases and the cross-references that are stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from gst_core.ensembl import schema
from gst_core.ensembl.collation import accession_keys
from gst_core.ensembl.genes import chunks

#: the rest of the unique key of ``xref``, as the Ensembl API writes it for a
#: cross-reference that says nothing about them
VERSION, INFO_TYPE, INFO_TEXT = "0", "NONE", ""


@dataclass(frozen=True, slots=True)
class StoredXref:
    """A row of ``xref``."""

    xref_id: int
    display_label: str


def external_db_ids(connection: Connection) -> dict[str, int]:
    """Return ``db_name`` to ``external_db_id``, without regard to the release."""
    table = schema.external_db
    query = select(table.c.db_name, table.c.external_db_id).order_by(
        table.c.db_release.is_not(None), table.c.external_db_id
    )
    ids: dict[str, int] = {}
    for db_name, identifier in connection.execute(query):
        ids.setdefault(db_name, identifier)
    return ids


def find_xrefs(
    connection: Connection, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], StoredXref]:
    """Return the stored cross-references by ``external_db_id`` and accession.

    The schema's unique key is the accession with the database, info type, info
    text and version; a version of ``NULL`` stands beside it for the same thing.
    """
    accessions: dict[int, set[str]] = defaultdict(set)
    for external_db_id, accession in keys:
        accessions[external_db_id].add(accession)
    table = schema.xref
    query = (
        select(
            table.c.external_db_id, table.c.dbprimary_acc, table.c.xref_id, table.c.display_label
        )
        .where(table.c.info_type == INFO_TYPE, table.c.info_text == INFO_TEXT)
        .where(or_(table.c.version == VERSION, table.c.version.is_(None)))
        .order_by(table.c.version.is_(None), table.c.xref_id)
    )
    found: dict[tuple[int, str], StoredXref] = {}
    for external_db_id, wanted in accessions.items():
        rows = [
            row
            for some in chunks(sorted(wanted))
            for row in connection.execute(
                query.where(
                    table.c.external_db_id == external_db_id, table.c.dbprimary_acc.in_(some)
                )
            )
        ]
        # What the key takes for equal is there already, however it is written.
        folded = accession_keys(connection, wanted | {row.dbprimary_acc for row in rows})
        asked: dict[str, list[str]] = defaultdict(list)
        for accession in sorted(wanted):
            asked[folded[accession]].append(accession)
        for row in rows:
            for name in asked[folded[row.dbprimary_acc]]:
                found.setdefault((external_db_id, name), StoredXref(row.xref_id, row.display_label))
    return found
