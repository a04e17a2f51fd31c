"""Where training starts: every symbol at the centre of its proteins."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gst_core.model.network import GeneSymbolTransformer, count_words
from gst_core.model.precision import autocast
from gst_core.training.batches import TrainingSet, by_length

#: Residues of a protein that are looked at here.
_LONGEST = 2048


@torch.no_grad()
def start_from_prototypes(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu"
) -> None:
    """Weigh words by rarity and set each symbol's vector to the mean of its proteins'.

    A random table of words is a random projection, which keeps angles (Johnson
    and Lindenstrauss 1984): the network starts as a nearest-centroid classifier
    of words, weighed by inverse document frequency, instead of from nothing.

    Parameters
    ----------
    network
        A new network; changed in place.
    data
        The training proteins.
    device
        ``"cpu"`` or ``"cuda"``.
    """
    network.eval().to(device)
    network.table.mul_(inverse_document_frequency(network, data)[:, None])
    vectors, seen = prototypes(network, data, device)
    network.symbols[seen] = vectors[seen] * network.symbols[0].norm()


@torch.no_grad()
def prototypes(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 256
) -> tuple[Tensor, Tensor]:
    """Mean direction of the proteins of each symbol, their clades unknown.

    Returns
    -------
    vectors
        ``(C, W)``, of unit length.
    seen
        ``(C,)`` bool: which symbols have a protein.
    """
    network.eval()
    total = torch.zeros_like(network.symbols)
    for _, batch in by_length(data, batch_size, _LONGEST):
        there = batch.to(device)
        unknown = torch.full_like(there.clades, network.config.num_clades)
        with autocast(device):
            vectors = network.represent(there.codes, there.lengths, unknown)
        total.index_add_(0, there.classes, vectors.float())
    return F.normalize(total, dim=1), total.norm(dim=1) > 0


def inverse_document_frequency(network: GeneSymbolTransformer, data: TrainingSet) -> Tensor:
    """Rarity of each word, ``(rows,)``: log of one over its share of proteins, of mean 1."""
    found = torch.zeros(network.config.bag_rows, device=network.table.device)
    for _, batch in by_length(data, 128, _LONGEST):
        rows, present = network.words(batch.codes.to(found.device))
        found += count_words(rows.flatten(1), present.flatten(1), len(found), 1).sum(0)
    rarity = torch.log(len(data) / (found + 1)).clamp(min=0.1)
    return rarity / rarity.mean()
