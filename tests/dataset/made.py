"""Small files of the databases' own formats, with proteins of the bundled sample."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gst_core.dataset.headers import read_records
from tests.conftest import ROOT

SAMPLE = ROOT / "gst_core" / "assets" / "sample"
TAXA = {
    "Homo sapiens": 9606,
    "Mus musculus": 10090,
    "Bos taurus": 9913,
    "Gallus gallus": 9031,
    "Xenopus laevis": 8355,
    "Xenopus tropicalis": 8364,
    "Danio rerio": 7955,
    "Felis catus": 9685,
    "Monodelphis domestica": 13616,
    "Meleagris gallopavo": 9103,
    "Salmo salar": 8030,
    "Tetraodon nigroviridis": 99883,
}


class Known(NamedTuple):
    """A protein of Swiss-Prot with the symbol of its gene."""

    accession: str
    species: str
    symbol: str
    sequence: str

    @property
    def taxon_id(self) -> int:
        return TAXA[self.species]


@cache
def sample() -> tuple[Known, ...]:
    """Return the proteins of the bundled sample."""
    with (SAMPLE / "known_symbols.tsv").open() as file:
        known = {row["stable_id"]: row for row in csv.DictReader(file, delimiter="\t")}
    return tuple(
        Known(own, known[own]["species"], known[own]["symbol"], record.sequence)
        for path in sorted(SAMPLE.glob("*.fa"))
        for record in read_records(path)
        if (own := record.header.split()[0])
    )


def fasta_of(proteins: Iterable[Known]) -> str:
    """Write proteins as UniProt's FASTA."""
    return "".join(
        f">sp|{p.accession}|{p.symbol.upper()}_X Protein {p.symbol}, form 1 OS={p.species} "
        f"OX={p.taxon_id} GN={p.symbol} PE=2 SV=1\n{wrapped(p.sequence)}\n"
        for p in proteins
    )


def flat_of(protein: Known, cross_references: str = "") -> str:
    """Write a protein as an entry of UniProt's flat file."""
    length = len(protein.sequence)
    residues = "".join(
        "     "
        + " ".join(protein.sequence[i : i + 60][j : j + 10] for j in range(0, 60, 10)).rstrip()
        + "\n"
        for i in range(0, length, 60)
    )
    return f"""ID   {protein.symbol.upper()}_X               Reviewed;         {length} AA.
AC   {protein.accession}; Q00001;
AC   Q00002;
DT   01-JAN-1990, integrated into UniProtKB/Swiss-Prot.
DE   RecName: Full=Protein {protein.symbol} {{ECO:0000303|PubMed:1}};
DE            EC=1.1.1.1;
DE   AltName: Full=Another name;
GN   Name={protein.symbol} {{ECO:0000303|PubMed:1,
GN   ECO:0000312|XX:XX:1}}; Synonyms=OLD1, OLD2;
OS   {protein.species} (Some animal).
OC   Eukaryota; Metazoa; Chordata; Craniata; Vertebrata.
OX   NCBI_TaxID={protein.taxon_id} {{ECO:0000312|Proteomes:UP000000001}};
DR   EMBL; X02469; CAA26306.1; -; mRNA.
{cross_references}PE   1: Evidence at protein level;
SQ   SEQUENCE   {length} AA;  43653 MW;  AD5C149FD8106131 CRC64;
{residues}//
"""


GENE_INFO = (
    "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tchromosome\tmap_location\t"
    "description\ttype_of_gene\tSymbol_from_nomenclature_authority\t"
    "Full_name_from_nomenclature_authority\tNomenclature_status\tOther_designations\t"
    "Modification_date\tFeature_type\n"
)


def gene_info_line(
    gene: int, protein: Known, references: str = "-", official: bool = False, kind: str = ""
) -> str:
    """Write a gene of NCBI's ``gene_info``."""
    official_ = (protein.symbol, "official name", "O") if official else ("-", "-", "-")
    return (
        f"{protein.taxon_id}\t{gene}\t{protein.symbol}\t-\tOLD1|OLD2\t{references}\t1\t-\t"
        f"gene {protein.symbol}\t{kind or 'protein-coding'}\t{official_[0]}\t{official_[1]}\t"
        f"{official_[2]}\tprotein {protein.symbol}|other name\t20250101\t-\n"
    )


def wrapped(sequence: str) -> str:
    """Write a sequence in lines of 60 residues."""
    return "\n".join(sequence[i : i + 60] for i in range(0, len(sequence), 60))


def write(path: Path, text: str) -> Path:
    """Write a text, and return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
