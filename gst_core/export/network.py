"""The network as ONNX nodes, part by part as in :mod:`gst_core.model.network`.

The graph is written node by node rather than traced: the large tables are held
in 4 bits, which no tracer does, and the counting of words, the exact masking of
padding and the top-k are part of the file, so that a runtime needs nothing but
residue codes, lengths and a clade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from gst_core.export.graph import CONTRIB, Array, Graph
from gst_core.export.tables import TableBits, bag_product, patch_product
from gst_core.export.words import count, words
from gst_core.model.config import BAG_PATTERNS, PATCH_PATTERNS, ModelConfig
from gst_core.model.network import BAG_LIMIT, PATCH_LIMIT

Weights = Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Names of the graph's inputs, and of their batch size, ``(1,)``."""

    codes: str
    lengths: str
    clade: str
    batch: str


def represent(g: Graph, inputs: Inputs, config: ModelConfig, w: Weights, bits: TableBits) -> str:
    """Place proteins in the space of the symbols, ``(B, W)``, of unit length."""
    x = g.node("Add", _bag(g, inputs, w["table"], bits), _encode(g, inputs, config, w, bits))
    clade = g.node("Gather", _dense(g, "clade.weight", w), inputs.clade)
    return g.unit(g.node("Add", x, clade))


def _bag(g: Graph, inputs: Inputs, table: Array, bits: TableBits) -> str:
    """Sum the vectors of the words, ``(B, W)``, of unit length: a common factor does not matter."""
    rows, present = words(g, inputs.codes, BAG_PATTERNS)
    shape = g.node("Concat", inputs.batch, g.constant([len(table)]), axis=0)
    return g.unit(bag_product(g, count(g, rows, present, shape, BAG_LIMIT), table, bits))


@dataclass(frozen=True, slots=True)
class _Patches:
    """Names of what is known of the patches.

    Attributes
    ----------
    stride
        ``(B,)`` residues a patch.
    column
        ``(B, 1)`` patches of each protein.
    most
        ``(1,)`` patches of the longest, P.
    index
        ``(P,)`` numbers from 0.
    """

    stride: str
    column: str
    most: str
    index: str


def _encode(g: Graph, inputs: Inputs, config: ModelConfig, w: Weights, bits: TableBits) -> str:
    """Write the Transformer over patches, ``(B, W)``."""
    patches = _divide(g, inputs, config)
    x = _read_patches(g, inputs, patches, config, w["encoder.table"], bits)
    x = _place(g, x, inputs, patches, w)
    inside = g.node("Less", patches.index, patches.column)  # (B, P)
    mask = g.cast(inside, TensorProto.INT32)
    for number in range(config.layers):
        x = encoder_layer(g, x, mask, config.dimension, config.heads, f"encoder.layers.{number}", w)
    x = _norm(g, x, "encoder.norm_out", w)
    return _linear(g, _pool(g, x, inside, w), "encoder.project", w)


def _divide(g: Graph, inputs: Inputs, config: ModelConfig) -> _Patches:
    """Divide proteins into patches."""
    one, zero = g.constant(1), g.constant(0)
    reach = config.patch_length * config.max_patches
    full = g.node("Div", g.node("Add", inputs.lengths, g.constant(reach - 1)), g.constant(reach))
    stride = g.node("Mul", g.node("Max", full, one), g.constant(config.patch_length))
    above = g.node("Sub", g.node("Add", inputs.lengths, stride), one)
    patches = g.node("Max", g.node("Div", above, stride), one)
    most = g.node("ReduceMax", patches, keepdims=1)
    index = g.node("Range", zero, g.node("Squeeze", most, g.constant([0])), one)
    return _Patches(stride, g.node("Unsqueeze", patches, g.constant([1])), most, index)


def _read_patches(
    g: Graph, inputs: Inputs, patches: _Patches, config: ModelConfig, table: Array, bits: TableBits
) -> str:
    """Sum the vectors of each patch's words, ``(B, P, D)``."""
    one, last = g.constant(1), g.constant([2])
    length = g.node("Gather", g.node("Shape", inputs.codes), one)
    position = g.node("Unsqueeze", g.node("Range", g.constant(0), length, one), g.constant([0]))
    patch = g.node("Div", position, g.node("Unsqueeze", patches.stride, g.constant([1])))
    patch = g.node("Min", patch, g.node("Sub", patches.most, one))
    first = g.node("Unsqueeze", g.node("Mul", patch, g.constant(config.patch_rows)), last)
    rows, present = words(g, inputs.codes, PATCH_PATTERNS)
    total = g.node("Mul", patches.most, g.constant(config.patch_rows))
    shape = g.node("Concat", inputs.batch, total, axis=0)
    counts = count(g, g.node("Add", rows, first), present, shape, PATCH_LIMIT)
    counts = g.node("Reshape", counts, g.constant([0, -1, config.patch_rows]))
    x = patch_product(g, counts, table, bits)
    root = g.node("Sqrt", g.cast(patches.stride, TensorProto.FLOAT))
    return g.node("Div", x, g.node("Unsqueeze", root, g.constant([1, 2])))


def _place(g: Graph, x: str, inputs: Inputs, patches: _Patches, w: Weights) -> str:
    """Tell patches where they stand, and in which clade; ``(B, P, D)``, normalised."""
    last = g.node("Sub", patches.column, g.constant(1))
    from_end = g.node("Max", g.node("Sub", last, patches.index), g.constant(0))
    for name, index in (("from_start", patches.index), ("from_end", from_end)):
        x = g.node("Add", x, g.node("Gather", _dense(g, f"encoder.{name}", w), index))
    clade = g.node("Gather", _dense(g, "encoder.clade.weight", w), inputs.clade)
    x = g.node("Add", x, g.node("Unsqueeze", clade, g.constant([1])))
    return _norm(g, x, "encoder.norm_in", w)


def encoder_layer(
    g: Graph, x: str, mask: str, dimension: int, heads: int, name: str, w: Weights
) -> str:
    """Write a pre-norm layer, ``(B, P, D)``; `mask` is ``(B, P)``, 1 where there is a token."""
    y = _norm(g, x, f"{name}.norm_1", w)
    weight = w[f"{name}.qkv.weight"].reshape(3, dimension, dimension)
    bias = w[f"{name}.qkv.bias"].reshape(3, dimension)
    q, k, v = (g.linear(y, f"{name}.{part}", weight[i], bias[i]) for i, part in enumerate("qkv"))
    attended = g.node("MultiHeadAttention", q, k, v, "", mask, domain=CONTRIB, num_heads=heads)
    x = g.node("Add", x, _linear(g, attended, f"{name}.out", w))
    y = _linear(g, _norm(g, x, f"{name}.norm_2", w), f"{name}.up", w)
    return g.node("Add", x, _linear(g, g.node("Gelu", y, domain=CONTRIB), f"{name}.down", w))


def _pool(g: Graph, x: str, inside: str, w: Weights) -> str:
    """Pool patches by attention, a weighting a head; ``(B, heads * D)``."""
    scores = _linear(g, x, "encoder.query", w)
    outside = g.node("Unsqueeze", g.node("Not", inside), g.constant([2]))
    scores = g.node("Where", outside, g.constant(-math.inf, np.float32), scores)
    weights = g.node("Softmax", g.node("Transpose", scores, perm=[0, 2, 1]), axis=-1)
    return g.node("Reshape", g.node("MatMul", weights, x), g.constant([0, -1]))


def _dense(g: Graph, name: str, w: Weights) -> str:
    return g.dense(name, w[name])


def _linear(g: Graph, x: str, name: str, w: Weights) -> str:
    return g.linear(x, name, w[f"{name}.weight"], w[f"{name}.bias"])


def _norm(g: Graph, x: str, name: str, w: Weights) -> str:
    return g.layer_norm(x, name, w[f"{name}.weight"], w[f"{name}.bias"])
