"""What model files of each kind hold: operators, inputs, arrays and metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.onnxfile import Format, Input, Model, Trial, checked, opened
from gst_core.onnxfile.check import reporting
from gst_core.onnxfile.model import BOOL, FLOAT, INT32, INT64, UINT8, UINT32
from gst_core.references.store import MOST_REFERENCES, MOST_RESIDUES

#: Residues of the longest protein that a network is tried with; and of a batch, its proteins.
_LONGEST, _BATCH = 36_000, 32
#: Candidates of a protein, and proteins of a batch, of models of references.
_CANDIDATES, _LARGE_BATCH = 12, 128
#: Sequence lengths of the original's networks.
_MAX_LENGTH: Final = 200_000

_OPSETS: Final = {"": 21, "com.microsoft": 1}
_EVERYWHERE: Final = ("Add", "Concat", "LayerNormalization", "MatMul", "Softmax")
_OURS: Final = (
    *_EVERYWHERE, "Cast", "Div", "Identity", "Shape", "Slice", "Squeeze", "Sub", "Where",
    "com.microsoft.Gelu", "com.microsoft.MultiHeadAttention",
)  # fmt: skip


def _texts(model: Model, *keys: str) -> None:
    missing = [key for key in keys if f"gst.{key}" not in model.metadata]
    if missing:
        raise ValueError(f"the model's metadata are incomplete: no {', '.join(missing)}")


def _json(model: Model, key: str) -> Any:
    try:
        return json.loads(model.metadata[f"gst.{key}"])
    except (KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"its metadata gst.{key} are no JSON") from error


def _clades(model: Model) -> list[str]:
    clades = _json(model, "clades")
    if not isinstance(clades, list) or not all(isinstance(clade, str) for clade in clades):
        raise ValueError("its metadata gst.clades are no list of names")
    return clades


def _symbols(model: Model) -> int:
    """Count the symbols; that the columns of the vocabulary are whole is seen when it is read."""
    vocabulary = _json(model, "vocabulary")
    symbols = vocabulary.get("symbol") if isinstance(vocabulary, dict) else None
    if not isinstance(symbols, list) or not symbols:
        raise ValueError("its metadata gst.vocabulary are no vocabulary")
    return len(symbols)


def _array(model: Model, name: str, type_: int, what: str) -> NDArray[Any]:
    """Take a stored array of one dimension."""
    tensor = model.tensors.get(name)
    if tensor is None:
        raise ValueError(f"it has no {name}")
    if tensor.type != type_ or len(tensor.shape) != 1:
        raise ValueError(f"its array {name} is no row of {what}")
    if name not in model.outputs:
        raise ValueError(f"its array {name} is no output")
    return tensor.array()


def _within(array: NDArray[Any], name: str, low: int, high: int) -> None:
    if array.size and not low <= int(array.min()) <= int(array.max()) <= high:
        raise ValueError(f"its array {name} has values beyond {low:,} to {high:,}")


def _verify_references(model: Model) -> None:
    _texts(model, "name", "version", "clades", "vocabulary", "accessions")
    packed = _array(model, "packed", UINT32, "uint32")
    lengths = _array(model, "lengths", INT32, "int32")
    classes = _array(model, "classes", INT32, "int32")
    clades = _array(model, "clades", UINT8, "uint8")
    counts = _array(model, "counts", INT32, "int32")
    originals = _array(model, "originals", INT32, "int32")
    # The vocabulary takes longest to read: the engine reads it once, and compares.
    number, symbols = len(lengths), len(counts)
    accessions = model.metadata["gst.accessions"].count("\n") + 1
    if not 1 <= number <= MOST_REFERENCES:
        raise ValueError(f"it has {number:,} references in place of 1 to {MOST_REFERENCES:,}")
    if not len(classes) == len(clades) == accessions == number:
        raise ValueError("its references and their classes, clades or accessions differ in number")
    if not symbols or len(originals) != symbols:
        raise ValueError("its references and its vocabulary do not fit together")
    _within(lengths, "lengths", 1, 7 * len(packed))
    residues = int(lengths.sum(dtype=np.int64))
    if residues > MOST_RESIDUES:
        raise ValueError(f"its references have more than {MOST_RESIDUES:,} residues")
    if not 0 <= 7 * len(packed) - residues < 7:
        raise ValueError(f"{len(packed):,} packed numbers do not hold {residues:,} residues")
    _within(packed, "packed", 0, 22**7 - 1)
    _within(classes, "classes", 0, symbols - 1)
    _within(clades, "clades", 0, len(_clades(model)))
    _within(counts, "counts", 0, 2**31 - 1)
    _within(originals, "originals", 0, symbols - 1)


def _try_references(model: Model) -> Sequence[Trial]:
    features = model.inputs["features"].shape if "features" in model.inputs else ()
    width = features[2] if len(features) == 3 else None
    if not isinstance(width, int) or width > 1000:
        raise ValueError("its network does not read features of candidates")
    return [
        Trial(
            {
                "features": Input(FLOAT, (batch, candidates, width)),
                "present": Input(BOOL, (batch, candidates)),
            },
            {"probabilities": Input(FLOAT, (batch, 1 + candidates))},
        )
        for batch, candidates in ((_LARGE_BATCH, _CANDIDATES), (1, 1), (0, 1))
    ]


def _verify_network(model: Model) -> None:
    _texts(model, "name", "version", "clades", "vocabulary")
    _clades(model)
    _symbols(model)


def _top(batch: int) -> Mapping[str, Input]:
    """Give the outputs of a network that is asked for the best symbol."""
    return {"probabilities": Input(FLOAT, (batch, 1)), "indices": Input(INT64, (batch, 1))}


def _try_network(model: Model) -> Sequence[Trial]:
    return [
        Trial(
            {
                "codes": Input(UINT8, (batch, length)),
                "lengths": Input(INT64, (batch,), length),
                "clade": Input(INT64, (batch,)),
                "top_k": Input(INT64, (1,), 1),
            },
            _top(batch),
        )
        for batch, length in ((1, 1), (_BATCH, 400), (1, _LONGEST))
    ]


def _length(model: Model) -> int:
    text = model.metadata.get("gst.sequence_length", "")
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 0 < length <= _MAX_LENGTH:
        raise ValueError("its metadata gst.sequence_length are no length")
    return length


def _verify_original(model: Model) -> None:
    _verify_network(model)
    _texts(model, "alphabet", "architecture", "sequence_length", "padding_side")
    alphabet = model.metadata["gst.alphabet"]
    if not (alphabet.isascii() and "X" in alphabet and len(set(alphabet)) == len(alphabet)):
        raise ValueError("its metadata gst.alphabet are no alphabet")
    if model.metadata["gst.architecture"] not in ("mlp", "transformer"):
        raise ValueError("its metadata gst.architecture are none of the original's")


def _try_original(model: Model) -> Sequence[Trial]:
    batch = 4 if model.metadata["gst.architecture"] == "transformer" else _BATCH
    return [
        Trial(
            {
                "codes": Input(INT32, (batch, _length(model))),
                "clade": Input(INT64, (batch,)),
                "top_k": Input(INT64, (1,), 1),
            },
            _top(batch),
        )
    ]


FORMATS: Final[dict[str, Format]] = {
    "gst-2": Format(
        frozenset((*_OURS, "Expand")),
        _OPSETS,
        _try_references,
        _verify_references,
    ),
    "gst-1": Format(
        frozenset((
            *_OURS, "Abs", "ConstantOfShape", "Gather", "GreaterOrEqual", "Less",
            "MatMulInteger", "Max", "Min", "Mod", "Mul", "Not", "Pad", "Range", "ReduceL2",
            "ReduceMax", "Reshape", "Round", "ScatterElements", "Sqrt", "TopK", "Transpose",
            "Unsqueeze",
        )),
        _OPSETS,
        _try_network,
        _verify_network,
    ),
    "legacy-1": Format(
        frozenset((
            *_EVERYWHERE, "Gather", "Gelu", "ReduceMean", "ReduceSum", "Relu", "TopK",
            "com.microsoft.MultiHeadAttention",
        )),
        _OPSETS,
        _try_original,
        _verify_original,
    ),
}  # fmt: skip


def check_file(path: Path) -> dict[str, str]:
    """Check a model file before a runtime sees it.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    metadata
        What the file says beside its graph and arrays.

    Raises
    ------
    GstError
        If it is none of ours, or not what a file of its format is.
    """
    with opened(path) as model, reporting(path):
        kind = model.metadata.get("gst.format")
        if kind is None:
            raise ValueError("an ONNX model, but not one of GST's")
        if kind not in FORMATS:
            raise ValueError(f"model format {kind!r:.40} is not known")
        checked(model, FORMATS[kind])
        return model.metadata
