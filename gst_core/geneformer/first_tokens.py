"""The hidden state of each cell's first token alone: what an embedding by ``<cls>`` needs.

The last layer that is computed then has one query a cell, and one row to feed forward.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gst_core.geneformer.network import GeneEncoder, Layout


def encode_first(encoder: GeneEncoder, tokens: Tensor, layout: Layout, depth: int) -> Tensor:
    """Encode cells.

    Parameters
    ----------
    encoder
        The network, not in training.
    tokens, layout
        As it takes them.
    depth
        Number of layers to compute.

    Returns
    -------
    hidden
        ``(N, D)``: after `depth` layers, of the first token of each cell.
    """
    starts = torch.tensor(layout.starts(), device=tokens.device)
    if not depth:
        return encoder(tokens, layout, depth=0)[starts]  # type: ignore[no-any-return]
    x = encoder(tokens, layout, depth=depth - 1)
    layer: Any = encoder.encoder.layer[depth - 1]
    attention = layer.attention.self
    first = x[starts]
    query, key, value = attention.query(first), attention.key(x), attention.value(x)
    attended, cell, row = [], 0, 0
    for cells, length in layout.runs():
        rows = slice(row, row + cells * length)
        q, k, v = (
            part.view(cells, -1, attention.heads, query.shape[-1] // attention.heads).transpose(
                1, 2
            )
            for part in (query[cell : cell + cells], key[rows], value[rows])
        )
        out = F.scaled_dot_product_attention(q, k, v)
        attended.append(out.transpose(1, 2).reshape(cells, -1))
        cell, row = cell + cells, rows.stop
    x = layer.attention.output(torch.cat(attended), first)
    return layer.output(layer.intermediate(x), x)  # type: ignore[no-any-return]
