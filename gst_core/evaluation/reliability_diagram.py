"""Probability against the share of right symbols, in ten bins: numbers and a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from gst_core.evaluation.comparison import Comparison
from gst_core.reliability import ReliabilityBin, calibration_error, reliability

#: Bins of equal width, of the diagram and of the error beside it.
BINS: Final = 10


def reliability_of(comparisons: Iterable[Comparison]) -> list[ReliabilityBin]:
    """Sort named proteins into ten bins by their probability; right is an exact match."""
    named = [row for row in comparisons if row.assigned]
    return reliability([row.probability for row in named], [row.exact for row in named], BINS)


def reliability_table(bins: Iterable[ReliabilityBin]) -> list[list[str]]:
    """Tabulate bins: a header, then a line each; cells of an empty bin are empty."""
    lines = [
        [
            f"{own.lower:.1f}",
            f"{own.upper:.1f}",
            str(own.count),
            f"{own.confidence:.4f}" if own.count else "",
            f"{own.accuracy:.4f}" if own.count else "",
        ]
        for own in bins
    ]
    return [["above", "up_to", "num_assignments", "mean_probability", "share_right"], *lines]


def draw_reliability(axes: Any, bins: list[ReliabilityBin]) -> None:
    """Draw bars of the share of right symbols beside the diagonal they should reach.

    Parameters
    ----------
    axes
        Of matplotlib.
    bins
        As :func:`reliability_of` gives them.
    """
    error = calibration_error(bins)
    axes.plot([0, 1], [0, 1], color="0.5", linestyle="--", linewidth=1, zorder=1)
    axes.set(
        title="nothing to compare"
        if math.isnan(error)
        else f"expected calibration error {error:.4f}",
        xlabel="probability, with the number of proteins in each tenth",
        ylabel="exact matches, of assignments of that probability",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    filled = [own for own in bins if own.count]
    if not filled:
        return
    axes.bar(
        [own.lower for own in filled],
        [own.accuracy for own in filled],
        width=[own.upper - own.lower for own in filled],
        align="edge",
        color="#a6c8e8",
        edgecolor="white",
        zorder=0,
        label="share that is right",
    )
    axes.plot(
        [own.confidence for own in filled],
        [own.accuracy for own in filled],
        "o",
        color="#1f4e79",
        markersize=4,
        zorder=2,
        clip_on=False,
        label="mean probability",
    )
    for own in filled:
        # At the foot, where the diagonal and most dots are not.
        axes.annotate(
            f"{own.count:,}",
            ((own.lower + own.upper) / 2, 0),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    axes.legend(loc="upper left", fontsize=8)
