"""Simulated evolution: what comes out is proteins, as many as went in, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.sequences import ALPHABET, encode
from gst_core.training.augmentation import Evolution

NOTHING = {"exon_loss": 0.0, "late_start": 0.0, "fragment": 0.0}


def evolve(
    evolution: Evolution, codes: np.ndarray, lengths: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    return evolution(codes, lengths, np.random.default_rng(seed))


def some_proteins(number: int, length: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    codes = np.random.default_rng(seed).integers(0, 20, number * length).astype(np.uint8)
    return codes, np.full(number, length)


@given(
    st.lists(st.text(ALPHABET, min_size=1, max_size=80), min_size=1, max_size=12),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_proteins_stay_proteins(sequences: list[str], seed: int, share: float) -> None:
    codes = encode("".join(sequences).encode())
    lengths = np.array([len(sequence) for sequence in sequences])
    evolution = Evolution(distance=1.0, exon_loss=share, late_start=share, fragment=share)
    evolved, kept = evolve(evolution, codes, lengths, seed)
    assert len(kept) == len(sequences)
    assert (kept >= 1).all()
    assert kept.sum() == len(evolved)
    assert evolved.dtype == np.uint8
    assert set(evolved.tolist()) <= set(codes.tolist()) | set(range(20))
    again, kept_again = evolve(evolution, codes, lengths, seed)
    assert (again == evolved).all()
    assert (kept_again == kept).all()


def test_the_input_is_left_alone() -> None:
    codes, lengths = some_proteins(5, 100)
    before = codes.copy()
    evolve(Evolution(), codes, lengths)
    assert (codes == before).all()


def test_nothing_happens_where_nothing_is_asked_for() -> None:
    codes, lengths = some_proteins(5, 100)
    evolved, kept = evolve(Evolution(distance=0.0, **NOTHING), codes, lengths)
    assert (evolved == codes).all()
    assert (kept == lengths).all()


def test_the_share_unchanged_is_kept() -> None:
    codes, lengths = some_proteins(1000, 50)
    evolution = Evolution(unchanged=0.3, indels=0.0, **NOTHING)
    evolved, _ = evolve(evolution, codes, lengths)
    same = (evolved.reshape(1000, 50) == codes.reshape(1000, 50)).all(1).mean()
    assert 0.27 < same < 0.37  # some of the others draw a distance near 0


def test_distances_are_uniform() -> None:
    codes, lengths = some_proteins(2000, 200)
    evolution = Evolution(unchanged=0.0, distance=0.6, heterogeneity=0.01, indels=0.0, **NOTHING)
    evolved, _ = evolve(evolution, codes, lengths)
    changed = (evolved != codes).reshape(2000, 200).mean(1)
    assert changed.mean() == pytest.approx(0.3, abs=0.015)
    assert np.percentile(changed, 90) == pytest.approx(0.54, abs=0.03)


def test_rates_vary_along_a_protein_but_not_on_average() -> None:
    rates = Evolution()._rates(500_000, np.random.default_rng(0))
    assert rates.mean() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(rates[:-1], rates[1:])[0, 1] > 0.5
    assert abs(np.corrcoef(rates[:-30], rates[30:])[0, 1]) < 0.05


def test_substitutions_follow_blosum62() -> None:
    leucines = np.full(200_000, ALPHABET.index("L"), dtype=np.uint8)
    evolution = Evolution(unchanged=0.0, indels=0.0, **NOTHING)
    evolved, _ = evolve(evolution, leucines, np.full(2000, 100))
    counts = np.bincount(evolved[evolved != leucines], minlength=20)
    letters = [ALPHABET[i] for i in np.argsort(-counts)[:3]]
    assert set(letters) == {"I", "M", "V"} or letters[0] in "IMV"
    assert counts[ALPHABET.index("I")] > 4 * counts[ALPHABET.index("D")]
    assert counts[ALPHABET.index("L")] == 0


def test_losses_shorten() -> None:
    codes, lengths = some_proteins(300, 200)
    plain = {"distance": 0.0, "exon_loss": 0.0, "late_start": 0.0, "fragment": 0.0}
    _, kept = evolve(Evolution(**plain | {"exon_loss": 1.0}), codes, lengths)
    assert ((lengths - kept >= 1) & (lengths - kept <= 80)).all()
    evolved, kept = evolve(Evolution(**plain | {"late_start": 1.0}), codes, lengths)
    assert ((lengths - kept >= 1) & (lengths - kept <= 60)).all()
    assert (evolved[: kept[0]] == codes[200 - kept[0] : 200]).all()
    _, kept = evolve(Evolution(**plain | {"fragment": 1.0}), codes, lengths)
    assert (kept >= 100).all()
    assert kept.min() < 120


def test_insertions_balance_deletions() -> None:
    codes, lengths = some_proteins(3000, 200)
    evolution = Evolution(unchanged=0.0, distance=1.0, indels=0.03, **NOTHING)
    _, kept = evolve(evolution, codes, lengths)
    assert kept.mean() == pytest.approx(200, abs=3)
    assert kept.std() > 3
