"""From a trained torch network to one self-contained ONNX file.

The graph is written node by node rather than traced: the large tables are held
in 4 bits, which no tracer does, and the counting of words, the exact masking of
padding and the top-k are part of the file, so that a runtime needs nothing but
residue codes, lengths and a clade. ``docs/model_format.md`` describes the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from gst_core.model.config import BAG_PATTERNS, PATCH_PATTERNS, ModelConfig, WordPattern, residue_groups
from gst_core.model.network import BAG_LIMIT, PATCH_LIMIT, GeneSymbolTransformer
from gst_core.sequences import ALPHABET
from gst_core.vocabulary import Vocabulary

FORMAT = "gst-1"
#: Contributed operators of ONNX Runtime: fused attention and layer norms.
CONTRIB = "com.microsoft"

Array = NDArray[Any]


class Graph:
    """An ONNX graph under construction: every method adds nodes and returns a value's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def node(self, op: str, *inputs: str, domain: str = "", outputs: int = 1, **attributes: Any) -> str:
        """Add a node; returns the name of its first output, the others end in ``.1``, ``.2``."""
        name = f"{op}_{len(self.nodes)}"
        names = [name] + [f"{name}.{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain=domain, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """Add a small constant; equal ones are stored once."""
        array = np.asarray(value, dtype=dtype)
        name = f"const_{array.dtype}_{'x'.join(map(str, array.shape))}_{'_'.join(map(str, array.ravel()[:32]))}"
        if array.size > 32:
            name += f"_{len(self.initializers)}"
        return self.weight(name, array)

    def weight(self, name: str, array: Array) -> str:
        """Add a named tensor as it is."""
        self.initializers.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def half(self, name: str, array: Array) -> str:
        """Add a tensor stored in 16 bits and used in 32; the runtime widens it once, on loading."""
        stored = self.weight(f"{name}.f16", np.asarray(array, dtype=np.float16))
        return self.node("Cast", stored, to=TensorProto.FLOAT)

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """``x @ weight.T + bias`` with torch's layout of `weight`."""
        product = self.node("MatMul", x, self.half(f"{name}.weight", weight.T))
        return self.node("Add", product, self.half(f"{name}.bias", bias))

    def layer_norm(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """Layer normalisation over the last axis."""
        return self.node(
            "LayerNormalization", x, self.half(f"{name}.weight", weight), self.half(f"{name}.bias", bias),
            axis=-1, epsilon=1e-5,
        )  # fmt: skip


def quantise_rows(table: Array) -> tuple[Array, Array]:
    """Round each row to 15 levels, -7 to 7, at the scale that fits it best.

    Parameters
    ----------
    table
        ``(rows, width)``.

    Returns
    -------
    levels
        ``(rows, width)`` int8, -7 to 7.
    scales
        ``(rows,)`` float32 with ``table ~ levels * scales[:, None]``, of least
        squared error among clippings from 40 to 100% of the row's largest value.
    """
    largest = np.abs(table).max(1).clip(min=1e-12)
    best_error = np.full(len(table), np.inf, dtype=np.float32)
    scales = np.zeros(len(table), dtype=np.float32)
    for share in np.linspace(0.4, 1.0, 7, dtype=np.float32):
        trial = share * largest / 7
        scaled = table / trial[:, None]
        error = np.square(np.rint(scaled).clip(-7, 7) - scaled).sum(1) * trial**2
        better = error < best_error
        scales[better], best_error[better] = trial[better], error[better]
    return np.rint(table / scales[:, None]).clip(-7, 7).astype(np.int8), scales


def words(g: Graph, codes: str, patterns: Sequence[WordPattern]) -> tuple[str, str]:
    """Rows and presence of the words at each residue: ``(B, L, kinds)`` int64 and float."""
    length = g.node("Slice", g.node("Shape", codes), g.constant([1]), g.constant([2]))
    longest = max(pattern.span for pattern in patterns)
    padded = g.node(
        "Pad", g.node("Cast", codes, to=TensorProto.INT32), g.constant([0, 0, 0, longest - 1]),
        g.constant(len(ALPHABET), np.int32),
    )  # fmt: skip
    rows, present, offset = [], [], 0
    for pattern in patterns:
        groups = g.node("Gather", g.constant(residue_groups(pattern.groups, ALPHABET), np.int32), padded)
        number = lowest = ""
        for position in pattern.positions:
            end = g.node("Add", length, g.constant([position]))
            group = g.node("Slice", groups, g.constant([position]), end, g.constant([1]))
            if number:
                shifted = g.node("Mul", number, g.constant(len(pattern.groups), np.int32))
                number = g.node("Add", shifted, group)
                lowest = g.node("Min", lowest, group)
            else:
                number = lowest = group
        valid = g.node("GreaterOrEqual", lowest, g.constant(0, np.int32))
        row = g.node("Mod", number, g.constant(pattern.rows, np.int32))
        row = g.node("Add", row, g.constant(offset, np.int32))
        row = g.node("Where", valid, row, g.constant(0, np.int32))
        rows.append(g.node("Unsqueeze", g.node("Cast", row, to=TensorProto.INT64), g.constant([2])))
        present.append(g.node("Unsqueeze", g.node("Cast", valid, to=TensorProto.FLOAT), g.constant([2])))
        offset += pattern.rows
    return g.node("Concat", *rows, axis=2), g.node("Concat", *present, axis=2)


def count(g: Graph, rows: str, present: str, shape: str, limit: int) -> str:
    """Count words: int64 rows and float presence, both ``(B, N)``, to uint8 counts of `shape`."""
    zeros = g.node("ConstantOfShape", shape, value=numpy_helper.from_array(np.zeros(1, np.float32)))
    reduction = "add" if limit > 1 else "max"
    counts = g.node("ScatterElements", zeros, rows, present, axis=1, reduction=reduction)
    if limit > 1:
        counts = g.node("Min", counts, g.constant(limit, np.float32))
    return g.node("Cast", counts, to=TensorProto.UINT8)


def unit(g: Graph, x: str) -> str:
    """Scale the last axis to length one."""
    norm = g.node("ReduceL2", x, g.constant([-1]), keepdims=1)
    return g.node("Div", x, g.node("Max", norm, g.constant(1e-6, np.float32)))


def bag(g: Graph, codes: str, batch: str, table: Array) -> str:
    """The bag of words, ``(B, W)``, of unit length."""
    rows, present = words(g, codes, BAG_PATTERNS)
    flat = g.constant([0, -1])
    shape = g.node("Concat", batch, g.constant([len(table)]), axis=0)
    counts = count(g, g.node("Reshape", rows, flat), g.node("Reshape", present, flat), shape, BAG_LIMIT)
    levels, scales = quantise_rows(table)
    # Sums run over rows, so rows cannot keep scales of their own in an integer
    # product: each becomes a whole multiple, 1 to 18, of one common scale.
    multiples = np.rint(scales / scales.max() * 18).clip(1, 18).astype(np.int8)
    stored = g.weight("bag.levels", levels.astype(ml_dtypes.int4))
    wide = g.node(
        "Mul", g.node("Cast", stored, to=TensorProto.INT8), g.weight("bag.multiples", multiples[:, None])
    )
    total = g.node("Cast", g.node("MatMulInteger", counts, wide), to=TensorProto.FLOAT)
    return unit(g, total)  # the common scale cancels


def encoder(g: Graph, codes: str, lengths: str, clade: str, batch: str, config: ModelConfig, w: Mapping[str, Array]) -> str:
    """The Transformer over patches, ``(B, W)``; see :class:`PatchEncoder`."""
    one, reach = g.constant(1), config.patch_length * config.max_patches
    longer = g.node("Div", g.node("Add", lengths, g.constant(reach - 1)), g.constant(reach))
    stride = g.node("Mul", g.node("Max", longer, one), g.constant(config.patch_length))
    patches = g.node("Div", g.node("Sub", g.node("Add", lengths, stride), one), stride)
    patches = g.node("Max", patches, one)
    most = g.node("ReduceMax", patches, keepdims=1)
    length = g.node("Gather", g.node("Shape", codes), one)
    zero = g.constant(0)

    position = g.node("Unsqueeze", g.node("Range", zero, length, one), g.constant([0]))
    patch = g.node("Div", position, g.node("Unsqueeze", stride, g.constant([1])))
    patch = g.node("Min", patch, g.node("Sub", most, one))
    rows, present = words(g, codes, PATCH_PATTERNS)
    base = g.node("Unsqueeze", g.node("Mul", patch, g.constant(config.patch_rows)), g.constant([2]))
    flat = g.constant([0, -1])
    shape = g.node("Concat", batch, g.node("Mul", most, g.constant(config.patch_rows)), axis=0)
    counts = count(
        g, g.node("Reshape", g.node("Add", rows, base), flat), g.node("Reshape", present, flat), shape, PATCH_LIMIT
    )
    counts = g.node("Reshape", counts, g.constant([0, -1, config.patch_rows]))
    table = w["encoder.table"]
    scale = np.abs(table).max(0) / 127  # a scale a column, for sums over rows
    levels = np.rint(table / scale).astype(np.int8)
    x = g.node("Cast", g.node("MatMulInteger", counts, g.weight("patch.levels", levels)), to=TensorProto.FLOAT)
    x = g.node("Mul", x, g.weight("patch.scales", scale.astype(np.float32)))
    root = g.node("Sqrt", g.node("Cast", stride, to=TensorProto.FLOAT))
    x = g.node("Div", x, g.node("Unsqueeze", root, g.constant([1, 2])))

    index = g.node("Range", zero, g.node("Squeeze", most, g.constant([0])), one)
    column = g.node("Unsqueeze", patches, g.constant([1]))
    from_end = g.node("Max", g.node("Sub", g.node("Sub", column, one), index), zero)
    x = g.node("Add", x, g.node("Gather", g.half("encoder.from_start", w["encoder.from_start"]), index))
    x = g.node("Add", x, g.node("Gather", g.half("encoder.from_end", w["encoder.from_end"]), from_end))
    in_clade = g.node("Gather", g.half("encoder.clade", w["encoder.clade.weight"]), clade)
    x = g.node("Add", x, g.node("Unsqueeze", in_clade, g.constant([1])))
    x = g.layer_norm(x, "encoder.norm_in", w["encoder.norm_in.weight"], w["encoder.norm_in.bias"])
    inside = g.node("Less", index, column)  # (B, P)
    mask = g.node("Cast", inside, to=TensorProto.INT32)
    for number in range(config.layers):
        x = _layer(g, x, mask, config, f"encoder.layers.{number}", w)
    x = g.layer_norm(x, "encoder.norm_out", w["encoder.norm_out.weight"], w["encoder.norm_out.bias"])

    scores = g.linear(x, "encoder.query", w["encoder.query.weight"], w["encoder.query.bias"])
    outside = g.node("Unsqueeze", g.node("Not", inside), g.constant([2]))
    scores = g.node("Where", outside, g.constant(-math.inf, np.float32), scores)
    weights = g.node("Softmax", g.node("Transpose", scores, perm=[0, 2, 1]), axis=-1)  # (B, heads, P)
    # Padding rows may hold anything; zero weights must not meet an infinity.
    pooled = g.node("Reshape", g.node("MatMul", weights, x), g.constant([0, -1]))
    return g.linear(pooled, "encoder.project", w["encoder.project.weight"], w["encoder.project.bias"])


def _layer(g: Graph, x: str, mask: str, config: ModelConfig, name: str, w: Mapping[str, Array]) -> str:
    """One pre-norm encoder layer on ``(B, P, D)``; `mask` is ``(B, P)``, 1 where there is a patch."""
    y = g.layer_norm(x, f"{name}.norm_1", w[f"{name}.norm_1.weight"], w[f"{name}.norm_1.bias"])
    qkv_weight = w[f"{name}.qkv.weight"].reshape(3, config.dimension, config.dimension)
    qkv_bias = w[f"{name}.qkv.bias"].reshape(3, config.dimension)
    q, k, v = (
        g.linear(y, f"{name}.{part}", qkv_weight[i], qkv_bias[i]) for i, part in enumerate("qkv")
    )
    y = g.node("MultiHeadAttention", q, k, v, "", mask, domain=CONTRIB, num_heads=config.heads)
    x = g.node("Add", x, g.linear(y, f"{name}.out", w[f"{name}.out.weight"], w[f"{name}.out.bias"]))
    y = g.layer_norm(x, f"{name}.norm_2", w[f"{name}.norm_2.weight"], w[f"{name}.norm_2.bias"])
    y = g.node("Gelu", g.linear(y, f"{name}.up", w[f"{name}.up.weight"], w[f"{name}.up.bias"]), domain=CONTRIB)
    return g.node("Add", x, g.linear(y, f"{name}.down", w[f"{name}.down.weight"], w[f"{name}.down.bias"]))


def symbols(g: Graph, x: str, table: Array, scale: float) -> str:
    """Logits of all symbols: cosine times `scale`, ``(B, C)``."""
    unit_rows = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-6)
    levels, scales = quantise_rows(unit_rows)
    # The representation is rounded to 8 bits by its own largest value, never by
    # the batch's: a protein's result must not depend on its neighbours.
    largest = g.node("Max", g.node("ReduceMax", g.node("Abs", x), g.constant([-1])), g.constant(1e-6, np.float32))
    step = g.node("Div", largest, g.constant(127, np.float32))
    level = g.node("Add", g.node("Round", g.node("Div", x, step)), g.constant(128, np.float32))
    level = g.node("Cast", level, to=TensorProto.UINT8)
    stored = g.weight("symbols.levels", np.ascontiguousarray(levels.T).astype(ml_dtypes.int4))
    wide = g.node("Cast", stored, to=TensorProto.INT8)
    product = g.node("MatMulInteger", level, wide, g.constant(128, np.uint8))
    product = g.node("Cast", product, to=TensorProto.FLOAT)
    product = g.node("Mul", product, step)
    return g.node("Mul", product, g.weight("symbols.scales", (scales * scale).astype(np.float32)))


def build(network: GeneSymbolTransformer, temperature: float = 1.0) -> onnx.ModelProto:
    """Write a network as an ONNX model.

    Parameters
    ----------
    network
        A trained network.
    temperature
        Logits are divided by it before the softmax.

    Returns
    -------
    model
        Inputs ``codes`` (B, L) uint8, ``lengths`` (B,) int64, ``clade`` (B,)
        int64, ``top_k`` (1,) int64; outputs ``probabilities`` (B, k) float32
        and ``indices`` (B, k) int64.
    """
    config = network.config
    w: dict[str, Array] = {name: t.detach().float().cpu().numpy() for name, t in network.state_dict().items()}
    g = Graph()
    batch = g.node("Slice", g.node("Shape", "codes"), g.constant([0]), g.constant([1]))
    x = bag(g, "codes", batch, w["table"])
    x = g.node("Add", x, encoder(g, "codes", "lengths", "clade", batch, config, w))
    x = unit(g, g.node("Add", x, g.node("Gather", g.half("clade", w["clade.weight"]), "clade")))
    logits = symbols(g, x, w["symbols"], config.scale / temperature)
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
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)],
        ir_version=10,
        producer_name="gst",
    )
    return model


def export(
    network: GeneSymbolTransformer,
    vocabulary: Vocabulary,
    clades: Sequence[str],
    *,
    name: str,
    version: str,
    temperature: float = 1.0,
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
    facts
        Further metadata, stored as JSON under ``gst.<key>``: training data with
        licences, held-out accuracy, calibration.

    Returns
    -------
    data
        The bytes of the ``.onnx`` file.
    """
    model = build(network, temperature)
    metadata = {
        "gst.format": FORMAT,
        "gst.name": name,
        "gst.version": version,
        "gst.alphabet": ALPHABET,
        "gst.clades": json.dumps(list(clades)),
        "gst.config": json.dumps(asdict(network.config)),
        "gst.vocabulary": vocabulary.to_json(),
    }
    metadata |= {f"gst.{key}": json.dumps(fact, ensure_ascii=False) for key, fact in (facts or {}).items()}
    helper.set_model_props(model, metadata)
    return bytes(model.SerializeToString())
