"""Where training starts: a nearest-centroid classifier of words."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gst_core.model.network import GeneSymbolTransformer, count_words
from gst_core.training.batches import TrainingSet, pad


@torch.no_grad()
def start_from_prototypes(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 256
) -> None:
    """Weigh words by rarity and set each symbol's vector to the mean of its proteins'.

    A random table of words is a random projection, which keeps angles (Johnson
    and Lindenstrauss 1984): the network starts as a nearest-centroid classifier
    of words, weighed by inverse document frequency, instead of from nothing.
    """
    network.eval().to(device)
    network.table.mul_(inverse_document_frequency(network, data)[:, None])
    total = torch.zeros_like(network.symbols)
    by_length = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(data), batch_size):
        batch = data.take(by_length[start : start + batch_size], 2048)
        with torch.autocast(device, dtype=torch.bfloat16):
            vectors = network.represent(
                pad(batch.codes, batch.lengths).to(device),
                torch.from_numpy(batch.lengths).to(device),
                torch.full((len(batch),), network.config.num_clades, device=device),
            )
        total.index_add_(0, torch.from_numpy(batch.classes).to(device), vectors.float())
    seen = total.norm(dim=1) > 0
    typical = network.symbols[0].norm()
    network.symbols[seen] = F.normalize(total[seen], dim=1) * typical


def inverse_document_frequency(network: GeneSymbolTransformer, data: TrainingSet) -> Tensor:
    """Rarity of each word, ``(rows,)``: log of one over its share of proteins, of mean 1."""
    found = torch.zeros(network.config.bag_rows, device=network.table.device)
    for start in range(0, len(data), 512):
        batch = data.take(np.arange(start, min(start + 512, len(data))), 2048)
        rows, present = network.words(pad(batch.codes, batch.lengths).to(found.device))
        found += count_words(rows.flatten(1), present.flatten(1), len(found), 1).sum(0)
    rarity = torch.log(len(data) / (found + 1)).clamp(min=0.1)
    return rarity / rarity.mean()
