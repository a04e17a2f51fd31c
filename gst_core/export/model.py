"""The whole model file: graph, softmax, top-k and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import onnx
from onnx import TensorProto, helper

from gst_core.export.file import model_of, serialise
from gst_core.export.graph import Graph
from gst_core.export.network import Inputs, represent
from gst_core.export.tables import TableBits, symbol_product
from gst_core.model.network import GeneSymbolTransformer
from gst_core.vocabulary import Vocabulary

FORMAT: Final = "gst-1"


def build(
    network: GeneSymbolTransformer, temperature: float = 1.0, table_bits: TableBits = 4
) -> onnx.ModelProto:
    """Write a network as an ONNX model.

    Parameters
    ----------
    network
        A trained network.
    temperature
        Logits are divided by it before the softmax.
    table_bits
        Bits of the large tables. With 32 nothing is rounded, and the model agrees with the
        network to the precision of 32-bit sums.

    Returns
    -------
    model
        Inputs ``codes`` (B, L) uint8, ``lengths`` (B,) int64, ``clade`` (B,)
        int64, ``top_k`` (1,) int64; outputs ``probabilities`` (B, k) float32
        and ``indices`` (B, k) int64.
    """
    config = network.config
    weights = {name: t.detach().float().cpu().numpy() for name, t in network.state_dict().items()}
    g = Graph(half=table_bits < 32)
    batch = g.node("Slice", g.node("Shape", "codes"), g.constant([0]), g.constant([1]))
    x = represent(g, Inputs("codes", "lengths", "clade", batch), config, weights, table_bits)
    logits = symbol_product(g, x, weights["symbols"], config.scale / temperature, table_bits)
    probabilities = g.node("Softmax", logits, axis=-1)
    top = g.node("TopK", probabilities, "top_k", outputs=2, axis=-1)
    g.nodes += [
        helper.make_node("Identity", [top], ["probabilities"]),
        helper.make_node("Identity", [f"{top}.1"], ["indices"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        g.nodes,
        "gene_symbol_transformer",
        [
            value("codes", TensorProto.UINT8, ["batch", "length"]),
            value("lengths", TensorProto.INT64, ["batch"]),
            value("clade", TensorProto.INT64, ["batch"]),
            value("top_k", TensorProto.INT64, [1]),
        ],
        [
            value("probabilities", TensorProto.FLOAT, ["batch", "k"]),
            value("indices", TensorProto.INT64, ["batch", "k"]),
        ],
        list(g.initializers.values()),
    )
    return model_of(graph)


def export(
    network: GeneSymbolTransformer,
    vocabulary: Vocabulary,
    clades: Sequence[str],
    *,
    name: str,
    version: str,
    temperature: float = 1.0,
    table_bits: TableBits = 4,
    facts: Mapping[str, Any] | None = None,
) -> bytes:
    """Serialise a network with everything that is needed to use it.

    Parameters
    ----------
    network
        A trained network.
    vocabulary
        Its symbols, in the order of the classes.
    clades
        Its clade categories; unknown is the index after the last.
    name, version
        Of the model.
    temperature
        Of the calibration.
    table_bits
        Bits of the large tables.
    facts
        Further metadata, stored as JSON under ``gst.<key>``: training data with
        licences, held-out accuracy, calibration.

    Returns
    -------
    data
        The bytes of the ``.onnx`` file.
    """
    model = build(network, temperature, table_bits)
    return serialise(
        model, FORMAT, name, version, clades, asdict(network.config), vocabulary, facts or {}
    )
