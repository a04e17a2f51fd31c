"""Which proteins become references."""

from __future__ import annotations

import numpy as np

from gst_core.clades import CLADES
from gst_core.references.seeds import distinct_seeds
from gst_core.sequences import encode
from gst_core.training import references as module
from gst_core.training.references import choose, gather
from tests.relatives import evolved, family_proteins, labelled, random_protein


def shared_words(one: np.ndarray, other: np.ndarray) -> float:
    a, b = set(distinct_seeds(one).tolist()), set(distinct_seeds(other).tolist())
    return len(a & b) / max(len(a), len(b), 1)


def classes_of(proteins) -> np.ndarray:
    symbols = sorted({protein.symbol for protein in proteins})
    return np.array([symbols.index(protein.symbol) for protein in proteins], dtype=np.int32)


def test_only_fragments_of_something_new_are_kept():
    rng = np.random.default_rng(0)
    whole = random_protein(rng, 200)
    proteins = [labelled(codes, "GH1", "Homo sapiens") for codes in [whole] * 5]
    fragments = {
        "known": whole[20:80],
        "changed": evolved(rng, whole, 0.3)[100:160],
        "unknown": random_protein(rng, 60),
        "short": random_protein(rng, 39),
    }
    proteins += [labelled(codes, "GH1", "Mus musculus") for codes in fragments.values()]
    chosen = choose(proteins, classes_of(proteins))
    assert [list(fragments)[i - 5] for i in chosen if i >= 5] == ["changed", "unknown"]
    # The same fragment in two species is one reference.
    proteins.append(labelled(fragments["unknown"], "GH1", "Rattus norvegicus"))
    assert len(choose(proteins, classes_of(proteins))) == len(chosen)
    # Where a symbol has nothing longer, it is no fragment.
    alone = [labelled(whole[:30], "PRL", "Homo sapiens")]
    assert len(proteins) in choose([*proteins, *alone], classes_of([*proteins, *alone]))


def test_those_that_are_all_but_the_same_are_left_out():
    rng = np.random.default_rng(1)
    one, other = random_protein(rng, 300), random_protein(rng, 300)
    near = [evolved(rng, one, 0.01) for _ in range(5)] + [evolved(rng, other, 0.01)]
    proteins = [labelled(codes, "GH1", "Homo sapiens") for codes in near]
    chosen = choose(proteins, classes_of(proteins))
    assert len(chosen) == 2
    assert 5 in chosen


def test_every_symbol_has_a_reference_and_every_protein_one_like_it():
    proteins = family_proteins(12, ("Homo sapiens", "Mus musculus", "Gallus gallus"), share=0.03)
    # Without a single word, and in an order that is not that of the symbols.
    proteins += [labelled(encode(b"MKV"), "TINY", "Homo sapiens")] * 2
    proteins = [proteins[i] for i in np.random.default_rng(0).permutation(len(proteins))]
    classes = classes_of(proteins)
    chosen = choose(proteins, classes, similar=0.5)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert set(classes[chosen].tolist()) == set(range(13))
    assert len(chosen) < len(proteins)
    for protein, symbol in zip(proteins, classes, strict=True):
        own = [
            shared_words(protein.codes, proteins[i].codes) for i in chosen if classes[i] == symbol
        ]
        assert max(own) >= 0.5 or symbol == 12


def test_no_symbol_has_more_than_its_share(monkeypatch):
    monkeypatch.setattr(module, "MOST_OF_A_SYMBOL", 4)
    rng = np.random.default_rng(2)
    proteins = [labelled(random_protein(rng, 100), "GH1", "Homo sapiens") for _ in range(9)]
    assert len(choose(proteins, classes_of(proteins))) == 4


def test_where_not_all_fit_each_symbol_has_as_many_of_its_first():
    rng = np.random.default_rng(3)
    sizes = {"GH1": 7, "PRL": 5, "LEP": 1}
    proteins = [
        labelled(random_protein(rng, 100), symbol, "Homo sapiens")
        for symbol, size in sizes.items()
        for _ in range(size)
    ]
    classes = classes_of(proteins)
    assert len(choose(proteins, classes)) == 13
    for most, expected in ((13, [1, 5, 7]), (11, [1, 5, 5]), (10, [1, 4, 4]), (2, [1, 1, 1])):
        chosen = choose(proteins, classes, most=most)
        assert sorted(np.bincount(classes[chosen]).tolist()) == expected
        # Each with its first, that which is most like the others, whatever the room.
        assert set(choose(proteins, classes, most=3).tolist()) <= set(chosen.tolist())


def test_chosen_proteins_are_laid_out():
    proteins = family_proteins(3, ("Homo sapiens", "Danio rerio"))
    proteins[3] = labelled(encode(b"MUX*"), "FAM1", "Danio rerio", "Q1")
    classes = classes_of(proteins)
    found = gather(proteins, classes, np.array([0, 3]))
    assert len(found) == 2
    np.testing.assert_array_equal(found[0], proteins[0].codes)
    np.testing.assert_array_equal(found[1], encode(b"MCXX"))
    assert found.classes.tolist() == [0, 1]
    assert [CLADES[c] for c in found.clades] == ["humans", "teleostei"]
    assert list(found.accessions) == ["HOM0", "Q1"]
    assert found.lengths.tolist() == [len(proteins[0].codes), 4]
