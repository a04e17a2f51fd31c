"""The vocabulary of a training run: which symbols there are, and how they are written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.clades import CLADES, LINEAGE_OF_CLADE
from gst_core.nomenclature import (
    Canonical,
    ModelGene,
    Tables,
    choose_spelling,
    is_mhc_of_species,
)
from gst_core.taxonomy import Taxon
from gst_core.vocabulary import Symbol, Vocabulary

#: Clades whose genes MGI and ZFIN name.
_MOUSE_CLADE: Final = "rodentia"
_ZEBRAFISH_CLADE: Final = "teleostei"
_HUMANS: Final = "humans"
#: Sources of names that repeat what others call a gene.
_NO_COMMITTEES: Final = frozenset(("UniProtKB Gene Name", "EntrezGene"))


class Labelled(Protocol):
    """What a vocabulary needs to know of a protein."""

    @property
    def accession(self) -> str:
        """UniProt or RefSeq accession, or nothing."""

    @property
    def symbol(self) -> str:
        """Gene symbol as its database writes it."""

    @property
    def taxon(self) -> Taxon:
        """Species."""

    @property
    def name(self) -> str:
        """The protein's name, or nothing."""

    @property
    def source(self) -> str:
        """The committee that gave the symbol, or nothing."""

    @property
    def source_accession(self) -> str:
        """Its id for the gene, or nothing."""


def build_vocabulary(
    proteins: Iterable[Labelled],
    tables: Tables | None = None,
    canonical: Canonical | None = None,
) -> Vocabulary:
    """Gather the symbols of proteins, one class for all capitalisations of one.

    A symbol is written as HGNC has approved it; where HGNC has not, as the first species
    with a nomenclature committee writes it; else as most proteins have it. Source, accession
    and description are HGNC's; without it MGI's for symbols of rodents and ZFIN's for those
    of fish; else those of the committee that a dataset names; else those of the symbol's first
    UniProt protein, or RefSeq's where there is none. Where that has no description, a copy has
    that of its original.

    Parameters
    ----------
    proteins
        Labelled proteins.
    tables
        Genes of nomenclature committees.
    canonical
        Which symbols are copies.

    Returns
    -------
    vocabulary
        Sorted by the symbol in capitals, so that the order depends on nothing else.
    """
    tables = tables or Tables()
    groups: defaultdict[str, list[Labelled]] = defaultdict(list)
    for protein in proteins:
        groups[protein.symbol.upper()].append(protein)
    approved: dict[str, Symbol] = {}
    for gene in tables.hgnc:
        symbol = Symbol(gene.symbol, gene.name, "HGNC Symbol", gene.hgnc_id)
        approved.setdefault(gene.symbol.upper(), symbol)
    models = (
        (_MOUSE_CLADE, _by_symbol(tables.mouse, "MGI Symbol")),
        (_ZEBRAFISH_CLADE, _by_symbol(tables.zebrafish, "ZFIN")),
    )
    symbols = {}
    for key in sorted(groups):
        own = groups[key]
        clades = {protein.taxon.clade for protein in own}
        found = [genes[key] for clade, genes in models if clade in clades and key in genes]
        symbols[key] = approved.get(key) or _unapproved(own, found)
    if canonical is not None:
        for key, symbol in symbols.items():
            original = canonical.copy_of(key).upper()
            known = symbols.get(original) or approved.get(original)
            if known and known.description and not symbol.description:
                description = f"{known.description} (copy of {known.symbol})"
                symbols[key] = Symbol(symbol.symbol, description, symbol.source, symbol.accession)
    return Vocabulary(symbols.values())


def where_given(
    proteins: Sequence[Labelled],
    classes: NDArray[np.int32],
    bases: Sequence[str],
    tables: Tables,
) -> dict[int, tuple[str, ...]]:
    """Say where symbols are given that no human gene has.

    Symbols that HGNC has approved are given in all species, but for those of pseudogenes that
    humans alone have; so are those of genes that humans have lost (``CMAH``, of which ``CMAHP`` is
    left), but for humans. Others are given in the lineages of the proteins that bear them, in
    humans only if human proteins do; names of MHC genes that begin with those of a species
    (``Patr-A``) in its genus.

    Parameters
    ----------
    proteins
        Labelled proteins.
    classes
        ``(N,)``: class index of each one's symbol.
    bases
        By class index the gene that each symbol is a copy of, in upper case; else itself.
    tables
        Without genes of HGNC nothing is known to be a lineage's own.

    Returns
    -------
    where
        Names of clades and genera by class index; symbols that are given everywhere are missing.
    """
    if not tables.hgnc:
        return {}
    approved = {gene.symbol.upper() for gene in tables.hgnc}
    silent = tables.silent
    bearers: defaultdict[int, list[Labelled]] = defaultdict(list)
    for protein, number in zip(proteins, classes.tolist(), strict=True):
        bearers[number].append(protein)
    where = {}
    for number, own in sorted(bearers.items()):
        key = own[0].symbol.upper()
        clades = {protein.taxon.clade for protein in own if protein.taxon.clade}
        if key in approved and not (key in silent and clades == {_HUMANS}):
            continue
        if key not in approved and f"{key}P" in silent:
            names = {clade for clade in CLADES if clade != _HUMANS} | clades
        elif is_mhc_of_species(key, bases[number]):
            names = {protein.taxon.genus for protein in own if protein.taxon.genus}
        else:
            names = set(clades)
            for clade in clades:
                lineage = LINEAGE_OF_CLADE[CLADES.index(clade)]
                if lineage >= 0 and key not in approved:
                    names |= {
                        other
                        for other, of in zip(CLADES, LINEAGE_OF_CLADE, strict=True)
                        if of == lineage and other != _HUMANS
                    }
        where[number] = tuple(sorted(names))
    return where


def _by_symbol(genes: Iterable[ModelGene], source: str) -> dict[str, Symbol]:
    found: dict[str, Symbol] = {}
    for gene in genes:
        symbol = Symbol(gene.symbol, gene.name, source, gene.gene_id)
        found.setdefault(gene.symbol.upper(), symbol)
    return found


def _unapproved(proteins: Sequence[Labelled], model: Sequence[Symbol]) -> Symbol:
    """Describe a symbol that HGNC has not approved.

    What MGI and ZFIN say goes first, then what another committee says by way of a dataset, then
    the entries of the proteins themselves.
    """
    spellings: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for protein in proteins:
        spellings[protein.taxon.taxon_id][protein.symbol] += 1
    spelling = choose_spelling(spellings)
    named = next((protein.name for protein in proteins if protein.name), "")
    if model:
        first = model[0]
        return Symbol(spelling, first.description or named, first.source, first.accession)
    given = next((p for p in proteins if p.source and p.source not in _NO_COMMITTEES), None)
    if given is not None:
        return Symbol(spelling, given.name or named, given.source, given.source_accession)
    accessions = [protein.accession for protein in proteins if protein.accession]
    # UniProt has no underscore in an accession, RefSeq one in each: NP_570602.2.
    uniprot = next((accession for accession in accessions if "_" not in accession), "")
    if uniprot:
        return Symbol(spelling, named, "UniProtKB Gene Name", uniprot)
    return Symbol(spelling, named, "RefSeq peptide" if accessions else "", *accessions[:1])
