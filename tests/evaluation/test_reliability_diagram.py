"""Probabilities of named proteins against how many are right, as drawn."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from gst_core.evaluation.comparison import Comparison
from gst_core.evaluation.reliability_diagram import draw_reliability, reliability_of


def test_reliability_is_of_named_proteins() -> None:
    compared = [
        Comparison("P1", "INS", "INS", 0.85),
        Comparison("P2", "INS", "LEP", 0.9),
        Comparison("P3", "INS", "ins", 1.0),
        Comparison("P4", "INS", "", 0.0),
    ]
    bins = reliability_of(compared)
    assert [own.count for own in bins] == [0] * 8 + [2, 1]
    assert (bins[8].confidence, bins[8].accuracy) == (pytest.approx(0.875), 0.5)


@pytest.mark.parametrize("compared", [True, False])
def test_the_diagram_shows_every_bin_that_has_proteins(compared: bool) -> None:
    found = [Comparison("P", "INS", "INS" if n % 2 else "LEP", n / 20) for n in range(12)]
    axes = Figure().add_subplot()
    draw_reliability(axes, reliability_of(found if compared else []))
    counts = [text.get_text() for text in axes.texts]
    bars = [bar.get_height() for bar in axes.patches]
    if compared:
        # 0 to 0.1 holds 0, 0.05 and 0.1: a bin's upper bound belongs to it.
        assert counts == ["3", "2", "2", "2", "2", "1"]
        assert bars == [1 / 3, *[1 / 2] * 4, 1]
        assert "expected calibration error 0." in axes.get_title()
    else:
        assert (bars, counts, axes.get_title()) == ([], [], "nothing to compare")
