"""The original's two networks as ONNX graphs, exact and fast.

Inputs of both graphs:

``codes`` (int32, batch x L)
    Indices of the residues in the alphabet, padded and cut to the sequence length L.
``clade`` (int64, batch)
    Index of the clade; the number of clades stands for none (a vector of zeros).
``top_k`` (int64, 1)
    How many symbols for each protein.

Outputs: ``probabilities`` (float32) and ``indices`` (int64), batch x top_k.

What makes them fast changes nothing but the order of additions:

- a linear layer on a one-hot sequence is a sum of L rows of its weights;
- the transformer's last linear layer (E to L) is folded into its part of the
  integration layer (L to symbols): there is nothing between the two, and the
  product is E to symbols;
- attention is one fused operator, which never holds an L x L matrix.
"""

from __future__ import annotations

import json
import math
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gst_core.legacy.checkpoint import LegacyCheckpoint
from gst_core.legacy.onnx_writer import GraphBuilder

#: Raised with any change of the graphs: it is part of the name of a cached import.
FORMAT = "legacy-1"


def _linear(
    graph: GraphBuilder, x: str, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> str:
    """``x @ weight.T + bias`` over the last axis."""
    product = graph.node("MatMul", x, graph.constant(f"{name}.weight", weight.T))
    return graph.node("Add", product, graph.constant(f"{name}.bias", bias))


def _one_hot_linear(
    graph: GraphBuilder, checkpoint: LegacyCheckpoint, name: str, weight: NDArray[np.float32]
) -> str:
    """Linear layer, without bias, on the flattened one-hot sequence: (batch, hidden)."""
    letters, length = checkpoint.shape.num_letters, checkpoint.shape.sequence_length
    rows = graph.constant(f"{name}.rows", weight.T)
    first = graph.constant("first_row", np.arange(length, dtype=np.int32) * np.int32(letters))
    chosen = graph.node("Gather", rows, graph.node("Add", "codes", first), axis=0)
    return graph.node("ReduceSum", chosen, graph.constant("positions", np.array([1])), keepdims=0)


def _clade_vector(graph: GraphBuilder, checkpoint: LegacyCheckpoint) -> str:
    """One-hot clade, zeros for none: (batch, clades)."""
    clades = checkpoint.shape.num_clades
    one_hot = np.eye(clades + 1, clades, dtype=np.float32)
    if not checkpoint.shape.uses_clade:
        one_hot[:] = 0
    return graph.node("Gather", graph.constant("clade_one_hot", one_hot), "clade", axis=0)


def _attention_block(graph: GraphBuilder, checkpoint: LegacyCheckpoint, x: str, block: int) -> str:
    """One block: LayerNorm(attention(x) + x), then LayerNorm(feed-forward(x) + x)."""
    shape = checkpoint.shape
    prefix = f"sequence_transformer.transformer_blocks.{block}."
    weights = {
        key.removeprefix(prefix): checkpoint.weights[key]
        for key in checkpoint.weights
        if key.startswith(prefix)
    }

    def normalise(value: str, number: int) -> str:
        name = f"layer_normalization_{number}"
        return graph.node(
            "LayerNormalization",
            value,
            graph.constant(f"{prefix}{name}.weight", weights[f"{name}.weight"]),
            graph.constant(f"{prefix}{name}.bias", weights[f"{name}.bias"]),
            axis=-1,
            epsilon=1e-5,
        )

    def linear(value: str, name: str) -> str:
        return _linear(
            graph, value, f"{prefix}{name}", weights[f"{name}.weight"], weights[f"{name}.bias"]
        )

    query, key, value = (
        graph.node(
            "MatMul",
            x,
            graph.constant(f"{prefix}{name}", weights[f"attention.{name}.weight"].T),
        )
        for name in ("to_queries", "to_keys", "to_values")
    )
    heads = graph.node(
        "MultiHeadAttention",
        query,
        key,
        value,
        domain="com.microsoft",
        num_heads=shape.num_heads,
        scale=1 / math.sqrt(shape.embedding_dimension),
    )
    attended = linear(heads, "attention.unify_heads")
    x = normalise(graph.node("Add", attended, x), 1)
    hidden = linear(x, "feed_forward.0")
    hidden = graph.node("Gelu" if shape.activation == "gelu" else "Relu", hidden)
    return normalise(graph.node("Add", linear(hidden, "feed_forward.2"), x), 2)


def _transformer_logits(graph: GraphBuilder, checkpoint: LegacyCheckpoint) -> str:
    shape, weights = checkpoint.shape, checkpoint.weights
    tokens = graph.constant(
        "token_embedding", weights["sequence_transformer.token_embedding.weight"]
    )
    positions = graph.constant(
        "position_embedding", weights["sequence_transformer.position_embedding"]
    )
    x = graph.node("Add", graph.node("Gather", tokens, "codes", axis=0), positions)
    for block in range(shape.depth):
        x = _attention_block(graph, checkpoint, x, block)
    # The mean is over all positions, the padding too, as the original takes it.
    pooled = graph.node("ReduceMean", x, "positions", keepdims=0)

    linear_path = graph.node(
        "Add",
        _one_hot_linear(graph, checkpoint, "mlp", weights["mlp.layers.0.weight"]),
        graph.constant("mlp.bias", weights["mlp.layers.0.bias"]),
    )
    features = graph.node("Concat", linear_path, pooled, _clade_vector(graph, checkpoint), axis=1)

    weight, bias = _folded_integration(checkpoint)
    return _linear(graph, features, "integration", weight, bias)


def _folded_integration(
    checkpoint: LegacyCheckpoint,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fold the transformer's last layer into the integration layer.

    In double precision, so that the rounding is that of one layer, and a few
    rows at a time: the integration layer is by far the largest matrix.
    """
    shape, weights = checkpoint.shape, checkpoint.weights
    final = weights["sequence_transformer.final_layer.weight"].astype(np.float64)
    final_bias = weights["sequence_transformer.final_layer.bias"].astype(np.float64)
    splits = [shape.hidden, shape.hidden + shape.sequence_length]
    width = shape.hidden + shape.embedding_dimension + shape.num_clades
    folded = np.empty((shape.num_symbols, width), dtype=np.float32)
    bias = weights["integration_layer.bias"].copy()
    start = 0
    for rows in weights.rows("integration_layer.weight"):
        part = slice(start, start + len(rows))
        of_mlp, of_transformer, of_clade = np.split(rows.astype(np.float64), splits, axis=1)
        folded[part] = np.hstack((of_mlp, of_transformer @ final, of_clade))
        bias[part] += of_transformer @ final_bias
        start = part.stop
    return folded, bias


def _mlp_logits(graph: GraphBuilder, checkpoint: LegacyCheckpoint) -> str:
    weights = checkpoint.weights
    of_sequence, of_clade = np.split(
        weights["input_layer.weight"], [-checkpoint.shape.num_clades], axis=1
    )
    hidden = graph.node(
        "Add",
        _one_hot_linear(graph, checkpoint, "input_layer", of_sequence),
        _linear(
            graph,
            _clade_vector(graph, checkpoint),
            "clade",
            of_clade,
            weights["input_layer.bias"],
        ),
    )
    return _linear(
        graph,
        graph.node("Relu", hidden),
        "output_layer",
        weights["output_layer.weight"],
        weights["output_layer.bias"],
    )


def write_onnx(checkpoint: LegacyCheckpoint, file: IO[bytes]) -> None:
    """Write a checkpoint as one self-contained ONNX file.

    Its ``metadata_props`` have everything that serving it takes: ``gst.format``
    (``legacy-1``), ``gst.name``, ``gst.version``, ``gst.vocabulary``,
    ``gst.clades``, ``gst.alphabet``, ``gst.sequence_length``,
    ``gst.padding_side``, ``gst.uses_clade`` and ``gst.architecture``.

    Parameters
    ----------
    checkpoint
        A checkpoint of either architecture.
    file
        Open for writing bytes.

    Raises
    ------
    GstError
        If a weight in the checkpoint is damaged.
    """
    shape = checkpoint.shape
    graph = GraphBuilder()
    graph.input("codes", "int32", ("batch", shape.sequence_length))
    graph.input("clade", "int64", ("batch",))
    graph.input("top_k", "int64", (1,))
    logits = _transformer_logits if shape.architecture == "transformer" else _mlp_logits
    probabilities = graph.node("Softmax", logits(graph, checkpoint), axis=-1)
    graph.node("TopK", probabilities, "top_k", outputs=("probabilities", "indices"), axis=-1)
    graph.output("probabilities", "float32", ("batch", "top_k"))
    graph.output("indices", "int64", ("batch", "top_k"))
    graph.write(
        file,
        f"legacy_{shape.architecture}",
        {
            "gst.format": FORMAT,
            "gst.name": checkpoint.name,
            "gst.version": checkpoint.version,
            "gst.vocabulary": checkpoint.vocabulary.to_json(),
            "gst.clades": json.dumps(checkpoint.clades),
            "gst.alphabet": checkpoint.alphabet,
            "gst.architecture": shape.architecture,
            "gst.sequence_length": str(shape.sequence_length),
            "gst.padding_side": shape.padding_side,
            "gst.uses_clade": json.dumps(shape.uses_clade),
        },
    )
