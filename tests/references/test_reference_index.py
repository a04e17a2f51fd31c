"""The index of words against a search that counts them one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gst_core.references import index as module
from gst_core.references.index import LEAST, SHORT, WordIndex
from gst_core.references.store import MOST_REFERENCES, References
from gst_core.references.words import WORDS, distinct_words
from gst_core.sequences import encode
from tests.relatives import UNKNOWN, evolved, random_protein, references_of


def library(seed: int = 0) -> References:
    """Related, unrelated, short, repetitive and half unknown references."""
    rng = np.random.default_rng(seed)
    proteins = []
    for _ in range(12):
        ancestor = random_protein(rng, int(rng.integers(30, 400)))
        proteins += [evolved(rng, ancestor, share) for share in (0, 0.1, 0.3, 0.5)]
    proteins += [random_protein(rng, length) for length in (1, 4, 5, 6, 99, 100, 101)]
    proteins += [encode(b"MKVLWA" * 30), encode(b"X" * 50), encode(b"ACDEX" * 10)]
    return references_of(proteins, range(len(proteins)))


class PlainIndex:
    """The same search in plain Python."""

    def __init__(self, references: References, common: int) -> None:
        self.lengths = references.lengths
        self.words = [set(distinct_words(references[r]).tolist()) for r in range(len(references))]
        frequency: dict[int, int] = {}
        for words in self.words:
            for word in words:
                frequency[word] = frequency.get(word, 0) + 1
        self.weights = {
            word: math.log(len(references) / times)
            for word, times in frequency.items()
            if times <= common
        }

    def weight(self, words: set[int]) -> float:
        return sum(self.weights.get(word, 0) for word in words)

    def shared(self, codes: np.ndarray) -> np.ndarray:
        own = set(distinct_words(codes).tolist())
        return np.array([self.weight(own & words) for words in self.words])

    def scores(self, codes: np.ndarray) -> np.ndarray:
        return self.shared(codes) / np.sqrt(np.maximum(self.lengths, SHORT))


def check(index: WordIndex, expected: PlainIndex, codes: np.ndarray, hidden=None) -> None:
    shared, scores = expected.shared(codes), expected.scores(codes)
    if hidden is not None:
        shared[hidden] = scores[hidden] = 0
    found, weights, own = index.search(codes, 1000, hidden)
    assert own == pytest.approx(expected.weight(set(distinct_words(codes).tolist())), rel=1e-5)
    np.testing.assert_allclose(weights, shared[found], rtol=1e-5)
    # Those left out score too little, those found enough; rounding decides between equals.
    least = LEAST * scores.max(initial=0)
    assert set(np.flatnonzero(scores > least * 1.0001).tolist()) <= set(found.tolist())
    assert (scores[found] > least * 0.9999).all()
    assert (np.diff(scores[found]) <= 1e-5).all()
    first, *_ = index.search(codes, 3, hidden)
    np.testing.assert_array_equal(first, found[:3])


@pytest.mark.parametrize("common", [600, 3])
@pytest.mark.parametrize("piece", [1 << 20, 37])
def test_search_against_counting(monkeypatch, common, piece):
    monkeypatch.setattr(module, "COMMON", common)
    monkeypatch.setattr(module, "_PIECE", piece)
    references = library()
    index, expected = WordIndex(references), PlainIndex(references, common)
    np.testing.assert_allclose(
        index.totals, [expected.weight(words) for words in expected.words], rtol=1e-5
    )
    weights = np.zeros(WORDS)
    weights[list(expected.weights)] = list(expected.weights.values())
    np.testing.assert_allclose(index.weights, weights, rtol=1e-5, atol=1e-7)
    rng = np.random.default_rng(1)
    for number in range(len(references)):
        check(index, expected, evolved(rng, references[number], 0.2))
        check(index, expected, references[number], rng.random(len(references)) < 0.4)


def test_common_words_are_left_out(monkeypatch):
    """A word in more references than the limit finds none of them."""
    monkeypatch.setattr(module, "COMMON", 3)
    proteins = [encode(b"WWWWW")] * 4 + [encode(b"HHHHH")] * 3
    index = WordIndex(references_of(proteins, range(7)))
    assert len(index.search(encode(b"WWWWW"), 10)[0]) == 0
    assert index.search(encode(b"HHHHH"), 10)[0].tolist() == [4, 5, 6]


def test_words_do_not_reach_over_the_end_of_a_reference():
    proteins = [encode(b"MKV"), encode(b"LWACD"), random_protein(np.random.default_rng(0), 80)]
    index = WordIndex(references_of(proteins, range(3)))
    assert len(index.search(encode(b"MKVLW"), 10)[0]) == 0
    assert index.search(encode(b"LWACD"), 10)[0].tolist() == [1]


def test_proteins_without_a_word_find_nothing():
    index = WordIndex(library())
    for codes in (np.full(80, UNKNOWN, np.uint8), encode(b"M"), encode(b"MKVL"), encode(b"")):
        found, shared, own = index.search(codes, 10)
        assert len(found) == len(shared) == own == 0


def test_what_is_hidden_is_never_found():
    references = library()
    index = WordIndex(references)
    hidden = np.zeros(len(references), dtype=bool)
    assert index.search(references[0], 10)[0][0] == 0
    hidden[0] = True
    assert 0 not in index.search(references[0], 1000, hidden)[0]
    hidden[:] = True
    assert len(index.search(references[0], 10, hidden)[0]) == 0


def test_two_workers_build_what_one_builds():
    references = library()
    one, two = WordIndex(references), WordIndex(references, workers=2)
    np.testing.assert_array_equal(one.weights, two.weights)
    np.testing.assert_array_equal(one.totals, two.totals)
    for number in range(0, len(references), 5):
        for a, b in zip(
            one.search(references[number], 50), two.search(references[number], 50), strict=True
        ):
            np.testing.assert_array_equal(a, b)


def test_too_many_references_are_refused():
    many = MOST_REFERENCES + 1
    references = References(
        np.zeros(many, np.uint8), np.arange(many + 1), np.zeros(many, np.int32),
        np.zeros(many, np.uint8), [""] * many,
    )  # fmt: skip
    with pytest.raises(ValueError, match="65537 references"):
        WordIndex(references)
