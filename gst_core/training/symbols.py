"""The vocabulary of a training run: which symbols there are, and how they are written."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gst_core.errors import GstError
from gst_core.sequences.streams import open_blocks
from gst_core.taxonomy import Taxon
from gst_core.vocabulary import Symbol, Vocabulary

#: Whose capitalisation is kept, best first: species with a nomenclature committee of their
#: own (human, mouse, rat, chicken, both clawed frogs, zebrafish).
_AUTHORITIES: Final = (9606, 10090, 10116, 9031, 8355, 8364, 7955)


class Labelled(Protocol):
    """What a vocabulary needs to know of a protein."""

    @property
    def accession(self) -> str:
        """UniProt accession, or nothing."""

    @property
    def symbol(self) -> str:
        """Gene symbol as its database writes it."""

    @property
    def taxon(self) -> Taxon:
        """Species."""


@dataclass(frozen=True, slots=True)
class HgncGene:
    """A line of HGNC's complete set: an approved human gene."""

    hgnc_id: str
    symbol: str
    name: str


def read_hgnc(path: Path) -> list[HgncGene]:
    """Read the approved genes of HGNC's complete set.

    Parameters
    ----------
    path
        ``hgnc_complete_set.txt``, plain or compressed, https://www.genenames.org (CC0).

    Raises
    ------
    GstError
        If a column is missing.
    """
    with open_blocks(path, str(path)) as blocks:
        text = b"".join(blocks).decode("utf-8", "replace")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    missing = {"hgnc_id", "symbol", "name", "status"} - set(rows.fieldnames or ())
    if missing:
        raise GstError(
            f"the column {sorted(missing)[0]} is missing",
            where=str(path),
            hint="give HGNC's complete set, hgnc_complete_set.txt",
        )
    return [
        HgncGene(row["hgnc_id"], row["symbol"], row["name"])
        for row in rows
        if row["status"] == "Approved"
    ]


def build_vocabulary(proteins: Iterable[Labelled], hgnc: Iterable[HgncGene] = ()) -> Vocabulary:
    """Gather the symbols of proteins, one class for all capitalisations of one.

    A symbol is written as HGNC has approved it; where HGNC has not, as the first species
    with a nomenclature committee writes it; else as most proteins have it. HGNC also gives
    name and accession; without it, the accession is that of the symbol's first UniProt
    protein.

    Parameters
    ----------
    proteins
        Labelled proteins.
    hgnc
        Approved human genes.

    Returns
    -------
    vocabulary
        Sorted by the symbol in capitals, so that the order depends on nothing else.
    """
    spellings: defaultdict[str, defaultdict[int, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    accessions: dict[str, str] = {}
    for protein in proteins:
        key = protein.symbol.upper()
        spellings[key][protein.taxon.taxon_id][protein.symbol] += 1
        if protein.accession:
            accessions.setdefault(key, protein.accession)
    approved: dict[str, HgncGene] = {}
    for gene in hgnc:
        approved.setdefault(gene.symbol.upper(), gene)
    symbols = []
    for key in sorted(spellings):
        if key in approved:
            human = approved[key]
            symbols.append(Symbol(human.symbol, human.name, "HGNC Symbol", human.hgnc_id))
        else:
            accession = accessions.get(key, "")
            source = "UniProtKB Gene Name" if accession else ""
            symbols.append(Symbol(_spelling(spellings[key]), "", source, accession))
    return Vocabulary(symbols)


def _spelling(by_taxon: dict[int, Counter[str]]) -> str:
    """Choose the capitalisation of one symbol."""
    for taxon_id in _AUTHORITIES:
        if taxon_id in by_taxon:
            return _most_frequent(by_taxon[taxon_id])
    return _most_frequent(sum(by_taxon.values(), Counter()))


def _most_frequent(counts: Counter[str]) -> str:
    """Choose the most frequent; of equally frequent ones the first of the alphabet."""
    return min(counts, key=lambda symbol: (-counts[symbol], symbol))
