"""A model of references in one file: the network, the references, and the metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from gst_core.export.file import model_of, serialise
from gst_core.export.graph import CONTRIB, Array, Graph
from gst_core.export.network import encoder_layer
from gst_core.model.candidates import CandidateTransformer
from gst_core.references.store import STORED, References, pack
from gst_core.vocabulary import Vocabulary

FORMAT: Final = "gst-2"


def build(
    network: CandidateTransformer,
    references: References,
    counts: NDArray[np.int64],
    originals: NDArray[np.int64],
) -> onnx.ModelProto:
    """Write a network and its references as an ONNX model.

    Parameters
    ----------
    network
        A trained network.
    references
        The references.
    counts
        ``(C,)``: training proteins of each symbol.
    originals
        ``(C,)``: class index of the gene that each symbol is a copy of; its own where it is none.

    Returns
    -------
    model
        Inputs ``features`` (B, K, F) float32 and ``present`` (B, K) bool, output
        ``probabilities`` (B, 1 + K) float32: that none of the candidates is right, and of each;
        and the outputs of :data:`STORED`, which are constants.
    """
    config = network.config
    weights = {name: t.detach().float().cpu().numpy() for name, t in network.state_dict().items()}
    g = Graph(half=False)
    x = g.node("Sub", "features", g.dense("mean", weights["mean"]))
    x = g.node("Div", x, g.dense("deviation", weights["deviation"]))
    x = g.linear(x, "widen", weights["widen.weight"], weights["widen.bias"])
    x = g.node("Gelu", x, domain=CONTRIB)
    x = g.linear(x, "mix", weights["mix.weight"], weights["mix.bias"])
    batch = g.node("Slice", g.node("Shape", "features"), g.constant([0]), g.constant([1]))
    shape = g.node("Concat", batch, g.constant([1, config.dimension]), axis=0)
    none = g.node("Expand", g.dense("none", weights["none"]), shape)
    x = g.node("Concat", none, x, axis=1)
    first = g.node(
        "Expand", g.constant(True, np.bool_), g.node("Concat", batch, g.constant([1]), axis=0)
    )
    present = g.node("Concat", first, "present", axis=1)
    mask = g.cast(present, TensorProto.INT32)
    for number in range(config.layers):
        x = encoder_layer(g, x, mask, config.dimension, config.heads, f"layers.{number}", weights)
    x = g.layer_norm(x, "norm", weights["norm.weight"], weights["norm.bias"])
    temperature = weights["temperature"]
    logits = g.linear(
        x, "out", weights["out.weight"] / temperature, weights["out.bias"] / temperature
    )
    logits = g.node("Squeeze", logits, g.constant([2]))
    one, end = g.constant([1]), g.constant([np.iinfo(np.int64).max])
    none = g.node("Slice", logits, g.constant([0]), one, one)
    none = g.node("Add", none, g.constant(weights["doubt"], np.float32))
    logits = g.node("Concat", none, g.node("Slice", logits, one, end, one), axis=1)
    logits = g.node("Where", present, logits, g.constant(-1e4, np.float32))
    probabilities = g.node("Softmax", logits, axis=-1)
    g.nodes.append(helper.make_node("Identity", [probabilities], ["probabilities"]))
    stored: dict[str, Array] = {
        "packed": pack(references.codes),
        "lengths": references.lengths.astype(np.int32),
        "classes": references.classes,
        "clades": references.clades,
        "counts": counts.astype(np.int32),
        "originals": originals.astype(np.int32),
    }
    value = helper.make_tensor_value_info
    outputs = [value("probabilities", TensorProto.FLOAT, ["batch", "candidates_and_none"])]
    for name in STORED:
        array = stored[name]
        outputs.append(
            value(g.weight(name, array), helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        )
    graph = helper.make_graph(
        g.nodes,
        "candidate_transformer",
        [
            value("features", TensorProto.FLOAT, ["batch", "candidates", config.features]),
            value("present", TensorProto.BOOL, ["batch", "candidates"]),
        ],
        outputs,
        list(g.initializers.values()),
    )
    return model_of(graph)


def export(
    network: CandidateTransformer,
    references: References,
    counts: NDArray[np.int64],
    originals: NDArray[np.int64],
    vocabulary: Vocabulary,
    clades: Sequence[str],
    *,
    name: str,
    version: str,
    facts: Mapping[str, Any] | None = None,
) -> bytes:
    """Serialise a model of references with everything that is needed to use it.

    Parameters
    ----------
    network, references, counts, originals
        As for :func:`build`.
    vocabulary
        The symbols, in the order of the classes.
    clades
        The clade categories; unknown is the index after the last.
    name, version
        Of the model.
    facts
        Further metadata, stored as JSON under ``gst.<key>``.

    Returns
    -------
    data
        The bytes of the ``.onnx`` file.
    """
    model = build(network, references, counts, originals)
    return serialise(
        model,
        FORMAT,
        name,
        version,
        clades,
        asdict(network.config),
        vocabulary,
        facts or {},
        {"gst.accessions": "\n".join(references.accessions)},
    )
