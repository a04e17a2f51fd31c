"""Pictures of a table of perturbations: a volcano, ranks, and the mixture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: mode -> what is drawn: column, its name in words, and the column of the false discovery rate.
DRAWN: Final[dict[str, tuple[str, str, str | None]]] = {
    "goal_state_shift": ("Shift_to_goal_end", "shift towards the goal", "Goal_end_FDR"),
    "vs_null": ("Test_vs_null_avg_shift", "cosine, minus that in other cells", "Test_vs_null_FDR"),
    "mixture_model": ("Test_avg_shift", "cosine before and after", None),
    "aggregate_data": ("Cosine_sim_mean", "cosine before and after", None),
    "cooperation": (
        "Combo_minus_sum_shift",
        "cosine of both together, minus sum of singles",
        "Combo_vs_sum_FDR",
    ),
}
#: Perturbations that are named at either end.
_NAMED: Final = 8
#: What matplotlib would write into a picture of itself.
_UNSAID: Final = ("Creator", "Date", "Format", "Type")
_STRONG, _WEAK = "#b4540a", "#8fa3ad"


def figure_of(table: pd.DataFrame, mode: str, title: str = "") -> Any:
    """Draw a table.

    Parameters
    ----------
    table
        Of :mod:`~gst_core.geneformer.perturbation_statistics`.
    mode
        Which of them, one of :data:`DRAWN`.
    title
        Written above.

    Returns
    -------
    figure
        A matplotlib figure of two panels: volcano, or how many have which cosine; and ranks.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    column, words, rate = DRAWN[mode]
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    values = table[column].to_numpy(dtype=float)
    marked = _marked(table, rate)
    if rate is not None and rate in table:
        _volcano(left, table, values, table[rate].to_numpy(dtype=float), marked)
        left.set(xlabel=words, ylabel="-log10 false discovery rate")
    else:
        _histogram(left, values, marked)
        left.set(xlabel=words, ylabel="perturbations")
    _ranks(right, table, values, marked)
    right.set(xlabel="rank", ylabel=words)
    near_one = np.ptp(values) < 1e-3 * np.abs(values).max()  # then numbers are long
    for axes, ticks in ((left, 3 if near_one else 5), (right, 5)):
        axes.xaxis.set_major_locator(MaxNLocator(ticks))
        axes.ticklabel_format(useOffset=False)  # cosines near 1 are read as they are
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title)
    return figure


def svg_of(figure: Any) -> str:
    """Write a figure as an ``<svg>`` element, the same for the same figure."""
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "geneformer"}):
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(_UNSAID))
    text = stream.getvalue()
    return text[text.index("<svg") :]


def save(figure: Any, path: Path) -> None:
    """Write a figure; the suffix says of which kind."""
    figure.savefig(path, dpi=150)


def _marked(table: pd.DataFrame, rate: str | None) -> Any:
    for name in ("Sig", "Impact_component"):
        if name in table and (rate is not None or name == "Impact_component"):
            return table[name].to_numpy() == 1
    return np.zeros(len(table), dtype=bool)


def _volcano(axes: Any, table: pd.DataFrame, x: Any, rates: Any, marked: Any) -> None:
    y = -np.log10(np.maximum(rates, np.finfo(float).tiny))
    for kept, colour, order in ((~marked, _WEAK, 1), (marked, _STRONG, 2)):
        axes.scatter(x[kept], y[kept], s=9, linewidths=0, color=colour, zorder=order)
    axes.axhline(-np.log10(0.05), color=_WEAK, linewidth=0.8, linestyle="--")
    axes.axvline(0, color=_WEAK, linewidth=0.8)
    # Where nothing is significant, names would lie on the ground in a heap; ranks have them.
    best = np.lexsort((-np.abs(x), -y))[:_NAMED]
    chosen = best[rates[best] < 0.05]
    for side in (-1, 1):
        near = chosen[(x[chosen] >= 0) == (side > 0)]
        if len(near):
            _label(axes, table, near, x, y, outside=side)


def _histogram(axes: Any, values: Any, marked: Any) -> None:
    bins = np.histogram_bin_edges(values, bins=min(60, max(5, len(values) // 5)))
    parts = [values[~marked], values[marked]]
    names = [f"others ({(~marked).sum():,})", f"with impact ({marked.sum():,})"]
    if not marked.any():
        parts, names = parts[:1], [f"all ({len(values):,})"]
    axes.hist(parts, bins, stacked=True, color=[_WEAK, _STRONG][: len(parts)], label=names)
    axes.legend(frameon=False, fontsize=8)


def _ranks(axes: Any, table: pd.DataFrame, values: Any, marked: Any) -> None:
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values))
    rank[order] = np.arange(1, len(values) + 1)
    for kept, colour in ((~marked, _WEAK), (marked, _STRONG)):
        axes.scatter(rank[kept], values[kept], s=9, linewidths=0, color=colour)
    each = min(_NAMED, len(values) // 4)
    ends = np.unique(np.concatenate([order[:each], order[len(order) - each :]]))
    _label(axes, table, ends, rank, values)


def _label(axes: Any, table: pd.DataFrame, chosen: Any, x: Any, y: Any, outside: int = 0) -> None:
    """Write names in columns, a line each: towards the middle, or beyond all points of a side."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    gap, step = 0.05 * (right - left), (high - low) / 22
    if outside:
        edge = outside * np.max(outside * x)
        axes.set_xlim(**{"left" if outside < 0 else "right": edge + outside * 8 * gap})
    corners: dict[tuple[bool, bool], list[int]] = {}
    for i in chosen:
        at_left = outside > 0 if outside else bool(x[i] < (left + right) / 2)
        corners.setdefault((at_left, bool(y[i] < (low + high) / 2)), []).append(int(i))
    for (at_left, below), own in corners.items():
        sign = 1 if below else -1
        line = low + step / 2 if below else high - step / 2
        beyond = x if outside else x[own]
        column = max(beyond) + gap if at_left else min(beyond) - gap
        own = sorted(own, key=lambda i: (sign * y[i], abs(x[i] - column)))
        away = (x - column if at_left else column - x) / gap
        there = sign * y[(away > 0) & (away < 4)]  # points where names would stand
        end = min(there) - step / 2 if len(there) else np.inf
        for place, i in enumerate(own):
            line = max(line, y[i]) if below else min(line, y[i])
            if place and sign * line > end:
                break
            axes.annotate(
                str(table["Gene_name"].iloc[i]),
                (x[i], y[i]),
                (column, line),
                ha="left" if at_left else "right",
                va="center",
                fontsize=7,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
                arrowprops={
                    "arrowstyle": "-",
                    "linewidth": 0.4,
                    "color": _WEAK,
                    "relpos": (0 if at_left else 1, 0.5),
                },
                zorder=3,
            )
            line += sign * step
