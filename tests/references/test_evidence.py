"""The evidence for candidates: what is found, of whom, and that it is always numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.clades import CLADES
from gst_core.references import ungapped
from gst_core.references.compiled import LIBRARY
from gst_core.references.evidence import CANDIDATES, COVERAGE, NUMBERS, Evidence, EvidenceFinder
from gst_core.references.features import FEATURES, features
from gst_core.references.gapped import Query, self_score
from gst_core.references.store import MOST_REFERENCES, References
from gst_core.sequences import ALPHABET, encode
from tests.relatives import UNKNOWN, evolved, random_protein, references_of

UNTOLD = len(CLADES)
SCORE, MATCHES, COLUMNS, LENGTH, SELF, COUNT, KIN = (
    NUMBERS.index(name)
    for name in ("score", "matches", "columns", "length", "self", "count", "kin")
)


@pytest.fixture(scope="module", params=["portable", "compiled"])
def finder(request) -> EvidenceFinder:
    """Thirty symbols of three proteins each; symbols 0 and 1 are all but the same."""
    if request.param == "compiled" and LIBRARY is None:
        pytest.skip("no C compiler on installation")
    library = LIBRARY if request.param == "compiled" else None
    rng = np.random.default_rng(0)
    proteins, classes, clades = [], [], []
    for symbol in range(30):
        ancestor = random_protein(rng, int(rng.integers(60, 250)))
        if symbol == 1:
            ancestor = proteins[0].copy()
            ancestor[10] = (ancestor[10] + 1) % 20
        for share, clade in ((0, "humans"), (0.1, "aves"), (0.3, None)):
            proteins.append(evolved(rng, ancestor, share))
            classes.append(symbol)
            clades.append(clade)
    references = references_of(proteins, classes, clades)
    return EvidenceFinder(references, np.arange(1, 31), library=library)


def find(finder: EvidenceFinder, *proteins: np.ndarray, clade: int = UNTOLD, **how) -> Evidence:
    return finder.find(proteins, np.full(len(proteins), clade), **how)


def test_a_protein_equal_to_a_reference(finder):
    for number in (6, 30, 60):
        codes = finder.references[number]
        found = find(finder, codes)
        assert found.classes[0, 0] == number // 3
        assert found.references[0, 0] == number
        own = found.numbers[0, 0]
        assert own[SCORE] == own[SELF] == self_score(codes) == found.queries[0, 2]
        assert own[LENGTH] == len(codes) == found.queries[0, 1]
        assert own[COUNT] == number // 3 + 1


def test_paralogues_that_are_all_but_the_same_are_told_apart(finder):
    for symbol in (0, 1):
        codes = finder.references[3 * symbol]
        found = find(finder, codes)
        assert set(found.classes[0, :2].tolist()) == {0, 1}
        of = {int(c): found.numbers[0, row] for row, c in enumerate(found.classes[0, :2])}
        assert of[symbol][MATCHES] == of[symbol][COLUMNS] == len(codes)
        assert of[1 - symbol][MATCHES] == len(codes) - 1
        assert of[symbol][SCORE] > of[1 - symbol][SCORE]


def test_identical_residues_of_distant_relatives_are_not_counted(finder):
    """Half of the residues say who it is; a tenth of them beside a stranger's half do not."""
    rng = np.random.default_rng(11)
    codes = finder.references[0]
    both = find(finder, codes)
    assert both.numbers[0, :2, COLUMNS].all()
    alone = np.concatenate([codes, *(random_protein(rng, 200) for _ in range(4))])
    distant = find(finder, alone)
    assert set(distant.classes[0, :2].tolist()) == {0, 1}
    assert (distant.numbers[0, :2, SCORE] >= 0.9 * distant.numbers[0, 0, SCORE]).all()
    assert not distant.numbers[0, :, MATCHES : COLUMNS + 1].any()


@pytest.mark.parametrize("library", ["portable", "compiled"])
def test_only_what_stands_out_from_chance_is_aligned(monkeypatch, library):
    if library == "compiled" and LIBRARY is None:
        pytest.skip("no C compiler on installation")
    rng = np.random.default_rng(12)
    ancestor = random_protein(rng, 200)
    family = [evolved(rng, ancestor, share) for share in np.linspace(0.2, 0.5, 12)]
    references = references_of([*family, random_protein(rng, 300)], range(13))
    codes = evolved(rng, ancestor, 0.2)

    def aligned(chance: float) -> int:
        monkeypatch.setattr(ungapped, "CHANCE", chance)
        finder = EvidenceFinder(
            references,
            np.ones(13, dtype=np.int64),
            library=LIBRARY if library == "compiled" else None,
        )
        return int((find(finder, codes).numbers[0, :, SCORE] > 0).sum())

    every = aligned(10)
    assert every > 3
    assert aligned(1e-99) == 0  # nothing stands out
    assert 0 < aligned(1e-65) < every  # the nearer ones stand out


@pytest.mark.parametrize("library", ["portable", "compiled"])
def test_the_very_sequence_is_aligned_whatever_its_words_say(library):
    """A protein of many repeats has the words of its shorter paralogues, which rank before it."""
    if library == "compiled" and LIBRARY is None:
        pytest.skip("no C compiler on installation")
    rng = np.random.default_rng(8)
    unit, tail = random_protein(rng, 120), random_protein(rng, 60)
    # More paralogues than are looked at, each with all the words.
    paralogues = [np.concatenate([evolved(rng, unit, 0.02), unit, tail]) for _ in range(200)]
    long = np.concatenate([unit] * 12 + [tail])
    references = references_of([*paralogues, long, long, random_protein(rng, 90)], range(203))
    finder = EvidenceFinder(
        references,
        np.ones(203, dtype=np.int64),
        library=LIBRARY if library == "compiled" else None,
    )
    hidden = np.zeros(203, dtype=np.bool_)
    found = find(finder, long)
    assert found.classes[0, :2].tolist() == [200, 201]
    assert (found.numbers[0, :2, SCORE] == self_score(long)).all()
    assert (found.numbers[0, 2:, SCORE] < self_score(long)).all()
    assert found.numbers[0, 0, 0] == found.queries[0, 0]
    hidden[200] = True
    found = find(finder, long, hidden=[hidden])
    assert found.classes[0, 0] == 201
    assert 200 not in found.classes[0]


def test_the_score_is_that_of_an_alignment_with_the_reference_that_is_shown(finder):
    rng = np.random.default_rng(3)
    for number in range(0, 90, 7):
        codes = evolved(rng, finder.references[number], 0.3)
        found = find(finder, codes)
        for row in np.flatnonzero(found.present[0]):
            reference = int(found.references[0, row])
            assert finder.references.classes[reference] == found.classes[0, row]
            score = found.numbers[0, row, SCORE]
            assert score in (0, Query(codes).score(finder.references[reference]))


def test_candidates_come_in_the_order_of_their_scores(finder):
    """Also where words rank them otherwise: the best relative must not be cut off."""
    rng = np.random.default_rng(5)
    for number in range(0, 90, 5):
        for share in (0.2, 0.5, 0.7, 1):
            found = find(finder, evolved(rng, finder.references[number], share))
            scores = found.numbers[0, found.present[0], SCORE]
            assert (np.diff(scores) <= 0).all()


def test_a_relative_without_a_common_word_is_a_candidate():
    """Where no reference with the same seeds aligns well, neighbouring words are tried."""
    rng = np.random.default_rng(6)
    # Every other residue is replaced by one like it, so that no word is the same.
    alike = str.maketrans("DEKRFYWHMN", "EDRKYFYYLD")
    protein = "".join(rng.choice(list("DEKRFYWHMN"), 250))
    pairs = zip(protein, protein.translate(alike), strict=True)
    relative = encode("".join(pair[place % 2] for place, pair in enumerate(pairs)).encode())
    others = [random_protein(rng, 300) for _ in range(200)]
    others[7][:6] = encode(protein.encode())[:6]
    library = references_of([*others, relative], range(201))
    found = find(EvidenceFinder(library, np.ones(201, dtype=np.int64)), encode(protein.encode()))
    assert found.classes[0, 0] == 200
    assert found.numbers[0, 0, SCORE] == Query(encode(protein.encode())).score(relative) > 200
    # Its words alone, one or two by chance, would not have brought it there.
    shared = found.numbers[0, found.present[0], NUMBERS.index("shared")]
    assert shared[0] < shared.max()


def test_equal_scores_go_to_the_first_symbol():
    rng = np.random.default_rng(7)
    twin = random_protein(rng, 150)
    for classes in ([1, 0], [0, 1]):
        library = references_of([twin, twin, random_protein(rng, 90)], [*classes, 2])
        found = find(EvidenceFinder(library, np.ones(3, dtype=np.int64)), twin)
        assert found.classes[0, :2].tolist() == [0, 1]


def test_no_symbol_is_a_candidate_twice(finder):
    for codes in (
        finder.references[0],
        evolved(np.random.default_rng(1), finder.references[9], 0.6),
    ):
        kept = find(finder, codes).classes[0]
        kept = kept[kept >= 0].tolist()
        assert 0 < len(set(kept)) == len(kept) <= CANDIDATES


@pytest.mark.parametrize("sequence", [b"X" * 80, b"M", b"MKVL", b"*"])
def test_a_protein_without_a_word_has_no_candidates(finder, sequence):
    found = find(finder, encode(sequence))
    assert not found.present.any()
    assert (found.references == -1).all()
    assert (features(found) == 0).all()


@pytest.mark.parametrize("letter", "BZJUO")
def test_rare_residues_are_those_they_resemble(finder, letter):
    common = ALPHABET.index({"B": "D", "Z": "E", "J": "L", "U": "C", "O": "K"}[letter])
    codes = finder.references[12].copy()
    expected = find(finder, codes)
    codes[codes == common] = ALPHABET.index(letter)
    assert (find(finder, codes).numbers == expected.numbers).all()


def test_a_protein_does_not_depend_on_its_batch(finder):
    rng = np.random.default_rng(2)
    proteins = [evolved(rng, finder.references[n], 0.3) for n in range(0, 90, 9)]
    proteins += [encode(b"X" * 30), encode(b"M"), random_protein(rng, 50)]
    together = find(finder, *proteins)
    for row, codes in enumerate(proteins):
        alone = find(finder, codes)
        for field in ("classes", "references", "numbers", "queries"):
            np.testing.assert_array_equal(getattr(alone, field)[0], getattr(together, field)[row])
        np.testing.assert_array_equal(features(alone)[0], features(together)[row])


@settings(max_examples=60)
@given(
    st.integers(0, 89),
    st.integers(0, 1 << 30),
    st.floats(0, 1),
    st.integers(1, 300),
    st.booleans(),
)
def test_features_are_finite(finder, number, seed, share, length, unknown):
    rng = np.random.default_rng(seed)
    codes = evolved(rng, finder.references[number], share)[:length]
    if unknown:
        codes[rng.random(len(codes)) < 0.2] = UNKNOWN
    found = find(finder, codes)
    numbers = features(found)
    assert numbers.shape == (1, CANDIDATES, FEATURES)
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() < 20
    assert (numbers[~found.present] == 0).all()


def test_an_empty_batch(finder):
    found = finder.find([], np.empty(0, dtype=np.int64))
    assert features(found).shape == (0, CANDIDATES, FEATURES)


def test_hidden_references_are_as_if_they_were_not_there(finder):
    codes = finder.references[30]
    hidden = finder.references.classes == 10
    found = find(finder, codes, hidden=[hidden])
    assert 10 not in found.classes
    hidden = np.arange(90) == 30
    found = find(finder, codes, hidden=[hidden])
    assert found.classes[0, 0] == 10
    assert 30 not in found.references


def test_kin_tells_lineages_apart(finder):
    codes = [finder.references[number] for number in (30, 31, 32)]
    expected = {"humans": [1, -1, 0], "mammalia": [1, -1, 0], "aves": [-1, 1, 0]}
    for clade, kin in expected.items():
        found = find(finder, *codes, clade=CLADES.index(clade))
        assert found.references[:, 0].tolist() == [30, 31, 32]
        assert found.numbers[:, 0, KIN].tolist() == kin
    assert (find(finder, *codes).numbers[..., KIN] == 0).all()


def test_coverage_counts_the_references_of_the_lineage_that_are_not_hidden(finder):
    # Thirty references each of humans, of birds and of nobody known.
    codes = finder.references[30]
    humans = finder.references.clades == CLADES.index("humans")
    hidden = [np.arange(90) < 12, np.zeros(90, dtype=np.bool_), humans]
    expected = {"primates": [26, 30, 0], "reptiles": [26, 30, 30], "teleostei": [0, 0, 0]}
    for clade, numbers in expected.items():
        index = CLADES.index(clade)
        found = find(finder, codes, codes, codes, clade=index, hidden=hidden)
        assert found.queries[:, COVERAGE].tolist() == numbers
        read = features(found)[..., -1]
        np.testing.assert_allclose(read[:, 0], np.log1p(numbers) / 8, rtol=1e-6)
        assert (read == np.where(found.present, read[:, :1], 0)).all()
        assert find(finder, codes, clade=index).queries[0, COVERAGE] == numbers[1]
    for clade in (UNTOLD, CLADES.index("protists")):
        found = find(finder, codes, clade=clade, hidden=hidden[:1])
        assert found.queries[0, COVERAGE] == -1
        assert features(found)[0, 0, -1] == -0.5


def test_too_many_references_are_refused():
    many = MOST_REFERENCES + 1
    references = References(
        np.zeros(many, np.uint8), np.arange(many + 1), np.zeros(many, np.int32),
        np.zeros(many, np.uint8), [""] * many,
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"{many} references"):
        EvidenceFinder(references, np.ones(1, dtype=np.int64))
