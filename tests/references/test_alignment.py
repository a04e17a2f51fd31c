"""Parasail against Biopython, and both against what an alignment must be."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Align import substitution_matrices
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.references import alignment as module
from gst_core.references.alignment import (
    MATRIX,
    Alignment,
    BiopythonQuery,
    ParasailQuery,
    query,
    self_score,
    self_scores,
)
from gst_core.references.store import plain
from gst_core.sequences import encode
from tests.relatives import UNKNOWN, evolved, random_protein

KINDS = [
    pytest.param(
        ParasailQuery,
        marks=pytest.mark.skipif(module.parasail is None, reason="Parasail is not installed"),
    ),
    BiopythonQuery,
]


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two proteins that share a stretch, more or less changed, some with an X."""
    rng = np.random.default_rng(seed)
    common = random_protein(rng, int(rng.integers(1, 150)))
    sides = [random_protein(rng, int(n)) for n in rng.integers(0, 60, 4)]
    one = np.concatenate([sides[0], common, sides[1]])
    other = np.concatenate([sides[2], evolved(rng, common, rng.random()), sides[3]])
    other[rng.random(len(other)) < 0.02] = UNKNOWN
    return one, other


@pytest.mark.skipif(module.parasail is None, reason="Parasail is not installed")
@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_both_libraries_find_the_same(seed):
    one, other = pair(seed)
    fast, slow = ParasailQuery(one), BiopythonQuery(one)
    assert fast.score(other) == slow.score(other)
    a, b = fast.align(other), slow.align(other)
    assert fast.matches(other) == (a.matches, a.columns)
    # Which of several best alignments is shown may differ; that there is one may not.
    assert (a.columns == 0) == (b.columns == 0)
    for found in (a, b):
        assert 0 <= found.matches <= found.columns
        assert 0 <= found.identity <= 1
        assert 0 <= found.query_coverage <= 1
        assert 0 <= found.reference_coverage <= 1
        spans = (found.query_coverage * len(one), found.reference_coverage * len(other))
        assert max(spans) - 1e-6 <= found.columns <= sum(spans) + 1e-6


@pytest.mark.parametrize("kind", KINDS)
class TestAlignment:
    """What holds whichever library is there."""

    def test_a_protein_with_itself(self, kind):
        codes = random_protein(np.random.default_rng(0), 200)
        assert kind(codes).score(codes) == self_score(codes)
        assert kind(codes).align(codes) == Alignment(200, 200, 1.0, 1.0)

    def test_a_domain_within_another_protein(self, kind):
        rng = np.random.default_rng(1)
        domain = random_protein(rng, 100)
        # Prolines against tryptophans never score.
        one = np.concatenate([encode(b"W" * 60), domain, encode(b"W" * 40)])
        other = np.concatenate([encode(b"P" * 100), domain, encode(b"P" * 200)])
        found = kind(one).align(other)
        assert found.matches == found.columns == 100
        assert found.query_coverage == pytest.approx(0.5)
        assert found.reference_coverage == pytest.approx(0.25)

    def test_a_gap_costs_ten_and_each_further_residue_one(self, kind):
        flanks = encode(b"MKWVLHCYFW"), encode(b"HWYCMFKWDE")
        joined = np.concatenate(flanks)
        for gap in (1, 2, 5):
            split = np.concatenate([flanks[0], encode(b"P" * gap), flanks[1]])
            assert kind(joined).score(split) == self_score(joined) - 10 - (gap - 1)
            found = kind(joined).align(split)
            assert (found.matches, found.columns) == (20, 20 + gap)

    def test_proteins_with_nothing_in_common(self, kind):
        asked = kind(encode(b"W"))
        assert asked.score(encode(b"P")) == 0
        assert asked.matches(encode(b"P")) == (0, 0)
        assert asked.align(encode(b"P")) == Alignment(0, 0, 0.0, 0.0)
        assert asked.align(encode(b"P")).identity == 0

    def test_scores_beyond_sixteen_bits(self, kind):
        codes = encode(b"W" * 4000)
        asked = kind(codes)
        assert asked.score(codes) == 44_000
        assert asked.score(codes[:3500]) == 38_500  # the wide profile is kept
        assert asked.score(codes[:100]) == 1100
        if kind is ParasailQuery:  # Biopython would take minutes over its many alignments
            assert asked.align(codes) == Alignment(4000, 4000, 1.0, 1.0)


def test_biopython_aligns_where_parasail_is_not_installed(monkeypatch):
    monkeypatch.setattr(module, "parasail", None)
    assert isinstance(query(encode(b"MKV")), BiopythonQuery)


def test_self_scores_are_those_of_the_matrix():
    matrix = substitution_matrices.load(MATRIX)
    rng = np.random.default_rng(2)
    # More than are looked at together.
    proteins = [plain(rng.integers(0, 27, n, dtype=np.uint8)) for n in rng.integers(1, 9, 2500)]
    expected = []
    for codes in proteins:
        own = sum(int(matrix[letter, letter]) for letter in module.text(codes))
        expected.append(max(own, 1))
    assert [self_score(codes) for codes in proteins] == expected
    starts = np.cumsum([0, *map(len, proteins)]).astype(np.int64)
    assert self_scores(np.concatenate(proteins), starts).tolist() == expected
    assert self_score(np.full(9, UNKNOWN, np.uint8)) == 1
