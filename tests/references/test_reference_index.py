"""The index of words against a search that counts them one by one."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from Bio.Align import substitution_matrices

from gst_core.references import compiled, portable, postings
from gst_core.references.compiled import LIBRARY, CompiledSearch, Library
from gst_core.references.index import WordIndex
from gst_core.references.portable import PortableSearch
from gst_core.references.postings import LEAST, PARTS, SHORT
from gst_core.references.store import MOST_REFERENCES, References
from gst_core.references.words import OFFSETS, SPAN, distinct_words
from gst_core.sequences import ALPHABET, encode
from tests.relatives import UNKNOWN, evolved, random_protein, references_of


def some_references(seed: int = 0) -> References:
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

    def __init__(self, references: References) -> None:
        self.lengths = references.lengths
        self.words = [set(distinct_words(references[r]).tolist()) for r in range(len(references))]
        self.frequency = Counter(word for words in self.words for word in words)
        self.weights = {
            word: round(math.log(len(references) / times) * PARTS) / PARTS
            for word, times in self.frequency.items()
            if times <= postings.COMMON
        }

    def weight(self, words: set[int]) -> float:
        return sum(self.weights.get(word, 0) for word in words)

    def rarest(self, words: set[int]) -> set[int]:
        """Words in fewest references first, those in equally many all or none."""
        known = [word for word in words if word in self.weights]
        budget = max(postings.BUDGET, postings.BUDGET_PER_WORD * len(known))
        chosen: set[int] = set()
        for times in sorted({self.frequency[word] for word in known}):
            more = {word for word in known if self.frequency[word] == times}
            if sum(self.frequency[word] for word in chosen | more) > budget:
                break
            chosen |= more
        return chosen

    def shared(self, codes: np.ndarray) -> np.ndarray:
        own = set(distinct_words(codes).tolist())
        used = self.rarest(own)
        scale = self.weight(own) / max(self.weight(used), 1e-9)
        return np.array([self.weight(used & words) * scale for words in self.words])

    def scores(self, codes: np.ndarray) -> np.ndarray:
        return self.shared(codes) / np.sqrt(np.maximum(self.lengths, SHORT))


def check(index: WordIndex, expected: PlainIndex, codes: np.ndarray, hidden=None) -> None:
    shared, scores = expected.shared(codes), expected.scores(codes)
    if hidden is not None:
        shared[hidden] = scores[hidden] = 0
    found, weights, own = index.search(codes, 1000, hidden)
    assert own == pytest.approx(expected.weight(set(distinct_words(codes).tolist())), rel=1e-6)
    np.testing.assert_allclose(weights, shared[found], rtol=1e-6)
    # Those left out score too little, those found enough; rounding decides between equals.
    least = LEAST * scores.max(initial=0)
    assert set(np.flatnonzero(scores > least * 1.0001).tolist()) <= set(found.tolist())
    assert (scores[found] > least * 0.9999).all()
    assert (np.diff(scores[found]) <= 1e-5).all()
    first, *_ = index.search(codes, 3, hidden)
    np.testing.assert_array_equal(first, found[:3])


@pytest.fixture(params=["numpy", "compiled"])
def library(request):
    """Both implementations; the compiled one where there is a compiler."""
    if request.param == "numpy":
        return None
    if LIBRARY is None:
        pytest.skip("words.c was not compiled: there was no C compiler on installation")
    return LIBRARY


@pytest.mark.parametrize(("common", "budget"), [(300, 20_000), (3, 20_000), (300, 60)])
def test_search_against_counting(monkeypatch, library, common, budget):
    monkeypatch.setattr(postings, "COMMON", common)
    monkeypatch.setattr(postings, "BUDGET", budget)
    monkeypatch.setattr(postings, "BUDGET_PER_WORD", 2)
    monkeypatch.setattr(portable, "_PIECE", 37)
    references = some_references()
    index, expected = WordIndex(references, library=library), PlainIndex(references)
    np.testing.assert_allclose(
        index.totals, [expected.weight(words) for words in expected.words], rtol=1e-6
    )
    rng = np.random.default_rng(1)
    for number in range(len(references)):
        check(index, expected, evolved(rng, references[number], 0.2))
        check(index, expected, references[number], rng.random(len(references)) < 0.4)


@pytest.mark.skipif(LIBRARY is None, reason="words.c was not compiled on installation")
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_both_implementations_agree_to_the_bit(monkeypatch, workers):
    """Also with more hits than are wanted, of which many are equal, and with long proteins."""
    monkeypatch.setattr(postings, "BUDGET", 3_000)
    rng = np.random.default_rng(2)
    ancestor = random_protein(rng, 120)
    proteins = [evolved(rng, ancestor, share) for share in np.linspace(0, 0.9, 500)]
    proteins += [ancestor] * 40 + [random_protein(rng, 9_000)]
    references = references_of(proteins, range(len(proteins)))
    made = compiled.build(LIBRARY, references, workers)
    plain = portable.build(references, workers)
    for field in fields(made):
        one, other = getattr(made, field.name), getattr(plain, field.name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    search, portable_search = (
        CompiledSearch(LIBRARY, made, references),
        PortableSearch(plain, references),
    )
    for codes in [*proteins[::25], proteins[-1]]:
        for most in (1, 7, 160, 2_000):
            hidden = rng.random(len(proteins)) < 0.1
            for one, other in zip(
                search(codes, most, hidden), portable_search(codes, most, hidden), strict=True
            ):
                np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(LIBRARY is None, reason="words.c was not compiled on installation")
def test_both_implementations_agree_on_similar_words():
    rng = np.random.default_rng(3)
    references = some_references()
    search = CompiledSearch(LIBRARY, compiled.build(LIBRARY, references, 1), references)
    plain = PortableSearch(portable.build(references, 1), references)
    wanted = np.arange(len(references), dtype=np.int32)
    for number in range(0, len(references), 3):
        codes = evolved(rng, references[number], 0.4)
        rows, expected = search.similar_words(codes), plain.similar_words(codes)
        np.testing.assert_array_equal(np.unique(rows, axis=0), np.unique(expected, axis=0))
        np.testing.assert_array_equal(search.tally_similar(rows), plain.tally_similar(rows))
        np.testing.assert_array_equal(
            search.score_diagonals(rows, len(codes), wanted),
            plain.score_diagonals(rows, len(codes), wanted),
        )


def test_similar_words_against_trying_all():
    """The neighbourhood of each word, by BLOSUM62 from Biopython, and how diagonals add up."""
    blosum = substitution_matrices.load("BLOSUM62")
    codes = encode(b"WCHXWWDCHPMW")
    letters = ALPHABET[:20]
    expected = []
    for place in range(len(codes) - SPAN + 1):
        own = [ALPHABET[codes[place + offset]] for offset in OFFSETS]
        if "X" in own:
            continue
        for number, word in enumerate(itertools.product(letters, repeat=4)):
            score = sum(blosum[a][b] for a, b in zip(own, word, strict=True))
            if score >= postings.ALIKE:
                expected.append((number, place, score))
    rows = portable.similar_words(codes)
    assert sorted(map(tuple, rows.tolist())) == sorted(expected)


def test_distant_relatives_are_found_by_similar_words(library):
    """A relative that shares no word is found among others by words that are only alike."""
    rng = np.random.default_rng(4)
    # Pairs of residues that replace each other with a positive score.
    alike = {ord(a): ord(b) for a, b in zip("DEKRILVMFYNST", "EDRKVIIIYFDTS", strict=True)}
    protein = "".join(rng.choice(list("DEKRILVMFYWHCG"), 200))
    relative = encode(protein.translate(alike).encode())
    others = [random_protein(rng, 250) for _ in range(300)]
    index = WordIndex(references_of([*others, relative], range(301)), library=library)
    hidden = np.zeros(301, dtype=bool)
    assert index.search_similar(encode(protein.encode()), 5, hidden)[0] == 300
    assert len(index.search_similar(encode(protein.encode()), 5)) == 5
    hidden[300] = True
    assert 300 not in index.search_similar(encode(protein.encode()), 200, hidden)
    assert len(index.search_similar(encode(b"MKV"), 5)) == 0
    assert len(index.search_similar(encode(b""), 5)) == 0


@pytest.mark.skipif(LIBRARY is None, reason="words.c was not compiled on installation")
def test_threads_do_not_disturb_each_other():
    references = some_references()
    index = WordIndex(references)
    rows = list(range(len(references))) * 20
    alone = [index.search(references[row], 50)[1] for row in rows]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda row: index.search(references[row], 50)[1], rows))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(LIBRARY is None, reason="words.c was not compiled on installation")
def test_a_library_of_another_source_is_not_used(monkeypatch):
    monkeypatch.setattr(compiled, "digest", lambda: "another")
    with pytest.raises(OSError, match="another source"):
        Library(compiled.BINARY)
    assert compiled._load() is None


def test_common_words_are_left_out(monkeypatch, library):
    """A word in more references than the limit finds none of them."""
    monkeypatch.setattr(postings, "COMMON", 3)
    proteins = [encode(b"WWWWW")] * 4 + [encode(b"HHHHH")] * 3
    index = WordIndex(references_of(proteins, range(7)), library=library)
    assert len(index.search(encode(b"WWWWW"), 10)[0]) == 0
    assert index.search(encode(b"HHHHH"), 10)[0].tolist() == [4, 5, 6]


def test_words_do_not_reach_over_the_end_of_a_reference(library):
    proteins = [encode(b"MKV"), encode(b"LWACD"), random_protein(np.random.default_rng(0), 80)]
    index = WordIndex(references_of(proteins, range(3)), library=library)
    assert len(index.search(encode(b"MKVLW"), 10)[0]) == 0
    assert index.search(encode(b"LWACD"), 10)[0].tolist() == [1]


def test_proteins_without_a_word_find_nothing(library):
    index = WordIndex(some_references(), library=library)
    for codes in (encode(b""), np.full(80, UNKNOWN, np.uint8), encode(b"M"), encode(b"MKVL")):
        found, shared, own = index.search(codes, 10)
        assert len(found) == len(shared) == own == 0


def test_what_is_hidden_is_never_found(library):
    references = some_references()
    index = WordIndex(references, library=library)
    hidden = np.zeros(len(references), dtype=bool)
    assert index.search(references[0], 10)[0][0] == 0
    hidden[0] = True
    assert 0 not in index.search(references[0], 1000, hidden)[0]
    hidden[:] = True
    assert len(index.search(references[0], 10, hidden)[0]) == 0


def test_two_workers_build_what_one_builds(library):
    references = some_references()
    one, two = (WordIndex(references, workers, library) for workers in (1, 2))
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
