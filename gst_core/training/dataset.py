"""Training proteins: read from FASTA, labelled, split by genus, served in batches."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.sequences import PADDING, encode, read_proteins
from gst_core.taxonomy import CLADES, Taxon, load_taxonomy
from gst_core.training.augmentation import Evolution
from gst_core.vocabulary import Symbol, Vocabulary

#: UniProt's ``GN=`` and ``OX=``, and the ``gene_symbol:`` of the RefSeq set.
_GENE = re.compile(r"(?:GN=|gene_symbol:)(\S+)")
_TAXON = re.compile(r"OX=(\d+)")

#: Whose capitalisation of a symbol is kept: the species that nomenclature committees follow first.
_AUTHORITIES = (9606, 10090, 10116, 9031, 8355, 8364, 7955)


@dataclass(frozen=True, slots=True)
class LabelledProtein:
    """A protein with the gene symbol its database gives it."""

    accession: str
    codes: NDArray[np.uint8]
    symbol: str
    taxon: Taxon

    @property
    def key(self) -> str:
        """The form in which symbols are compared: without regard to case."""
        return self.symbol.upper()


def read_labelled(paths: Iterable[Path], lineage: str | None = "Vertebrata") -> list[LabelledProtein]:
    """Read FASTA files whose headers name species and gene.

    Parameters
    ----------
    paths
        FASTA files with ``OX=`` and ``GN=`` (UniProt) or ``gene_symbol:`` in
        the headers; records without a gene are left out.
    lineage
        ``"Vertebrata"`` keeps vertebrates; ``None`` keeps all.

    Returns
    -------
    proteins
        In the order of the files.

    Raises
    ------
    GstError
        If a header names a gene but no species, or none is left.
    """
    taxonomy = load_taxonomy()
    taxa: dict[int, Taxon] = {}
    proteins = []
    for path in paths:
        for protein in read_proteins(path):
            gene = _GENE.search(protein.description)
            if gene is None or not protein.residues:
                continue
            species = _TAXON.search(protein.description)
            if species is None:
                raise GstError(
                    f"record {protein.stable_id} names a gene but no species",
                    where=f"{path}, line {protein.line}",
                    hint="add OX=<NCBI taxon id> to the header",
                )
            taxon_id = int(species[1])
            if taxon_id not in taxa:
                taxa[taxon_id] = taxonomy.resolve(taxon_id)
            if lineage is None or taxa[taxon_id].clade in VERTEBRATE_CLADES:
                accession = protein.stable_id.split("|")[1] if "|" in protein.stable_id else protein.stable_id
                proteins.append(LabelledProtein(accession, encode(protein.residues), gene[1], taxa[taxon_id]))
    if not proteins:
        raise GstError("no labelled protein found", where=", ".join(map(str, paths)))
    return proteins
