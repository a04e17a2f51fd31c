"""What probabilities promise beside what they keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.reliability import expected_calibration_error, reliability

#: Few distinct probabilities, so that ties are common.
SCORES = st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.9, 1.0])
SCORED = st.lists(st.tuples(SCORES, st.booleans()), min_size=1)
EQUAL = st.sampled_from(["width", "count"])


def columns(pairs):
    return np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])


def test_reliability_bins_hold_their_upper_bound():
    table = reliability([0.0, 0.5, 0.51, 1.0], [False, True, True, False], number=2)
    assert [(b.lower, b.upper, b.count) for b in table] == [(0.0, 0.5, 2), (0.5, 1.0, 2)]
    assert table[0].confidence == pytest.approx(0.25)
    assert table[0].accuracy == pytest.approx(0.5)
    assert table[1].confidence == pytest.approx(0.755)


def test_calibration_error_by_hand():
    # Two bins: 3 proteins at 0.2, one right (gap 2/15); 2 at 0.9, both right (gap 0.1).
    error = expected_calibration_error([0.2] * 3 + [0.9] * 2, [1, 0, 0, 1, 1], number=2)
    assert error == pytest.approx((3 * (1 / 3 - 0.2) + 2 * 0.1) / 5)


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_reliability_refuses_what_is_no_probability(probability):
    with pytest.raises(ValueError):
        reliability([probability], [True])


@given(SCORED, st.integers(1, 20), EQUAL)
def test_no_protein_is_lost_and_the_error_is_bounded(pairs, number, equal):
    p, right = columns(pairs)
    table = reliability(p, right, number, equal=equal)
    assert sum(b.count for b in table) == len(p)
    assert sum(b.count * b.accuracy for b in table if b.count) == pytest.approx(right.sum())
    assert all(b.lower <= b.confidence + 1e-9 <= b.upper + 2e-9 for b in table if b.count)
    error = expected_calibration_error(p, right, number, equal=equal)
    # Never less than the distance of the overall means, never more than 1.
    assert abs(p.mean() - right.mean()) - 1e-9 <= error <= 1


@given(SCORED, st.integers(1, 20))
def test_bins_of_equal_count_differ_by_one_protein_at_most(pairs, number):
    p, right = columns(pairs)
    counts = [b.count for b in reliability(p, right, number, equal="count")]
    assert len(counts) == min(number, len(p))
    assert max(counts) - min(counts) <= 1


def test_equal_count_by_hand():
    # By probability: (0.2 wrong, 0.6 right), (0.8 right, 1.0 wrong).
    p, right = [0.8, 0.2, 1.0, 0.6], [True, False, False, True]
    table = reliability(p, right, 2, equal="count")
    assert [(b.lower, b.upper, b.accuracy) for b in table] == [(0.2, 0.6, 0.5), (0.8, 1.0, 0.5)]
    error = expected_calibration_error(p, right, 2, equal="count")
    assert error == pytest.approx((2 * 0.1 + 2 * 0.4) / 4)
    # Of equal width both bins hold the same proteins but 0.6, which is in the upper one.
    assert expected_calibration_error(p, right, 2) == pytest.approx((0.2 + 3 * (0.8 - 2 / 3)) / 4)


def test_one_bin_is_the_distance_of_the_means():
    right = np.array([True, False] * 50)
    for equal in ("width", "count"):
        assert expected_calibration_error(np.full(100, 0.9), right, 1, equal=equal) == (
            pytest.approx(0.4)
        )
    assert expected_calibration_error([0.7], [True], equal="count") == pytest.approx(0.3)


def test_nothing_has_no_error():
    assert math.isnan(expected_calibration_error([], []))
    assert math.isnan(expected_calibration_error([], [], equal="count"))
