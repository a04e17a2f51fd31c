"""Pictures of how a classifier does: confusion matrix, ROC curves, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gst_core.geneformer.classification_scores import (
    GRID,
    Predictions,
    confusion,
    reliability,
    roc,
    summary,
)

#: Colours that the colour-blind tell apart (Okabe and Ito).
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
#: Classes whose counts are written into the matrix.
_WRITTEN: Final = 25


def plot_classification(
    methods: Mapping[str, Predictions], classes: Sequence[str], path: Path, title: str
) -> None:
    """Draw what methods said of the same examples.

    Parameters
    ----------
    methods
        Name -> predictions; the confusion matrix is that of the first.
    classes
        Names of the classes.
    path
        Picture to write; its suffix says of which kind.
    title
        Written above.
    """
    from matplotlib.figure import Figure

    side = float(np.clip(0.36 * len(classes), 4, 12))
    names = 0.09 * max(map(len, classes))  # inches, beside the matrix and, upright, below it
    below = names if len(classes) > 3 else 0.0
    figure = Figure(
        figsize=(side + names + 9.2, max(5.8, side + below + 1.5)), layout="constrained"
    )
    first, curves, reliable = figure.subplots(1, 3, width_ratios=[side, 4, 4])
    name, predictions = next(iter(methods.items()))
    _draw_confusion(first, predictions, classes, name)
    for colour, (method, found) in zip(_COLOURS, methods.items(), strict=False):
        _draw_roc(curves, found, method, colour)
        _draw_calibration(reliable, found, method, colour)
    curves.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    many = len(classes) > 2
    curves.set(
        title="ROC, each class against the rest" if many else f"ROC of {classes[1]}",
        xlabel="false positive rate",
        ylabel="true positive rate",
        aspect="equal",
    )
    reliable.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    reliable.set(
        title="Calibration",
        xlabel="probability of what is said",
        ylabel="share that is right",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        aspect="equal",
    )
    for axes in (first, curves, reliable):
        axes.set_anchor("N")
    for axes in (curves, reliable):
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def _draw_confusion(axes: Any, predictions: Predictions, classes: Sequence[str], name: str) -> None:
    table = confusion(predictions, len(classes))
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = np.arange(len(classes))
    labels = [f"{c} ({n})" for c, n in zip(classes, table.sum(1), strict=True)]
    axes.set_xticks(ticks, classes, rotation=90 if len(classes) > 3 else 0)
    axes.set_yticks(ticks, labels)
    axes.set(title=f"{name}: {np.trace(table)} of {table.sum()}", xlabel="said", ylabel="true")
    if len(classes) <= _WRITTEN:
        for row, column in np.argwhere(table):
            colour = "white" if shares[row, column] > 0.6 else "black"
            text = str(table[row, column])
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def _draw_roc(axes: Any, predictions: Predictions, method: str, colour: str) -> None:
    curves = roc(predictions)
    if not curves:
        return
    found = summary(predictions)["auc"]
    spread = f" ± {found['deviation']:.3f}" if found["deviation"] is not None else ""
    mean = np.mean(curves, axis=0)
    axes.plot(GRID, mean, color=colour, label=f"{method}: AUC {found['mean']:.3f}{spread}")
    if len(curves) > 1:
        deviation = np.std(curves, axis=0, ddof=1)
        low, high = np.clip(mean - deviation, 0, 1), np.clip(mean + deviation, 0, 1)
        axes.fill_between(GRID, low, high, color=colour, alpha=0.15, linewidth=0)


def _draw_calibration(axes: Any, predictions: Predictions, method: str, colour: str) -> None:
    mean, hit, counts = reliability(predictions.truth, predictions.shares)
    error = summary(predictions)["calibration_error"]["all"]
    axes.plot(mean, hit, color=colour, linewidth=1, label=f"{method}: error {error:.3f}")
    axes.scatter(mean, hit, s=10 + 150 * counts / counts.sum(), color=colour, linewidths=0)
