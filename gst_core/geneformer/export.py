"""A Geneformer encoder as one ONNX file, for embedding without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from gst_core.errors import GstError
from gst_core.export.file import model_of
from gst_core.export.graph import CONTRIB, Graph
from gst_core.files import atomic_write
from gst_core.geneformer.network import GeneEncoder
from gst_core.geneformer.onnx_format import FORMAT, OUTPUTS, Dictionary
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.weights import load_encoder

#: A protobuf message ends at 2 GiB.
_LARGEST: Final = 2**31 - 2**20


def export(checkpoint: Path, output: Path, resources: Resources) -> int:
    """Write a checkpoint as an ``.onnx`` file with everything inside.

    The graph reads ``input_ids`` ``(N, L)`` int64, cells of one length, and gives the hidden
    states ``(N, L, D)`` after all layers and after all but one.

    Parameters
    ----------
    checkpoint
        Folder with ``config.json`` and weights.
    output
        The file.
    resources
        The dictionary that its tokens are of; the file says which that is.

    Returns
    -------
    size
        Of the file in bytes.

    Raises
    ------
    GstError
        If the checkpoint cannot be read, or is larger than an ONNX file may be.
    """
    data = to_onnx(load_encoder(checkpoint), resources).SerializeToString()
    with atomic_write(output, "wb") as file:
        file.write(data)
    return len(data)


def to_onnx(encoder: GeneEncoder, resources: Resources) -> onnx.ModelProto:
    """Write an encoder node by node.

    Raises
    ------
    GstError
        If it is larger than an ONNX file may be, or has other tokens than the dictionary.
    """
    config = encoder.config
    resources.require_size(config.vocabulary)
    if 4 * config.parameters > _LARGEST:
        raise GstError(
            f"{config.parameters:,} weights are more than one ONNX file holds",
            hint="embed with the checkpoint folder",
        )
    weights: dict[str, NDArray[np.float32]] = {
        key: value.numpy() for key, value in encoder.state_dict().items()
    }
    g = Graph(half=False)

    def norm(x: str, name: str) -> str:
        parts = (weights[f"{name}.weight"], weights[f"{name}.bias"])
        return g.layer_norm(x, name, *parts, epsilon=config.norm_epsilon)

    def linear(x: str, name: str) -> str:
        return g.linear(x, name, weights[f"{name}.weight"], weights[f"{name}.bias"])

    shape = g.node("Shape", "input_ids")
    length = g.node("Gather", shape, g.constant([1]))
    table = "embeddings.position_embeddings.weight"
    # The first token type is every token's: its vector joins those of the positions.
    placed = weights[table] + weights["embeddings.token_type_embeddings.weight"][0]
    x = g.node(
        "Gather", g.weight("words", weights["embeddings.word_embeddings.weight"]), "input_ids"
    )
    zero = g.constant([0])
    x = g.node("Add", x, g.node("Slice", g.weight("positions", placed), zero, length, zero))
    x = norm(x, "embeddings.LayerNorm")
    before = x
    for number in range(config.layers):
        before = x
        name = f"encoder.layer.{number}"
        q, k, v = (linear(x, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        attended = g.node("MultiHeadAttention", q, k, v, domain=CONTRIB, num_heads=config.heads)
        x = g.node("Add", linear(attended, f"{name}.attention.output.dense"), x)
        x = norm(x, f"{name}.attention.output.LayerNorm")
        inner = _activation(g, linear(x, f"{name}.intermediate.dense"), config.activation)
        x = norm(
            g.node("Add", linear(inner, f"{name}.output.dense"), x), f"{name}.output.LayerNorm"
        )
    for source, output in ((before, OUTPUTS[-1]), (x, OUTPUTS[0])):
        g.nodes.append(helper.make_node("Identity", [source], [output]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        g.nodes,
        "geneformer",
        [value("input_ids", TensorProto.INT64, ["cells", "tokens"])],
        [value(n, TensorProto.FLOAT, ["cells", "tokens", config.width]) for n in OUTPUTS.values()],
        list(g.initializers.values()),
    )
    model = model_of(graph)
    helper.set_model_props(
        model,
        {
            "geneformer.format": FORMAT,
            "geneformer.config": json.dumps(config.to_json()),
            "geneformer.dictionary": json.dumps(Dictionary.of(resources).document()),
        },
    )
    return model


def _activation(g: Graph, x: str, name: str) -> str:
    if name == "relu":
        return g.node("Relu", x)
    if name == "silu":
        return g.node("Mul", x, g.node("Sigmoid", x))
    half, root = g.constant(0.5, np.float32), g.constant(np.sqrt(0.5), np.float32)
    one = g.constant(1.0, np.float32)
    erf = g.node("Add", g.node("Erf", g.node("Mul", x, root)), one)
    return g.node("Mul", g.node("Mul", x, half), erf)
