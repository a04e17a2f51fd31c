"""From the coding sequences of an annotation, and its genome, to proteins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gst_core.annotation.genes import Annotation, Gene, Segment, Transcript
from gst_core.annotation.genome import GenomeStretches, Stretch, read_stretches
from gst_core.annotation.translate import SeqEdit, reverse_complement, translate
from gst_core.clades import DISTANT, VERTEBRATE_CLADES
from gst_core.errors import GstError, display

_STANDARD: Final = 1
#: Names of mitochondrial sequences in Ensembl, UCSC and most assemblies.
_MITOCHONDRION: Final = re.compile(r"(?:chr)?(?:M|MT|Mt|MtDNA|mito\w*)", re.IGNORECASE)
_VERTEBRATE_MITOCHONDRIAL: Final = 2
#: Those of other animals and of fungi; plants have the standard code there.
_MITOCHONDRIAL: Final = {
    **dict.fromkeys(("arthropods", "insects", "lepidoptera", "metazoa"), 5),
    "fungi": 4,
}


def translate_genes(
    annotation: Annotation, genome: Path | None, clade: str | None = None
) -> Iterator[tuple[Gene, str]]:
    """Translate the canonical transcript of each gene.

    Parameters
    ----------
    annotation
        Its genes; those on sequences that the genome lacks are counted there as left out.
    genome
        FASTA of the genome; ``None`` where it follows the features in the annotation itself.
    clade
        Clade category of the species, which tells the genetic code of mitochondrial sequences
        where no ``transl_table`` does; without one it is that of vertebrates.

    Yields
    ------
    gene, protein
        By place in the annotation. A protein is empty where the coding sequence has not one whole
        codon, and has ``*`` for a stop inside it.

    Raises
    ------
    GstError
        If the genome has none of the annotation's sequences, or one of them is shorter than a
        coding sequence would have it.
    """
    if genome is None and not annotation.has_sequences:
        raise GstError(
            "has no sequences (##FASTA) in it",
            where=str(annotation.path),
            hint="give the genome by --genome",
        )
    chosen = [(gene, gene.canonical) for gene in annotation.genes]
    stretches = read_stretches(
        annotation.path if genome is None else genome,
        (
            stretch
            for _, transcript in chosen
            for segment in transcript.segments
            for stretch in _stretches(segment, annotation.circular)
        ),
        after_features=genome is None,
    )
    where = str(genome or annotation.path)
    _check_regions(annotation, stretches, where)
    for gene, transcript in chosen:
        if all(segment.region in stretches.lengths for segment in transcript.segments):
            yield gene, _protein(annotation, transcript, stretches, where, clade)
        else:
            first = transcript.segments[0]
            annotation.leave_out(
                "genes on sequences that the genome lacks, left out",
                f"{gene.id} on '{display(first.region)}', line {first.line:,}",
            )


def _stretches(segment: Segment, circular: dict[str, int]) -> list[Stretch]:
    """Give the stretches of a segment: two where it crosses the origin of a circular sequence."""
    region, start, end = segment.region, segment.start, segment.end
    length = circular.get(region)
    if length is None or end <= length:
        return [(region, start, end)]
    if start > length:
        return [(region, start - length, end - length)]
    return [(region, start, length), (region, 1, end - length)]


def _check_regions(annotation: Annotation, stretches: GenomeStretches, where: str) -> None:
    if stretches.lengths:
        return
    ours = annotation.genes[0].transcripts[0].segments[0].region
    theirs = ", ".join(f"'{display(name)}'" for name in stretches.others)
    raise GstError(
        f"the genome has none of the annotation's sequences, such as '{display(ours)}', "
        f"but {theirs}",
        where=where,
        hint="give the genome that was annotated, with the same names of sequences",
    )


def _protein(
    annotation: Annotation,
    transcript: Transcript,
    stretches: GenomeStretches,
    where: str,
    clade: str | None,
) -> str:
    """Translate one transcript."""
    parts = []
    for segment in transcript.segments:
        bases = b""
        for stretch in _stretches(segment, annotation.circular):
            found = stretches.bases.get(stretch)
            if found is None:
                raise GstError(
                    f"the CDS ends at {stretch[2]:,}, and '{display(segment.region)}' has "
                    f"{stretches.lengths[segment.region]:,} bases in {where}",
                    where=f"{annotation.path}, line {segment.line:,}",
                    hint="give the genome that was annotated",
                )
            bases += found
        text = bases.decode("ascii", "replace")
        parts.append(reverse_complement(text) if segment.strand == "-" else text)
    phase = transcript.segments[0].phase or 0
    coding = "".join(parts)[phase:]
    region = transcript.segments[0].region
    table = transcript.codon_table or _table_of(region, annotation.mitochondrial, clade)
    edits = [
        SeqEdit(number + 1, number + 1, residue)
        for base, residue in transcript.exceptions
        if (number := _codon_at(transcript, base, phase)) is not None
        and 3 * number + 3 <= len(coding)
    ]
    protein = translate(coding, table, edits, starts=not phase)
    return protein.removesuffix("*")


def _codon_at(transcript: Transcript, base: int, phase: int) -> int | None:
    """Find the codon, from 0, that begins at a base of the genome."""
    offset = -phase
    for segment in transcript.segments:
        if segment.start <= base <= segment.end:
            within = base - segment.start if segment.strand == "+" else segment.end - base
            codon, frame = divmod(offset + within, 3)
            return codon if frame == 0 and codon >= 0 else None
        offset += segment.end - segment.start + 1
    return None


def _table_of(region: str, mitochondrial: set[str], clade: str | None) -> int:
    if region not in mitochondrial and not _MITOCHONDRION.fullmatch(region):
        return _STANDARD
    if clade is None or clade in (*VERTEBRATE_CLADES, DISTANT):
        return _VERTEBRATE_MITOCHONDRIAL
    return _MITOCHONDRIAL.get(clade, _STANDARD)
