"""The searches by seeds against one that counts them one by one."""

from __future__ import annotations

import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from Bio.Align import substitution_matrices

from gst_core.references import (
    compiled,
    gapped,
    index,
    lookup,
    neighbourhood,
    prefilter,
    seeds,
    sensitive,
)
from gst_core.references.compiled import LIBRARY, Library
from gst_core.references.compiled_lookup import CompiledLookUp, build_index
from gst_core.references.index import PARTS, SHORT, build
from gst_core.references.neighbourhood import neighbour_table
from gst_core.references.portable import PortableLookUp
from gst_core.references.prefilter import LEAST
from gst_core.references.seeds import OFFSETS, SPAN, distinct_seeds
from gst_core.references.sensitive import search_sensitively
from gst_core.references.store import MOST_REFERENCES, References
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


class PlainSearch:
    """The same search in plain Python."""

    def __init__(self, references: References) -> None:
        self.lengths = references.lengths
        self.seeds = [set(distinct_seeds(references[r]).tolist()) for r in range(len(references))]
        self.frequency = Counter(seed for seeds in self.seeds for seed in seeds)
        self.weights = {
            seed: round(math.log(len(references) / times) * PARTS) / PARTS
            for seed, times in self.frequency.items()
            if times <= index.common(len(references))
        }

    def weight(self, seeds: set[int]) -> float:
        return sum(self.weights.get(seed, 0) for seed in seeds)

    def rarest(self, seeds: set[int]) -> set[int]:
        """Words in fewest references first, those in equally many all or none."""
        known = [seed for seed in seeds if seed in self.weights]
        budget, per_seed = prefilter.budgets(len(self.seeds))
        budget = max(budget, per_seed * len(known))
        chosen: set[int] = set()
        for times in sorted({self.frequency[seed] for seed in known}):
            more = {seed for seed in known if self.frequency[seed] == times}
            if sum(self.frequency[seed] for seed in chosen | more) > budget:
                break
            chosen |= more
        return chosen

    def shared(self, codes: np.ndarray) -> np.ndarray:
        own = set(distinct_seeds(codes).tolist())
        used = self.rarest(own)
        scale = self.weight(own) / max(self.weight(used), 1e-9)
        return np.array([self.weight(used & seeds) * scale for seeds in self.seeds])

    def scores(self, codes: np.ndarray) -> np.ndarray:
        return self.shared(codes) / np.sqrt(np.maximum(self.lengths, SHORT))


def check(searched: index.Index, expected: PlainSearch, codes: np.ndarray, hidden=None) -> None:
    shared, scores = expected.shared(codes), expected.scores(codes)
    if hidden is not None:
        shared[hidden] = scores[hidden] = 0
    found, weights, own = prefilter.prefilter(searched, codes, 1000, hidden)
    assert own == pytest.approx(expected.weight(set(distinct_seeds(codes).tolist())), rel=1e-6)
    np.testing.assert_allclose(weights, shared[found], rtol=1e-6)
    # Those left out score too little, those found enough; rounding decides between equals.
    least = LEAST * scores.max(initial=0)
    assert set(np.flatnonzero(scores > least * 1.0001).tolist()) <= set(found.tolist())
    assert (scores[found] > least * 0.9999).all()
    assert (np.diff(scores[found]) <= 1e-5).all()
    first, *_ = prefilter.prefilter(searched, codes, 3, hidden)
    np.testing.assert_array_equal(first, found[:3])


#: Modules whose constants the tests change.
STAGES = (index, prefilter, seeds, sensitive, lookup)

needs_compiled = pytest.mark.skipif(LIBRARY is None, reason="no C compiler on installation")


@pytest.mark.parametrize(
    ("common", "budget", "narrow"),
    [(300, 20_000, 65_535), (3, 20_000, 65_535), (300, 60, 65_535), (3, 60, 20)],
)
def test_search_against_counting(monkeypatch, common, budget, narrow):
    """Numbers beyond those of 16 bits are looked up as others are, with limits that grow."""
    monkeypatch.setattr(index, "NARROW", narrow)
    monkeypatch.setattr(index, "COMMON", common)
    monkeypatch.setattr(prefilter, "BUDGET", budget)
    monkeypatch.setattr(prefilter, "BUDGET_PER_SEED", 2)
    monkeypatch.setattr(index, "_PIECE", 37)
    references = some_references()
    searched, expected = build(references, 1), PlainSearch(references)
    np.testing.assert_allclose(
        searched.totals / PARTS, [expected.weight(own) for own in expected.seeds], rtol=1e-6
    )
    rng = np.random.default_rng(1)
    for number in range(len(references)):
        check(searched, expected, evolved(rng, references[number], 0.2))
        check(searched, expected, references[number], rng.random(len(references)) < 0.4)


def family() -> list[np.ndarray]:
    """Five hundred near and distant relatives, many of them equal, and a long protein."""
    rng = np.random.default_rng(2)
    ancestor = random_protein(rng, 120)
    proteins = [evolved(rng, ancestor, share) for share in np.linspace(0, 0.9, 500)]
    return [*proteins, *[ancestor] * 40, random_protein(rng, 9_000)]


@needs_compiled
@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("narrow", [65_535, 100])
def test_both_implementations_build_the_same_index(monkeypatch, workers, narrow):
    monkeypatch.setattr(index, "NARROW", narrow)
    proteins = family()
    references = references_of(proteins, range(len(proteins)))
    made = build_index(LIBRARY, references, workers)
    plain = build(references, workers)
    for field in fields(made):
        one, other = getattr(made, field.name), getattr(plain, field.name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@needs_compiled
def test_numbers_beyond_16_bits_and_before_the_last():
    """As many references as 20 bits have numbers for: the first, one beyond 16 bits, the last."""
    size = MOST_REFERENCES
    rng = np.random.default_rng(5)
    proteins = {number: random_protein(rng, 120) for number in (0, 65_536, 70_000, size - 1)}
    short = np.array([0, 1, 2, 3], np.uint8)  # no seed is so short
    references = references_of([proteins.get(n, short) for n in range(size)], [0] * size)
    found = CompiledLookUp(references, 2, LIBRARY).look_up(list(proteins.values()))
    firsts = np.cumsum(found.numbers) - found.numbers
    assert found.targets[firsts].tolist() == list(proteins)


@needs_compiled
@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"FOUND": 7, "ALIGNED": 1, "SEARCHED": 3},
        {"DOUBTFUL": 2.0, "COMPETING": 3},
        {"WEAK": 2.0, "BEST_BY_SEEDS": 4, "SENSITIVE": 9},
        {"WEAK": 2.0, "FOUND": 2, "TALLIED": 20, "RANKED": 12, "BUDGET": 300},
        {"WEAK": 2.0, "BLOCK": 40, "NEXT_BLOCK": 30, "PROBED": 5, "RANKED": 9, "SENSITIVE": 4},
        {"WEAK": 2.0, "POSITIONS_OF_SEED": 3},
        {"WEAK": 2.0, "SENSITIVE": 9, "NARROW": 100, "BUDGET": 100},
        {"WEAK": 2.0, "POSITIONS_OF_ALL": 700},
    ],
)
def test_both_implementations_find_the_same_to_the_bit(monkeypatch, limits):
    """Also with more hits than are kept, equal ones, and what the sensitive search finds."""
    for margin in ("MARGIN", "WIDE_MARGIN"):  # Biopython aligns whole matrices
        monkeypatch.setattr(gapped, margin, 1 << 20)
    for name, value in limits.items():
        module = next(m for m in STAGES if hasattr(m, name))
        monkeypatch.setattr(module, name, value)
    rng = np.random.default_rng(3)
    proteins = [
        *family()[:560:8],
        *(some_references()[number] for number in range(len(some_references()))),
    ]
    references = references_of(proteins, [number // 2 for number in range(len(proteins))])
    asked = [evolved(rng, codes, share) for codes in proteins[::6] for share in (0, 0.3, 0.6)]
    asked += [encode(b""), encode(b"M"), encode(b"MKVLWX" * 3), random_protein(rng, 90)]
    asked += [encode(b"MKVLWA" * 9 + b"W" * 20)]
    hidden = [rng.random(len(proteins)) < share for share in np.linspace(0, 1, len(asked))]
    one = CompiledLookUp(references, 2, LIBRARY)
    other = PortableLookUp(references, 1)
    np.testing.assert_array_equal(one.totals, other.totals)
    for masks in (None, hidden):
        found, expected = one.look_up(asked, masks), other.look_up(asked, masks)
        for field in fields(found):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
        assert (found.scores > 0).sum() > len(asked)


def test_neighbouring_words_against_trying_all():
    """The neighbourhood of each seed, by BLOSUM62 from Biopython, and how diagonals add up."""
    letters = ALPHABET[:20]
    loaded = substitution_matrices.load("BLOSUM62")
    blosum = np.array([[loaded[a][b] for b in letters] for a in letters], dtype=int)
    codes = encode(b"WCHXWWDCHPMW")
    expected = []
    for place in range(len(codes) - SPAN + 1):
        own = [int(codes[place + offset]) for offset in OFFSETS]
        if max(own) >= len(letters):
            continue
        first, second, third, fourth = blosum[own]
        scores = np.add.outer(np.add.outer(np.add.outer(first, second), third), fourth).ravel()
        enough = np.flatnonzero(scores >= neighbourhood.NEIGHBOUR_SCORE)
        expected += [(int(seed), place, int(scores[seed])) for seed in enough]
    rows = neighbour_table(codes)
    assert sorted(map(tuple, rows.tolist())) == sorted(expected)


def test_a_protein_of_few_seeds_has_few_positions_of_each(monkeypatch):
    """The first ones, so that hundreds of thousands of W's take no gigabytes."""
    monkeypatch.setattr(seeds, "POSITIONS_OF_SEED", 5)
    rows = neighbour_table(encode(b"W" * 200 + b"MKVLWACD"))
    different, numbers = np.unique(rows[:, 0], return_counts=True)
    assert numbers.max() == 5
    assert len(different) > 100
    assert set(rows[rows[:, 0] == neighbour_table(encode(b"WWWWW"))[0, 0], 1]) == set(range(5))
    monkeypatch.setattr(seeds, "POSITIONS_OF_ALL", 300)
    limited = neighbour_table(encode(b"W" * 200))
    first = len(neighbour_table(encode(b"WWWWW")))
    assert 300 <= len(limited) < 300 + first


def test_distant_relatives_are_found_by_neighbour_table():
    """A relative that shares no seed is found among others by seeds that are only alike."""
    rng = np.random.default_rng(4)
    # Pairs of residues that replace each other with a positive score.
    alike = {ord(a): ord(b) for a, b in zip("DEKRILVMFYNST", "EDRKVIIIYFDTS", strict=True)}
    protein = "".join(rng.choice(list("DEKRILVMFYWHCG"), 200))
    relative = encode(protein.translate(alike).encode())
    others = [random_protein(rng, 250) for _ in range(300)]
    references = references_of([*others, relative], range(301))
    searched = build(references, 1)

    def search(codes: np.ndarray, most: int, hidden: np.ndarray | None = None) -> np.ndarray:
        return search_sensitively(searched, references, codes, most, hidden)

    hidden = np.zeros(301, dtype=bool)
    assert search(encode(protein.encode()), 5, hidden)[0] == 300
    assert len(search(encode(protein.encode()), 5)) == 5
    hidden[300] = True
    assert 300 not in search(encode(protein.encode()), 200, hidden)
    assert len(search(encode(b"MKV"), 5)) == 0
    assert len(search(encode(b""), 5)) == 0


@needs_compiled
def test_threads_do_not_disturb_each_other():
    references = some_references()
    look_up = CompiledLookUp(references, 1, LIBRARY)
    proteins = [references[row] for row in range(len(references))]
    alone = [look_up.look_up([codes]) for codes in proteins]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda codes: look_up.look_up([codes]), proteins * 20))
    for number, found in enumerate(together):
        for field in fields(found):
            expected = getattr(alone[number % len(alone)], field.name)
            np.testing.assert_array_equal(getattr(found, field.name), expected)


@needs_compiled
def test_without_memory_nothing_is_wrong_afterwards(monkeypatch):
    references = some_references()
    look_up = CompiledLookUp(references, 1, LIBRARY)
    expected = look_up.look_up([references[0]])
    monkeypatch.setattr(LIBRARY, "look_up_batch", lambda *_: -1)
    with pytest.raises(MemoryError, match="look up"):
        look_up.look_up([references[0]])
    monkeypatch.undo()
    found = look_up.look_up([references[0]])
    np.testing.assert_array_equal(found.targets, expected.targets)


@needs_compiled
def test_a_library_of_other_sources_is_not_used(monkeypatch):
    monkeypatch.setattr(compiled, "digest", lambda: "another")
    with pytest.raises(OSError, match="other sources"):
        Library(compiled.BINARY)
    assert compiled._load() is None


def test_common_seeds_are_left_out(monkeypatch):
    """A seed in more targets than the limit finds none of them."""
    monkeypatch.setattr(index, "COMMON", 3)
    proteins = [encode(b"WWWWW")] * 4 + [encode(b"HHHHH")] * 3
    searched = build(references_of(proteins, range(7)), 1)
    assert len(prefilter.prefilter(searched, encode(b"WWWWW"), 10)[0]) == 0
    assert prefilter.prefilter(searched, encode(b"HHHHH"), 10)[0].tolist() == [4, 5, 6]


def test_seeds_do_not_reach_over_the_end_of_a_reference():
    proteins = [encode(b"MKV"), encode(b"LWACD"), random_protein(np.random.default_rng(0), 80)]
    searched = build(references_of(proteins, range(3)), 1)
    assert len(prefilter.prefilter(searched, encode(b"MKVLW"), 10)[0]) == 0
    assert prefilter.prefilter(searched, encode(b"LWACD"), 10)[0].tolist() == [1]


def test_proteins_without_a_seed_find_nothing():
    searched = build(some_references(), 1)
    for codes in (encode(b""), np.full(80, UNKNOWN, np.uint8), encode(b"M"), encode(b"MKVL")):
        found, shared, own = prefilter.prefilter(searched, codes, 10)
        assert len(found) == len(shared) == own == 0


def test_what_is_hidden_is_never_found():
    references = some_references()
    searched = build(references, 1)
    hidden = np.zeros(len(references), dtype=bool)
    assert prefilter.prefilter(searched, references[0], 10)[0][0] == 0
    hidden[0] = True
    assert 0 not in prefilter.prefilter(searched, references[0], 1000, hidden)[0]
    hidden[:] = True
    assert len(prefilter.prefilter(searched, references[0], 10, hidden)[0]) == 0
