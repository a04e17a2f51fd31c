"""Genomes made around known proteins, and their annotations in the manner of many programs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gst_core.annotation.translate import reverse_complement

_RESIDUES = "ACDEFGHIKLMNPQRSTVWYUX*"
_CHOSEN = "GCTTGCGACGAATTCGGCCACATCAAACTGATGAACCCCCAGCGTAGCACCGTGTGGTACTGANNNTAA"
_CODONS = {residue: _CHOSEN[3 * n : 3 * n + 3] for n, residue in enumerate(_RESIDUES)}


@dataclass(frozen=True)
class Made:
    """A gene in a made genome; `cds` holds (start, end, phase) by place on the plus strand."""

    number: int
    protein: str
    region: str
    strand: str
    cds: tuple[tuple[int, int, int], ...]

    @property
    def start(self) -> int:
        return self.cds[0][0]

    @property
    def end(self) -> int:
        return self.cds[-1][1]


def make_genome(
    proteins: Sequence[str], seed: int = 1, regions: int = 2, introns: int = 3
) -> tuple[dict[str, str], list[Made]]:
    """Write proteins into random DNA, on both strands, with introns, several a region."""
    chance = random.Random(seed)
    genome = {f"chr{n + 1}": "".join(chance.choices("ACGT", k=500)) for n in range(regions)}
    genes = []
    for number, protein in enumerate(proteins, 1):
        coding = "".join(map(_CODONS.__getitem__, protein + "*"))
        cuts = sorted(chance.sample(range(1, len(coding)), min(introns, len(coding) // 12)))
        exons = [coding[a:b] for a, b in zip([0, *cuts], [*cuts, len(coding)], strict=True)]
        strand = chance.choice("+-")
        region = f"chr{chance.randrange(regions) + 1}"
        before = 0
        pieces = []
        for exon in exons:
            pieces.append((exon, -before % 3))
            before += len(exon)
        text = genome[region]
        cds = []
        for exon, phase in pieces if strand == "+" else pieces[::-1]:
            text += "".join(chance.choices("ACGT", k=chance.randrange(60, 120)))
            cds.append((len(text) + 1, len(text) + len(exon), phase))
            text += exon if strand == "+" else reverse_complement(exon)
        genome[region] = text + "".join(chance.choices("ACGT", k=200))
        genes.append(Made(number, protein, region, strand, tuple(cds)))
    genes.sort(key=lambda gene: (gene.region, gene.start))
    return genome, [Made(n, g.protein, g.region, g.strand, g.cds) for n, g in enumerate(genes, 1)]


def fasta(genome: dict[str, str], width: int = 60) -> str:
    """Write the genome as FASTA."""
    return "".join(
        f">{name} made\n" + "".join(f"{text[i : i + width]}\n" for i in range(0, len(text), width))
        for name, text in genome.items()
    )


def _line(
    gene: Made, source: str, kind: str, start: int, end: int, phase: object, last: str
) -> str:
    return f"{gene.region}\t{source}\t{kind}\t{start}\t{end}\t.\t{gene.strand}\t{phase}\t{last}\n"


def _tree(
    gene: Made, source: str, own: str, transcript: str, *, exons: bool, cds: str, product: str = ""
) -> str:
    """Gene, mRNA and CDS of GFF3; `own`, `transcript`, `cds` are their ninth columns."""
    ids = transcript.split(";")[0].removeprefix("ID=")
    text = _line(gene, source, "gene", gene.start, gene.end, ".", own)
    text += _line(gene, source, "mRNA", gene.start, gene.end, ".", transcript + product)
    for number, (start, end, phase) in enumerate(gene.cds, 1):
        if exons:
            last = f"ID={ids}.exon{number};Parent={ids}"
            text += _line(gene, source, "exon", start, end, ".", last)
        text += _line(gene, source, "CDS", start, end, phase, cds.format(n=number, t=ids))
    return text


def augustus_gff3(gene: Made) -> str:
    g = f"g{gene.number}"
    return "# start gene " + g + "\n" + _tree(
        gene, "AUGUSTUS", f"ID={g};", f"ID={g}.t1;Parent={g};", exons=True,
        cds="ID={t}.CDS{n};Parent={t};",
    ) + "###\n"  # fmt: skip


def braker_gtf(gene: Made) -> str:
    g = f"g{gene.number}"
    text = _line(gene, "AUGUSTUS", "gene", gene.start, gene.end, ".", g)
    text += _line(gene, "AUGUSTUS", "transcript", gene.start, gene.end, ".", f"{g}.t1")
    last = f'transcript_id "{g}.t1"; gene_id "{g}";'
    return text + "".join(
        _line(gene, "AUGUSTUS", kind, start, end, phase if kind == "CDS" else ".", last)
        for start, end, phase in gene.cds
        for kind in ("CDS", "exon")
    )


def helixer(gene: Made) -> str:
    g = f"made_{gene.region}_{gene.number:06}"
    return _tree(
        gene,
        "Helixer",
        f"ID={g}",
        f"ID={g}.1;Parent={g}",
        exons=True,
        cds="ID={t}.CDS.{n};Parent={t}",
    )


def funannotate(gene: Made) -> str:
    g = f"FUN_{gene.number:06}"
    return _tree(
        gene, "funannotate", f"ID={g};", f"ID={g}-T1;Parent={g};", exons=True,
        cds="ID={t}.cds;Parent={t};", product="product=hypothetical protein;",
    )  # fmt: skip


def maker(gene: Made) -> str:
    g = f"maker-{gene.region}-augustus-gene-0.{gene.number}"
    return _tree(
        gene, "maker", f"ID={g};Name={g}", f"ID={g}-mRNA-1;Parent={g};Name={g}-mRNA-1;_AED=0.01",
        exons=True, cds="ID={t}:cds;Parent={t}",
    )  # fmt: skip


def liftoff(gene: Made) -> str:
    g = f"ENSG{gene.number:011}"
    own = (
        f"ID=gene:{g};biotype=protein_coding;gene_id={g};logic_name=x;coverage=1.0;sequence_ID=0.99"
    )
    t = f"ID=transcript:ENST{gene.number:011};Parent=gene:{g};biotype=protein_coding"
    cds = f"ID=CDS:ENSP{gene.number:011};Parent={{t}};protein_id=ENSP{gene.number:011}"
    return _tree(gene, "Liftoff", own, t, exons=True, cds=cds)


def egapx(gene: Made) -> str:
    loc = f"LOC{gene.number + 100000}"
    g = f"gene-egapxtmp_{gene.number:06}"
    own = f"ID={g};Dbxref=GeneID:{gene.number};Name={loc};gbkey=Gene;gene={loc}"
    t = f"ID=rna-gnl|WGS:ZZZZ|egapxtmp_{gene.number:06}-R1;Parent={g};gene={loc};product=x%2C y"
    return _tree(
        gene, "Gnomon", own, t, exons=True, cds=f"ID=cds-{gene.number};Parent={{t}};gene={loc}"
    )


def miniprot(gene: Made) -> str:
    m = f"MP{gene.number:06}"
    return (
        f"##PAF\tP{gene.number}\t10\t0\t10\n"
        + _line(gene, "miniprot", "mRNA", gene.start, gene.end, ".", f"ID={m};Rank=1;Identity=0.9")
        + "".join(
            _line(gene, "miniprot", "CDS", s, e, phase, f"Parent={m};Rank=1")
            for s, e, phase in gene.cds
        )
    )


def ensembl_gtf(gene: Made) -> str:
    last = f'gene_id "ENSG{gene.number:011}"; gene_version "1";'
    t = f'{last} transcript_id "ENST{gene.number:011}"; tag "Ensembl_canonical";'
    text = _line(gene, "ensembl", "gene", gene.start, gene.end, ".", last)
    text += _line(gene, "ensembl", "transcript", gene.start, gene.end, ".", t)
    for number, (start, end, phase) in enumerate(gene.cds, 1):
        numbered = f'{t} exon_number "{number}";'
        text += _line(gene, "ensembl", "exon", start, end, ".", numbered)
        text += _line(gene, "ensembl", "CDS", start, end, phase, numbered)
    return text


def stringtie_gtf(gene: Made) -> str:
    last = f'gene_id "MSTRG.{gene.number}"; transcript_id "MSTRG.{gene.number}.1";'
    return "".join(_line(gene, "StringTie", "CDS", s, e, p, last) for s, e, p in gene.cds)


def cds_alone(gene: Made) -> str:
    last = f"ID=MADE_{gene.number:05};locus_tag=MADE_{gene.number:05};product=hypothetical protein"
    return "".join(_line(gene, "Prodigal", "CDS", s, e, p, last) for s, e, p in gene.cds)


#: By name: the writer, and whether it is GTF.
DIALECTS: dict[str, tuple[Callable[[Made], str], bool]] = {
    "augustus": (augustus_gff3, False),
    "braker": (braker_gtf, True),
    "helixer": (helixer, False),
    "funannotate": (funannotate, False),
    "maker": (maker, False),
    "liftoff": (liftoff, False),
    "egapx": (egapx, False),
    "miniprot": (miniprot, False),
    "ensembl_gtf": (ensembl_gtf, True),
    "stringtie_gtf": (stringtie_gtf, True),
    "cds_alone": (cds_alone, False),
}


def annotation(dialect: str, genes: Sequence[Made]) -> str:
    """Write the genes as a program would."""
    write, gtf = DIALECTS[dialect]
    return ("" if gtf else "##gff-version 3\n") + "".join(map(write, genes))
