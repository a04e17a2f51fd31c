"""Labels from a reference to new cells, by embeddings of a network that is left as it is.

Vectors are centred by the reference's mean and brought to length one, so that products are
cosines. Three simple methods read them; a logistic regression on the plain counts of the same
cells stands beside them, and says whether the network was needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.classification_scores import (
    Codes,
    Predictions,
    Probabilities,
    fit_temperature,
    softmax,
)
from gst_core.geneformer.logistic import LogisticRegression
from gst_core.geneformer.splits import Plan, hold_out

Method = Literal["knn", "logistic", "prototypes"]

#: Name of a method on the command line -> name in reports.
METHODS: Final = {
    "knn": "nearest neighbours",
    "logistic": "logistic regression on embeddings",
    "prototypes": "nearest mean",
}
NEIGHBOURS: Final = 15


@dataclass(frozen=True, slots=True)
class Labelled:
    """Cells of which the labels are known, as methods read them.

    Attributes
    ----------
    vectors
        ``(cells, D)`` embeddings.
    expression
        ``(cells, vocabulary)`` sparse.
    labels
        ``(cells,)`` numbers of the classes.
    classes
        Their names, sorted.
    """

    vectors: NDArray[np.float32]
    expression: Any
    labels: Codes
    classes: tuple[str, ...]

    def part(self, rows: NDArray[np.intp]) -> Labelled:
        """Take some of the cells."""
        return Labelled(self.vectors[rows], self.expression[rows], self.labels[rows], self.classes)


def by_embedding(
    method: Method,
    reference: Labelled,
    vectors: NDArray[np.float32],
    *,
    neighbours: int = NEIGHBOURS,
    seed: int = 0,
) -> Probabilities:
    """Give the probability of each label for new cells.

    Parameters
    ----------
    method
        ``knn``: the nearest cells of the reference, each as much as its cosine is above that of
        the farthest of them; ``prototypes``: cosines with the mean of each label's cells;
        ``logistic``: a regression on the vectors.
    reference
        Cells with labels.
    vectors
        ``(cells, D)`` embeddings of the new cells.
    neighbours
        Of ``knn``; at most as many as there are cells.
    seed
        Of the cells by which the regression's strength is chosen.

    Returns
    -------
    shares
        ``(cells, classes)``.
    """
    centre = reference.vectors.mean(0, dtype=np.float64)
    known, new = _directions(reference.vectors, centre), _directions(vectors, centre)
    classes = len(reference.classes)
    if method == "logistic":
        return _logistic(known, reference.labels, new, classes, seed)
    if method == "prototypes":
        means = np.zeros((classes, known.shape[1]))
        np.add.at(means, reference.labels, known)
        means = _directions(means, np.zeros(known.shape[1]))
        temperature = fit_temperature(10 * known @ means.T, reference.labels)
        return softmax(10 * new @ means.T, temperature)
    from sklearn.neighbors import NearestNeighbors

    k = min(neighbours, len(known))
    distances, near = NearestNeighbors(n_neighbors=k).fit(known).kneighbors(new)
    weights = 1 - distances / np.maximum(distances[:, -1:] * 1.01, 1e-12)
    shares = np.zeros((len(new), classes))
    for rank in range(k):
        np.add.at(shares, (np.arange(len(new)), reference.labels[near[:, rank]]), weights[:, rank])
    return np.asarray(shares / shares.sum(1, keepdims=True))


def by_expression(reference: Labelled, expression: Any, seed: int = 0) -> Probabilities:
    """Give the probability of each label by a logistic regression on counts."""
    return _logistic(
        reference.expression, reference.labels, expression, len(reference.classes), seed
    )


def try_methods(
    reference: Labelled,
    plan: Plan,
    *,
    measure: str = "counts",
    neighbours: int = NEIGHBOURS,
    seed: int = 0,
) -> dict[str, Predictions]:
    """Test all methods on parts of the reference: name -> predictions."""
    shares: dict[str, list[Probabilities]] = {}
    for split in plan.folds:
        rest = np.sort(np.concatenate([split.train, split.validation]))
        known, asked = reference.part(rest), reference.part(split.test)
        for method, name in METHODS.items():
            own = by_embedding(
                method,  # type: ignore[arg-type]
                known,
                asked.vectors,
                neighbours=neighbours,
                seed=seed,
            )
            shares.setdefault(name, []).append(own)
        shares.setdefault(f"logistic regression on {measure}", []).append(
            by_expression(known, asked.expression, seed)
        )
    rows = np.concatenate([split.test for split in plan.folds])
    fold = np.repeat(np.arange(len(plan.folds)), [len(split.test) for split in plan.folds])
    return {
        name: Predictions(reference.labels[rows], np.concatenate(own), fold)
        for name, own in shares.items()
    }


def _logistic(x: Any, y: Codes, new: Any, classes: int, seed: int) -> Probabilities:
    learnt, held = hold_out(y, None, 0.1, seed)
    model = LogisticRegression(classes, balanced=True)
    model.fit(x[learnt], y[learnt], x[held], y[held])
    return model.predict(new)


def _directions(vectors: NDArray[Any], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = vectors - centre
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12))
