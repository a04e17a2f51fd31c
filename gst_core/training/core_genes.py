"""The genes by which the completeness of a genome is judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.training.proteins import LabelledProtein
from gst_core.vocabulary import Vocabulary

_FISHES: Final = frozenset(("teleostei", "sharks", "distant_vertebrate"))
#: Classes of four-limbed vertebrates, by the clades that they consist of.
_TETRAPODS: Final = (
    frozenset(("humans", "primates", "rodentia", "mammalia", "marsupials")),
    frozenset(("aves", "reptiles")),
    frozenset(("amphibians",)),
)
_MITOCHONDRIAL: Final = "MT-"


def core_genes(
    proteins: Sequence[LabelledProtein],
    classes: NDArray[np.int32],
    vocabulary: Vocabulary,
    originals: NDArray[np.int64],
) -> list[int]:
    """Choose genes that nearly every vertebrate has.

    A gene that is known of fishes and of two classes of four-limbed vertebrates was there before
    these parted, some 430 million years ago, and three lines that have gone their own ways since
    have kept it. BUSCO (Simao et al. 2015) asks more: that 90% of the genomes of a group have the
    gene, in one copy. For that one needs complete genomes, where this takes what is known of any.
    Genes of mitochondria are left out: annotations seldom have them.

    Parameters
    ----------
    proteins
        Training proteins.
    classes
        ``(P,)``: class index of the symbol of each.
    vocabulary
        The symbols.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.

    Returns
    -------
    classes
        Class indices of genes, ascending.
    """
    clades: dict[int, set[str]] = {}
    for protein, gene in zip(proteins, originals[classes].tolist(), strict=True):
        if protein.taxon.clade:
            clades.setdefault(gene, set()).add(protein.taxon.clade)
    return sorted(
        gene
        for gene, known in clades.items()
        if known & _FISHES
        and sum(bool(known & group) for group in _TETRAPODS) > 1
        and not vocabulary[gene].symbol.upper().startswith(_MITOCHONDRIAL)
    )
