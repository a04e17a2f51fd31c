"""What references name wrongly becomes a reference."""

from __future__ import annotations

import numpy as np

from gst_core.references.evidence import EvidenceFinder
from gst_core.references.scopes import Scopes
from gst_core.training.condensing import condense
from gst_core.training.known import substituted
from gst_core.training.references import choose, gather
from gst_core.training.simulation import Labelled
from tests.relatives import labelled, random_protein


def paralogues() -> Labelled:
    """Give two genes of three species, each species' pair more alike than the genes are."""
    rng = np.random.default_rng(0)
    proteins = []
    for species in ("Homo sapiens", "Mus musculus", "Danio rerio"):
        ancestor = random_protein(rng, 200)
        for symbol in ("GH1", "GH2"):
            codes = substituted(ancestor, 0.02, rng)
            proteins.append(labelled(codes, symbol, species))
    classes = np.array([0, 1] * 3, dtype=np.int32)
    return Labelled(proteins, classes, np.arange(2), Scopes({}, np.arange(2)))


def best(known: Labelled, chosen: np.ndarray) -> list[int]:
    finder = EvidenceFinder(
        gather(known.proteins, known.classes, chosen), np.full(2, 3, dtype=np.int64)
    )
    codes = [protein.codes for protein in known.proteins]
    return finder.find(codes, np.full(len(codes), 20)).classes[:, 0].tolist()


def test_every_protein_is_named_right_in_the_end():
    known = paralogues()
    few = np.array([0, 3, 5])
    assert best(known, few) != known.classes.tolist()
    rounds: list[int] = []
    chosen = condense(known, few, 100, on_round=rounds.append)
    assert set(few.tolist()) < set(chosen.tolist())
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert best(known, chosen) == known.classes.tolist()
    assert rounds[0] == 1
    np.testing.assert_array_equal(condense(known, few, 100, workers=2), chosen)


def test_no_more_than_there_may_be():
    assert len(condense(paralogues(), np.array([0, 3, 5]), 4)) == 4


def test_what_is_named_well_stays_out():
    rng = np.random.default_rng(1)
    proteins = []
    for symbol in ("GH1", "TP53"):
        ancestor = random_protein(rng, 200)
        near = [substituted(ancestor, 0.01, rng) for _ in range(3)]
        proteins += [labelled(codes, symbol, "Homo sapiens") for codes in near]
    classes = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    known = Labelled(proteins, classes, np.arange(2), Scopes({}, np.arange(2)))
    chosen = choose(proteins, classes)
    np.testing.assert_array_equal(condense(known, chosen, 100), chosen)
