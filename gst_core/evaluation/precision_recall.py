"""Precision and recall against the probability threshold, and reliability, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gst_core.errors import GstError
from gst_core.evaluation.comparison import Comparison
from gst_core.evaluation.genomes import Evaluation
from gst_core.evaluation.reliability_diagram import draw_reliability, reliability_of
from gst_core.files import atomic_write

#: Thresholds marked on each curve: the usual ones for loading symbols.
MARKED = (0.5, 0.7, 0.9)


def curve(comparisons: Sequence[Comparison]) -> tuple[list[float], list[float], list[float]]:
    """Thresholds from high to low, with the recall and precision at each.

    Every distinct probability is a threshold; precision is the share of exact
    matches among the assignments at or above it, recall their share of all
    comparisons.
    """
    thresholds: list[float] = []
    recall: list[float] = []
    precision: list[float] = []
    exact = 0
    ordered = sorted(comparisons, key=lambda c: c.probability, reverse=True)
    for count, comparison in enumerate(ordered, start=1):
        exact += comparison.exact
        if thresholds and thresholds[-1] == comparison.probability:
            recall[-1], precision[-1] = exact / len(ordered), exact / count
        else:
            thresholds.append(comparison.probability)
            recall.append(exact / len(ordered))
            precision.append(exact / count)
    return thresholds, recall, precision


def plot(evaluations: Sequence[Evaluation], path: Path) -> None:
    """Draw a precision-recall curve for each genome, and the reliability of all together.

    Parameters
    ----------
    evaluations
        Genomes; those without comparisons are left out.
    path
        The picture, in the format of its ending (``.png``, ``.svg``, ``.pdf``).

    Raises
    ------
    GstError
        If matplotlib is not installed, or cannot write that format.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise GstError(
            "a plot needs matplotlib, which is not installed",
            where=str(path),
            hint="install the extra [train], or leave out --plot",
        ) from error

    # A figure without pyplot: no display, no global state.
    figure = Figure(figsize=(11, 5), layout="constrained")
    axes, beside = figure.subplots(1, 2)
    if path.suffix[1:] not in figure.canvas.get_supported_filetypes():
        raise GstError(
            f"no picture format {path.suffix!r}",
            where=str(path),
            hint="name a .png, .svg or .pdf file",
        )
    for evaluation in evaluations:
        if not evaluation.comparisons:
            continue
        thresholds, recall, precision = curve(evaluation.comparisons)
        count = len(evaluation.comparisons)
        (line,) = axes.plot(recall, precision, label=f"{evaluation.scientific_name} ({count:,})")
        for marked in MARKED:
            at = sum(threshold >= marked for threshold in thresholds) - 1
            if at >= 0:
                axes.plot(recall[at], precision[at], "o", color=line.get_color(), markersize=4)
                axes.annotate(f"{marked}", (recall[at], precision[at]), fontsize=7)
    axes.set(
        xlabel="recall: exact matches above the threshold, of all compared",
        ylabel="precision: exact matches, of assignments above the threshold",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
    )
    if axes.lines:
        axes.legend(loc="lower left", fontsize=8)
    everything = [row for evaluation in evaluations for row in evaluation.comparisons]
    draw_reliability(beside, reliability_of(everything))
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format=path.suffix[1:], dpi=150)
