"""Geneformer's network in one file: a BERT encoder and its masked language model.

Cells lie one after the other in one row of tokens, and nothing is padded: the linear
layers read all tokens of a batch as one matrix, attention runs over cells of equal
length at a time. Modules are named so that the keys of the state_dict are those of
Hugging Face's ``BertForMaskedLM``, and published weights load as they are.

Shapes: T tokens of all cells of a batch, D `width`, F `feedforward`, V `vocabulary`,
H heads of E = D / H, N cells of one length L.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.layout import Layout, Places

Activation = Callable[[Tensor], Tensor]
_ACTIVATIONS: Final[dict[str, Activation]] = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}

#: Kernels of attention: all but cuDNN's, which on an H100 takes a tenth of a second to prepare
#: for each length of cell it has not met before, in bfloat16.
_KERNELS: Final = [
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]

#: Label of a position that the loss of the masked language model leaves out.
IGNORED: Final = -100


class Embeddings(nn.Module):
    """Sum of the vectors of token, position and token type 0, normed."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        d = config.width
        self.word_embeddings = nn.Embedding(config.vocabulary, d, padding_idx=config.pad_token)
        self.position_embeddings = nn.Embedding(config.positions, d)
        self.token_type_embeddings = nn.Embedding(config.token_types, d)
        self.LayerNorm = nn.LayerNorm(d, eps=config.norm_epsilon)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, words: Tensor, positions: Tensor) -> Tensor:
        """Embed tokens.

        Parameters
        ----------
        words
            ``(T, D)`` vectors of the tokens, rows of ``word_embeddings``.
        positions
            ``(T,)``.

        Returns
        -------
        x
            ``(T, D)``.
        """
        x = words + self.token_type_embeddings.weight[0] + self.position_embeddings(positions)
        return self.dropout(self.LayerNorm(x))  # type: ignore[no-any-return]


class SelfAttention(nn.Module):
    """Each token of a cell attends to every token of the same cell.

    Weights of attention are not dropped in training, whatever the configuration says: with that
    no fused kernel of a CPU can be used, and two thirds of the time went into it.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        d = config.width
        self.heads = config.heads
        self.query, self.key, self.value = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x: Tensor, layout: Layout, places: Places | None = None) -> Tensor:
        """``(T, D)`` to ``(T, D)``, or to ``(R, D)`` of the places."""
        q = self.query(x if places is None else x[places.rows])
        k, v = self.key(x), self.value(x)
        attended, start, asked = [], 0, 0
        for cells, length, queries in layout.runs(places):
            here, those = (
                slice(start, start + cells * length),
                slice(asked, asked + cells * queries),
            )
            start, asked = here.stop, those.stop
            if queries:
                here_q = self._by_head(q[those], cells)
                here_k, here_v = (self._by_head(part[here], cells) for part in (k, v))
                with sdpa_kernel(_KERNELS) if x.is_cuda else nullcontext():
                    out = F.scaled_dot_product_attention(here_q, here_k, here_v)
                attended.append(out.transpose(1, 2).reshape(cells * queries, -1))
        if not attended:
            return q  # type: ignore[no-any-return]  # nothing is asked about: (0, D)
        return attended[0] if len(attended) == 1 else torch.cat(attended)

    def weights(self, x: Tensor, queries: slice = slice(None)) -> Tensor:
        """Attention of one cell, each row summing to 1.

        Parameters
        ----------
        x
            ``(L, D)``.
        queries
            Which tokens' attention, all by default: ``H x L x L`` numbers are 800 MB for a
            cell of 4,096 tokens and 12 heads.

        Returns
        -------
        weights
            ``(H, queries, L)``.
        """
        q, k = self._by_head(self.query(x[queries]), 1)[0], self._by_head(self.key(x), 1)[0]
        return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1)

    def _by_head(self, x: Tensor, cells: int) -> Tensor:
        """``(N L, D)`` to ``(N, H, L, E)``."""
        return x.view(cells, len(x) // cells, self.heads, -1).transpose(1, 2)


class ResidualOutput(nn.Module):
    """Project, add to what came in, norm."""

    def __init__(self, width: int, config: NetworkConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(width, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=config.norm_epsilon)
        self.dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """``(T, width)`` and ``(T, D)`` to ``(T, D)``."""
        return self.LayerNorm(self.dropout(self.dense(x)) + residual)  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Self-attention and its output; a level of its own for the names of the weights."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = ResidualOutput(config.width, config)

    def forward(self, x: Tensor, layout: Layout, places: Places | None = None) -> Tensor:
        """``(T, D)`` to ``(T, D)``, or to ``(R, D)`` of the places."""
        residual = x if places is None else x[places.rows]
        return self.output(self.self(x, layout, places), residual)  # type: ignore[no-any-return]


class Intermediate(nn.Module):
    """First half of the feed-forward block."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.width, config.feedforward)
        self.activation: Activation = _ACTIVATIONS[config.activation]

    def forward(self, x: Tensor) -> Tensor:
        """``(T, D)`` to ``(T, F)``."""
        return self.activation(self.dense(x))


class Layer(nn.Module):
    """A post-norm Transformer encoder layer."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Intermediate(config)
        self.output = ResidualOutput(config.feedforward, config)

    def forward(self, x: Tensor, layout: Layout, places: Places | None = None) -> Tensor:
        """``(T, D)`` to ``(T, D)``, or to ``(R, D)`` of the places."""
        x = self.attention(x, layout, places)
        return self.output(self.intermediate(x), x)  # type: ignore[no-any-return]


class Stack(nn.Module):
    """The layers; a level of its own for the names of the weights."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(config) for _ in range(config.layers))


class GeneEncoder(nn.Module):
    """Tokens of cells to one vector a token.

    Parameters
    ----------
    config
        Shape of the network.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Stack(config)

    def words(self, tokens: Tensor) -> Tensor:
        """Vectors of tokens, ``(T,)`` to ``(T, D)``: what to take gradients of genes by."""
        return self.embeddings.word_embeddings(tokens)  # type: ignore[no-any-return]

    def forward(
        self,
        tokens: Tensor,
        layout: Layout,
        *,
        depth: int | None = None,
        words: Tensor | None = None,
        places: Places | None = None,
    ) -> Tensor:
        """Encode cells.

        Parameters
        ----------
        tokens
            ``(T,)`` int64.
        layout
            Where the cells lie in it.
        depth
            Number of layers to compute, all of them by default. What comes after is not
            computed: the second to last hidden states cost one layer less than the last.
        words
            ``(T, D)`` in place of the tokens' vectors, as :meth:`words` gives them.
        places
            Tokens that are asked about, all by default.

        Returns
        -------
        hidden
            ``(T, D)``, or ``(R, D)`` of the places: hidden states after `depth` layers.
        """
        x = self.embeddings(self.words(tokens) if words is None else words, layout.positions)
        return self.layers(x, layout, depth=depth, places=places)

    def layers(
        self,
        x: Tensor,
        layout: Layout,
        *,
        first: int = 0,
        depth: int | None = None,
        places: Places | None = None,
    ) -> Tensor:
        """Go on from hidden states ``(T, D)`` before the layer `first`."""
        layers = self.encoder.layer[first:depth]
        if not len(layers):
            return x if places is None else x[places.rows]
        for layer in layers[:-1]:
            x = layer(x, layout)
        return layers[-1](x, layout, places)  # type: ignore[no-any-return]


class Transform(nn.Module):
    """What the language model's head does before it compares with the genes' vectors."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.width, config.width)
        self.activation: Activation = _ACTIVATIONS[config.activation]
        self.LayerNorm = nn.LayerNorm(config.width, eps=config.norm_epsilon)

    def forward(self, x: Tensor) -> Tensor:
        """``(T, D)`` to ``(T, D)``."""
        return self.LayerNorm(self.activation(self.dense(x)))  # type: ignore[no-any-return]


class Predictions(nn.Module):
    """A logit a token; the decoder's weights are the genes' own vectors."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.transform = Transform(config)
        self.decoder = nn.Linear(config.width, config.vocabulary)
        self.bias = self.decoder.bias

    def forward(self, x: Tensor) -> Tensor:
        """``(T, D)`` to ``(T, V)``."""
        return self.decoder(self.transform(x))  # type: ignore[no-any-return]


class Head(nn.Module):
    """A level of its own for the names of the weights."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.predictions = Predictions(config)


class MaskedLanguageModel(nn.Module):
    """The encoder and the head that pretraining needs, with new weights.

    Parameters
    ----------
    config
        Shape of the network.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = GeneEncoder(config)
        self.cls = Head(config)
        self.apply(self._initialise)
        self.tie()

    def tie(self) -> None:
        """Make the decoder's weights the genes' vectors, and its two biases one."""
        predictions = self.cls.predictions
        predictions.decoder.weight = self.bert.embeddings.word_embeddings.weight
        predictions.bias = predictions.decoder.bias

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            with torch.no_grad():
                module.weight[module.padding_idx].zero_()

    def forward(self, tokens: Tensor, layout: Layout, places: Places | None = None) -> Tensor:
        """Score every token at some places.

        Parameters
        ----------
        tokens
            ``(T,)`` int64.
        layout
            Where the cells lie in it.
        places
            Which of the T tokens are asked about, all by default. Logits of all take
            ``T x V`` numbers: hundreds of megabytes for a few cells.

        Returns
        -------
        logits
            ``(R, V)``.
        """
        return self.cls.predictions(self.bert(tokens, layout, places=places))  # type: ignore[no-any-return]

    def loss(self, tokens: Tensor, layout: Layout, labels: Tensor) -> Tensor:
        """Mean cross-entropy, in nats, where `labels` ``(T,)`` is not :data:`IGNORED`."""
        places = Places.where(layout, labels != IGNORED)
        return F.cross_entropy(self(tokens, layout, places).float(), labels[places.rows])
