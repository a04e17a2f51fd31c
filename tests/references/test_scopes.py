"""Symbols that are given in some species alone."""

from __future__ import annotations

import numpy as np
import pytest

from gst_core.references.evidence import EvidenceFinder
from gst_core.references.scopes import NOT_GIVEN, Scopes
from tests.relatives import evolved, random_protein, references_of

#: HBB, its fish copy hbb1, HLA-A, Patr-A, and a toxin that only frogs have.
HBB, HBB1, HLA_A, PATR_A, TOXIN = range(5)
ORIGINALS = np.array([HBB, HBB, HLA_A, HLA_A, TOXIN])
SCOPES = Scopes({HBB1: ["teleostei"], PATR_A: ["Pan"], TOXIN: ["amphibians"]}, ORIGINALS)


@pytest.mark.parametrize(
    ("clade", "genus", "expected"),
    [
        ("humans", "Homo", [HBB, HBB, HLA_A, HLA_A, NOT_GIVEN]),
        ("primates", "Pan", [HBB, HBB, HLA_A, PATR_A, NOT_GIVEN]),
        ("primates", "Gorilla", [HBB, HBB, HLA_A, HLA_A, NOT_GIVEN]),
        ("teleostei", "Danio", [HBB, HBB1, HLA_A, HLA_A, NOT_GIVEN]),
        ("amphibians", None, [HBB, HBB, HLA_A, HLA_A, TOXIN]),
        (None, None, [HBB, HBB1, HLA_A, PATR_A, TOXIN]),
    ],
)
def test_a_copy_elsewhere_is_its_gene(clade, genus, expected):
    assert SCOPES.given(clade, genus).tolist() == expected


def test_an_original_that_is_not_given_takes_no_place():
    scopes = Scopes({0: ["aves"], 1: ["teleostei"]}, np.array([0, 0]))
    assert scopes.given("humans").tolist() == [NOT_GIVEN, NOT_GIVEN]
    assert scopes.given("aves").tolist() == [0, 0]


@pytest.mark.parametrize("number", [-1, 5])
def test_a_class_that_is_none_is_refused(number):
    with pytest.raises(ValueError, match="none of the vocabulary"):
        Scopes({number: ["aves"]}, ORIGINALS)


def test_references_speak_for_what_is_given():
    rng = np.random.default_rng(0)
    ancestor = random_protein(rng, 200)
    proteins = [evolved(rng, ancestor, share) for share in (0.1, 0.05)]
    others = [random_protein(rng, 150) for _ in range(40)]
    library = references_of([*proteins, *others], [0, 1, *[2, 3, 4, 2] * 10])
    finder = EvidenceFinder(library, np.ones(5, dtype=np.int64))
    unknown = np.full(2, 20)

    def classes(*species: tuple[str, str]) -> list[list[int]]:
        given = [SCOPES.given(*one) for one in species]
        found = finder.find([proteins[1]] * len(given), unknown[: len(given)], given=given)
        return [row[row >= 0].tolist() for row in found.classes]

    assert classes(("teleostei", "Danio"))[0][:2] == [HBB1, HBB]
    (human,) = classes(("humans", "Homo"))
    assert human[0] == HBB
    assert HBB1 not in human
    # Each protein of a batch by its own species.
    fish, human = classes(("teleostei", "Danio"), ("humans", "Homo"))
    assert (fish[0], human[0]) == (HBB1, HBB)
    # What is not given at all leaves the others as they are.
    none = Scopes({HBB: ["aves"], HBB1: ["aves"]}, np.array([HBB, HBB1, 2, 3, 4]))
    found = finder.find([proteins[1]], unknown[:1], given=[none.given("humans")])
    assert not np.isin(found.classes, [HBB, HBB1]).any()
