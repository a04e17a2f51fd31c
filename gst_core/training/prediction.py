"""Logits and accuracy of a network on proteins in memory."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.model.network import GeneSymbolTransformer
from gst_core.training.batches import TrainingSet, by_length


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
    for rows, batch in by_length(data, batch_size):
        there = batch.to(device)
        result = network(there.codes, there.lengths, there.clades)
        logits[rows] = result.float().cpu().numpy()
    return logits


@torch.no_grad()
def accuracy(
    network: GeneSymbolTransformer, data: TrainingSet, device: str = "cpu", batch_size: int = 128
) -> float:
    """Share of the proteins of the vocabulary that are given exactly their symbol."""
    network.eval()
    right = 0
    for _, batch in by_length(data, batch_size):
        there = batch.to(device)
        best = network(there.codes, there.lengths, there.clades).argmax(1)
        right += int((best == there.classes).sum())
    return right / max(1, int((data.classes >= 0).sum()))
