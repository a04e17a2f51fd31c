"""How good predictions are: accuracy, ROC, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
Codes = NDArray[np.int64]

#: Bins of confidence of the calibration error.
BINS: Final = 10
#: False positive rates at which ROC curves of folds are averaged.
GRID: Final = np.linspace(0, 1, 201)

#: Name -> what it says.
METRICS: Final = {
    "accuracy": "share that is told right",
    "balanced_accuracy": "mean over classes of the share that is told right",
    "macro_f1": "mean over classes of F1",
    "auc": "area under the ROC curve; of several classes the mean of each against the rest",
    "log_loss": "mean surprise at the true class, in nats",
    "calibration_error": f"mean distance of confidence and accuracy in {BINS} bins of confidence",
}


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a method said of the examples of each fold.

    Attributes
    ----------
    truth
        ``(examples,)`` numbers of the classes, fold after fold.
    shares
        ``(examples, classes)`` probabilities.
    fold
        ``(examples,)`` in which each was tested.
    """

    truth: Codes
    shares: Probabilities
    fold: Codes

    @property
    def said(self) -> Codes:
        """The most probable class of each example."""
        return np.asarray(self.shares.argmax(1))

    def folds(self) -> list[tuple[Codes, Probabilities]]:
        """Truth and probabilities of each fold."""
        return [
            (self.truth[self.fold == f], self.shares[self.fold == f]) for f in np.unique(self.fold)
        ]


def scores(truth: Codes, shares: Probabilities) -> dict[str, float]:
    """Compute :data:`METRICS`; one that has no meaning for these examples is absent."""
    from sklearn import metrics

    said = shares.argmax(1)
    present = np.unique(truth)
    result = {
        "accuracy": float((said == truth).mean()),
        "balanced_accuracy": float(np.mean([(said[truth == c] == c).mean() for c in present])),
        "macro_f1": float(metrics.f1_score(truth, said, average="macro", zero_division=0)),
        "log_loss": float(-np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-12)).mean()),
        "calibration_error": calibration_error(truth, shares),
    }
    areas = [
        metrics.roc_auc_score(truth == c, shares[:, c])
        for c in _asked(shares.shape[1])
        if 0 < (truth == c).sum() < len(truth)
    ]
    if areas:
        result["auc"] = float(np.mean(areas))
    return result


def summary(predictions: Predictions) -> dict[str, dict[str, Any]]:
    """Compute each metric over all examples, and its mean and deviation over the folds."""
    overall = scores(predictions.truth, predictions.shares)
    by_fold = [scores(truth, shares) for truth, shares in predictions.folds()]
    result: dict[str, dict[str, Any]] = {}
    for name in METRICS:
        values = [fold[name] for fold in by_fold if name in fold]
        if not values:
            continue
        result[name] = {
            "all": overall.get(name),
            "mean": float(np.mean(values)),
            "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "folds": values,
        }
    return result


def by_class(predictions: Predictions, names: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and number of examples of each class."""
    from sklearn import metrics

    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        predictions.truth, predictions.said, labels=np.arange(len(names)), zero_division=0
    )
    return [
        {
            "class": name,
            "examples": int(support[code]),
            "precision": float(precision[code]),
            "recall": float(recall[code]),
            "f1": float(f1[code]),
        }
        for code, name in enumerate(names)
    ]


def confusion(predictions: Predictions, classes: int) -> NDArray[np.int64]:
    """Count truths (rows) and what was said (columns), ``(classes, classes)``."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (predictions.truth, predictions.said), 1)
    return table


def roc(predictions: Predictions) -> list[NDArray[np.float64]]:
    """ROC curve of each fold: true positive rates at :data:`GRID`.

    Of two classes the second is the positive one; of several each is set against the rest, and
    their curves are averaged.
    """
    from sklearn.metrics import roc_curve

    curves = []
    for truth, shares in predictions.folds():
        own = []
        for c in _asked(shares.shape[1]):
            if 0 < (truth == c).sum() < len(truth):
                false, true, _ = roc_curve(truth == c, shares[:, c])
                own.append(np.interp(GRID, false, true))
                own[-1][0] = 0.0
        if own:
            curves.append(np.mean(own, axis=0))
    return curves


def _asked(classes: int) -> range:
    return range(1, 2) if classes == 2 else range(classes)


def reliability(
    truth: Codes, shares: Probabilities
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean confidence, share told right, and number of examples of each bin that has any."""
    confidence = shares.max(1)
    right = shares.argmax(1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    there = counts > 0
    mean = np.bincount(bins, confidence, BINS)[there] / counts[there]
    hit = np.bincount(bins, right, BINS)[there] / counts[there]
    return mean, hit, counts[there]


def calibration_error(truth: Codes, shares: Probabilities) -> float:
    """Compute the expected calibration error (Guo et al., ICML 2017) with :data:`BINS` bins."""
    mean, hit, counts = reliability(truth, shares)
    return float((np.abs(mean - hit) * counts).sum() / counts.sum())


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> Probabilities:
    """Probabilities of logits, ``(examples, classes)``."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(1, keepdims=True))


def fit_temperature(logits: NDArray[Any], truth: Codes) -> float:
    """Find the temperature that makes held-out examples least surprising (Guo et al., ICML 2017).

    Parameters
    ----------
    logits
        ``(examples, classes)``; with fewer than ten examples 1 is given.
    truth
        ``(examples,)``.
    """
    from scipy.optimize import minimize_scalar

    if len(truth) < 10:
        return 1.0

    def surprise(log_temperature: float) -> float:
        shares = softmax(logits, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-12)).mean())

    found = minimize_scalar(surprise, bounds=(-2.5, 2.5), method="bounded")
    return float(np.exp(found.x))
