"""Genes of GTF: lines that name their gene and their transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gst_core.annotation.genes import Annotation, Gene, Transcript, add_cds, mark_of
from gst_core.annotation.lines import Feature

_LABELS = ("gene_name", "gene", "gene_symbol")
_IDS = ("gene_id", "locus_tag")


@dataclass(slots=True)
class _Lines:
    """What the file says of one gene on one sequence."""

    gene: list[int] = field(default_factory=list)
    transcripts: list[int] = field(default_factory=list)
    attributes: dict[str, list[str]] = field(default_factory=dict)
    coding: dict[str, Transcript] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    stops: list[tuple[str, int]] = field(default_factory=list)


def genes_of_gtf(
    annotation: Annotation, features: Iterable[tuple[Feature, dict[str, list[str]]]]
) -> Iterator[Gene]:
    """Join the lines of a GTF file to genes.

    A gene is told by its id and its sequence: those of the pseudoautosomal regions have one id
    on both chromosomes. Pseudogenes, and genes without CDS, are counted and left out.
    """
    genes: dict[tuple[str, str], _Lines] = {}
    gene_of_transcript: dict[str, str] = {}
    name = str(annotation.path)
    for feature, attributes in features:
        bare = attributes.get("", [""])[0]
        transcript = attributes.get("transcript_id", [""])[0]
        own = attributes.get("gene_id", [""])[0]
        if feature.kind == "gene":
            own = own or bare
        elif feature.kind in {"transcript", "mRNA"}:
            transcript = transcript or bare
            own = own or gene_of_transcript.get(transcript, "") or transcript.rpartition(".")[0]
        if not own:
            own = transcript or f"line-{feature.line}"
        lines = genes.setdefault((own, feature.region), _Lines())
        # AUGUSTUS' bare ids are the whole last column of such lines: nothing may be added there.
        places = [feature.line] if "gene_id" in attributes else []
        if feature.kind == "gene":
            lines.gene += places
            lines.attributes = attributes
        elif feature.kind == "CDS":
            lines.attributes = lines.attributes or attributes
            key = transcript or attributes.get("protein_id", [own])[0]
            gene_of_transcript[key] = own
            coding = lines.coding.setdefault(key, Transcript(key))
            coding.mark = min(coding.mark, mark_of(attributes))
            add_cds(coding, feature, attributes, name)
        elif feature.kind in {"transcript", "mRNA"}:
            lines.transcripts += places
            lines.attributes = lines.attributes or attributes
            lines.marks[transcript] = mark_of(attributes)
        elif feature.kind.lower() == "selenocysteine":
            first = feature.start if feature.strand == "+" else feature.end
            lines.stops.append((transcript, first))
    for (own, _), lines in genes.items():
        gene = _gene(annotation, own, lines)
        if gene is not None:
            yield gene


def _gene(annotation: Annotation, own: str, lines: _Lines) -> Gene | None:
    places = lines.gene or lines.transcripts
    where = f"{own}, line {places[0]:,}" if places else own
    biotype = "".join(
        lines.attributes.get("gene_biotype", []) + lines.attributes.get("gene_type", [])
    )
    if "pseudogen" in biotype.lower() or lines.attributes.get("pseudo", [""])[0] == "true":
        annotation.leave_out("pseudogenes, left out", where)
        return None
    if not lines.coding:
        if places:
            annotation.leave_out("genes without a coding sequence, left out", where)
        return None
    for key, coding in lines.coding.items():
        coding.mark = min(coding.mark, lines.marks.get(key, coding.mark))
    for key, first in lines.stops:
        if key in lines.coding:
            lines.coding[key].exceptions.append((first, "U"))
    cds = [s.line for coding in lines.coding.values() for s in coding.segments]
    ids = [value for key in _IDS for value in lines.attributes.get(key, [])]
    return Gene(
        own,
        tuple(sorted(places or cds)),
        tuple(label for key in _LABELS for label in lines.attributes.get(key, []) if label),
        frozenset([own, *ids]),
        "; ".join(lines.attributes.get("description", [])),
        list(lines.coding.values()),
    )
