"""Tables of an Ensembl core database, from the models of ensembl-py.

The models are used as SQLAlchemy Core tables: whole genomes are read and
written in sets, where loading objects one by one would only cost time.
"""

from __future__ import annotations

from ensembl.core.models import metadata as _models
from sqlalchemy import (
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

TABLES = _models.tables

analysis: Table = TABLES["analysis"]
assembly: Table = TABLES["assembly"]
assembly_exception: Table = TABLES["assembly_exception"]
attrib_type: Table = TABLES["attrib_type"]
coord_system: Table = TABLES["coord_system"]
dna: Table = TABLES["dna"]
exon: Table = TABLES["exon"]
exon_transcript: Table = TABLES["exon_transcript"]
external_db: Table = TABLES["external_db"]
gene: Table = TABLES["gene"]
meta: Table = TABLES["meta"]
object_xref: Table = TABLES["object_xref"]
seq_region: Table = TABLES["seq_region"]
seq_region_attrib: Table = TABLES["seq_region_attrib"]
transcript: Table = TABLES["transcript"]
transcript_attrib: Table = TABLES["transcript_attrib"]
translation: Table = TABLES["translation"]
translation_attrib: Table = TABLES["translation_attrib"]
xref: Table = TABLES["xref"]

#: what `gst db load` and `gst db unload` write to; these must know transactions
WRITTEN = ("analysis", "gene", "object_xref", "xref")


#: columns of the schema that ensembl-py 3.1 does not have
_LACKING = {
    "transcript_intron_supporting_evidence": (
        "intron_supporting_evidence_id",
        "previous_exon_id",
        "next_exon_id",
    )
}


def creatable_tables() -> MetaData:
    """Build the tables for ``CREATE TABLE`` from the models' columns and indexes.

    The models themselves would refuse real data. They declare foreign keys,
    which Ensembl does not (its ForeignKeys datacheck looks after them) and which
    real databases violate; primary keys of several columns where the schema has
    an index that lets NULLs in; and some unique indexes that are not unique in
    the schema. So foreign keys are left out, and uniqueness is kept for the
    tables that are written to.
    """
    copy = MetaData()
    for name, model in TABLES.items():
        numbered = len(model.primary_key.columns) == 1
        columns = [
            Column(
                c.name,
                _key_type(name) if c.primary_key and numbered else c.type,
                primary_key=c.primary_key and numbered,
                nullable=c.nullable or (c.primary_key and not numbered),
                server_default=c.server_default,
            )
            for c in model.columns
        ]
        columns += [Column(c, Integer) for c in _LACKING.get(name, ()) if c not in model.columns]
        table = Table(name, copy, *columns, mysql_engine="InnoDB", mysql_charset="latin1")
        for index in model.indexes:
            Index(
                index.name,
                *(table.c[c.name] for c in index.columns),
                unique=index.unique and name in WRITTEN,
                mysql_length=index.dialect_options["mysql"]["length"],
            )
        for constraint in model.constraints:
            if isinstance(constraint, UniqueConstraint) and name in WRITTEN:
                table.append_constraint(UniqueConstraint(*(table.c[c.name] for c in constraint)))
    return copy


def _key_type(name: str) -> TypeEngine[int]:
    # SQLite numbers rows by itself only in a column declared INTEGER and nothing else.
    width: type[Integer] = SmallInteger if name == "analysis" else Integer
    return width().with_variant(Integer(), "sqlite")


def create_schema(engine: Engine) -> None:
    """Create every table of the core schema in an empty database."""
    creatable_tables().create_all(engine)
