"""Genes of an annotation with their coding sequences, whatever program wrote it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from Bio.Data import IUPACData

from gst_core.annotation.lines import (
    FASTA,
    Dialect,
    Feature,
    attributes_of,
    dialect_of,
    numbered_lines,
    parse,
    without_mark,
)
from gst_core.errors import GstError

#: Marks of the transcript that stands for its gene, the best first.
_MARKS: Final = ("mane_select", "ensembl_canonical", "refseq_select", "appris_principal_1")
#: ``(pos:complement(5..7),aa:Sec)``; several may follow one another.
_EXCEPTION: Final = re.compile(r"\(\s*pos:(.+?),\s*aa:(\w+)\s*\)")
_RESIDUES: Final = {
    **{k.lower(): v for k, v in IUPACData.protein_letters_3to1_extended.items()},
    "term": "*",
    "other": "X",
}
#: Segments of one product overlap by a base or two where ribosomes slip back; more is another's.
_SLIPPAGE: Final = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a coding sequence; `start`, `end` and `phase` as in :class:`Feature`."""

    region: str
    start: int
    end: int
    strand: str
    phase: int | None
    line: int


@dataclass(slots=True)
class Transcript:
    """What one protein is translated from.

    Attributes
    ----------
    id
        Of the transcript, or of the CDS where there is none.
    segments
        In the order of translation.
    codon_table
        NCBI's number of the genetic code, where the annotation names one.
    exceptions
        First base of a codon on the genome, and the residue that it stands for there.
    mark
        Place among the marks of canonical transcripts; the lower, the better.
    trans_spliced
        Whether its segments, in the order of the file, come from several primary transcripts.
    """

    id: str
    segments: list[Segment] = field(default_factory=list)
    codon_table: int | None = None
    exceptions: list[tuple[int, str]] = field(default_factory=list)
    mark: int = len(_MARKS)
    trans_spliced: bool = False

    @property
    def length(self) -> int:
        """Bases of the coding sequence."""
        return sum(s.end - s.start + 1 for s in self.segments)


@dataclass(slots=True)
class Gene:
    """A gene that has a coding sequence.

    Attributes
    ----------
    id
        What results call it: the attribute ``gene_id`` or ``ID`` of its line.
    lines
        Numbers of the lines that a name is written to: the gene's own; its transcripts' where
        it has none; else its CDS'.
    labels
        Names that it has in the file, whether they say anything or not.
    ids
        Everything that identifies it, which a name may merely repeat.
    description
        That of its line, or nothing.
    transcripts
        In the order of the file; at least one.
    """

    id: str
    lines: tuple[int, ...]
    labels: tuple[str, ...]
    ids: frozenset[str]
    description: str
    transcripts: list[Transcript]

    @property
    def canonical(self) -> Transcript:
        """The transcript marked as the one that stands for the gene, else the longest CDS."""
        return min(self.transcripts, key=lambda t: (t.mark, -t.length))


@dataclass(slots=True, repr=False)
class Annotation:
    """A file's genes, and what was noticed on the way.

    Attributes
    ----------
    path, dialect
        The file, and its kind.
    genes
        Those with a coding sequence, in the order of the file.
    circular
        Lengths of circular regions.
    mitochondrial
        Regions that the annotation calls so.
    has_sequences
        Whether the genome follows the features in the same file.
    names_genes
        Whether the lines of genes have the attribute ``gene``, as NCBI's do.
    left_out
        How many genes were not translated, by why.
    first_left_out
        Where that was for the first time.
    """

    path: Path
    dialect: Dialect
    genes: list[Gene] = field(default_factory=list)
    circular: dict[str, int] = field(default_factory=dict)
    mitochondrial: set[str] = field(default_factory=set)
    has_sequences: bool = False
    names_genes: bool = False
    left_out: Counter[str] = field(default_factory=Counter)
    first_left_out: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show the file and how many genes it has."""
        return f"Annotation({str(self.path)!r}: {self.dialect}, {len(self.genes):,} coding genes)"

    def leave_out(self, why: str, where: str) -> None:
        """Count something that was left out."""
        self.left_out[why] += 1
        self.first_left_out.setdefault(why, where)

    def warnings(self) -> list[str]:
        """One sentence for each kind of irregularity."""
        return [
            f"{why}: {number:,}, first {self.first_left_out[why]}"
            for why, number in self.left_out.items()
        ]


def read_annotation(path: Path) -> Annotation:
    """Read the genes of a GFF3 or GTF file; plain, gzip, bgzip or zstd.

    Features may stand in any order. Transcripts without a gene are genes of their own, and so
    are CDS without a transcript. What a gene is, is told by what belongs to what and not by
    names of types, of which each program has its own.

    Raises
    ------
    GstError
        If the file cannot be read, or only once, a line is broken, or nothing in it has a coding
        sequence.
    """
    from gst_core.annotation.gff3 import genes_of_gff3
    from gst_core.annotation.gtf import genes_of_gtf

    if path.is_fifo():
        raise GstError(
            "is a pipe, and an annotation is read more than once",
            where=str(path),
            hint="write it to a file; it may be compressed",
        )
    annotation = Annotation(path, dialect_of(path))
    genes_of = genes_of_gff3 if annotation.dialect == "gff3" else genes_of_gtf
    annotation.genes = sorted(
        (
            gene
            for gene in genes_of(annotation, _features(annotation))
            if _in_order(annotation, gene)
        ),
        key=lambda gene: gene.lines[0],
    )
    if not annotation.genes:
        raise GstError(
            "no gene in it has a coding sequence (CDS)",
            where=str(path),
            hint="predict coding sequences first, for instance with TransDecoder",
        )
    return annotation


def _features(annotation: Annotation) -> Iterator[tuple[Feature, dict[str, list[str]]]]:
    """Read features that may matter, with their attributes."""
    name = str(annotation.path)
    for number, raw in numbered_lines(annotation.path):
        line = without_mark(number, raw)
        if line.startswith((FASTA, b">")):
            annotation.has_sequences = True
            return
        if line.startswith(b"#") or not line.strip():
            continue
        kind = line.split(b"\t", 3)[2:3]
        if kind and kind[0] in _PASSED_OVER and line.count(b"\t") == 8:
            continue
        feature = parse(line, number, name)
        yield feature, attributes_of(feature.attributes, annotation.dialect)


_PASSED_OVER: Final = {
    *(b"exon", b"intron", b"start_codon", b"stop_codon", b"match", b"match_part", b"UTR"),
    *(b"five_prime_UTR", b"three_prime_UTR", b"5UTR", b"3UTR", b"five_prime_utr"),
    *(b"three_prime_utr", b"biological_region", b"cDNA_match", b"protein_match", b"inter"),
    *(b"initial", b"internal", b"terminal", b"single", b"tss", b"tts", b"transcription_end_site"),
}


def add_cds(
    transcript: Transcript, feature: Feature, attributes: dict[str, list[str]], name: str
) -> None:
    """Add a line of a coding sequence to its transcript.

    Raises
    ------
    GstError
        If it has no strand, or names a genetic code that is not a number.
    """
    where = f"{name}, line {feature.line:,}"
    if feature.strand not in {"+", "-"}:
        raise GstError("a CDS without a strand", where=where, hint="write + or - in column 7")
    transcript.segments.append(
        Segment(
            *(feature.region, feature.start, feature.end, feature.strand),
            *(feature.phase, feature.line),
        )
    )
    table = (attributes.get("transl_table") or [""])[0]
    if table:
        if not (table.isascii() and table.isdigit()):
            raise GstError(f"transl_table '{table}' is not a number", where=where)
        transcript.codon_table = int(table)
    if any("trans-splicing" in value for value in attributes.get("exception", [])):
        transcript.trans_spliced = True
    for text, residue in _EXCEPTION.findall(",".join(attributes.get("transl_except", []))):
        bases = [int(number) for number in re.findall(r"\d+", text)]
        if bases:
            first = min(bases) if feature.strand == "+" else max(bases)
            exception = (first, _RESIDUES.get(residue.lower(), "X"))
            if exception not in transcript.exceptions:
                transcript.exceptions.append(exception)


def mark_of(attributes: dict[str, list[str]]) -> int:
    """Tell the rank of a transcript's best mark."""
    marks = [tag.strip().lower().replace(" ", "_") for tag in attributes.get("tag", [])]
    return min((_MARKS.index(mark) for mark in marks if mark in _MARKS), default=len(_MARKS))


def split_products(transcript: Transcript, cds_ids: dict[int, str]) -> list[Transcript]:
    """Tell apart the products of one transcript where their coding sequences overlap.

    Parameters
    ----------
    transcript
        With all its segments.
    cds_ids
        ID of the CDS by line. Some programs give all lines of a product one ID, as GFF3 wants
        it, others each line its own: only an overlap shows that two IDs are two products.
    """
    segments = sorted(transcript.segments, key=lambda s: (s.region, s.start, s.end))
    overlap = any(
        a.end - b.start + 1 > _SLIPPAGE and cds_ids.get(a.line) != cds_ids.get(b.line)
        for a, b in itertools.pairwise(segments)
        if a.region == b.region
    )
    if not overlap:
        return [transcript]
    products: dict[str, Transcript] = {}
    for segment in transcript.segments:
        key = cds_ids.get(segment.line, transcript.id)
        product = products.setdefault(
            key,
            replace(transcript, id=key, segments=[]),
        )
        product.segments.append(segment)
    return list(products.values())


def _in_order(annotation: Annotation, gene: Gene) -> bool:
    """Bring the segments of a gene into the order of translation; leave out what has none."""
    kept = []
    for transcript in gene.transcripts:
        places = {(s.region, s.start, s.end, s.strand): s for s in transcript.segments}
        transcript.segments = list(places.values())
        if not transcript.trans_spliced:
            if len({(s.region, s.strand) for s in places.values()}) > 1:
                annotation.leave_out(
                    "transcripts on both strands or several sequences that are not said to be "
                    "trans-spliced, left out",
                    f"{transcript.id}, line {transcript.segments[0].line:,}",
                )
                continue
            descending = transcript.segments[0].strand == "-"
            transcript.segments.sort(key=lambda s: (s.start, s.end), reverse=descending)
        kept.append(transcript)
    gene.transcripts = kept
    return bool(kept)
