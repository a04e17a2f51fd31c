"""Symbols of one and the same protein."""

from __future__ import annotations

import numpy as np

from gst_core.references.evidence import EvidenceFinder
from gst_core.references.twins import ranked_by, shared_equally, twins
from tests.relatives import evolved, random_protein, references_of


def test_twins_are_those_with_the_same_protein():
    rng = np.random.default_rng(0)
    twin = random_protein(rng, 150)
    near = evolved(rng, twin, 0.02)
    # What holds the whole protein scores as much, and is another.
    longer = np.concatenate([twin, random_protein(rng, 60)])
    others = [random_protein(rng, 150) for _ in range(40)]
    library = references_of([twin, near, twin, longer, twin, *others], range(45))
    finder = EvidenceFinder(library, np.ones(45, dtype=np.int64))
    found = finder.find([twin], np.full(1, 20))
    groups = twins(found, found.present, library)[0]
    of = dict(zip(found.classes[0].tolist(), groups.tolist(), strict=True))
    assert of[0] == of[2] == of[4]
    assert len({of[0], of[1], of[3]}) == 3
    # A candidate that is out is no twin.
    kept = found.present & (found.classes != 2)
    out = twins(found, kept, library)[0]
    of = dict(zip(found.classes[0].tolist(), out.tolist(), strict=True))
    assert of[0] == of[4] != of[2]


def test_twins_share_and_others_keep_theirs():
    probabilities = np.array([[0.6, 0.1, 0.2, 0.05]], dtype=np.float32)
    shared = shared_equally(probabilities, np.array([[0, 1, 0, 3]]))
    np.testing.assert_allclose(shared, [[0.4, 0.1, 0.4, 0.05]], rtol=1e-6)
    assert shared.dtype == np.float32


def test_symbols_of_the_very_sequence_are_ranked_by_what_they_have_together():
    """Three genes of one histone come before one whose histone differs in a residue."""
    rng = np.random.default_rng(1)
    histone = random_protein(rng, 120)
    variant = histone.copy()
    variant[60] = (variant[60] + 1) % 20
    others = [random_protein(rng, 150) for _ in range(40)]
    library = references_of([variant, histone, histone, histone, *others], range(44))
    finder = EvidenceFinder(library, np.ones(44, dtype=np.int64))
    probabilities = np.array([0.3, 0.2, 0.2, 0.2, *[0] * 40], dtype=np.float32)  # by class
    for query, single, each in ((histone, 0.3, 0.6), (variant, 0.3, 0.2)):
        found = finder.find([query], np.full(1, 20))
        own = np.where(found.present, probabilities[found.classes], 0).astype(np.float32)
        by = ranked_by(own, twins(found, found.present, library), found)[0]
        of = dict(zip(found.classes[0].tolist(), by.tolist(), strict=True))
        np.testing.assert_allclose([of[0], of[1], of[2], of[3]], [single, each, each, each])
