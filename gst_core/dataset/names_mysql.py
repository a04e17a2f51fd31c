"""Names of genes, and their canonical translations, from a core database."""

from __future__ import annotations

import random
import time
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select
from sqlalchemy.exc import DBAPIError, OperationalError

from gst_core.dataset.genomes import Genome
from gst_core.dataset.http import UnreachableError
from gst_core.dataset.names import GeneName, GeneNames, named
from gst_core.ensembl import schema
from gst_core.ensembl.connect import Address, open_database, parse_address
from gst_core.ensembl.failures import database_failures
from gst_core.ensembl.genes import species_regions
from gst_core.ensembl.load import LOGIC_NAME
from gst_core.errors import GstError

#: MySQL's numbers of errors that may be over soon: too many connections, a server that is not
#: reached, has gone away, or was lost within a query.
_PASSING: Final = frozenset((1040, 1203, 2002, 2003, 2006, 2013))
_UNREACHABLE: Final = frozenset((2002, 2003))
_ATTEMPTS: Final = 6
_LONGEST_PAUSE: Final = 60.0
#: Marks a sequence that stands beside the primary assembly: a haplotype or a patch.
_NON_REFERENCE: Final = "non_ref"


def database_of(mysql: str, genome: Genome) -> Address:
    """Give the address of a genome's core database.

    Parameters
    ----------
    mysql
        The server, ``mysql://anonymous@host:3306``; with ``{database}`` where the name belongs
        if it does not belong at the end.
    genome
        The genome.

    Raises
    ------
    GstError
        If it is no address, or holds a password.
    """
    whole = mysql if "{database}" in mysql else f"{mysql.rstrip('/')}/{{database}}"
    try:
        return parse_address(whole.replace("{database}", genome.core_db))
    except GstError as error:
        raise GstError(error.what, where="--mysql", hint=error.hint) from None


def read_mysql(mysql: str, genome: Genome, *, pause: float = 1.0) -> GeneNames:
    """Read the genes of a genome from its core database.

    Parameters
    ----------
    mysql
        As for :func:`database_of`.
    genome
        The genome.
    pause
        Seconds, at most, before the first further attempt where a server falters; doubled each
        time.

    Raises
    ------
    GstError
        If the database cannot be read, or has no protein-coding gene.
    UnreachableError
        If its server cannot be reached.
    """
    address = database_of(mysql, genome)
    for attempt in range(_ATTEMPTS):
        try:
            with (
                database_failures(address),
                open_database(address).connect() as connection,
            ):
                names = _names(connection, genome.species_id)
            break
        except GstError as error:
            number = _number(error.__cause__)
            if attempt + 1 == _ATTEMPTS and number in _UNREACHABLE:
                raise UnreachableError(
                    error.what,
                    where=str(address),
                    hint=f"{error.hint}; --names gff3 does without databases",
                ) from error
            if attempt + 1 == _ATTEMPTS or number not in _PASSING:
                raise
            longest = min(_LONGEST_PAUSE, pause * 2**attempt)
            time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter
    if not names.genes:
        raise GstError(
            "has no protein-coding gene of the species",
            where=str(address),
            hint="check --mysql and the release",
        )
    return names


def _number(error: BaseException | None) -> int | None:
    """Give MySQL's number of an error."""
    if not isinstance(error, DBAPIError | OperationalError) or error.orig is None:
        return None
    number = error.orig.args[0] if error.orig.args else None
    return number if isinstance(number, int) else None


def _names(connection: Connection, species_id: int) -> GeneNames:
    names = GeneNames()
    for row in connection.execute(_genes(species_id)):
        if row.canonical:
            names.canonical.add(row.canonical)
        described = named(row.label or "", row.description or "")
        names.genes[row.gene] = GeneName(
            described.label,
            described.description or row.xref_description or "",
            row.source or described.source,
            row.accession or described.accession,
            bool(row.assigned) or described.assigned,
        )
    return names


def _genes(species_id: int) -> Select[tuple[object, ...]]:
    """Ask for the protein-coding genes of a species on the primary assembly."""
    genes, transcripts, translations = schema.gene, schema.transcript, schema.translation
    xrefs, databases = schema.xref, schema.external_db
    attached, analyses = schema.object_xref, schema.analysis
    assigned: ColumnElement[bool] = exists(
        select(attached.c.object_xref_id)
        .join(analyses, analyses.c.analysis_id == attached.c.analysis_id)
        .where(
            attached.c.ensembl_id == genes.c.gene_id,
            attached.c.ensembl_object_type == "Gene",
            attached.c.xref_id == genes.c.display_xref_id,
            analyses.c.logic_name == LOGIC_NAME,
        )
    )
    attributes, types = schema.seq_region_attrib, schema.attrib_type
    beside = exists(
        select(attributes.c.seq_region_id)
        .join(types, types.c.attrib_type_id == attributes.c.attrib_type_id)
        .where(
            attributes.c.seq_region_id == genes.c.seq_region_id,
            types.c.code == _NON_REFERENCE,
            or_(attributes.c.value == "1", attributes.c.value == ""),
        )
    )
    canonical = and_(
        transcripts.c.transcript_id == genes.c.canonical_transcript_id,
        transcripts.c.gene_id == genes.c.gene_id,
    )
    return (
        select(
            genes.c.stable_id.label("gene"),
            genes.c.description,
            translations.c.stable_id.label("canonical"),
            xrefs.c.display_label.label("label"),
            xrefs.c.dbprimary_acc.label("accession"),
            xrefs.c.description.label("xref_description"),
            databases.c.db_display_name.label("source"),
            assigned.label("assigned"),
        )
        .select_from(genes)
        .outerjoin(xrefs, xrefs.c.xref_id == genes.c.display_xref_id)
        .outerjoin(databases, databases.c.external_db_id == xrefs.c.external_db_id)
        .outerjoin(transcripts, canonical)
        .outerjoin(
            translations, translations.c.translation_id == transcripts.c.canonical_translation_id
        )
        .where(genes.c.biotype == "protein_coding", genes.c.is_current == 1)
        .where(genes.c.seq_region_id.in_(species_regions(species_id)), ~beside)
        .order_by(genes.c.gene_id)
    )
