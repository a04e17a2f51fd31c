"""The counting of short words as ONNX nodes; see :class:`gst_core.model.network.WordIndex`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, numpy_helper

from gst_core.export.graph import Graph
from gst_core.model.config import WordPattern
from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import residue_groups


def words(g: Graph, codes: str, patterns: Sequence[WordPattern]) -> tuple[str, str]:
    """Rows and presence of the words at each residue.

    Parameters
    ----------
    g
        The graph.
    codes
        ``(B, L)`` uint8.
    patterns
        The kinds of words.

    Returns
    -------
    rows, present
        ``(B, L, kinds)``, int64 and float.
    """
    length = g.node("Slice", g.node("Shape", codes), g.constant([1]), g.constant([2]))
    longest = max(pattern.span for pattern in patterns)
    padding = g.constant(len(ALPHABET), np.int32)
    codes = g.cast(codes, TensorProto.INT32)
    padded = g.node("Pad", codes, g.constant([0, 0, 0, longest - 1]), padding)
    rows, present, offset = [], [], 0
    for pattern in patterns:
        table = g.constant(residue_groups(pattern.groups, ALPHABET), np.int32)
        groups = g.node("Gather", table, padded)
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
        last = g.constant([2])
        rows.append(g.node("Unsqueeze", g.cast(row, TensorProto.INT64), last))
        present.append(g.node("Unsqueeze", g.cast(valid, TensorProto.FLOAT), last))
        offset += pattern.rows
    return g.node("Concat", *rows, axis=2), g.node("Concat", *present, axis=2)


def count(g: Graph, rows: str, present: str, shape: str, limit: int) -> str:
    """Count words.

    Parameters
    ----------
    g
        The graph.
    rows, present
        ``(B, L, kinds)``, as :func:`words` gives them.
    shape
        Two numbers: batch, and rows of the result.
    limit
        Larger counts are cut to this.

    Returns
    -------
    counts
        ``(B, rows)`` float, whole numbers.
    """
    flat = g.constant([0, -1])
    zero = numpy_helper.from_array(np.zeros(1, np.float32))
    zeros = g.node("ConstantOfShape", shape, value=zero)
    rows, present = g.node("Reshape", rows, flat), g.node("Reshape", present, flat)
    if limit == 1:
        return g.node("ScatterElements", zeros, rows, present, axis=1, reduction="max")
    counts = g.node("ScatterElements", zeros, rows, present, axis=1, reduction="add")
    return g.node("Min", counts, g.constant(limit, np.float32))
