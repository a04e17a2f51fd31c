"""Alignments in C against Biopython's, and both against what an alignment must be."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from Bio.Align import substitution_matrices
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.references import gapped
from gst_core.references.compiled import LIBRARY, SOURCES, Library, digest
from gst_core.references.compiled_lookup import CompiledLookUp
from gst_core.references.gapped import Query, self_score, self_scores, text
from gst_core.references.lookup import Alignment, LookUp
from gst_core.references.portable import PortableLookUp
from gst_core.references.store import plain
from gst_core.references.substitutions import BLOSUM62, BLOSUM90
from gst_core.sequences import ALPHABET, encode
from tests.relatives import UNKNOWN, evolved, random_protein, references_of

needs_compiled = pytest.mark.skipif(LIBRARY is None, reason="no C compiler on installation")


def one_target(codes: np.ndarray, library: Library | None = LIBRARY) -> LookUp:
    """Look up among one reference, with so much of it that it is always aligned."""
    references = references_of([codes], [0])
    if library is None:
        return PortableLookUp(references, 1)
    return CompiledLookUp(references, 1, library)


@pytest.fixture(params=["biopython", "compiled"])
def library(request):
    """Both implementations; the compiled one where there is a compiler."""
    if request.param == "biopython":
        return None
    if LIBRARY is None:
        pytest.skip("no C compiler on installation")
    return LIBRARY


def pair(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two proteins that share a stretch, more or less changed, some with an X."""
    rng = np.random.default_rng(seed)
    common = random_protein(rng, int(rng.integers(1, 150)))
    sides = [random_protein(rng, int(n)) for n in rng.integers(0, 60, 4)]
    one = np.concatenate([sides[0], common, sides[1]])
    other = np.concatenate([sides[2], evolved(rng, common, rng.random()), sides[3]])
    other[rng.random(len(other)) < 0.02] = UNKNOWN
    return one, other


def score(look_up: LookUp, codes: np.ndarray) -> int:
    """Score of a protein and the one reference; 0 where the prefilter did not find it."""
    found = look_up.look_up([codes])
    return int(found.scores[0]) if len(found.scores) else 0


@needs_compiled
@settings(max_examples=150)
@given(st.integers(0, 1 << 30))
def test_whole_matrices_have_the_scores_of_biopython(seed):
    one, other = pair(seed)
    with pytest.MonkeyPatch.context() as patch:
        for margin in ("MARGIN", "WIDE_MARGIN"):
            patch.setattr(gapped, margin, 1 << 20)
        look_up = one_target(other)
    expected = Query(one)
    found = score(look_up, one)
    assert found in (0, expected.score(other))
    shown, biopython = look_up.show(one, 0), expected.align(other)
    matches, columns = look_up.count_matches([one], np.array([0]), np.array([0]))[0]
    assert (matches, columns) == (shown.matches, shown.columns)
    # Of several best alignments ours has most matches; that there is one is the same.
    assert (shown.columns == 0) == (biopython.columns == 0)
    assert shown.matches >= biopython.matches
    for one_of in (shown, biopython):
        assert 0 <= one_of.matches <= one_of.columns
        assert 0 <= one_of.identity <= 1
        spans = (one_of.query_coverage * len(one), one_of.target_coverage * len(other))
        assert max(spans) - 1e-6 <= one_of.columns <= sum(spans) + 1e-6


@needs_compiled
def test_a_band_loses_next_to_nothing_of_relatives():
    """Up to four tenths of the residues drawn anew, and gaps that take the band along."""
    rng = np.random.default_rng(13)
    found, expected = [], []
    for _ in range(300):
        one = random_protein(rng, int(rng.integers(80, 400)))
        other = evolved(rng, one, rng.uniform(0, 0.4))
        at = int(rng.integers(20, len(other) - 20))
        other = np.insert(other, at, random_protein(rng, int(rng.integers(0, 40))))
        found.append(score(one_target(other), one))
        expected.append(Query(one).score(other))
    assert np.mean(np.equal(found, expected)) > 0.98
    assert sum(found) > 0.999 * sum(expected)


@needs_compiled
@settings(max_examples=60)
@given(st.integers(0, 1 << 30))
def test_a_band_never_scores_more(seed):
    one, other = pair(seed)
    assert score(one_target(other), one) <= Query(one).score(other)


@needs_compiled
def test_long_gaps_between_good_parts_are_within_the_band():
    rng = np.random.default_rng(11)
    parts = [random_protein(rng, 120) for _ in range(3)]
    one = np.concatenate(parts)
    gaps = [random_protein(rng, 150), random_protein(rng, 200)]
    other = np.concatenate([parts[0], gaps[0], parts[1], gaps[1], parts[2]])
    # Each gap costs less than the 120 residues behind it score.
    expected = self_score(one) - (10 + 149) - (10 + 199)
    assert score(one_target(other), one) == expected == Query(one).score(other)


@needs_compiled
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_all_widths_of_vectors_score_the_same(tmp_path):
    """Processors without vectors of 16 numbers use those of 8."""
    binary = tmp_path / "narrow.so"
    options = ["-O3", "-std=c11", "-fwrapv", "-shared", "-fPIC", "-DNARROW"]
    files = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    source = f'-DSOURCE_DIGEST="{digest()}"'
    subprocess.run(["cc", *options, source, *files, "-o", str(binary), "-lm"], check=True)
    narrow = Library(binary)
    rng = np.random.default_rng(12)
    for seed in range(40):
        one, other = pair(seed)
        assert score(one_target(other, narrow), one) == score(one_target(other), one)
    one = random_protein(rng, 700)
    other = evolved(rng, one, 0.4)
    assert score(one_target(other, narrow), one) == score(one_target(other), one) > 500


class TestAlignment:
    """What holds for both implementations."""

    def test_a_protein_with_itself(self, library):
        codes = random_protein(np.random.default_rng(0), 200)
        look_up = one_target(codes, library)
        assert score(look_up, codes) == self_score(codes)
        assert look_up.show(codes, 0) == Alignment(200, 200, 1.0, 1.0)

    def test_a_domain_within_another_protein(self, library):
        rng = np.random.default_rng(1)
        domain = random_protein(rng, 100)
        # Prolines against tryptophans never score.
        one = np.concatenate([encode(b"W" * 60), domain, encode(b"W" * 40)])
        other = np.concatenate([encode(b"P" * 100), domain, encode(b"P" * 200)])
        found = one_target(other, library).show(one, 0)
        assert found.matches == found.columns == 100
        assert found.query_coverage == pytest.approx(0.5)
        assert found.target_coverage == pytest.approx(0.25)

    def test_a_gap_costs_ten_and_each_further_residue_one(self, library):
        flanks = encode(b"MKWVLHCYFW"), encode(b"HWYCMFKWDE")
        joined = np.concatenate(flanks)
        for gap in (1, 2, 5):
            split = np.concatenate([flanks[0], encode(b"P" * gap), flanks[1]])
            for one, other in ((joined, split), (split, joined)):
                look_up = one_target(other, library)
                assert score(look_up, one) == self_score(joined) - 10 - (gap - 1)
                counts = look_up.count_matches([one], np.array([0]), np.array([0]))
                assert counts.tolist() == [[20, 20 + gap]]

    def test_proteins_with_nothing_in_common(self, library):
        look_up = one_target(encode(b"P"), library)
        tryptophan = encode(b"W")
        assert score(look_up, tryptophan) == 0
        counts = look_up.count_matches([tryptophan], np.array([0]), np.array([0]))
        assert counts.tolist() == [[0, 0]]
        assert look_up.show(tryptophan, 0) == Alignment(0, 0, 0.0, 0.0)
        assert look_up.show(tryptophan, 0).identity == 0

    def test_matches_of_many_pairs_at_once(self, library):
        rng = np.random.default_rng(2)
        proteins = [random_protein(rng, int(n)) for n in rng.integers(50, 120, 4)]
        references = references_of([evolved(rng, p, 0.1) for p in proteins], range(4))
        look_up = (
            PortableLookUp(references, 1)
            if library is None
            else CompiledLookUp(references, 1, library)
        )
        rows, numbers = np.array([0, 0, 2, 3]), np.array([0, 1, 2, 3], dtype=np.int32)
        counts = look_up.count_matches(proteins, rows, numbers)
        for row, number, (matches, columns) in zip(rows, numbers, counts.tolist(), strict=True):
            shown = look_up.show(proteins[row], int(number))
            assert (matches, columns) == (shown.matches, shown.columns)
        assert (counts[[0, 2, 3], 0] > 40).all()

    def test_scores_beyond_sixteen_bits(self, library):
        # Seeds differ along it, so that alignments are few: Biopython would show one of many.
        codes = np.tile(encode(b"WCHWFYWHCMWPW"), 300)
        for part in (codes, codes[:3300], codes[:100]):
            assert score(one_target(codes, library), part) == self_score(part)
        assert self_score(codes) > 1 << 15


@needs_compiled
def test_the_longest_proteins():
    """As long as titin, with a part missing."""
    rng = np.random.default_rng(3)
    codes = random_protein(rng, 36_000)
    other = np.delete(codes, slice(20_000, 20_050))
    look_up = one_target(other)
    assert score(look_up, codes) == self_score(other) - 59
    assert look_up.show(codes, 0) == Alignment(35_950, 36_000, 1.0, 1.0)


def test_self_scores_are_those_of_the_matrix():
    matrix = substitution_matrices.load("BLOSUM90")
    rng = np.random.default_rng(2)
    # More than are looked at together.
    proteins = [plain(rng.integers(0, 27, n, dtype=np.uint8)) for n in rng.integers(1, 9, 2500)]
    expected = []
    for codes in proteins:
        own = sum(int(matrix[letter, letter]) for letter in text(codes))
        expected.append(max(own, 1))
    assert [self_score(codes) for codes in proteins] == expected
    starts = np.cumsum([0, *map(len, proteins)]).astype(np.int64)
    assert self_scores(np.concatenate(proteins), starts).tolist() == expected
    assert self_score(np.full(9, UNKNOWN, np.uint8)) == 1


@pytest.mark.parametrize(("name", "scores"), [("BLOSUM62", BLOSUM62), ("BLOSUM90", BLOSUM90)])
def test_substitution_scores_are_those_of_biopython(name, scores):
    matrix = substitution_matrices.load(name)
    letters = ALPHABET[: len(scores)]
    assert scores.tolist() == [[int(matrix[a, b]) for b in letters] for a in letters]
