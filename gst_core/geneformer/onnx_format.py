"""What a file of ``geneformer export`` holds; read and checked without the package onnx."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from gst_core.errors import GstError
from gst_core.geneformer.config import NetworkConfig
from gst_core.onnxfile import Format, Input, Model, Trial, checked, opened
from gst_core.onnxfile.check import reporting
from gst_core.onnxfile.model import FLOAT, INT64

if TYPE_CHECKING:
    from gst_core.geneformer.resources import Resources

FORMAT: Final = "geneformer-1"
#: Names of the outputs, by layer as the reference counts them.
OUTPUTS: Final = {-1: "second_to_last", 0: "last"}

_SPECIAL: Final = ("pad", "mask", "cls", "eos")
#: Tokens of one run, beside a single longest cell.
_RUN: Final = 8192


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Which dictionary a network's tokens are of.

    Attributes
    ----------
    model_version
        ``V1`` or ``V2``.
    special_tokens
        ``pad``, ``mask``, and of V2 ``cls`` and ``eos``.
    digest
        SHA-256 of what tokens follow from: :attr:`Resources.digest`.
    """

    model_version: str
    special_tokens: dict[str, int]
    digest: str

    @classmethod
    def of(cls, resources: Resources) -> Self:
        """Describe a dictionary."""
        special = {name: getattr(resources, f"{name}_token") for name in _SPECIAL}
        known = {name: token for name, token in special.items() if token is not None}
        return cls(resources.model_version, known, resources.digest)

    def document(self) -> dict[str, object]:
        """Write as JSON."""
        return asdict(self)


def check_file(path: Path) -> tuple[NetworkConfig, Dictionary | None]:
    """Check a file before a runtime sees it.

    Returns
    -------
    config, dictionary
        Shape of its network; and what its tokens are of, which early files do not say.

    Raises
    ------
    GstError
        If it is no file of ``geneformer export``, or damaged.
    """
    with (
        opened(path) as model,
        reporting(path, "geneformer export, or the folder of a checkpoint"),
    ):
        if model.metadata.get("geneformer.format") != FORMAT:
            raise ValueError("an ONNX model, but not one of geneformer export")
        checked(model, _FORMAT)
        return _config(model), _dictionary(model)


def _config(model: Model) -> NetworkConfig:
    try:
        settings = json.loads(model.metadata["geneformer.config"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError("its metadata geneformer.config are no JSON") from error
    try:
        return NetworkConfig.from_json(settings, where="geneformer.config")
    except GstError as error:
        raise ValueError(f"its metadata geneformer.config: {error.what}") from error


def _dictionary(model: Model) -> Dictionary | None:
    if (text := model.metadata.get("geneformer.dictionary")) is None:
        return None
    try:
        found = json.loads(text)
        special = {str(name): int(token) for name, token in found["special_tokens"].items()}
        return Dictionary(str(found["model_version"]), special, str(found["digest"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError("its metadata geneformer.dictionary describe none") from error


def _verify(model: Model) -> None:
    config = _config(model)
    for name, rows in (("words", config.vocabulary), ("positions", config.positions)):
        tensor = model.tensors.get(name)
        if tensor is None or tensor.shape != (rows, config.width) or tensor.type != FLOAT:
            raise ValueError(f"its array {name} is not of {rows:,} vectors")


def _trials(model: Model) -> Sequence[Trial]:
    config = _config(model)
    length = min(config.positions, 128)
    return [
        Trial(
            {"input_ids": Input(INT64, (cells, tokens))},
            {name: Input(FLOAT, (cells, tokens, config.width)) for name in OUTPUTS.values()},
        )
        for cells, tokens in ((1, config.positions), (_RUN // length, length), (1, 1))
    ]


_FORMAT: Final = Format(
    frozenset((
        "Add", "Erf", "Gather", "Identity", "LayerNormalization", "MatMul", "Mul", "Relu",
        "Shape", "Sigmoid", "Slice", "com.microsoft.MultiHeadAttention",
    )),
    {"": 21, "com.microsoft": 1},
    _trials,
    _verify,
    # Each weight meets 4,096 tokens, and attention as much again.
    work_a_byte=4096,
)  # fmt: skip
