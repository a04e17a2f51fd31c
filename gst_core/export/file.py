"""What every model file has around its graph: versions, and metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import helper

from gst_core.export.graph import CONTRIB
from gst_core.sequences import ALPHABET
from gst_core.vocabulary import Vocabulary


def model_of(graph: onnx.GraphProto) -> onnx.ModelProto:
    """Make a model of a graph, for the operators that ONNX Runtime 1.20 has."""
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)],
        ir_version=10,
        producer_name="gst",
    )


def serialise(
    model: onnx.ModelProto,
    format: str,
    name: str,
    version: str,
    clades: Sequence[str],
    config: Mapping[str, Any],
    vocabulary: Vocabulary,
    facts: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """Give a model its metadata, and write it.

    Parameters
    ----------
    model
        Changed in place.
    format, name, version
        Of the file.
    clades
        The clade categories.
    config
        Shape of the network.
    vocabulary
        The symbols.
    facts
        Stored as JSON under ``gst.<key>``.
    texts
        Further metadata by their whole key.

    Returns
    -------
    data
        The bytes of the ``.onnx`` file.
    """
    metadata = {
        "gst.format": format,
        "gst.name": name,
        "gst.version": version,
        "gst.alphabet": ALPHABET,
        "gst.clades": json.dumps(list(clades)),
        "gst.config": json.dumps(config),
        "gst.vocabulary": vocabulary.to_json(),
        **(texts or {}),
    }
    for key, fact in facts.items():
        metadata[f"gst.{key}"] = json.dumps(fact, ensure_ascii=False)
    helper.set_model_props(model, metadata)
    return bytes(model.SerializeToString(deterministic=True))
