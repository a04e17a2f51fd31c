"""Low-rank adapters (Hu et al., ICLR 2022): few weights are learnt beside a network left as it is.

To each linear layer W of an encoder's layers a product B A of two thin matrices is added. A begins
at random and B at zero, so that nothing changes at first. After training the products are added to
the weights, and what is saved is a network as any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gst_core.geneformer.network import GeneEncoder


class Adapted(nn.Module):
    """A linear layer whose weights stay, and what is learnt beside them.

    Parameters
    ----------
    linear
        The layer, of shape ``(out, in)``.
    rank
        Of the product.
    """

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """``(T, in)`` to ``(T, out)``."""
        return self.linear(x) + F.linear(F.linear(x, self.down), self.up)  # type: ignore[no-any-return]

    def merged(self) -> nn.Linear:
        """Give a plain layer that does the same."""
        with torch.no_grad():
            self.linear.weight += self.up @ self.down
        return self.linear


def add_adapters(encoder: GeneEncoder, rank: int, first: int = 0) -> None:
    """Keep an encoder's weights as they are, and put adapters beside its linear layers.

    Parameters
    ----------
    encoder
        Changed in place.
    rank
        Of the adapters.
    first
        Layers from this one on get some.
    """
    encoder.requires_grad_(False)
    for layer in encoder.encoder.layer[first:]:
        for parent, name, child in list(_linears(layer)):
            setattr(parent, name, Adapted(child, rank))


def merge_adapters(encoder: GeneEncoder) -> None:
    """Add what adapters have learnt to the weights, in place; nothing without adapters."""
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Adapted):
                setattr(parent, name, child.merged())


def _linears(layer: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for parent in layer.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Linear):
                yield parent, name, child
