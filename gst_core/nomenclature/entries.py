"""Human proteins whose entry HGNC gives to another gene than their label's."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from gst_core.nomenclature.canonical import LabelledSequence
from gst_core.nomenclature.tables import Tables

_HUMAN: Final = 9606

P = TypeVar("P", bound=LabelledSequence)


def settle_entries(proteins: Iterable[P], tables: Tables) -> list[P]:
    """Give human proteins the gene that HGNC gives their entry to, where a sequence agrees.

    A database's entry may bear the symbol that a gene shared before it was split: P0CG12 is
    labelled CHTF8, and HGNC gives it to DERPC. Where another protein with the very same sequence is
    labelled as that gene, and the entry is given to no other, table and sequence agree.

    Parameters
    ----------
    proteins
        Data classes with a field ``symbol``, as ``LabelledProtein``, current symbols.
    tables
        Genes of HGNC with their UniProt entries.

    Returns
    -------
    proteins
        In the same order; those whose symbol stays are the same objects.
    """
    proteins = list(proteins)
    genes: defaultdict[str, set[str]] = defaultdict(set)
    for gene in tables.hgnc:
        for accession in gene.uniprot:
            genes[accession].add(gene.symbol)
    human = [p for p in proteins if p.taxon.taxon_id == _HUMAN]
    labels: defaultdict[bytes, set[str]] = defaultdict(set)
    for protein in human:
        labels[protein.codes.tobytes()].add(protein.symbol.upper())
    settled: dict[int, P] = {}
    for protein in human:
        given = genes.get(protein.accession, set())
        if len(given) == 1 and protein.symbol not in given:
            (symbol,) = given
            if symbol.upper() in labels[protein.codes.tobytes()]:
                changed: Any = protein
                settled[id(protein)] = dataclasses.replace(changed, symbol=symbol)
    return [settled.get(id(protein), protein) for protein in proteins]
