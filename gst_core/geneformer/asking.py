"""What a classifier says of cells, or of genes over the cells that have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gst_core.geneformer.backends import BATCH_TOKENS, batches
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.heads import Classifier
from gst_core.geneformer.network import Layout


def predict(
    classifier: Classifier,
    cells: Cells,
    chosen: NDArray[np.intp],
    device: str = "cpu",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[NDArray[np.float32]]:
    """Give the logits of cells, or of the genes in them.

    Parameters
    ----------
    classifier
        On `device`.
    cells
        Tokens of all cells.
    chosen
        Which are read.
    device
        Where the network is.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    logits
        Of each task ``(len(chosen), classes)``; or of genes ``(vocabulary, classes)``, the mean
        over the cells that have it, and NaN of a gene that none has.
    """
    classifier.eval()
    genes = classifier.kind == "genes"
    rows = classifier.bert.config.vocabulary if genes else len(chosen)
    sums = [np.zeros((rows, size)) for size in classifier.sizes]
    counts = np.zeros(rows)
    done = 0
    for batch in batches(cells.lengths[chosen], BATCH_TOKENS.get(device, 2048)):
        tokens, layout = batch_of([cells[int(chosen[i])] for i in batch], device)
        with torch.inference_mode():
            logits = classifier(tokens, layout)
        where = tokens.cpu().numpy() if genes else batch
        np.add.at(counts, where, 1)
        for own, found in zip(sums, logits, strict=True):
            np.add.at(own, where, found.float().cpu().numpy())
        done += len(batch)
        progress(done, len(chosen))
    with np.errstate(invalid="ignore"):
        return [(own / counts[:, None]).astype(np.float32) for own in sums]


def batch_of(cells: Sequence[NDArray[Any]], device: str) -> tuple[Tensor, Layout]:
    """Lay cells one behind the other."""
    tokens = torch.from_numpy(np.concatenate(cells).astype(np.int64)).to(device)
    return tokens, Layout.of([len(cell) for cell in cells], device)
