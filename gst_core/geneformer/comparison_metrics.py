"""What a comparison asks of one representation of cells; see :mod:`.comparison`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Labels = NDArray[np.str_]

#: Parts of the cells in cross-validation.
FOLDS: Final = 5
#: Of k-means.
STARTS: Final = 10


def metrics(
    points: Matrix, labels: Labels, batches: Labels | None, k: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """Compute every metric of one representation.

    Parameters
    ----------
    points, labels, batches
        ``(N, d)``, ``(N,)``, and ``(N,)`` or nothing.
    k
        Nearest neighbours that are asked.
    seed
        Of folds, and of the starts of k-means.

    Returns
    -------
    values
        Metric -> ``(N,)`` by cell, or by start of k-means; those of batches where there are.
    """
    from sklearn import metrics as of
    from sklearn.cluster import KMeans
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    found = {
        "label_accuracy": _right(points, labels, folds.split(points, labels), k),
        "label_silhouette": of.silhouette_samples(points, labels),
    }
    clusters = [
        KMeans(len(np.unique(labels)), n_init=1, random_state=seed + start).fit_predict(points)
        for start in range(STARTS)
    ]
    found["ari"] = np.array([of.adjusted_rand_score(labels, c) for c in clusters])
    found["nmi"] = np.array([of.normalized_mutual_info_score(labels, c) for c in clusters])
    if batches is not None:
        found["label_accuracy_new_batch"] = _right_in_new_batches(points, labels, batches, k)
        found["batch_entropy"] = _entropy(points, batches, k)
        mixing = _silhouette_within(points, labels, batches)
        if mixing is not None:
            found["batch_silhouette"] = mixing
    return {name: np.asarray(values, np.float64) for name, values in found.items()}


def _right(points: Matrix, labels: Labels, splits: Any, k: int) -> NDArray[np.bool_]:
    """Whether each cell's label is predicted from the cells of the other folds."""
    from sklearn.neighbors import KNeighborsClassifier

    right = np.zeros(len(labels), bool)
    for rest, fold in splits:
        model = KNeighborsClassifier(min(k, len(rest))).fit(points[rest], labels[rest])
        right[fold] = model.predict(points[fold]) == labels[fold]
    return right


def _right_in_new_batches(
    points: Matrix, labels: Labels, batches: Labels, k: int
) -> NDArray[np.bool_]:
    from sklearn.model_selection import GroupKFold

    folds = GroupKFold(min(FOLDS, len(np.unique(batches))))
    return _right(points, labels, folds.split(points, labels, batches), k)


def _entropy(points: Matrix, batches: Labels, k: int) -> NDArray[np.float64]:
    """Entropy of the batches among each cell's neighbours, as a share of what random cells have.

    The reference is the mean entropy of as many cells drawn at random, so that 1 is reached with
    few neighbours and with batches of unequal size. Single cells may have more than 1.
    """
    from sklearn.neighbors import NearestNeighbors

    _, codes = np.unique(batches, return_inverse=True)
    near = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, len(codes), (min(20_000, 20 * len(codes)), k))
    expected = _entropies(codes[drawn]).mean()
    return np.asarray(_entropies(codes[near]) / max(expected, 1e-12))


def _entropies(codes: NDArray[np.intp]) -> NDArray[np.float64]:
    shares = np.stack([(codes == code).mean(1) for code in range(codes.max() + 1)], axis=1)
    return np.asarray(-(shares * np.log(np.maximum(shares, 1e-12))).sum(1))


def _silhouette_within(
    points: Matrix, labels: Labels, batches: Labels
) -> NDArray[np.float64] | None:
    """One less the absolute silhouette of batches, cell by cell, within labels that have several.

    A label whose every batch has one cell only says nothing, nor does one batch.
    """
    from sklearn.metrics import silhouette_samples

    values = []
    for label in np.unique(labels):
        rows = labels == label
        count = len(np.unique(batches[rows]))
        if 2 <= count < rows.sum():
            values.append(1 - np.abs(silhouette_samples(points[rows], batches[rows])))
    return np.concatenate(values) if values else None
