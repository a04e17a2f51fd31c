"""From labelled cells to a classifier, tested, on disk: what ``geneformer classify`` does."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from gst_core.errors import GstError
from gst_core.files import atomic_write, make_folder
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.backends import TorchEncoder
from gst_core.geneformer.classification_scores import (
    METRICS,
    Predictions,
    by_class,
    confusion,
    summary,
)
from gst_core.geneformer.classifier_files import Description, Task, save_classifier
from gst_core.geneformer.course import FineTuningConfig
from gst_core.geneformer.cross_validation import (
    NETWORK,
    OnStep,
    Setting,
    Trained,
    joined,
    run_fold,
    train,
)
from gst_core.geneformer.examples import Examples, Rows
from gst_core.geneformer.heads import Pooling
from gst_core.geneformer.hyperparameters import search
from gst_core.geneformer.network import GeneEncoder
from gst_core.geneformer.splits import Plan, Split, hold_out

REPORT_FILE: Final = "report.json"
PREDICTIONS_FILE: Final = "predictions.csv"
_WORK: Final = "unfinished"


@dataclass(frozen=True, slots=True)
class Tested:
    """What a run said of the examples that were tested.

    Attributes
    ----------
    methods
        Of each task, method -> predictions.
    rows
        Of each task, the examples' numbers.
    """

    methods: list[dict[str, Predictions]]
    rows: list[Rows]


def encoder_of(model: Geneformer) -> GeneEncoder:
    """Give the network that can be trained.

    Raises
    ------
    GstError
        If it is an ONNX file.
    """
    if not isinstance(model.encoder, TorchEncoder):
        raise GstError(
            "an ONNX file cannot be trained further",
            hint="give the folder of the model as --checkpoint: config.json, model.safetensors",
        )
    return model.encoder.encoder


def classify(
    model: Geneformer,
    examples: Examples,
    plan: Plan,
    config: FineTuningConfig,
    output: Path,
    *,
    names: np.ndarray,
    donors: np.ndarray | None = None,
    pooling: Pooling = "cell",
    facts: dict[str, object] | None = None,
    notes: list[str] | None = None,
    title: str = "",
    trials: int = 0,
    on_step: OnStep = lambda name, step, steps: None,
) -> dict[str, Any]:
    """Test a classifier by a plan, train the one to keep, and write all of it.

    With one fold the classifier that was tested is kept; after cross-validation one that learns
    from all examples.

    Parameters
    ----------
    model
        The network before, and its dictionary.
    examples
        Cells or genes; the plan's numbers are places in ``examples.rows``.
    plan
        Their division.
    config
        The course of each training.
    output
        Folder; started again with the same arguments, a run that was killed goes on.
    names
        ``(examples,)`` of cells or genes, for the table.
    donors
        ``(examples,)``, where cells were divided by them.
    pooling
        Of cells.
    facts
        What else makes this run this one.
    notes
        What a reader of the report should know.
    title
        Of the pictures.
    trials
        Settings that are tried on the first fold's held-out examples, before all else; 0: none.
    on_step
        Told of every step.

    Returns
    -------
    report
        What ``report.json`` has.
    """
    make_folder(output)
    setting = Setting(
        encoder_of(model),
        examples,
        config,
        pooling,
        tuple(model.special),
        model.encoder.device,
        output / _WORK,
        {**(facts or {}), "examples": examples.fingerprint(), "pooling": pooling},
    )
    rows = examples.rows
    folds = tuple(_placed(split, rows) for split in plan.folds)
    tried: list[dict[str, Any]] = []
    if trials:
        changes, tried = search(setting, folds[0], trials, on_step)
        config = replace(config, **changes)
        setting = replace(setting, config=config)
    shares, courses, last = [], [], None
    for number, split in enumerate(folds):
        of_fold, course, last = run_fold(setting, split, number, on_step)
        shares.append(of_fold)
        courses.append(course)
    kept = last if len(folds) == 1 else None
    if kept is None:
        split = folds[0] if len(folds) == 1 else _everything(examples, rows, donors, config.seed)
        kept = train(setting, split, "fold0" if len(folds) == 1 else "final", on_step)
    found = [joined(examples, folds, shares, task) for task in range(len(examples.tasks))]
    tested = Tested([methods for methods, _ in found], [own for _, own in found])
    report = _report(examples, plan, folds, tested, donors)
    report |= {"notes": notes or [], "trainings": courses, "kept": kept.course}
    report |= {"settings": asdict(config), "search": tried, **(facts or {})}
    _write(model, setting, kept, tested, report, output, names, title)
    shutil.rmtree(setting.work, ignore_errors=True)
    return report


def _placed(split: Split, rows: Rows) -> Split:
    return Split(rows[split.train], rows[split.validation], rows[split.test])


def _everything(examples: Examples, rows: Rows, donors: np.ndarray | None, seed: int) -> Split:
    own = None if donors is None else donors[rows]
    learnt, held = hold_out(examples.labels[0, rows], own, 0.1, seed)
    return Split(rows[learnt], rows[held], rows[:0])


def _report(
    examples: Examples,
    plan: Plan,
    folds: tuple[Split, ...],
    tested: Tested,
    donors: np.ndarray | None,
) -> dict[str, Any]:
    tasks = []
    for task, name in enumerate(examples.tasks):
        classes, methods = examples.classes[task], tested.methods[task]
        truth = next(iter(methods.values())).truth
        tasks.append(
            {
                "task": name,
                "classes": {text: code for code, text in enumerate(classes)},
                "tested": len(truth),
                "most_frequent": float(np.bincount(truth).max() / len(truth)),
                "methods": {
                    method: {
                        "metrics": summary(predictions),
                        "classes": by_class(predictions, classes),
                        "confusion": confusion(predictions, len(classes)).tolist(),
                    }
                    for method, predictions in methods.items()
                },
            }
        )
    parts = []
    for split in folds:
        own: dict[str, Any] = {
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        }
        if plan.by == "donor" and donors is not None:
            own["test_donors"] = np.unique(donors[split.test]).tolist()
        parts.append(own)
    return {
        "kind": examples.kind,
        "divided_by": plan.by,
        "warnings": list(plan.warnings),
        "folds": parts,
        "metrics": METRICS,
        "tasks": tasks,
    }


def _write(
    model: Geneformer,
    setting: Setting,
    kept: Trained,
    tested: Tested,
    report: dict[str, Any],
    output: Path,
    names: np.ndarray,
    title: str,
) -> None:
    from gst_core.geneformer.classification_figures import plot_classification

    examples = setting.examples
    for task, name in enumerate(examples.tasks):
        picture = output / (f"{name}.png" if len(examples.tasks) > 1 else "classification.png")
        plot_classification(
            tested.methods[task],
            examples.classes[task],
            picture,
            title or f"{name} of {examples.kind}",
        )
    with atomic_write(output / PREDICTIONS_FILE) as file:
        _write_predictions(file, examples, tested, names)
    with atomic_write(output / REPORT_FILE) as file:
        file.write(json.dumps(report, indent=2) + "\n")
    tasks = tuple(
        Task(name, examples.classes[task], kept.temperatures[task])
        for task, name in enumerate(examples.tasks)
    )
    description = Description(
        examples.kind,
        tasks,
        model.resources.model_version,
        setting.pooling,
        setting.special,
        {"settings": asdict(setting.config), **kept.course},
    )
    save_classifier(kept.classifier, description, output)


def _write_predictions(file: Any, examples: Examples, tested: Tested, names: np.ndarray) -> None:
    """Write a row for each example and task that was tested, in the order of the examples."""
    writer = csv.writer(file, lineterminator="\n")
    methods = list(tested.methods[0])
    header = ["cell" if examples.kind == "cells" else "gene", "task", "fold", "true"]
    for method in methods:
        short = "network" if method == NETWORK else "logistic"
        header += [short, f"{short}_probability"]
    writer.writerow(header)
    for task, name in enumerate(examples.tasks):
        classes, own = examples.classes[task], tested.methods[task]
        first = own[methods[0]]
        for place in np.argsort(tested.rows[task], kind="stable"):
            line = [names[tested.rows[task][place]], name, first.fold[place]]
            line.append(classes[first.truth[place]])
            for method in methods:
                share = own[method].shares[place]
                line += [classes[int(share.argmax())], f"{share.max():.4f}"]
            writer.writerow(line)
