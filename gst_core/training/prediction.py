"""Logits and accuracy of a network on proteins in memory."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.model.network import GeneSymbolTransformer
from gst_core.training.batches import TrainingSet, pad


def accuracy(network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu") -> float:
    """Share of proteins of the vocabulary that are given exactly their symbol."""
    scores = predict(network, data, device)
    known = data.classes >= 0
    return float((scores.argmax(1)[known] == data.classes[known]).mean())


@torch.no_grad()
def predict(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 128
) -> NDArray[np.float32]:
    """Logits of a set of proteins, in their order.

    Parameters
    ----------
    network
        The network; it is left in evaluation mode.
    data
        Proteins; each is read whole.
    device
        ``"cpu"`` or ``"cuda"``.
    batch_size
        Proteins at a time; neighbours in length go together.

    Returns
    -------
    logits
        ``(N, C)`` float32.
    """
    network.eval()
    logits = np.empty((len(data), network.config.num_symbols), dtype=np.float32)
    by_length = np.argsort(data.lengths, kind="stable")
    for start in range(0, len(data), batch_size):
        rows = by_length[start : start + batch_size]
        batch = data.take(rows)
        result = network(
            pad(batch.codes, batch.lengths).to(device),
            torch.from_numpy(batch.lengths).to(device),
            torch.from_numpy(batch.clades).to(device),
        )
        logits[rows] = result.float().cpu().numpy()
    return logits
