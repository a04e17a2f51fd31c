"""The original's two networks in PyTorch, with its parameter names.

The ONNX graphs of :mod:`gst_core.legacy.graph` are what names proteins; these
modules are their reference, written as the original computes them: nothing is
folded or fused, and every intermediate value can be looked at. Shapes: B
proteins, L positions (the sequence length of the checkpoint), E embedding
dimension, H heads, each E wide.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gst_core.legacy.checkpoint import LegacyCheckpoint, LegacyShape


class LegacySelfAttention(nn.Module):
    """Attention in which every head is as wide as the whole embedding; nothing is masked.

    Parameters
    ----------
    embedding_dimension
        E.
    num_heads
        H.
    """

    def __init__(self, embedding_dimension: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        width = num_heads * embedding_dimension
        self.to_keys = nn.Linear(embedding_dimension, width, bias=False)
        self.to_queries = nn.Linear(embedding_dimension, width, bias=False)
        self.to_values = nn.Linear(embedding_dimension, width, bias=False)
        self.unify_heads = nn.Linear(width, embedding_dimension)

    def forward(self, x: Tensor) -> Tensor:
        """Attend: B x L x E to B x L x E."""
        batch, length, embedding = x.shape

        def heads(linear: nn.Linear) -> Tensor:  # B x H x L x E
            split: Tensor = linear(x).view(batch, length, self.num_heads, embedding)
            return split.transpose(1, 2)

        scores = heads(self.to_queries) @ heads(self.to_keys).transpose(2, 3)
        weights = (scores / math.sqrt(embedding)).softmax(dim=-1)
        attended = (weights @ heads(self.to_values)).transpose(1, 2).flatten(2)
        result: Tensor = self.unify_heads(attended)
        return result


class LegacyBlock(nn.Module):
    """LayerNorm(attention(x) + x), then LayerNorm(feed-forward(x) + x).

    Parameters
    ----------
    shape
        Shape of the network.
    """

    def __init__(self, shape: LegacyShape) -> None:
        super().__init__()
        e = shape.embedding_dimension
        self.attention = LegacySelfAttention(e, shape.num_heads)
        self.layer_normalization_1 = nn.LayerNorm(e)
        self.layer_normalization_2 = nn.LayerNorm(e)
        self.feed_forward = nn.Sequential(
            nn.Linear(e, shape.feedforward),
            nn.GELU() if shape.activation == "gelu" else nn.ReLU(),
            nn.Linear(shape.feedforward, e),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transform: B x L x E to B x L x E."""
        x = self.layer_normalization_1(self.attention(x) + x)
        result: Tensor = self.layer_normalization_2(self.feed_forward(x) + x)
        return result


class LegacySequenceTransformer(nn.Module):
    """Embeddings, blocks, mean over all positions (padding too), linear layer E to L.

    Parameters
    ----------
    shape
        Shape of the network.
    """

    def __init__(self, shape: LegacyShape) -> None:
        super().__init__()
        e, length = shape.embedding_dimension, shape.sequence_length
        self.token_embedding = nn.Embedding(shape.num_letters, e)
        self.position_embedding = nn.Parameter(torch.zeros(1, length, e))
        self.transformer_blocks = nn.Sequential(*(LegacyBlock(shape) for _ in range(shape.depth)))
        self.final_layer = nn.Linear(e, length)

    def forward(self, codes: Tensor) -> Tensor:
        """Read residue codes: B x L integers to B x L features."""
        x = self.token_embedding(codes) + self.position_embedding
        result: Tensor = self.final_layer(self.transformer_blocks(x).mean(dim=1))
        return result


class LegacyOneHotLinear(nn.Module):
    """The path called ``mlp`` in the original: one linear layer on the one-hot sequence.

    Parameters
    ----------
    shape
        Shape of the network.
    """

    def __init__(self, shape: LegacyShape) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(shape.sequence_length * shape.num_letters, shape.hidden)
        )

    def forward(self, one_hot: Tensor) -> Tensor:
        """Project: B x (L letters) to B x hidden."""
        result: Tensor = self.layers(one_hot)
        return result


class LegacyTransformer(nn.Module):
    """Transformer path, linear path and clade, joined by one linear layer.

    Parameters
    ----------
    shape
        Shape of the network.
    """

    def __init__(self, shape: LegacyShape) -> None:
        super().__init__()
        self.num_letters = shape.num_letters
        self.uses_clade = shape.uses_clade
        self.mlp = LegacyOneHotLinear(shape)
        self.sequence_transformer = LegacySequenceTransformer(shape)
        features = shape.hidden + shape.sequence_length + shape.num_clades
        self.integration_layer = nn.Linear(features, shape.num_symbols)

    def forward(self, codes: Tensor, clade: Tensor) -> Tensor:
        """Name proteins.

        Parameters
        ----------
        codes
            B x L residue codes.
        clade
            B x clades, one-hot, or zeros for none.

        Returns
        -------
        Tensor
            B x symbols, log probabilities.
        """
        one_hot = functional.one_hot(codes.long(), self.num_letters).flatten(1).float()
        if not self.uses_clade:
            clade = torch.zeros_like(clade)
        features = torch.cat((self.mlp(one_hot), self.sequence_transformer(codes), clade), dim=1)
        return functional.log_softmax(self.integration_layer(features), dim=1)


class LegacyMLP(nn.Module):
    """The published production model: one hidden layer on one-hot sequence and clade.

    Parameters
    ----------
    shape
        Shape of the network.
    """

    def __init__(self, shape: LegacyShape) -> None:
        super().__init__()
        self.num_letters = shape.num_letters
        inputs = shape.sequence_length * shape.num_letters + shape.num_clades
        self.input_layer = nn.Linear(inputs, shape.hidden)
        self.output_layer = nn.Linear(shape.hidden, shape.num_symbols)

    def forward(self, codes: Tensor, clade: Tensor) -> Tensor:
        """Name proteins; arguments and result as for :class:`LegacyTransformer`."""
        one_hot = functional.one_hot(codes.long(), self.num_letters).flatten(1).float()
        hidden = functional.relu(self.input_layer(torch.cat((one_hot, clade), dim=1)))
        return functional.log_softmax(self.output_layer(hidden), dim=1)


def load_legacy(checkpoint: LegacyCheckpoint) -> LegacyTransformer | LegacyMLP:
    """Build the network of a checkpoint, ready to name proteins.

    Parameters
    ----------
    checkpoint
        What :func:`gst_core.legacy.checkpoint.read_checkpoint` read.
    """
    network = LegacyMLP if checkpoint.shape.architecture == "mlp" else LegacyTransformer
    module = network(checkpoint.shape)
    module.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in checkpoint.weights.items()})
    return module.eval()
