"""Products with the large tables, which are stored in 4, 8, 16 or 32 bits.

In 4 and 8 bits the products are those of integers. On processors without dot-product
instructions ONNX Runtime adds pairs of 8-bit products in 16 bits and cuts what is larger
off: the ranges below are chosen so that nothing is, and every processor gives the same.
"""

from __future__ import annotations

from typing import Literal

import ml_dtypes
import numpy as np
from onnx import TensorProto

from gst_core.export.graph import Array, Graph

TableBits = Literal[4, 8, 16, 32]


def quantise_rows(table: Array, largest_level: int) -> tuple[Array, Array]:
    """Round each row to whole levels at the scale that fits it best.

    Parameters
    ----------
    table
        ``(rows, width)``.
    largest_level
        7 for 4 bits, 127 for 8.

    Returns
    -------
    levels
        ``(rows, width)`` int8, from ``-largest_level`` to it.
    scales
        ``(rows,)`` float32 with ``table ~ levels * scales[:, None]``, of least squared
        error among clippings from 40 to 100% of the row's largest value.
    """
    largest = np.abs(table).max(1).clip(min=1e-12)
    best_error = np.full(len(table), np.inf, dtype=np.float32)
    scales = np.zeros(len(table), dtype=np.float32)
    for share in np.linspace(0.4, 1.0, 7, dtype=np.float32):
        trial = share * largest / largest_level
        scaled = table / trial[:, None]
        rounded = np.rint(scaled).clip(-largest_level, largest_level)
        error = np.square(rounded - scaled).sum(1) * trial**2
        better = error < best_error
        scales[better], best_error[better] = trial[better], error[better]
    levels = np.rint(table / scales[:, None]).clip(-largest_level, largest_level)
    return levels.astype(np.int8), scales


def quantise_columns(table: Array, largest_level: int) -> tuple[Array, Array]:
    """Round to whole levels with a scale a column, for sums over rows."""
    scales = np.abs(table).max(0).clip(min=1e-12) / largest_level
    return np.rint(table / scales).astype(np.int8), scales.astype(np.float32)


def bag_product(g: Graph, counts: str, table: Array, bits: TableBits) -> str:
    """Write ``counts @ table`` up to a common factor, for counts of 0 and 1; ``(B, W)`` float."""
    if bits > 8:
        return g.node("MatMul", counts, g.dense("bag.table", table))
    counts = g.cast(counts, TensorProto.UINT8)
    if bits == 8:
        levels, scales = quantise_columns(table, 127)
        total = g.node("MatMulInteger", counts, g.weight("bag.levels", levels))
        return g.node("Mul", g.cast(total, TensorProto.FLOAT), g.weight("bag.scales", scales))
    levels, row_scales = quantise_rows(table, 7)
    # Sums run over rows, so rows cannot keep scales of their own in an integer
    # product: each becomes a whole multiple, 1 to 18, of one common scale.
    multiples = np.rint(row_scales / row_scales.max() * 18).clip(1, 18).astype(np.int8)
    stored = g.weight("bag.levels", levels.astype(ml_dtypes.int4))
    wide = g.cast(stored, TensorProto.INT8)
    wide = g.node("Mul", wide, g.weight("bag.multiples", multiples[:, None]))
    return g.cast(g.node("MatMulInteger", counts, wide), TensorProto.FLOAT)


def patch_product(g: Graph, counts: str, table: Array, bits: TableBits) -> str:
    """Write ``counts @ table`` for counts up to 255; in 7 bits where large tables have 4 or 8."""
    if bits > 8:
        return g.node("MatMul", counts, g.dense("patch.table", table))
    levels, scales = quantise_columns(table, 63)
    counts = g.cast(counts, TensorProto.UINT8)
    product = g.node("MatMulInteger", counts, g.weight("patch.levels", levels))
    return g.node("Mul", g.cast(product, TensorProto.FLOAT), g.weight("patch.scales", scales))


def symbol_product(g: Graph, x: str, table: Array, scale: float, bits: TableBits) -> str:
    """Write the logits of all symbols: cosine times `scale`, ``(B, C)``.

    Parameters
    ----------
    g
        The graph.
    x
        ``(B, W)``, of unit length.
    table
        ``(C, W)``, of any length.
    scale
        What cosines are multiplied by.
    bits
        Of the table.
    """
    rows = table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-6)
    if bits > 8:
        return g.node("MatMul", x, g.dense("symbols.table", scale * rows.T))
    # The representation is rounded by its own largest value, never by the
    # batch's: a protein's result must not depend on its neighbours.
    half_range = 127 if bits == 4 else 63
    largest = g.node("ReduceMax", g.node("Abs", x), g.constant([-1]))
    largest = g.node("Max", largest, g.constant(1e-6, np.float32))
    step = g.node("Div", largest, g.constant(half_range, np.float32))
    zero = half_range + 1
    level = g.node("Round", g.node("Div", x, step))
    level = g.cast(g.node("Add", level, g.constant(zero, np.float32)), TensorProto.UINT8)
    levels, scales = quantise_rows(rows, 7 if bits == 4 else 127)
    if bits == 4:
        stored = g.weight("symbols.levels", np.ascontiguousarray(levels.T).astype(ml_dtypes.int4))
        wide = g.cast(stored, TensorProto.INT8)
    else:
        wide = g.weight("symbols.levels", levels.T)
    product = g.node("MatMulInteger", level, wide, g.constant(zero, np.uint8))
    product = g.node("Mul", g.cast(product, TensorProto.FLOAT), step)
    return g.node("Mul", product, g.weight("symbols.scales", (scales * scale).astype(np.float32)))
