"""The proteins of a genome (``pep.all.fa``), one for each protein-coding gene with a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gst_core.dataset.entry import Entry, clean_sequence, clean_symbol, find_taxon
from gst_core.dataset.genomes import Genome
from gst_core.dataset.headers import read_records
from gst_core.dataset.names import GeneNames
from gst_core.errors import GstError

#: ``gene:ENSG00000211658.2 transcript:... gene_biotype:protein_coding``; the description is last.
_FIELD: Final = re.compile(r"\s(gene|transcript|gene_biotype|transcript_biotype):(\S+)")
_CODING: Final = "protein_coding"
_NOT_CODING: Final = "gene that the annotation does not have as protein-coding"


@dataclass(slots=True)
class Read:
    """What became of the proteins of a genome.

    Attributes
    ----------
    left_out
        How many are not used, by why.
    marked, longest
        Genes whose canonical protein was told, and those of which the longest had to be taken.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    marked: int = 0
    longest: int = 0


@dataclass(frozen=True, slots=True)
class _Peptide:
    stable_id: str
    transcript: str
    coding: bool
    sequence: str


def read_peptides(path: Path, genome: Genome, names: GeneNames, read: Read) -> Iterator[Entry]:
    """Read the canonical proteins of protein-coding genes that have a symbol.

    Parameters
    ----------
    path
        ``*.pep.all.fa.gz``.
    genome
        Whose they are.
    names
        What its genes are called, and which protein stands for each.
    read
        Counts, filled in.

    Yields
    ------
    entry
        In the order in which the file first names the genes.

    Raises
    ------
    GstError
        If the file cannot be read or is not one of Ensembl's, or the taxonomy does not know the
        species.
    """
    taxon = find_taxon(str(genome.taxon_id)) or find_taxon(genome.species)
    if taxon is None:
        raise GstError(
            f"the taxonomy knows neither the taxon id {genome.taxon_id} nor the name",
            where=genome.species,
            hint="leave the species out by naming the others with --species",
        )
    genes = _by_gene(path, read)
    exact = taxon.exact and taxon.rank not in ("genus", "subgenus")
    species = taxon.scientific_name if exact else _scientific_name(genome.species)
    for gene, peptides in genes.items():
        name = names.get(gene)
        symbol, why = clean_symbol(name.label) if name is not None else ("", _NOT_CODING)
        if name is None or name.assigned or why:
            why = "name that a program has assigned" if name and name.assigned else why
            read.left_out[why] += len(peptides)
            continue
        chosen = _chosen(peptides, names, read)
        residues, why = clean_sequence(chosen.sequence)
        if why:
            read.left_out[why] += 1
            continue
        yield Entry(
            stable_id=chosen.stable_id,
            gene=gene,
            transcript=chosen.transcript,
            symbol=symbol,
            label=name.label,
            description=name.description,
            source=name.source,
            accession=name.accession,
            database="Ensembl",
            species=species,
            taxon_id=genome.taxon_id,
            taxon=taxon,
            sequence=residues,
        )


def _by_gene(path: Path, read: Read) -> dict[str, list[_Peptide]]:
    genes: dict[str, list[_Peptide]] = {}
    for record in read_records(path):
        fields = dict(_FIELD.findall(record.header))
        if "gene" not in fields:
            raise GstError(
                f"the header '{record.header[:60]}' names no gene",
                where=f"{path}, record {record.number:,}",
                hint="expected Ensembl's >ID pep ... gene:ID transcript:ID gene_biotype:...",
            )
        if fields.get("gene_biotype", _CODING) != _CODING:
            read.left_out["protein of a gene that is not protein-coding"] += 1
            continue
        own = _Peptide(
            record.header.split(None, 1)[0],
            fields.get("transcript", ""),
            fields.get("transcript_biotype", _CODING) == _CODING,
            record.sequence,
        )
        genes.setdefault(fields["gene"], []).append(own)
    return genes


def _chosen(peptides: list[_Peptide], names: GeneNames, read: Read) -> _Peptide:
    """Choose the protein that stands for its gene.

    The one that is marked; else the longest, those of transcripts that are not protein-coding
    (nonsense-mediated decay) last.
    """
    if len(peptides) > 1:
        read.left_out["another protein stands for the gene"] += len(peptides) - 1
    for peptide in peptides:
        if names.is_canonical(peptide.transcript, peptide.stable_id):
            read.marked += 1
            return peptide
    read.longest += 1
    return min(peptides, key=lambda own: (not own.coding, -len(own.sequence), own.stable_id))


def _scientific_name(production_name: str) -> str:
    """Make a name of ``genus_species_strain`` for a species that the taxonomy does not name."""
    words = production_name.strip("_").split("_")
    return " ".join([words[0].capitalize(), *words[1:2]])
