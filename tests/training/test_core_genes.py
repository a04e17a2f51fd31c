"""Genes by which the completeness of a genome is judged."""

from __future__ import annotations

import numpy as np

from gst_core.sequences import encode
from gst_core.taxonomy import resolve
from gst_core.training.core_genes import core_genes
from gst_core.training.proteins import LabelledProtein
from gst_core.vocabulary import Symbol, Vocabulary


def core(known: dict[str, tuple[str, ...]], copy_of: dict[str, str] | None = None) -> set[str]:
    symbols = list(known)
    proteins, classes = [], []
    for number, species in enumerate(known.values()):
        for name in species:
            proteins.append(LabelledProtein("", encode(b"MKV"), "", resolve(name)))
            classes.append(number)
    originals = [symbols.index((copy_of or {}).get(symbol, symbol)) for symbol in symbols]
    vocabulary = Vocabulary([Symbol(symbol, "", "", "") for symbol in symbols])
    found = core_genes(proteins, np.array(classes, dtype=np.int32), vocabulary, np.array(originals))
    return {symbols[number] for number in found}


def test_a_gene_of_fishes_and_two_classes_of_tetrapods_is_one_that_all_have():
    assert core(
        {
            "ALL": ("Danio rerio", "Homo sapiens", "Gallus gallus", "Xenopus laevis"),
            "NOBIRD": ("Scyliorhinus canicula", "Mus musculus", "Xenopus tropicalis"),
            "NOMAMMAL": ("Danio rerio", "Anolis carolinensis", "Xenopus laevis"),
            "NOFISH": ("Homo sapiens", "Gallus gallus", "Xenopus laevis"),
            "ONECLASS": ("Danio rerio", "Homo sapiens", "Mus musculus", "Monodelphis domestica"),
            "MT-ND4": ("Danio rerio", "Homo sapiens", "Gallus gallus", "Xenopus laevis"),
        }
    ) == {"ALL", "NOBIRD", "NOMAMMAL"}


def test_what_is_known_of_copies_is_known_of_their_gene():
    known = {"USP22": ("Homo sapiens", "Gallus gallus"), "usp22-a": ("Danio rerio",)}
    assert core(known) == set()
    assert core(known, {"usp22-a": "USP22"}) == {"USP22"}
