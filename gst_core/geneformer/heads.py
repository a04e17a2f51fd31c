"""A network with a head: classes of cells, or of the genes in them.

A head is one linear layer upon the encoder's last hidden states: of a cell the mean over its
genes, or its ``<cls>``; of a gene its own. Several tasks share the encoder, each with a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from gst_core.geneformer.layout import Layout, Places
from gst_core.geneformer.network import GeneEncoder

Kind = Literal["cells", "genes"]
Pooling = Literal["cell", "cls"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Cells for a classifier.

    Attributes
    ----------
    tokens
        ``(T,)`` int64, of N cells one behind the other.
    layout
        Where the cells lie in it.
    places
        Of genes: which of the T are asked about, all by default.
    states, first
        ``(T, D)`` hidden states before the layer `first`, where they are known; the layers
        below are not computed then.
    """

    tokens: Tensor
    layout: Layout
    places: Places | None = None
    states: Tensor | None = None
    first: int = 0


class Classifier(nn.Module):
    """An encoder, and a head a task.

    Parameters
    ----------
    encoder
        Trained before.
    classes
        Number of classes of each task.
    kind
        What has classes: ``cells``, or ``genes`` in cells.
    pooling
        Of cells: ``cell``, the mean of the genes, or ``cls``.
    special
        Tokens that are no genes.
    dropout
        Before the heads.
    """

    def __init__(
        self,
        encoder: GeneEncoder,
        classes: Sequence[int],
        *,
        kind: Kind = "cells",
        pooling: Pooling = "cell",
        special: Sequence[int] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.bert = encoder
        self.kind, self.pooling, self.sizes = kind, pooling, tuple(classes)
        self.dropout = nn.Dropout(dropout)
        width = encoder.config.width
        self.classifier = nn.ModuleList(nn.Linear(width, number) for number in classes)
        for head in self.classifier:
            nn.init.normal_(head.weight, std=encoder.config.initializer_range)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        self.register_buffer("special", torch.tensor(list(special), dtype=torch.int64), False)

    def features(self, batch: Batch) -> Tensor:
        """Vectors that heads read: ``(N, D)`` of cells, ``(T or R, D)`` of genes."""
        tokens, layout, places = batch.tokens, batch.layout, batch.places
        if self.kind == "cells":
            places = Places.first(layout) if self.pooling == "cls" else None
        if batch.states is None:
            hidden = self.bert(tokens, layout, places=places)
        else:
            hidden = self.bert.layers(batch.states, layout, first=batch.first, places=places)
        if self.kind == "genes" or places is not None:
            return hidden  # type: ignore[no-any-return]
        return mean_of_genes(hidden, tokens, layout, self.special)  # type: ignore[arg-type]

    def forward(self, batch: Batch) -> list[Tensor]:
        """Logits of each task: ``(N, classes)`` of cells, ``(T or R, classes)`` of genes."""
        features = self.dropout(self.features(batch))
        return [head(features) for head in self.classifier]


def mean_of_genes(hidden: Tensor, tokens: Tensor, layout: Layout, special: Tensor) -> Tensor:
    """Mean of the hidden states of each cell's genes, special tokens left out.

    Parameters
    ----------
    hidden
        ``(T, D)``.
    tokens
        ``(T,)``.
    layout
        Where the N cells lie.
    special
        Tokens that are no genes.

    Returns
    -------
    means
        ``(N, D)``; NaN where a cell has no gene.
    """
    lengths = torch.tensor(layout.lengths, device=hidden.device)
    cells = torch.repeat_interleave(torch.arange(len(lengths), device=hidden.device), lengths)
    genes = (~torch.isin(tokens, special)).to(hidden.dtype)[:, None]
    sums = hidden.new_zeros(len(lengths), hidden.shape[1]).index_add_(0, cells, hidden * genes)
    counts = hidden.new_zeros(len(lengths), 1).index_add_(0, cells, genes)
    return sums / counts
