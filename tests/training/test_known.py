"""Known species simulated: what becomes of proteins, and which names are right for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.references.evidence import EvidenceFinder
from gst_core.references.scopes import Scopes
from gst_core.training import known as module
from gst_core.training.known import Known, changed, substituted
from gst_core.training.references import gather
from gst_core.training.simulation import Labelled, Simulated, joined
from tests.relatives import family_proteins, labelled, random_protein

SPECIES = ("Homo sapiens", "Mus musculus", "Danio rerio")


def setting(proteins) -> tuple[Known, Labelled]:
    symbols = sorted({protein.symbol for protein in proteins})
    classes = np.array([symbols.index(p.symbol) for p in proteins], dtype=np.int32)
    own = np.arange(len(symbols))
    made = Labelled(proteins, classes, own, Scopes({}, own))
    references = gather(proteins, classes, np.arange(len(proteins)))
    finder = EvidenceFinder(references, np.bincount(classes).astype(np.int64))
    return Known(made, finder), made


def asked(known: Known, made: Labelled, way: str, seed: int = 1) -> Simulated:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHANGES", {way: 1.0})
        return joined(list(known.run(np.arange(len(made.proteins)), seed)))


@given(st.integers(1, 400), st.floats(0, 0.5), st.integers(0, 1 << 30))
def test_as_many_residues_are_replaced_as_asked(length, share, seed):
    rng = np.random.default_rng(seed)
    codes = random_protein(rng, length)
    other = substituted(codes, share, rng)
    assert len(other) == length
    assert (other != codes).sum() == max(round(share * length), 1)
    assert other.max() < 20


@pytest.mark.parametrize("way", list(module.CHANGES))
def test_each_way_of_change(way):
    rng = np.random.default_rng(0)
    codes = random_protein(rng, 120)
    for _ in range(20):
        other = changed(codes, way, rng)
        text, whole = other.tobytes(), codes.tobytes()
        if way == "nothing":
            assert text == whole
        elif way == "residues":
            assert len(text) == len(whole)
            assert text != whole
        elif way == "piece":
            assert text in whole
            assert module.PIECES[0] <= len(other) <= module.PIECES[1]
        else:
            assert module.PEPTIDES[0] <= len(other) <= module.PEPTIDES[1]
    short = random_protein(rng, 3)
    assert len(changed(short, way, rng)) == 3


@pytest.mark.parametrize("way", list(module.CHANGES))
def test_the_own_symbol_is_right_and_none_for_random_peptides(way):
    known, made = setting(family_proteins(12, SPECIES))
    data = asked(known, made, way)
    assert not data.as_new.any()
    assert set(data.genera.tolist()) == {"Homo", "Mus", "Danio"}
    assert (data.answers > 0).any() == (way != "peptide")
    if way in ("nothing", "residues"):
        assert (data.answers == 1).all()


def test_of_the_same_protein_each_symbol_is_right_as_often():
    codes = random_protein(np.random.default_rng(0), 150)
    twins = [labelled(codes, symbol, "Homo sapiens") for symbol in ("CALM1", "CALM2")]
    known, _ = setting([*twins * 100, *family_proteins(3, SPECIES)])
    rows = np.arange(200)
    data = joined(list(known.run(rows, 3)))
    named = data.answers[data.answers > 0]
    assert 60 < (named == 1).sum() < len(named) - 60


def test_strangers_are_named_by_their_own_symbol_alone():
    known, made = setting(family_proteins(5, SPECIES))
    codes = made.proteins[0].codes
    flies = [labelled(codes, symbol, "Drosophila melanogaster") for symbol in ("fam0", "bcd")]
    data = joined(list(known.strangers(flies)))
    assert data.present[:, 0].all()
    assert data.answers.tolist() == [1, 0]


def test_the_same_seed_gives_the_same():
    known, made = setting(family_proteins(40, SPECIES))
    rows = np.arange(len(made.proteins))
    one, two, other = (joined(list(known.run(rows, seed))) for seed in (2, 2, 3))
    np.testing.assert_array_equal(one.features, two.features)
    np.testing.assert_array_equal(one.answers, two.answers)
    assert (one.answers != other.answers).any()
