"""What a classifier says of cells, or of genes over the cells that have them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from gst_core.geneformer.backends import BATCH_TOKENS, batches
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier


def predict(
    classifier: Classifier,
    reader: Reader,
    chosen: NDArray[np.intp],
    genes: NDArray[np.bool_] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[NDArray[np.float32]]:
    """Give the logits of cells, or of the genes in them.

    Parameters
    ----------
    classifier
        On the reader's device.
    reader
        Of all cells.
    chosen
        Which are read.
    genes
        ``(vocabulary,)``: which are asked about, all by default.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    logits
        Of each task ``(len(chosen), classes)``; or of genes ``(vocabulary, classes)``, the mean
        over the cells that have it, and NaN of a gene that none has or nobody asked about.
    """
    classifier.eval()
    of_genes = classifier.kind == "genes"
    rows = classifier.bert.config.vocabulary if of_genes else len(chosen)
    sums = [np.zeros((rows, size)) for size in classifier.sizes]
    counts = np.zeros(rows)
    asked = None if genes is None else torch.from_numpy(genes).to(reader.device)
    lengths = reader.cells.lengths[chosen]
    done = 0
    for numbers in batches(lengths, BATCH_TOKENS.get(reader.device, 2048)):
        batch = reader.batch([int(chosen[i]) for i in numbers], asked)
        with torch.inference_mode():
            logits = classifier(batch)
        where = numbers
        if of_genes:
            tokens = batch.tokens if batch.places is None else batch.tokens[batch.places.rows]
            where = tokens.cpu().numpy()
        np.add.at(counts, where, 1)
        for own, found in zip(sums, logits, strict=True):
            np.add.at(own, where, found.float().cpu().numpy())
        done += len(numbers)
        progress(done, len(chosen))
    with np.errstate(invalid="ignore"):
        return [(own / counts[:, None]).astype(np.float32) for own in sums]
