"""References packed and unpacked, and their seeds, against the plainest Python there is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.references import store
from gst_core.references.seeds import LETTERS, SEEDS, SPAN, distinct_seeds, seed_numbers
from gst_core.references.store import pack, plain, unpack
from gst_core.sequences import ALPHABET, encode

#: Plain codes: the common residues, and X.
CODES = st.lists(st.sampled_from([*range(20), ALPHABET.index("X")]), max_size=120)


@given(CODES)
def test_what_was_packed_is_unpacked(codes):
    array = np.array(codes, dtype=np.uint8)
    packed = pack(array)
    assert packed.dtype == np.uint32
    assert len(packed) == -(-len(codes) // 7)
    np.testing.assert_array_equal(unpack(packed, len(codes)), array)


def test_long_sequences_are_unpacked_in_pieces(monkeypatch):
    monkeypatch.setattr(store, "_PIECE", 3)
    codes = np.random.default_rng(0).integers(0, 22, 1000, dtype=np.uint8)
    np.testing.assert_array_equal(unpack(pack(codes), 1000), codes)


def test_the_highest_codes_fit():
    codes = np.full(7, ALPHABET.index("X"), dtype=np.uint8)
    assert int(pack(codes)[0]) == 22**7 - 1
    np.testing.assert_array_equal(unpack(pack(codes), 7), codes)


@pytest.mark.parametrize("length", [-1, 0, 7, 15, 16])
def test_a_wrong_length_is_refused(length):
    packed = pack(np.zeros(14, dtype=np.uint8))
    with pytest.raises(ValueError, match=f"2 packed numbers do not hold {length} residues"):
        unpack(packed, length)


def test_numbers_that_are_no_residues_are_refused():
    with pytest.raises(ValueError, match="beyond"):
        unpack(np.array([22**7], dtype=np.uint32), 7)


def test_rare_residues_become_common_ones_and_a_stop_an_x():
    assert [ALPHABET[code] for code in plain(encode(b"MBZJUO*X"))] == list("MDELCKXX")


def words_in_python(text: str) -> list[int]:
    found = []
    for start in range(len(text) - 4):
        letters = [text[start + offset] for offset in (0, 1, 3, 4)]
        number = 0
        for letter in letters:
            number = number * 20 + "ACDEFGHIKLMNPQRSTVWY".find(letter)
        found.append(-1 if "X" in letters else number)
    return found


@given(CODES)
def test_words_are_numbered_as_plain_python_does_it(codes):
    expected = words_in_python("".join(ALPHABET[code] for code in codes))
    array = np.array(codes, dtype=np.uint8)
    assert seed_numbers(array).tolist() == expected
    assert distinct_seeds(array).tolist() == sorted({number for number in expected if number >= 0})


def test_the_first_and_the_last_word():
    assert seed_numbers(encode(b"AAXAA")).tolist() == [0]
    assert seed_numbers(encode(b"YYWYY")).tolist() == [SEEDS - 1]
    assert LETTERS**4 == SEEDS
    assert len(seed_numbers(encode(b"MKVL"))) == 0 == len(distinct_seeds(encode(b"MKVL")))
    assert SPAN == 5
