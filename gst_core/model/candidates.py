"""The Transformer that weighs the candidate symbols of a protein against each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gst_core.model.network import EncoderLayer


@dataclass(frozen=True, slots=True)
class CandidateConfig:
    """Everything that fixes the shape of a :class:`CandidateTransformer`.

    Attributes
    ----------
    features
        Numbers a candidate.
    dimension, layers, heads, feedforward
        Of the encoder over candidates.
    dropout
        Of what each layer starts from, in training.
    """

    features: int = 28
    dimension: int = 64
    layers: int = 1
    heads: int = 4
    feedforward: int = 128
    dropout: float = 0.1


class CandidateTransformer(nn.Module):
    """Evidence for each candidate in, one logit a candidate and one for "none of them" out.

    A candidate is judged beside the others: two paralogues of equal score are both less
    likely than one alone. Candidates are a set; no position is given.

    Parameters
    ----------
    config
        Shape of the network.

    Attributes
    ----------
    temperature, doubt
        Of the calibration: logits are divided by the one, and the other is added to that of
        "none of them". 1 and 0 in training.
    """

    mean: Tensor
    deviation: Tensor
    temperature: Tensor
    doubt: Tensor

    def __init__(self, config: CandidateConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("deviation", torch.ones(config.features))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("doubt", torch.zeros(()))
        self.widen = nn.Linear(config.features, config.dimension)
        self.mix = nn.Linear(config.dimension, config.dimension)
        self.none = nn.Parameter(torch.zeros(config.dimension))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(config.dimension, config.heads, config.feedforward)
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.dimension)
        self.out = nn.Linear(config.dimension, 1)

    @torch.no_grad()
    def scale_to(self, features: Tensor, present: Tensor) -> None:
        """Take mean and standard deviation of the features from data.

        Parameters
        ----------
        features
            ``(N, K, F)``.
        present
            ``(N, K)`` bool.
        """
        there = features[present]
        self.mean.copy_(there.mean(0))
        self.deviation.copy_(there.std(0, correction=0) + 1e-3)

    def forward(self, features: Tensor, present: Tensor) -> Tensor:
        """Weigh candidates.

        Parameters
        ----------
        features
            ``(B, K, F)``, as :func:`gst_core.references.features.features` makes them.
        present
            ``(B, K)`` bool: whether there is such a candidate.

        Returns
        -------
        logits
            ``(B, 1 + K)``: of no candidate, and of each; -1e4 where there is none.
        """
        x = (features - self.mean) / self.deviation
        x = self.mix(nn.functional.gelu(self.widen(x)))
        x = torch.cat([self.none.expand(len(x), 1, -1), x], 1)
        mask = nn.functional.pad(present, (1, 0), value=True)
        for layer in self.layers:
            x = layer(self.dropout(x), mask)
        logits: Tensor = self.out(self.norm(x))[..., 0]
        none = nn.functional.pad(self.doubt.expand(len(x), 1), (0, x.shape[1] - 1))
        return (logits / self.temperature + none).masked_fill(~mask, -1e4)
