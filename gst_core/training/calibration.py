"""Calibration: the temperature at which probabilities tell how often the symbols are right.

One temperature for all (Guo et al. 2017, ICML), fitted to genera that the network has not
learnt from: on its own training proteins it is right too often to learn anything from. What
it is fitted to is the one number that users put a threshold on, the probability of the best
symbol, against whether that symbol is right. The likelihood of the right symbol, the usual
measure, is ruled by the few proteins that are hopelessly wrong, and leaves all others too
unsure of themselves.
Proteins whose symbol was not learnt are left out: most of them bear a spelling variant of
one that was, and count neither as right nor as wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.model.network import GeneSymbolTransformer
from gst_core.reliability import expected_calibration_error
from gst_core.training.batches import TrainingSet, by_length

#: The temperatures that are tried: 2.5% apart, from 0.2 to 5.
TEMPERATURES: Final = 2.5 ** (np.arange(-65, 66) / 37)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """What calibration needs to know of N proteins, at T temperatures.

    Attributes
    ----------
    probability
        ``(N, T)``, of the best symbol.
    right
        ``(N,)``, whether the best is the right one.
    """

    probability: Floats
    right: NDArray[np.bool_]

    @property
    def loss(self) -> Floats:
        """``(T,)``, mean negative log likelihood of the best symbol being right or wrong."""
        p = self.probability.clip(1e-6, 1 - 1e-6)
        losses: Floats = -np.log(np.where(self.right[:, None], p, 1 - p)).mean(0)
        return losses


@torch.no_grad()
def score(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 64
) -> Scores:
    """Score proteins at all temperatures; those of class -1 are left out."""
    data = data.take(np.flatnonzero(data.classes >= 0))
    probability = np.empty((len(data), len(TEMPERATURES)))
    right = np.empty(len(data), dtype=bool)
    network.eval()
    for rows, batch in by_length(data, batch_size):
        there = batch.to(device)
        logits = network(there.codes, there.lengths, there.clades).float()
        best, index = logits.max(1)
        right[rows] = (index == there.classes).cpu().numpy()
        for column, temperature in enumerate(TEMPERATURES):
            total = (logits / temperature).logsumexp(1)
            # rounding may leave more than 1
            probability[rows, column] = (
                (best / temperature - total).exp().clamp(max=1).cpu().numpy()
            )
    return Scores(probability, right)


@dataclass(frozen=True, slots=True)
class GenusCalibration:
    """How well the temperature of the other genera fits one.

    Attributes
    ----------
    proteins
        Proteins of the vocabulary.
    accuracy
        Share of them that get their symbol.
    uncalibrated_error, error
        Expected calibration error, over 15 bins of equally many proteins, without, and with the
        temperature fitted to the others.
    temperature
        That temperature; the one of all where there are no others.
    """

    proteins: int
    accuracy: float
    uncalibrated_error: float
    error: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted temperature, and what is known of its quality.

    Attributes
    ----------
    temperature
        Fitted to all genera, each of equal weight.
    genera
        Genus by genus.
    """

    temperature: float
    genera: Mapping[str, GenusCalibration]

    def facts(self) -> dict[str, Any]:
        """Give everything as JSON has it."""
        genera = {name: asdict(genus) for name, genus in self.genera.items()}
        return {"temperature": self.temperature, "genera": genera}

    def write(self, path: Path) -> None:
        """Write a file that :meth:`read` reads."""
        with atomic_write(path) as file:
            file.write(json.dumps(self.facts(), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read what :meth:`write` wrote.

        Raises
        ------
        GstError
            If the file is not one.
        """
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            temperature = float(facts["temperature"])
            genera = {n: GenusCalibration(**genus) for n, genus in facts["genera"].items()}
        except OSError as error:
            raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GstError(
                "not a calibration", where=str(path), hint="give the output of gst calibrate"
            ) from error
        if not temperature > 0:
            raise GstError("the temperature is not positive", where=str(path))
        return cls(temperature, genera)


def calibrate(scores: Mapping[str, Scores]) -> Calibration:
    """Fit a temperature to some genera, and see how that of the others fits each.

    Parameters
    ----------
    scores
        By genus; none of them trained on, none empty.
    """
    plain = int(np.argmin(np.abs(np.log(TEMPERATURES))))
    genera = {}
    for name, own in scores.items():
        others = [other for key, other in scores.items() if key != name]
        fitted = _best(others or [own])
        genera[name] = GenusCalibration(
            len(own.right),
            float(own.right.mean()),
            expected_calibration_error(own.probability[:, plain], own.right, equal="count"),
            expected_calibration_error(own.probability[:, fitted], own.right, equal="count"),
            float(TEMPERATURES[fitted]),
        )
    return Calibration(float(TEMPERATURES[_best(list(scores.values()))]), genera)


def _best(scores: Sequence[Scores]) -> int:
    """Index of the temperature of least mean loss."""
    return int(np.argmin(np.mean([genus.loss for genus in scores], axis=0)))
