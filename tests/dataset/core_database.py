"""Core databases of made genomes: SQLite files with Ensembl's schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, insert

from gst_core.ensembl import schema
from gst_core.ensembl.load import LOGIC_NAME
from tests.dataset.made import sample
from tests.dataset.release_tree import RELEASE, SPECIES, Gene, genes_of

VGNC = 1100
TABLES = schema.creatable_tables()
NEEDED = (
    *("analysis", "attrib_type", "coord_system", "external_db", "gene", "object_xref"),
    *("seq_region", "seq_region_attrib", "transcript", "translation", "xref"),
)


def make_databases(folder: Path) -> str:
    """Make the databases of the release of ``release_tree``; return the option ``--mysql``."""
    folder.mkdir()
    for name in SPECIES:
        own = name.lower().replace(" ", "_")
        genes = genes_of([p for p in sample() if p.species == name])
        engine = create_engine(f"sqlite:///{folder}/{own}_core_{RELEASE}_1.db")
        TABLES.create_all(engine, [TABLES.tables[name] for name in NEEDED])
        with engine.begin() as connection:
            fill(connection, genes)
        engine.dispose()
    return f"sqlite:///{folder}/{{database}}.db"


def fill(connection: Connection, genes: list[Gene]) -> None:
    """Write what is asked of a core database."""

    def add(table: Table, **values: Any) -> None:
        needed = {
            column.name: 1
            for column in table.columns
            if not column.nullable and column.server_default is None and not column.primary_key
        }
        connection.execute(insert(TABLES.tables[table.name]), needed | values)

    add(schema.coord_system, coord_system_id=1, species_id=1, name="chromosome", version="M1")
    for number, name in enumerate(("1", "patch"), 1):
        add(schema.seq_region, seq_region_id=number, name=name, coord_system_id=1, length=9)
    add(schema.attrib_type, attrib_type_id=16, code="non_ref", name="Non Reference")
    add(schema.seq_region_attrib, seq_region_id=2, attrib_type_id=16, value="1")
    add(
        schema.external_db,
        external_db_id=VGNC,
        db_name="VGNC",
        db_display_name="VGNC Symbol",
        status="KNOWN",
        type="MISC",
    )
    add(schema.analysis, analysis_id=1, logic_name="ensembl")
    add(schema.analysis, analysis_id=2, logic_name=LOGIC_NAME)
    for gene in genes:
        xref = gene.number if gene.symbol else None
        add(
            schema.gene,
            gene_id=gene.number,
            biotype=gene.biotype,
            analysis_id=1,
            seq_region_id=1 if gene.placed else 2,
            display_xref_id=xref,
            description=gene.description or None,
            is_current=1,
            canonical_transcript_id=gene.number * 10,
            stable_id=gene.id,
            version=2,
        )
        if xref is not None:
            add(
                schema.xref,
                xref_id=xref,
                external_db_id=VGNC,
                dbprimary_acc=f"VGNC:{gene.number}",
                display_label=gene.symbol,
                description=f"xref of {gene.symbol}",
            )
            add(
                schema.object_xref,
                object_xref_id=xref,
                ensembl_id=gene.number,
                ensembl_object_type="Gene",
                xref_id=xref,
                analysis_id=2 if gene.symbol == "GUESS1" else 1,
            )
        for rank in range(len(gene.proteins)):
            own = gene.number * 10 + rank
            add(
                schema.transcript,
                transcript_id=own,
                gene_id=gene.number,
                canonical_translation_id=own,
                is_current=1,
                stable_id=gene.transcript(rank),
                version=3,
            )
            add(
                schema.translation,
                translation_id=own,
                transcript_id=own,
                stable_id=gene.protein(rank),
                version=1,
            )
