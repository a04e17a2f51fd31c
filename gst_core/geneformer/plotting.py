"""A picture of embedded cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError

#: Labels that get a colour of their own; the rarest are grey together.
_COLOURS: Final = 19


def plot_cells(
    vectors: NDArray[np.float32],
    labels: NDArray[np.str_] | None,
    path: Path,
    *,
    title: str = "",
    label_name: str = "",
    seed: int = 0,
) -> None:
    """Draw a UMAP of cells.

    Parameters
    ----------
    vectors
        ``(cells, D)``; cells that are not finite are left out.
    labels
        ``(cells,)``, or nothing.
    path
        Picture to write; its suffix says of which kind.
    title, label_name
        Written above the picture and above the legend.
    seed
        Of the layout.

    Raises
    ------
    GstError
        If there are fewer than four cells.
    """
    import matplotlib as mpl
    import umap
    from matplotlib.figure import Figure

    kept = np.isfinite(vectors).all(1)
    vectors = vectors[kept]
    if len(vectors) < 4:
        raise GstError(f"{len(vectors)} cells are too few for a picture", where=str(path))
    neighbours = min(15, len(vectors) - 1)
    layout = umap.UMAP(
        n_neighbors=neighbours, metric="cosine", random_state=seed, n_jobs=1
    ).fit_transform(vectors)
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    size = float(np.clip(20_000 / len(vectors), 2, 30))
    if labels is None:
        axes.scatter(layout[:, 0], layout[:, 1], s=size, linewidths=0)
    else:
        own = labels[kept]
        names, counts = np.unique(own, return_counts=True)
        ranked = names[np.argsort(-counts, kind="stable")]
        palette = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]
        for number, name in enumerate(ranked[:_COLOURS]):
            here = own == name
            text = f"{name} ({here.sum():,})"
            _scatter(axes, layout[here], size, palette[number], text)
        if len(ranked) > _COLOURS:
            here = np.isin(own, ranked[_COLOURS:])
            text = f"{len(ranked) - _COLOURS} others ({here.sum():,})"
            _scatter(axes, layout[here], size, "lightgrey", text)
        figure.legend(
            title=label_name or None, loc="outside right center", frameon=False, markerscale=1.5
        )
    axes.set(title=title, xlabel="UMAP 1", ylabel="UMAP 2", xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def _scatter(axes: Any, points: NDArray[np.float32], size: float, colour: Any, label: str) -> None:
    axes.scatter(points[:, 0], points[:, 1], s=size, linewidths=0, color=colour, label=label)
