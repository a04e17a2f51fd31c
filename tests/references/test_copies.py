"""Copies among the candidates, against a plain reading of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.references.copies import share_with_copies

#: 1 and 2 are copies of 0, 4 is one of 3; 5 is a copy of what is no symbol here.
ORIGINALS = np.array([0, 0, 0, 3, 3, 5], dtype=np.int32)


def plainly(probabilities: dict[int, float]) -> dict[int, float]:
    kept = dict(probabilities)
    for gene in probabilities:
        copies = [c for c in probabilities if c != gene and ORIGINALS[c] == gene]
        if not copies:
            continue
        best = max(copies, key=lambda c: probabilities[c])
        if probabilities[gene] >= probabilities[best]:
            kept[gene] += sum(kept.pop(c) for c in copies)
        else:
            kept[best] += kept.pop(gene)
    return kept


def merged(classes: list[int], probabilities: list[float]) -> dict[int, float]:
    shared, kept = share_with_copies(
        np.array([classes], dtype=np.int32), np.array([probabilities], np.float32), ORIGINALS
    )
    assert (shared[~kept] == 0).all()
    return {c: p for c, p, k in zip(classes, shared[0].tolist(), kept[0], strict=True) if k}


@pytest.mark.parametrize(
    ("classes", "probabilities", "expected"),
    [
        ([0, 1, 2], [0.5, 0.25, 0.125], {0: 0.875}),
        ([1, 0, 2], [0.5, 0.25, 0.125], {1: 0.75, 2: 0.125}),
        ([1, 2], [0.5, 0.25], {1: 0.5, 2: 0.25}),
        ([5, 3, 0], [0.5, 0.25, 0.125], {5: 0.5, 3: 0.25, 0: 0.125}),
        ([0, 4, 3, 1], [0.5, 0.25, 0.125, 0.0625], {0: 0.5625, 4: 0.375}),
        ([1, 0, -1], [0.25, 0.25, 0], {0: 0.5}),
        ([-1, -1, -1], [0, 0, 0], {}),
    ],
)
def test_who_takes_what(classes, probabilities, expected):
    assert merged(classes, probabilities) == expected


@given(st.permutations(range(6)), st.integers(0, 6), st.integers(0, 1 << 30))
def test_against_a_plain_reading(order, number, seed):
    drawn = np.random.default_rng(seed).dirichlet(np.ones(7))[:number].astype(np.float32)
    classes = [*order[:number], *[-1] * (6 - number)]
    found = merged(classes, [*drawn.tolist(), *[0.0] * (6 - number)])
    expected = plainly(dict(zip(classes, drawn.tolist(), strict=False)) if number else {})
    assert found.keys() == expected.keys()
    for symbol, probability in expected.items():
        assert found[symbol] == pytest.approx(probability, abs=1e-6)
    assert sum(found.values()) == pytest.approx(float(drawn.sum()), abs=1e-6)
