"""One protein of a dataset, and what of it is fit to learn from."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from gst_core.errors import GstError
from gst_core.taxonomy import Taxon, resolve

Database = Literal["Ensembl", "UniProtKB", "RefSeq"]

#: What a symbol may be: one word, with at least one letter.
_SYMBOL: Final = re.compile(r"(?=.*[A-Za-z])[^\s]{1,64}")
#: What Ensembl writes behind the name of a gene of several that are alike.
_ONE_OF_MANY: Final = re.compile(r"\s*\((?:\d+ )?of many\)$", re.IGNORECASE)
#: Placeholders that stand for a place, not for a gene's name: NCBI's ``LOC123456``, names of clones
#: (``AC012345.1``, ``RP11-34P13.7``), Ensembl's own ids. Names of ZFIN's such as ``si:ch211-1a2.3``
#: are the genes' own.
_PLACEHOLDER: Final = re.compile(
    r"LOC\d{4,}|[A-Z]{2}\d{6,8}\.\d+|(?:RP|CT[A-D]|XX|GS)\w*-\d+\w+\.\d+"
    r"|ENS[A-Z]{0,6}[GTP]\d{11}(?:\.\d+)?"
)
_RESIDUES: Final = re.compile(r"[A-Z*]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A protein with the symbol of its gene.

    Attributes
    ----------
    stable_id
        Of the protein, with its version: Ensembl's id or an accession.
    gene, transcript
        Their ids; empty where the database has none.
    symbol
        What the dataset calls the gene.
    label
        What its database calls it.
    description
        Of the gene; of the protein in UniProt.
    source, accession
        Who gave the name, as ``HGNC Symbol``, and under which id.
    database
        Where the protein is from.
    species, taxon_id
        The species as its database has it. The taxonomy knows many by their genus alone.
    taxon
        What answers for it in the taxonomy.
    sequence
        Residues in capitals, without a stop at the end.
    """

    stable_id: str
    gene: str
    transcript: str
    symbol: str
    label: str
    description: str
    source: str
    accession: str
    database: Database
    species: str
    taxon_id: int
    taxon: Taxon
    sequence: str


class LeftOut:
    """How many proteins are left out, by why, in all and by species."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.by_species: dict[str, Counter[str]] = {}

    def add(self, why: str, species: str, number: int = 1) -> None:
        """Count proteins that are left out."""
        self.reasons[why] += number
        self.by_species.setdefault(species, Counter())[why] += number

    def merge(self, other: dict[str, int], species: str) -> None:
        """Take the counts of a species over."""
        for why, number in other.items():
            self.add(why, species, number)


def clean_symbol(label: str) -> tuple[str, str]:
    """Make a symbol of a gene's label.

    Parameters
    ----------
    label
        As its database has it.

    Returns
    -------
    symbol, why
        The symbol, or why there is none: one of the two is empty.
    """
    symbol = _ONE_OF_MANY.sub("", label.strip())
    if not symbol:
        return "", "no gene symbol"
    if _PLACEHOLDER.fullmatch(symbol):
        return "", "placeholder in place of a symbol"
    if not _SYMBOL.fullmatch(symbol):
        return "", "label that is no symbol"
    return symbol, ""


def clean_sequence(sequence: str) -> tuple[str, str]:
    """Make residues of a sequence: capitals, without white space and a stop at the end.

    Returns
    -------
    residues, why
        The residues, or why there are none.
    """
    residues = "".join(sequence.split()).upper().rstrip("*")
    if not residues:
        return "", "no residues"
    if not _RESIDUES.fullmatch(residues):
        return "", "sequence that is no protein"
    return residues, ""


def find_taxon(name_or_id: str) -> Taxon | None:
    """Find a species in the built-in taxonomy; None where it is not there or has no clade."""
    try:
        taxon = resolve(name_or_id)
    except GstError:
        return None
    return taxon if taxon.clade else None
