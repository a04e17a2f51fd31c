"""A small release of Ensembl in its own formats, made of proteins of the bundled sample."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gst_core.dataset.checksums import bsd_sum
from tests.dataset.made import TAXA, Known, sample, wrapped, write

RELEASE = 113
HEADER = (
    "#name\tspecies\tdivision\ttaxonomy_id\tassembly\tassembly_accession\tgenebuild\tvariation\t"
    "microarray\tpan_compara\tpeptide_compara\tgenome_alignments\tother_alignments\tcore_db\t"
    "species_id\n"
)
SPECIES = ("Bos taurus", "Danio rerio", "Gallus gallus")


@dataclass(frozen=True)
class Gene:
    """A gene of a made genome; `proteins` are of its transcripts, the canonical one first."""

    number: int
    symbol: str
    description: str
    proteins: tuple[str, ...]
    prefix: str
    biotype: str = "protein_coding"
    placed: bool = True  # patches are not in the annotation of the primary assembly

    @property
    def id(self) -> str:
        return f"{self.prefix}G{self.number:011d}"

    def transcript(self, rank: int) -> str:
        return f"{self.prefix}T{self.number:09d}{rank:02d}"

    def protein(self, rank: int) -> str:
        return f"{self.prefix}P{self.number:09d}{rank:02d}"


def prefix_of(species: str) -> str:
    return "ENS" + "".join(word[:3].upper() for word in species.split())[:3]


def genes_of(proteins: Sequence[Known]) -> list[Gene]:
    """Make the genes of a genome: one a protein, and some that are left out."""
    prefix = prefix_of(proteins[0].species)
    genes = [
        Gene(
            number,
            known.symbol,
            f"made gene, {known.symbol}; first [Source:VGNC Symbol;Acc:VGNC:{number}]",
            # the canonical protein is not the longest, and comes first in every third gene alone
            (known.sequence, known.sequence + "KKKKKK", known.sequence[:20])
            if number % 3 == 0
            else (known.sequence,),
            prefix,
        )
        for number, known in enumerate(proteins, 1)
    ]
    own = proteins[0].sequence
    return [
        *genes,
        Gene(901, "", "", (own,), prefix),
        Gene(902, "IGKV1", "immunoglobulin", (own[:90],), prefix, "IG_V_gene"),
        Gene(903, "PATCH1", "on a patch", (own,), prefix, placed=False),
        Gene(904, "GUESS1", "x [Ensembl NN prediction with score 98.1%]", (own,), prefix),
        Gene(905, "AC012345.6", "", (own,), prefix),
    ]


def peptides_of(genes: Iterable[Gene]) -> str:
    """Write ``pep.all.fa``."""
    return "".join(
        f">{gene.protein(rank)}.1 pep primary_assembly:Made1:1:{gene.number}000:{gene.number}999:1 "
        f"gene:{gene.id}.2 transcript:{gene.transcript(rank)}.3 gene_biotype:{gene.biotype} "
        f"transcript_biotype:protein_coding gene_symbol:{gene.symbol} "
        f"description:{gene.description}\n{wrapped(sequence)}\n"
        for gene in genes
        for rank, sequence in reversed(list(enumerate(gene.proteins)))
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace(";", "%3B").replace(",", "%2C")


def gff3_of(genes: Iterable[Gene], marked: bool = True) -> str:
    """Write GFF3 as Ensembl does; `marked` with canonical transcripts."""
    text = "##gff-version 3\n##sequence-region   1 1 9999999\n"
    for gene in genes:
        if not gene.placed:
            continue
        start, end = gene.number * 1000, gene.number * 1000 + 999
        name = f"Name={gene.symbol};" if gene.symbol else ""
        described = f"description={_escaped(gene.description)};" if gene.description else ""
        text += (
            f"1\tensembl\tgene\t{start}\t{end}\t.\t+\t.\tID=gene:{gene.id};{name}"
            f"biotype={gene.biotype};{described}gene_id={gene.id};logic_name=ensembl;version=2\n"
        )
        for rank in range(len(gene.proteins)):
            tag = "tag=basic,Ensembl_canonical;" if marked and rank == 0 else "tag=basic;"
            own = gene.transcript(rank)
            text += (
                f"1\tensembl\tmRNA\t{start}\t{end}\t.\t+\t.\tID=transcript:{own};"
                f"Parent=gene:{gene.id};biotype=protein_coding;{tag}transcript_id={own};"
                f"version=3\n1\tensembl\tCDS\t{start}\t{end}\t.\t+\t0\tID=CDS:{gene.protein(rank)};"
                f"Parent=transcript:{own};protein_id={gene.protein(rank)}\n"
            )
    return text + "###\n"


def _qualifier(name: str, value: str) -> str:
    """Write a qualifier of an EMBL file, in lines of 59 characters behind column 21."""
    text = f'/{name}="{value}"'
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= 59:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    pieces = [line[i : i + 59] for line in lines for i in range(0, len(line), 59)]
    return "".join(f"FT                   {piece}\n" for piece in pieces)


def embl_of(genes: Iterable[Gene]) -> str:
    """Write an EMBL file as Ensembl does."""
    text = (
        "ID   1    standard; DNA; HTG; 9999999 BP.\nXX\nFH   Key             Location/Qualifiers\n"
    )
    text += "FT   source          1..9999999\n" + _qualifier("organism", "Made species")
    for gene in genes:
        if not gene.placed:
            continue
        place = f"{gene.number}000..{gene.number}999"
        text += f"FT   gene            complement({place})\n"
        text += f"FT                   /gene={gene.id}.2\n"
        if gene.symbol:
            text += _qualifier("locus_tag", gene.symbol)
        if gene.description:
            text += _qualifier("note", gene.description)
        if gene.biotype != "protein_coding":
            continue
        for rank, protein in enumerate(gene.proteins):
            text += f"FT   CDS             join({place},\nFT                   1..9)\n"
            text += _qualifier("gene", f"{gene.id}.2")
            text += _qualifier("protein_id", f"{gene.protein(rank)}.1")
            text += _qualifier("note", f"transcript_id={gene.transcript(rank)}.3")
            text += _qualifier("translation", protein)
    return text + "XX\nSQ   Sequence 10 BP;\n     acgtacgtac\n//\n"


def sum_line(path: Path) -> str:
    """Print what ``sum`` prints of a file, behind which CHECKSUMS has its name."""
    return f"{bsd_sum(path):05d} {-(-path.stat().st_size // 1024):5d} {path.name}\n"


def make_release(
    root: Path,
    species: Sequence[str] = SPECIES,
    marked: bool = True,
    proteins: Sequence[Known] | None = None,
) -> Path:
    """Make the folder of a release below `root`, which is what ``--server`` names."""
    of_all = sample() if proteins is None else proteins
    release = root / f"release-{RELEASE}"
    table = HEADER
    for name in species:
        own = name.lower().replace(" ", "_")
        genes = genes_of([p for p in of_all if p.species == name])
        stem = f"{own.capitalize()}.Made1"
        files = {
            f"fasta/{own}/pep/{stem}.pep.all.fa.gz": peptides_of(genes),
            f"fasta/{own}/pep/{stem}.pep.abinitio.fa.gz": ">GENSCAN1 pep\nMKV\n",
            f"gff3/{own}/{stem}.{RELEASE}.gff3.gz": gff3_of(genes, marked),
            f"gff3/{own}/{stem}.{RELEASE}.chr.gff3.gz": "##gff-version 3\n",
            f"embl/{own}/{stem}.{RELEASE}.chromosome.1.dat.gz": embl_of(genes[::2]),
            f"embl/{own}/{stem}.{RELEASE}.nonchromosomal.dat.gz": embl_of(genes[1::2]),
        }
        for path, text in files.items():
            target = release / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(gzip.compress(text.encode(), mtime=0))
        for folder in {(release / path).parent for path in files}:
            write(folder / "CHECKSUMS", "".join(map(sum_line, sorted(folder.glob("*.gz")))))
        table += (
            f"{name} name\t{own}\tEnsemblVertebrates\t{TAXA[name]}\tMade 1\tGCA_000001.1\t"
            f"2018-05-Ensembl/2020-03\tN\tN\tN\tY\tY\tY\t{own}_core_{RELEASE}_1\t1\t\n"
        )
    write(release / "species_EnsemblVertebrates.txt", table)
    return root
