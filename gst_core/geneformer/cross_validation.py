"""Training and testing a classifier, and a logistic regression on the same divisions."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.files import atomic_write
from gst_core.geneformer.classification_scores import (
    Predictions,
    Probabilities,
    fit_temperature,
    softmax,
)
from gst_core.geneformer.course import FineTuningConfig
from gst_core.geneformer.examples import Examples, Rows
from gst_core.geneformer.finetuning import OnEpoch, fine_tune
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier, Pooling
from gst_core.geneformer.logistic import LogisticRegression
from gst_core.geneformer.network import GeneEncoder
from gst_core.geneformer.splits import Split

#: Names of the methods in reports and pictures.
NETWORK: Final = "fine-tuned network"

OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What one training gave.

    Attributes
    ----------
    classifier
        With the weights that were kept.
    temperatures
        Of each task, by the held-out examples.
    course
        Epochs, losses and seconds.
    """

    classifier: Classifier
    temperatures: list[float]
    course: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all trainings of a run have in common.

    Attributes
    ----------
    encoder
        The network as it was before; left as it is.
    examples
        All of them.
    config
        The course.
    pooling, special
        As :class:`~gst_core.geneformer.heads.Classifier` has them.
    device
        ``cpu``, ``cuda`` or ``mps``.
    work
        Folder of states, so that a run that was killed goes on.
    facts
        What makes this run this one.
    """

    encoder: GeneEncoder
    examples: Examples
    config: FineTuningConfig
    pooling: Pooling
    special: tuple[int, ...]
    device: str
    work: Path
    facts: dict[str, object]
    _readers: dict[int, Reader] = field(default_factory=dict)

    def reader(self) -> Reader:
        """Read the examples' cells; trainings with as many frozen layers share what these say."""
        frozen = self.config.freeze_layers
        if frozen not in self._readers:
            self._readers.clear()  # one file of hidden states at a time
            self._readers[frozen] = Reader(
                self.encoder, self.examples.tokens, frozen, self.device, self.work
            )
        return self._readers[frozen]


def train(
    setting: Setting,
    split: Split,
    name: str,
    on_step: OnStep,
    on_epoch: OnEpoch = lambda epoch, loss: None,
) -> Trained:
    """Train a classifier on one division, and fit its temperatures.

    Parameters
    ----------
    setting
        The run.
    split
        The division.
    name
        Of the training, and of its state on disk.
    on_step
        Told the name, the step, and of how many at most.
    on_epoch
        Told of every epoch, and of the lowest loss of held-out examples so far.
    """
    examples, config = setting.examples, setting.config
    torch.manual_seed(config.seed)
    classifier = Classifier(
        copy.deepcopy(setting.encoder),
        [len(names) for names in examples.classes],
        kind=examples.kind,
        pooling=setting.pooling,
        special=setting.special,
        dropout=config.dropout,
    )
    held = examples.lesson(split.validation) if len(split.validation) else None
    setting.work.mkdir(parents=True, exist_ok=True)
    reader = setting.reader()
    course = fine_tune(
        classifier,
        reader,
        examples.lesson(split.train),
        held,
        config,
        setting.work / f"{name}.safetensors",
        facts={**setting.facts, "rows": _digest(split)},
        on_step=lambda step, steps: on_step(name, step, steps),
        on_epoch=on_epoch,
    )
    temperatures = [1.0] * len(examples.tasks)
    if held is not None:
        logits = examples.logits(classifier, reader, split.validation)
        for task, found in enumerate(logits):
            truth = examples.labels[task, split.validation]
            known = (truth >= 0) & np.isfinite(found).all(1)
            temperatures[task] = fit_temperature(found[known], truth[known])
    return Trained(classifier, temperatures, asdict(course))


def run_fold(
    setting: Setting, split: Split, number: int, on_step: OnStep
) -> tuple[list[dict[str, Probabilities]], dict[str, Any], Trained | None]:
    """Train and test one fold; one that was done before is read.

    Returns
    -------
    shares, course, trained
        Of each task, method -> ``(len(split.test), classes)``; the training's figures; and the
        classifier, unless all was read.
    """
    examples = setting.examples
    path = setting.work / f"fold{number}.npz"
    key = json.dumps({**setting.facts, **asdict(setting.config), "rows": _digest(split)})
    if (found := _read(path, key)) is not None:
        return *found, None
    trained = train(setting, split, f"fold{number}", on_step)
    logits = examples.logits(trained.classifier, setting.reader(), split.test)
    shares = []
    for task, own in enumerate(logits):
        network = softmax(own, trained.temperatures[task])
        shares.append({NETWORK: network, baseline_name(examples): baseline(setting, split, task)})
    arrays: dict[str, Any] = {
        f"{task}|{method}": v for task, own in enumerate(shares) for method, v in own.items()
    }
    with atomic_write(path, "wb") as file:
        np.savez(file, key=np.array(key), course=np.array(json.dumps(trained.course)), **arrays)
    return shares, trained.course, trained


def baseline(setting: Setting, split: Split, task: int) -> Probabilities:
    """Probabilities of a logistic regression for the examples of a test."""
    examples = setting.examples
    model = LogisticRegression(
        len(examples.classes[task]), balanced=setting.config.class_weights == "balanced"
    )
    labels = examples.labels[task]
    taught = split.train[labels[split.train] >= 0]
    held = split.validation[labels[split.validation] >= 0]
    features = examples.features
    model.fit(features[taught], labels[taught], features[held], labels[held])
    return model.predict(features[split.test])


def baseline_name(examples: Examples) -> str:
    """Name of the logistic regression, by what it reads."""
    return f"logistic regression on {examples.measure}"


def joined(
    examples: Examples,
    folds: tuple[Split, ...],
    shares: list[list[dict[str, Probabilities]]],
    task: int,
) -> tuple[dict[str, Predictions], Rows]:
    """Put the folds' tests of a task together: method -> predictions, and the examples' numbers."""
    rows = np.concatenate([split.test for split in folds])
    fold = np.repeat(np.arange(len(folds)), [len(split.test) for split in folds])
    truth = examples.labels[task, rows]
    result = {}
    known = truth >= 0
    for method in shares[0][task]:
        own = np.concatenate([of_fold[task][method] for of_fold in shares])
        result[method] = Predictions(truth[known], own[known], fold[known].astype(np.int64))
    return result, rows[known]


def _digest(split: Split) -> str:
    import hashlib

    digest = hashlib.sha256()
    for part in (split.train, split.validation, split.test):
        digest.update(np.ascontiguousarray(part, np.int64).tobytes() + b"|")
    return digest.hexdigest()


def _read(path: Path, key: str) -> tuple[list[dict[str, Probabilities]], dict[str, Any]] | None:
    """Read a fold that was done with the same settings."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            shares: list[dict[str, NDArray[np.float64]]] = []
            for name in file.files:
                task, bar, method = name.partition("|")
                if bar:
                    while len(shares) <= int(task):
                        shares.append({})
                    shares[int(task)][method] = file[name]
            return shares, json.loads(str(file["course"]))
    except (OSError, ValueError, KeyError):
        return None
