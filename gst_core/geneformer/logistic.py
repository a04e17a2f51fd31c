"""What anyone has without a network: a logistic regression, trained on the same examples."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Inverse strengths of regularisation, of which the held-out examples choose.
_STRENGTHS: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
#: Columns at most: those that vary most among the examples to learn from.
_COLUMNS: Final = 5000


class LogisticRegression:
    """scikit-learn's multinomial logistic regression of standardised columns.

    Columns are chosen and scaled by the examples to learn from; the strength of the
    regularisation is the one that tells the held-out examples best, as early stopping does it for
    a network. Without held-out examples it is 0.01.

    Parameters
    ----------
    classes
        Number of classes.
    balanced
        Whether rare classes count more.
    """

    def __init__(self, classes: int, *, balanced: bool) -> None:
        self._classes, self._balanced = classes, balanced
        self._columns: NDArray[np.intp] = np.empty(0, np.intp)
        self._scale: NDArray[np.float64] = np.empty(0)
        self._model: Any = None
        self.strength = 1e-2

    def fit(self, x: Any, y: NDArray[np.int64], x_held: Any, y_held: NDArray[np.int64]) -> None:
        """Learn.

        Parameters
        ----------
        x, x_held
            ``(examples, columns)``, sparse or dense.
        y, y_held
            Numbers of the classes.
        """
        mean = np.asarray(x.mean(0)).ravel()
        squares = x.multiply(x) if hasattr(x, "multiply") else x * x
        variance = np.asarray(squares.mean(0)).ravel() - mean**2
        order = np.argsort(-variance, kind="stable")[:_COLUMNS]
        self._columns = np.sort(order[variance[order] > 0])
        self._scale = 1 / np.sqrt(np.maximum(variance[self._columns], 1e-12))
        known = np.isin(y_held, np.unique(y))
        if known.any():
            losses = []
            for strength in _STRENGTHS:
                self._fit(x, y, strength)
                shares = self.predict(x_held)[known, y_held[known]]
                losses.append(float(-np.log(np.maximum(shares, 1e-12)).mean()))
            self.strength = _STRENGTHS[int(np.argmin(losses))]
        self._fit(x, y, self.strength)

    def _fit(self, x: Any, y: NDArray[np.int64], strength: float) -> None:
        from sklearn.dummy import DummyClassifier
        from sklearn.linear_model import LogisticRegression as Plain

        if len(np.unique(y)) < 2 or not len(self._columns):
            self._model = DummyClassifier(strategy="prior").fit(np.zeros((len(y), 1)), y)
            return
        model = Plain(C=strength, class_weight="balanced" if self._balanced else None, max_iter=500)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of iterations: the loss is flat by then
            self._model = model.fit(self._prepared(x), y)

    def predict(self, x: Any) -> NDArray[np.float64]:
        """Probabilities, ``(examples, classes)``; 0 of a class that was not there to learn."""
        found = np.zeros((x.shape[0], self._classes))
        if x.shape[0]:
            found[:, self._model.classes_] = self._model.predict_proba(self._prepared(x))
        return found

    def _prepared(self, x: Any) -> Any:
        chosen = x[:, self._columns]
        if hasattr(chosen, "multiply"):
            return chosen.multiply(self._scale[None, :]).tocsr()
        return chosen * self._scale
