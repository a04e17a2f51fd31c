"""Is an embedding worth it? Beside simple baselines, on the user's own labels and batches.

Every representation of the same cells is asked the same questions:

- *label accuracy*: k nearest neighbours predict a cell's label, cross-validated by cells, and
  where batches are given also by batches that were left out;
- *label silhouette*: whether a label's cells lie together (Rousseeuw 1987);
- *ARI and NMI*: whether k-means with as many clusters as labels finds the labels;
- *batch entropy and batch silhouette*: whether batches are mixed, the first among nearest
  neighbours, the second within each label (as in Luecken et al., Nature Methods 2022).

All come from scikit-learn. Each is a mean over cells, or over starts of k-means, so that two
representations are compared by pairs: what lies within two standard errors is called a draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.comparison_metrics import FOLDS, Labels, Matrix, metrics

if TYPE_CHECKING:
    from anndata import AnnData

#: Name of a metric -> what it says. Of all of them more is better.
METRICS: Final = {
    "label_accuracy": "cells whose label the nearest neighbours predict, cross-validated",
    "label_accuracy_new_batch": "the same, of cells in batches that were left out",
    "label_silhouette": "how well labels lie apart, -1 to 1",
    "ari": "agreement of k-means clusters with labels, adjusted Rand index",
    "nmi": "agreement of k-means clusters with labels, normalised mutual information",
    "batch_entropy": "mixing of batches among nearest neighbours, 0 to 1",
    "batch_silhouette": "mixing of batches within labels, 0 to 1",
}
#: What anyone has without a network.
BASELINES: Final = ("PCA", "PCA of HVG")
NEIGHBOURS: Final = 15


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one representation.

    Attributes
    ----------
    values
        ``(N,)``: by cell, or by start of k-means; the same units for every representation.
    """

    values: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """What is reported."""
        return float(self.values.mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a comparison.

    Attributes
    ----------
    scores
        Metric -> representation -> score; a metric that cannot be computed is absent.
    chance
        Metric -> what knowing nothing gives, where that is known.
    cells, labels, batches
        How many there were; `batches` is 0 without a batch column.
    notes
        What was left out, and why.
    """

    scores: dict[str, dict[str, Score]]
    chance: dict[str, float]
    cells: int
    labels: int
    batches: int
    notes: list[str] = field(default_factory=list)

    def clearly_better(self, metric: str, one: str, other: str) -> bool:
        """Whether the mean of the paired differences is above two of its standard errors."""
        scores = self.scores[metric]
        difference = scores[one].values - scores[other].values
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        return bool(difference.mean() > 2 * error)

    def best(self, metric: str) -> tuple[str, list[str]]:
        """Return the best representation by a metric, and those that it cannot be told from."""
        scores = self.scores[metric]
        first = max(scores, key=lambda name: scores[name].mean)
        others = [name for name in scores if name != first]
        return first, [name for name in others if not self.clearly_better(metric, first, name)]

    def verdict(self, name: str) -> str:
        """Say in one sentence whether an embedding is worth its price on these cells."""
        rivals = [baseline for baseline in BASELINES if baseline in self.scores["label_accuracy"]]
        ahead = sum(
            all(self.clearly_better(metric, name, rival) for rival in rivals)
            for metric in self.scores
        )
        behind = sum(
            any(self.clearly_better(metric, rival, name) for rival in rivals)
            for metric in self.scores
        )
        level = len(self.scores) - ahead - behind
        return (
            f"On these cells {name} is clearly better than the baselines in {ahead} of "
            f"{len(self.scores)} metrics, clearly behind one in {behind}, and not told apart in "
            f"{level}."
        )

    def document(self) -> dict[str, object]:
        """Write as JSON: every score, the best by each metric, and what equals it."""
        metrics: dict[str, object] = {}
        for metric, scores in self.scores.items():
            best, ties = self.best(metric)
            metrics[metric] = {
                "meaning": METRICS[metric],
                "scores": {name: round(score.mean, 6) for name, score in scores.items()},
                "chance": self.chance.get(metric),
                "best": best,
                "not_told_apart": ties,
            }
        return {
            "cells": self.cells,
            "labels": self.labels,
            "batches": self.batches,
            "notes": self.notes,
            "metrics": metrics,
        }


def baselines(cells: AnnData, batches: Labels | None, *, components: int = 50) -> dict[str, Matrix]:
    """Compute what anyone has without a network: PCA of log-normalised counts.

    Parameters
    ----------
    cells
        Raw counts in ``X``; left as they are.
    batches
        ``(N,)``: highly variable genes are chosen within batches where given.
    components
        Principal components at most.

    Returns
    -------
    representations
        ``PCA``, of all genes seen in three cells or more; ``PCA of HVG``, of the 2,000 most
        variable ones by scanpy's default method.
    """
    import scanpy as sc

    work = cells.copy()
    work.var_names_make_unique()
    sc.pp.filter_genes(work, min_cells=min(3, work.n_obs))
    sc.pp.normalize_total(work, target_sum=1e4)
    sc.pp.log1p(work)
    size = min(components, work.n_obs - 1, work.n_vars - 1)
    if size < 1:
        raise GstError("too few cells or genes for a principal component analysis")
    sc.pp.pca(work, n_comps=size, random_state=0)
    result = {BASELINES[0]: np.asarray(work.obsm["X_pca"], np.float32)}
    if work.n_vars > 2000:
        key = None
        if batches is not None and _smallest(batches) >= 10:
            work.obs["_batch"] = batches
            work.obs["_batch"] = work.obs["_batch"].astype("category")
            key = "_batch"
        sc.pp.highly_variable_genes(work, n_top_genes=2000, batch_key=key)
        chosen = work[:, work.var["highly_variable"].to_numpy()].copy()
        size = min(size, chosen.n_vars - 1)
        sc.pp.pca(chosen, n_comps=size, random_state=0, mask_var=None)
        result[BASELINES[1]] = np.asarray(chosen.obsm["X_pca"], np.float32)
    return result


def compare(
    representations: Mapping[str, Matrix],
    labels: Labels,
    batches: Labels | None = None,
    *,
    neighbours: int = NEIGHBOURS,
    seed: int = 0,
) -> Comparison:
    """Ask every representation the same questions about the same cells.

    Parameters
    ----------
    representations
        Name -> ``(N, d)``.
    labels
        ``(N,)``: labels with fewer than five cells are left out of the comparison.
    batches
        ``(N,)``; without them nothing is said of mixing.
    neighbours
        k of the nearest neighbours, at most half the cells.
    seed
        Of folds, and of the starts of k-means.

    Raises
    ------
    GstError
        If fewer than two labels are left, or a representation has values that are no numbers.
    """
    for name, matrix in representations.items():
        if len(matrix) != len(labels):
            raise GstError(f"{len(matrix)} rows where there are {len(labels)} cells", where=name)
        if not np.isfinite(matrix).all():
            raise GstError("has values that are no numbers", where=name)
    notes: list[str] = []
    names, sizes = np.unique(labels, return_counts=True)
    rare = names[sizes < FOLDS]
    kept = ~np.isin(labels, rare)
    if len(rare):
        notes.append(
            f"{(~kept).sum()} cells left out: labels with fewer than {FOLDS} ({', '.join(rare)})"
        )
    if len(names) - len(rare) < 2:
        raise GstError(
            f"fewer than two labels have {FOLDS} cells or more", hint="name another --label"
        )
    labels = labels[kept]
    batches = batches[kept] if batches is not None else None
    if batches is not None and len(np.unique(batches)) < 2:
        notes.append("there is one batch only: nothing is said of mixing")
        batches = None
    k = max(1, min(neighbours, len(labels) // 2))
    scores: dict[str, dict[str, Score]] = {metric: {} for metric in METRICS}
    for name, matrix in representations.items():
        points = np.asarray(matrix[kept], np.float32)
        for metric, values in metrics(points, labels, batches, k, seed).items():
            scores[metric][name] = Score(values)
    _, counts = np.unique(labels, return_counts=True)
    return Comparison(
        scores={metric: by_name for metric, by_name in scores.items() if by_name},
        chance={"label_accuracy": float(counts.max() / counts.sum()), "ari": 0.0},
        cells=len(labels),
        labels=len(counts),
        batches=len(np.unique(batches)) if batches is not None else 0,
        notes=notes,
    )


def _smallest(values: Labels) -> int:
    return int(np.unique(values, return_counts=True)[1].min())
