"""What a network attends to: weights by layer and head, of each gene of each cell.

A token's attention is the sum of the weights that the tokens of its cell give to it: 1 on average
over a cell, whatever its length. The matrix of all pairs is never whole in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.backends import Encoder, TorchEncoder
from gst_core.geneformer.embedding import Cells, check_cells

if TYPE_CHECKING:
    from gst_core.geneformer.network import GeneEncoder

#: Whose attention: that of all tokens of the cell, or of its ``<cls>`` alone.
Source = Literal["all", "cls"]

#: Numbers of a block of the matrix of attention: 64 MB.
_BLOCK: Final = 2**24


@dataclass(frozen=True, slots=True)
class GeneAttention:
    """Attention that genes receive, over cells.

    Attributes
    ----------
    tokens
        ``(G,)``: the genes and special tokens, by rising token.
    weights
        ``(G, layers, H)``: mean over the cells that have the gene.
    cells
        ``(G,)``: in how many cells each was.
    """

    tokens: NDArray[np.int64]
    weights: NDArray[np.float32]
    cells: NDArray[np.int64]


def attention_of_cells(
    encoder: Encoder,
    cells: Cells,
    *,
    layers: Sequence[int] | None = None,
    source: Source = "all",
    special: Sequence[int] = (),
    where: str = "cells",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Compute attention, cell after cell.

    Parameters
    ----------
    encoder
        A checkpoint, opened by torch.
    cells
        Tokens of each.
    layers
        Which, counted from 0; all by default. Layers after the last of them are not computed.
    source
        ``all``: the attention of all tokens of a cell, summed. ``cls``: that of ``<cls>``, times
        the number of tokens.
    special
        Tokens that are no genes; none in V1, whose cells have no ``<cls>``.
    where
        The dataset, for messages.
    progress
        Told how many cells are done, of how many.

    Yields
    ------
    cell, weights
        Number of the cell, and ``(L, layers, H)`` for its tokens.

    Raises
    ------
    GstError
        If the encoder is an ONNX file, which keeps no weights of attention; cells do not fit it;
        there is no such layer; or ``cls`` is asked of V1.
    """
    network, chosen = _network(encoder, layers, source, special)
    check_cells(encoder, cells, where)
    for cell in range(len(cells)):
        if cells.lengths[cell]:
            yield cell, _attention(network, np.asarray(cells[cell]), chosen, source, encoder.device)
        progress(cell + 1, len(cells))


def attention_of_genes(
    encoder: Encoder,
    cells: Cells,
    *,
    layers: Sequence[int] | None = None,
    source: Source = "all",
    special: Sequence[int] = (),
    where: str = "cells",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GeneAttention:
    """Average the attention that genes receive over cells; see :func:`attention_of_cells`."""
    _, chosen = _network(encoder, layers, source, special)
    config = encoder.config
    sums = np.zeros((config.vocabulary, len(chosen), config.heads))
    counts = np.zeros(config.vocabulary, dtype=np.int64)
    for cell, weights in attention_of_cells(
        encoder,
        cells,
        layers=chosen,
        source=source,
        special=special,
        where=where,
        progress=progress,
    ):
        own = np.asarray(cells[cell])
        sums[own] += weights  # a token is in a cell once
        counts[own] += 1
    found = np.flatnonzero(counts)
    means = (sums[found] / counts[found, None, None]).astype(np.float32)
    return GeneAttention(found, means, counts[found])


def column_names(layers: Sequence[int], heads: int) -> list[str]:
    """Names of the columns of a table of attention: ``layer0_head0`` and so on."""
    return [f"layer{layer}_head{head}" for layer in layers for head in range(heads)]


def chosen_layers(encoder: Encoder, layers: Sequence[int] | None) -> list[int]:
    """Sort and check numbers of layers; all without any.

    Raises
    ------
    GstError
        If there is no such layer.
    """
    total = encoder.config.layers
    for layer in layers or ():
        if not 0 <= layer < total:
            raise GstError(f"there is no layer {layer}", hint=f"there are 0 to {total - 1}")
    return sorted(set(layers)) if layers else list(range(total))


def _network(
    encoder: Encoder, layers: Sequence[int] | None, source: Source, special: Sequence[int]
) -> tuple[GeneEncoder, list[int]]:
    if not isinstance(encoder, TorchEncoder):
        raise GstError(
            "an ONNX file gives no attention",
            hint="give the checkpoint folder (config.json, model.safetensors)",
        )
    if source == "cls" and not special:
        raise GstError("cells of V1 have no <cls>", where="cls", hint="take all tokens' attention")
    return encoder.encoder, chosen_layers(encoder, layers)


def _attention(
    network: GeneEncoder, tokens: NDArray[np.int64], layers: list[int], source: Source, device: str
) -> NDArray[np.float32]:
    import torch

    from gst_core.geneformer.layout import Layout

    length = len(tokens)
    layout = Layout.of([length], device)
    step = max(1, _BLOCK // (network.config.heads * length))
    found = []
    with torch.inference_mode():
        row = torch.from_numpy(tokens.astype(np.int64)).to(device)
        x = network(row, layout, depth=0)
        for number in range(layers[-1] + 1):
            layer: Any = network.encoder.layer[number]
            if number in layers:
                weights = layer.attention.self.weights
                if source == "cls":
                    received = weights(x, slice(0, 1))[:, 0] * length
                else:
                    blocks = (slice(start, start + step) for start in range(0, length, step))
                    received = sum(weights(x, block).sum(1) for block in blocks)
                found.append(received.T)
            if number < layers[-1]:
                x = layer(x, layout)
        return torch.stack(found, 1).float().cpu().numpy()
