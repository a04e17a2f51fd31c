"""Proteins of RefSeq with the genes that NCBI's tables give them, one protein a gene."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gst_core.dataset.entry import (
    Entry,
    LeftOut,
    clean_sequence,
    clean_symbol,
    find_taxon,
)
from gst_core.dataset.gene_info import (
    NcbiGene,
    NcbiGenes,
    is_refseq,
    read_gene2refseq,
    read_gene_info,
)
from gst_core.dataset.headers import Record, read_records
from gst_core.errors import GstError
from gst_core.taxonomy import Taxon

#: ``[GeneID=7157]`` (NCBI Datasets), ``[db_xref=GeneID:7157]`` (translated CDS).
_GENE_ID: Final = re.compile(r"\[GeneID=(\d+)\]|GeneID:(\d+)")
#: ``[gene=TP53]`` (translated CDS), ``gene_symbol:TP53``.
_SYMBOL: Final = re.compile(r"\[gene=([^\]]+)\]|gene_symbol:(\S+)")
_PROTEIN_ID: Final = re.compile(r"\[protein_id=([^\]]+)\]")
_ORGANISM: Final = re.compile(r"\[organism=([^\]]+)\]")
_TAXON: Final = re.compile(r"\bOX=(\d+)")
_SPECIES: Final = re.compile(r"\[([A-Z][^\[\]=]*)\]")
#: What RefSeq adds to the name of a gene's protein to tell its products apart.
_ISOFORM: Final = re.compile(r",? (?:isoform|precursor|preproprotein|proprotein)\b.*$")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A protein of a gene: which one stands for it follows from `rank`, the least."""

    accession: str
    residues: str

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Curated records before models (X...), the longest, the lowest accession."""
        return self.accession[0] == "X", -len(self.residues), self.accession


def read_refseq(
    proteins: Iterable[Path],
    gene_info: Path,
    gene2refseq: Path | None,
    left_out: LeftOut,
) -> Iterator[Entry]:
    """Read proteins of RefSeq, and the symbols of their genes.

    Whose gene a protein is of is told by its header (NCBI Datasets' ``[GeneID=...]``, the
    ``[gene=...]`` of translated CDS), by `gene2refseq`, or by the protein's name where among the
    species' genes one alone has such a protein.

    Parameters
    ----------
    proteins
        FASTA files, plain or compressed.
    gene_info, gene2refseq
        NCBI's tables, plain or compressed.
    left_out
        Counts what is not fit to learn from.

    Yields
    ------
    entry
        One for each gene, in the order in which the files first name them: the longest curated
        protein, else the longest model.

    Raises
    ------
    GstError
        If a file cannot be read or is damaged, or no protein's gene can be told.
    """
    species: dict[str, Taxon | None] = {}
    paths = list(proteins)
    # The tables have the genes of all species: which are needed is known once the names are.
    for path in paths:
        for record in read_records(path):
            name = _species_name(record.header)
            if name not in species:
                species[name] = find_taxon(name) if name else None
    known = [taxon for taxon in species.values() if taxon is not None]
    # A species that the taxonomy knows by its genus alone has a number of its own in the tables.
    exact = all(taxon.exact for taxon in known)
    taxa = {str(taxon.taxon_id) for taxon in known} if exact else None
    genes = read_gene_info(gene_info, taxa)
    links = read_gene2refseq(gene2refseq, taxa) if gene2refseq else {}
    chosen: dict[str, _Candidate] = {}
    of_species: dict[str, str] = {}
    told = False
    for path in paths:
        for record in read_records(path):
            taxon = species[_species_name(record.header)]
            if taxon is None:
                left_out.add("species that the taxonomy does not know", "")
                continue
            name = taxon.scientific_name if taxon.exact else _species_name(record.header)
            gene = _gene_of(record, taxon, genes, links)
            if gene is None:
                left_out.add("protein whose gene nothing tells", name)
                continue
            told = True
            residues, why = clean_sequence(record.sequence)
            if gene.kind not in ("protein-coding", ""):
                why = "gene that is not protein-coding"
            if why:
                left_out.add(why, name)
                continue
            own = _Candidate(_accession(record, str(path)), residues)
            other = chosen.get(gene.gene_id)
            if other is not None:
                left_out.add("another protein stands for the gene", name)
            if other is None or own.rank < other.rank:
                chosen[gene.gene_id] = own
                of_species[gene.gene_id] = name
    if not told:
        raise GstError(
            "of no protein it can be told which gene it is of",
            where=", ".join(map(str, paths)),
            hint="give NCBI's gene2refseq (or gene2accession) with --gene2refseq",
        )
    for gene_id, candidate in chosen.items():
        entry = _entry(genes.genes[gene_id], candidate, of_species[gene_id], left_out)
        if entry is not None:
            yield entry


def _species_name(header: str) -> str:
    """Find the species that a header names: its taxon id, or its name."""
    if found := _TAXON.search(header) or _ORGANISM.search(header):
        return found[1]
    names: list[str] = _SPECIES.findall(header)
    return names[-1] if names else ""


def _accession(record: Record, name: str) -> str:
    """Find the accession of a record, also of those of translated CDS (``lcl|..._prot_NP_...``).

    Raises
    ------
    GstError
        If it has none.
    """
    found = _PROTEIN_ID.search(record.header)
    accession = found[1] if found else record.header.split(None, 1)[0] if record.header else ""
    if not is_refseq(accession):
        raise GstError(
            f"'{accession[:40]}' is no accession of RefSeq's",
            where=f"{name}, record {record.number:,}",
            hint="expected >NP_000537.3 name [species]",
        )
    return accession


def _gene_of(
    record: Record, taxon: Taxon, genes: NcbiGenes, links: dict[str, str]
) -> NcbiGene | None:
    header = record.header
    if (found := _GENE_ID.search(header)) and (own := genes.genes.get(found[1] or found[2])):
        return own
    accession = header.split(None, 1)[0].partition(".")[0] if header else ""
    if linked := genes.genes.get(links.get(accession, "")):
        return linked
    key = str(taxon.taxon_id)
    if found := _SYMBOL.search(header):
        return genes.genes.get(genes.by_symbol.get((key, (found[1] or found[2]).upper()), ""))
    name = _SPECIES.split(header.partition(" ")[2])[0].strip()
    for text in (name, _ISOFORM.sub("", name)):
        owners = genes.by_name.get((key, text.lower()), set())
        if text and len(owners) == 1:
            return genes.genes[next(iter(owners))]
    return None


def _entry(gene: NcbiGene, candidate: _Candidate, species: str, left_out: LeftOut) -> Entry | None:
    symbol, why = clean_symbol(gene.symbol)
    taxon = find_taxon(gene.taxon_id)
    if taxon is None:
        why = "species that the taxonomy does not know"
    if why or taxon is None:
        left_out.add(why, species)
        return None
    return Entry(
        stable_id=candidate.accession,
        gene=f"GeneID:{gene.gene_id}",
        transcript="",
        symbol=symbol,
        label=gene.symbol,
        description=gene.description,
        source=gene.source,
        accession=gene.accession,
        database="RefSeq",
        species=species,
        taxon_id=int(gene.taxon_id),
        taxon=taxon,
        sequence=candidate.residues,
    )
