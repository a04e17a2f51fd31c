"""Likeness by shared words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.nomenclature.words import Similarities, words_of
from gst_core.sequences import ALPHABET, encode

proteins = st.text(alphabet=ALPHABET, max_size=60).map(lambda text: encode(text.encode()))


def test_residues_that_replace_each_other_are_one_letter() -> None:
    assert words_of(encode(b"LKFED")).tolist() == words_of(encode(b"IRYED")).tolist()
    assert len(words_of(encode(b"MKTAYIA"))) == 3
    assert len(words_of(encode(b"MKTAXIAQRW"))) == 1  # IAQRW: no word may hold the X
    assert len(words_of(encode(b"MKTA"))) == 0


@given(proteins)
def test_words_are_those_of_a_slow_reading(codes: np.ndarray) -> None:
    groups = ["LVIMJ", "CU", "A", "G", "S", "T", "P", "FY", "W", "EZ", "DB", "N", "Q", "KRO", "H"]
    letter = {residue: number for number, group in enumerate(groups) for residue in group}
    text = [letter.get(ALPHABET[code]) for code in codes]
    windows = [text[i : i + 5] for i in range(len(text) - 4)]
    slow = {sum(x * 15 ** (4 - i) for i, x in enumerate(w)) for w in windows if None not in w}
    assert words_of(codes).tolist() == sorted(slow)


@pytest.fixture(scope="module")
def random_proteins() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 20, 300, dtype=np.uint8) for _ in range(40)]


def test_relatives_are_alike_and_strangers_not(random_proteins: list[np.ndarray]) -> None:
    rng = np.random.default_rng(4)
    long = rng.integers(0, 20, 30_000, dtype=np.uint8)
    relative = random_proteins[0].copy()
    relative[::7] = 0
    found = Similarities([*random_proteins, long], np.arange(41))
    likeness = found.to_symbols(relative)
    assert likeness.argmax() == 0
    assert likeness[0] > 0.2
    # A protein that has thousands of words is no relative of everybody.
    assert abs(likeness[40]) < 0.05
    assert found.to_symbols(random_proteins[5])[5] > 0.9
    short = Similarities(random_proteins, np.arange(40))
    assert -0.01 < short.chance() < 0.1 < likeness[0]
    assert short.chance() == short.chance()


def test_a_group_is_as_alike_as_half_of_it(random_proteins: list[np.ndarray]) -> None:
    symbols = np.array([0, 0, 0, *range(1, 38)])
    found = Similarities(random_proteins, symbols)
    half, best = found.of_group([3, 4, 5])
    assert half[1] < 0.1 < 0.9 < best[1]
    half, _ = found.of_group([3, 4])
    assert max(half[1], half[2]) < 0.1
    assert found.closest([3, 4], [0, 2]) == 4


def test_proteins_without_words_are_like_nothing() -> None:
    found = Similarities([encode(b"MKV"), encode(b"MKTAYIAKQR")], np.array([0, 1]))
    assert found.to_symbols(encode(b"MK")).tolist() == [0.0, 0.0]
    assert found.to_symbols(encode(b"MKTAYIAKQR"))[0] == 0.0
