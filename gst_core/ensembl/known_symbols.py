"""The symbols that the genes of a core database have, to compare assignments with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, select

from gst_core.ensembl import schema
from gst_core.ensembl.genes import species_regions
from gst_core.ensembl.load import LOGIC_NAME


@dataclass(frozen=True, slots=True)
class KnownSymbols:
    """What the protein-coding genes of a species are called.

    Attributes
    ----------
    symbols
        Stable id, without version, to symbol: of each gene with a symbol, its canonical
        transcript and that one's translation.
    genes
        Number of those genes.
    assigned
        Number of further genes, whose symbols were assigned as ours are and prove nothing.
    """

    symbols: dict[str, str]
    genes: int
    assigned: int


def read_known_symbols(connection: Connection, species_id: int) -> KnownSymbols:
    """Read the displayed names of current protein-coding genes, as the original asked for them.

    Genes whose displayed cross-reference comes from the analysis that ``gst db load``, and
    Ensembl's own loads of such symbols, stand under are counted and left out: a program is
    not compared with itself.

    Parameters
    ----------
    connection
        The database.
    species_id
        Its species.
    """
    genes, transcripts, translations = schema.gene, schema.transcript, schema.translation
    xrefs, attached, analyses = schema.xref, schema.object_xref, schema.analysis
    assigned = exists(
        select(attached.c.object_xref_id)
        .join(analyses, analyses.c.analysis_id == attached.c.analysis_id)
        .where(
            attached.c.ensembl_id == genes.c.gene_id,
            attached.c.ensembl_object_type == "Gene",
            attached.c.xref_id == genes.c.display_xref_id,
            analyses.c.logic_name == LOGIC_NAME,
        )
    )
    canonical = and_(
        transcripts.c.transcript_id == genes.c.canonical_transcript_id,
        transcripts.c.gene_id == genes.c.gene_id,
    )
    query = (
        select(
            xrefs.c.display_label,
            genes.c.stable_id,
            transcripts.c.stable_id,
            translations.c.stable_id,
            assigned.label("assigned"),
        )
        .select_from(genes)
        .join(xrefs, xrefs.c.xref_id == genes.c.display_xref_id)
        .outerjoin(transcripts, canonical)
        .outerjoin(
            translations, translations.c.translation_id == transcripts.c.canonical_translation_id
        )
        .where(genes.c.biotype == "protein_coding", genes.c.is_current == 1)
        .where(genes.c.seq_region_id.in_(species_regions(species_id)))
        .order_by(genes.c.gene_id)
    )
    symbols: dict[str, str] = {}
    named = left_out = 0
    for symbol, *stable_ids, by_program in connection.execute(query):
        if not symbol:
            continue
        if by_program:
            left_out += 1
            continue
        named += 1
        for stable_id in stable_ids:
            if stable_id:
                symbols.setdefault(stable_id, symbol)
    return KnownSymbols(symbols, named, left_out)
