import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.evaluation.metrics import (
    at_threshold,
    auroc,
    exact_match,
    rank_of_known,
    recall_at_precision,
    top_k_accuracy,
)

#: Few distinct scores, so that ties are common.
SCORES = st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.9, 1.0])
SCORED = st.lists(st.tuples(SCORES, st.booleans()), min_size=1)


def columns(pairs):
    return np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])


def test_exact_match_ignores_case_and_nothing_else():
    assigned = ["Brca2", "TP53", "h2-k1", "", "SEPT9"]
    known = ["BRCA2", "TP63", "H2-K1", "", "SEPTIN9"]
    assert exact_match(assigned, known).tolist() == [True, False, True, False, False]


def test_exact_match_refuses_lists_of_different_length():
    with pytest.raises(ValueError):
        exact_match(["A"], ["A", "B"])


def test_rank_and_top_k():
    candidates = [["A", "b"], ["C", "A", "B"], [], ["", "x"], ["a"]]
    ranks = rank_of_known(candidates, ["B", "A", "A", "", "A"])
    assert ranks.tolist() == [2, 2, 0, 0, 1]
    assert top_k_accuracy(ranks, 1) == pytest.approx(1 / 5)
    assert top_k_accuracy(ranks, 2) == pytest.approx(3 / 5)
    assert math.isnan(top_k_accuracy([], 1))


def test_auroc_by_hand():
    assert auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == pytest.approx(0.75)
    assert auroc([1, 1, 1], [True, False, True]) == pytest.approx(0.5)
    assert auroc([-math.inf, 2, 3], [False, True, True]) == 1
    assert math.isnan(auroc([1, 2], [True, True]))


@given(SCORED)
def test_auroc_is_the_chance_that_right_beats_wrong(pairs):
    scores, right = columns(pairs)
    good, bad = scores[right], scores[~right]
    if not len(good) or not len(bad):
        assert math.isnan(auroc(scores, right))
        return
    wins = (good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean()
    assert auroc(scores, right) == pytest.approx(wins)
    assert auroc(np.exp(3 * scores) - 7, right) == pytest.approx(wins)
    assert auroc(-scores, right) == pytest.approx(1 - wins)


def test_at_threshold_by_hand():
    point = at_threshold([0.9, 0.8, 0.7, 0.2], [True, False, True, True], 0.7, nameable=6)
    assert point.precision == pytest.approx(2 / 3)
    assert point.recall == pytest.approx(2 / 6)
    assert point.kept == pytest.approx(3 / 4)
    nothing = at_threshold([0.1], [True], 0.7)
    assert math.isnan(nothing.precision)
    assert (nothing.recall, nothing.kept) == (0, 0)


def test_recall_at_precision_by_hand():
    scores = [9, 8, 7, 6, 5, 4]
    right = [True, True, False, True, True, False]
    point = recall_at_precision(scores, right, 0.8, nameable=5)
    assert (point.threshold, point.precision, point.recall) == (5, 0.8, 0.8)
    assert recall_at_precision(scores, right, 1.0).threshold == 8
    none = recall_at_precision([1, 1], [True, False], 0.9)
    assert (none.threshold, none.recall) == (math.inf, 0)


@given(SCORED, st.sampled_from([0.3, 0.5, 0.75, 0.95, 1.0]))
def test_recall_at_precision_is_the_best_of_all_thresholds(pairs, precision):
    scores, right = columns(pairs)
    points = [at_threshold(scores, right, t) for t in np.unique(scores)]
    best = max((p.recall for p in points if p.precision >= precision), default=0.0)
    point = recall_at_precision(scores, right, precision)
    assert point.recall == pytest.approx(best)
    assert math.isnan(point.precision) or point.precision >= precision


def test_arrays_must_fit():
    with pytest.raises(ValueError):
        auroc([1.0, 2.0], [True])
    with pytest.raises(ValueError):
        recall_at_precision([math.nan], [True], 0.9)
