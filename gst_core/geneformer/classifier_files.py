"""A classifier on disk: a folder with weights in safetensors and all else in JSON.

``config.json`` and ``model.safetensors`` are those of an encoder with heads beside it, so that the
folder is a checkpoint too: ``geneformer embed`` reads it. ``classifier.json`` says what the heads
tell apart. Classes stand in the order of their names, and their numbers are stored.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import torch

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.heads import Classifier, Kind, Pooling
from gst_core.geneformer.network import GeneEncoder
from gst_core.geneformer.weights import load_encoder, read_weights, weight_file
from gst_core.model.checkpoint import save_tensors

DESCRIPTION_FILE: Final = "classifier.json"
_FORMAT: Final = 1
_HEAD: Final = "classifier."


@dataclass(frozen=True, slots=True)
class Task:
    """What one head tells apart.

    Attributes
    ----------
    name
        Such as the column that the labels came from.
    classes
        Names, sorted; a class's number is its place.
    temperature
        By which logits are divided so that probabilities are calibrated on held-out examples.
    """

    name: str
    classes: tuple[str, ...]
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class Description:
    """What ``classifier.json`` says.

    Attributes
    ----------
    kind
        ``cells`` or ``genes``.
    tasks
        One a head.
    model_version
        Of the dictionary: ``V1`` or ``V2``.
    pooling
        Of cells: ``cell`` or ``cls``.
    special
        Tokens that are no genes.
    training
        Settings and figures of the training; read by nobody but people.
    """

    kind: Kind
    tasks: tuple[Task, ...]
    model_version: str
    pooling: Pooling = "cell"
    special: tuple[int, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the ``classifier.json`` of a folder.

        Raises
        ------
        GstError
            If there is none, or it is none of ours.
        """
        path = folder / DESCRIPTION_FILE
        if not path.is_file():
            raise GstError(
                f"has no {DESCRIPTION_FILE}",
                where=str(folder),
                hint="give a folder that geneformer classify wrote",
            )
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != _FORMAT:
                raise GstError(f"is of format {found['format']!r:.40}", where=str(path))
            tasks = tuple(
                Task(str(t["name"]), tuple(map(str, t["classes"])), float(t["temperature"]))
                for t in found["tasks"]
            )
            special = tuple(int(token) for token in found["special"])
            kind, pooling = found["kind"], found["pooling"]
            version, training = found["model_version"], dict(found["training"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise GstError(
                f"is damaged: {type(error).__name__} {error}", where=str(path), hint="copy it again"
            ) from error
        sound = kind in ("cells", "genes") and pooling in ("cell", "cls") and tasks
        if not sound or any(len(t.classes) < 2 or not t.temperature > 0 for t in tasks):
            raise GstError("describes no classifier", where=str(path), hint="copy it again")
        return cls(kind, tasks, str(version), pooling, special, training)


def save_classifier(classifier: Classifier, description: Description, folder: Path) -> None:
    """Write a classifier; the description last.

    Parameters
    ----------
    classifier
        On any device.
    description
        What its heads tell apart.
    folder
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().to("cpu", torch.float32)
        for name, value in classifier.state_dict().items()
    }
    settings = {**classifier.bert.config.to_json(), "architectures": ["BertModel"]}
    with atomic_write(folder / "config.json") as file:
        file.write(json.dumps(settings, indent=2) + "\n")
    save_tensors(folder / "model.safetensors", weights, {"format": "pt"})
    with atomic_write(folder / DESCRIPTION_FILE) as file:
        file.write(json.dumps({"format": _FORMAT, **asdict(description)}, indent=2) + "\n")


def load_classifier(
    folder: Path, encoder: GeneEncoder | None = None
) -> tuple[Classifier, Description]:
    """Load what :func:`save_classifier` wrote, for inference.

    Parameters
    ----------
    folder
        That it wrote.
    encoder
        Of that folder, where it is loaded already; the heads go to its device.

    Raises
    ------
    GstError
        If files are missing, damaged or do not fit each other.
    """
    description = Description.load(folder)
    classifier = Classifier(
        encoder or load_encoder(folder),
        [len(task.classes) for task in description.tasks],
        kind=description.kind,
        pooling=description.pooling,
        special=description.special,
    )
    path = weight_file(folder)
    found = read_weights(path)
    for name, parameter in classifier.classifier.named_parameters():
        key = f"{_HEAD}{name}"
        if key not in found or found[key].shape != parameter.shape:
            raise GstError(
                f"the weight {key} is missing or of another shape than {tuple(parameter.shape)}",
                where=str(path),
                hint=f"weights and {DESCRIPTION_FILE} must be of one classifier",
            )
        value = found[key].float()
        if not value.isfinite().all():
            raise GstError(f"the weight {key} has values that are not finite", where=str(path))
        with torch.no_grad():
            parameter.copy_(value)
    classifier.to(next(classifier.bert.parameters()).device)
    return classifier.eval().requires_grad_(False), description
