"""The protein of every protein-coding gene of a core database."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from gst_core.annotation.translate import CodingRegion, SeqEdit, coding_sequence, translate
from gst_core.ensembl import schema
from gst_core.ensembl.assembly import Span
from gst_core.ensembl.dna import DnaReader
from gst_core.errors import GstError

#: genes worked on at a time; what memory holds
BATCH = 500
#: the standard code, where a region names none
STANDARD_CODE = 1

_PROTEIN_EDITS = ("initial_met", "_selenocysteine", "amino_acid_sub", "_stop_codon_rt")
_RNA_ATTRIBUTES = ("_rna_edit", "_transl_start", "_transl_end")


@dataclass(frozen=True, slots=True)
class DumpedProtein:
    """A gene's protein; the three identifiers carry their versions."""

    gene: str
    transcript: str
    translation: str
    sequence: str

    def to_fasta(self) -> str:
        """Return the FASTA record, with the header that production's dumps have."""
        return (
            f">{self.gene} transcript:{self.transcript} translation:{self.translation}\n"
            f"{self.sequence}\n"
        )


@dataclass(frozen=True, slots=True)
class _Exon:
    exon_id: int
    span: Span
    phase: int

    def __len__(self) -> int:
        return len(self.span)


def count_genes(connection: Connection, species_id: int) -> int:
    """Count the current protein-coding genes of a species."""
    return connection.scalar(_genes(select(func.count()), species_id)) or 0


def dump_proteins(
    stream: Connection, lookup: Connection, species_id: int
) -> Iterator[DumpedProtein]:
    """Yield the protein of each protein-coding gene, by place on the genome.

    It is the translation of the canonical transcript or, where that has none,
    of the gene's first transcript that has one. Genes without any are left out.

    Parameters
    ----------
    stream
        Connection that the genes are read from, in one pass.
    lookup
        Second connection, for all that belongs to them: a server sends one
        result at a time to a connection.
    species_id
        Species to dump.

    Yields
    ------
    protein
        A protein; its sequence is empty where the coding sequence has not one
        whole codon.
    """
    reader = DnaReader(lookup)
    attributes = _Attributes(lookup)
    rows = stream.execution_options(stream_results=True, yield_per=BATCH).execute(
        _translations(species_id)
    )
    for batch in rows.partitions(BATCH):
        yield from _translate_batch(lookup, reader, attributes, batch)


def _genes(query: Select[Any], species_id: int) -> Select[Any]:
    genes, regions, systems = schema.gene, schema.seq_region, schema.coord_system
    return (
        query.select_from(genes)
        .join(regions, regions.c.seq_region_id == genes.c.seq_region_id)
        .join(systems, systems.c.coord_system_id == regions.c.coord_system_id)
        .where(systems.c.species_id == species_id)
        .where(genes.c.biotype == "protein_coding", genes.c.is_current == 1)
    )


def _translations(species_id: int) -> Select[Any]:
    genes, transcripts, translations = schema.gene, schema.transcript, schema.translation
    other = transcripts.alias()
    canonical = (
        select(other.c.transcript_id)
        .join(translations, translations.c.translation_id == other.c.canonical_translation_id)
        .where(other.c.transcript_id == genes.c.canonical_transcript_id)
        .correlate(genes)
        .scalar_subquery()
    )
    first = (
        select(func.min(other.c.transcript_id))
        .join(translations, translations.c.translation_id == other.c.canonical_translation_id)
        .where(other.c.gene_id == genes.c.gene_id, other.c.is_current == 1)
        .correlate(genes)
        .scalar_subquery()
    )
    query = select(
        genes.c.stable_id.label("gene"),
        genes.c.version.label("gene_version"),
        transcripts.c.transcript_id,
        transcripts.c.stable_id.label("transcript"),
        transcripts.c.version.label("transcript_version"),
        transcripts.c.seq_region_id,
        translations.c.translation_id,
        translations.c.stable_id.label("translation"),
        translations.c.version.label("translation_version"),
        translations.c.seq_start,
        translations.c.start_exon_id,
        translations.c.seq_end,
        translations.c.end_exon_id,
    )
    return (
        _genes(query, species_id)
        .join(transcripts, transcripts.c.gene_id == genes.c.gene_id)
        .where(transcripts.c.transcript_id == func.coalesce(canonical, first))
        .join(translations, translations.c.translation_id == transcripts.c.canonical_translation_id)
        .order_by(genes.c.seq_region_id, genes.c.seq_region_start, genes.c.gene_id)
    )


def _translate_batch(
    lookup: Connection, reader: DnaReader, attributes: _Attributes, rows: Sequence[Any]
) -> Iterator[DumpedProtein]:
    exons = _exons(lookup, [row.transcript_id for row in rows])
    sequences = iter(reader.read([e.span for row in rows for e in exons[row.transcript_id]]))
    regions = attributes.read(
        schema.seq_region_attrib, {row.seq_region_id for row in rows}, ("codon_table",)
    )
    transcripts = attributes.read(
        schema.transcript_attrib, {row.transcript_id for row in rows}, _RNA_ATTRIBUTES
    )
    proteins = attributes.read(
        schema.translation_attrib, {row.translation_id for row in rows}, _PROTEIN_EDITS
    )
    for row in rows:
        spliced = "".join(itertools.islice(sequences, len(exons[row.transcript_id])))
        where = f"transcript {row.transcript}"
        rna = transcripts[row.transcript_id]
        coding = coding_sequence(
            spliced,
            _coding_region(row, exons[row.transcript_id], rna, where),
            [SeqEdit.parse(value, where) for value in rna["_rna_edit"]],
        )
        code = regions[row.seq_region_id]["codon_table"]
        edits = proteins[row.translation_id]
        yield DumpedProtein(
            gene=_versioned(row.gene, row.gene_version),
            transcript=_versioned(row.transcript, row.transcript_version),
            translation=_versioned(row.translation, row.translation_version),
            sequence=translate(
                coding,
                _number(code[0], f"seq_region_id {row.seq_region_id}") if code else STANDARD_CODE,
                [SeqEdit.parse(v, where) for name in _PROTEIN_EDITS for v in edits[name]],
            ),
        )


def _coding_region(
    row: Any, exons: list[_Exon], rna: dict[str, list[str]], where: str
) -> CodingRegion:
    offsets: dict[int, int] = {}
    position = 0
    for exon in exons:
        offsets.setdefault(exon.exon_id, position)
        position += len(exon)
    if row.start_exon_id not in offsets or row.end_exon_id not in offsets:
        raise GstError(
            "its translation starts or ends in an exon that is not one of its own",
            where=where,
            hint="mend the tables translation and exon_transcript",
        )
    return CodingRegion(
        start=offsets[row.start_exon_id] + row.seq_start,
        end=offsets[row.end_exon_id] + row.seq_end,
        start_phase=next(exon.phase for exon in exons if exon.exon_id == row.start_exon_id),
        edited_start=_number(rna["_transl_start"][0], where) if rna["_transl_start"] else None,
        edited_end=_number(rna["_transl_end"][0], where) if rna["_transl_end"] else None,
    )


def _exons(lookup: Connection, transcript_ids: list[int]) -> dict[int, list[_Exon]]:
    exons, ranks = schema.exon, schema.exon_transcript
    query = (
        select(
            ranks.c.transcript_id,
            exons.c.exon_id,
            exons.c.seq_region_id,
            exons.c.seq_region_start,
            exons.c.seq_region_end,
            exons.c.seq_region_strand,
            exons.c.phase,
        )
        .join(exons, exons.c.exon_id == ranks.c.exon_id)
        .where(ranks.c.transcript_id.in_(transcript_ids))
        .order_by(ranks.c.transcript_id, ranks.c.rank)
    )
    found: dict[int, list[_Exon]] = defaultdict(list)
    for transcript_id, exon_id, region, start, end, strand, phase in lookup.execute(query):
        found[transcript_id].append(_Exon(exon_id, Span(region, start, end, strand), phase))
    return found


class _Attributes:
    """Values of attributes, by the code that ``attrib_type`` gives them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        types = schema.attrib_type
        rows = connection.execute(select(types.c.attrib_type_id, types.c.code))
        self._codes: dict[int, str] = {row.attrib_type_id: row.code for row in rows}

    def read(
        self, table: Table, owners: Iterable[int], codes: Iterable[str]
    ) -> dict[int, dict[str, list[str]]]:
        """Return owner to code to values; nothing is missing, much is empty."""
        wanted = set(codes)
        types = [identifier for identifier, code in self._codes.items() if code in wanted]
        values: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        if not types:
            return values
        owner = table.c[table.name.replace("_attrib", "_id")]
        query = select(owner, table.c.attrib_type_id, table.c.value).where(
            owner.in_(owners), table.c.attrib_type_id.in_(types)
        )
        for identifier, attrib_type_id, value in self._connection.execute(query):
            values[identifier][self._codes[attrib_type_id]].append(value)
        return values


def _number(value: str, where: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise GstError(f"the attribute's value '{value}' is not a number", where=where) from None


def _versioned(stable_id: str | None, version: int | None) -> str:
    return f"{stable_id}.{version}" if version is not None else str(stable_id)
