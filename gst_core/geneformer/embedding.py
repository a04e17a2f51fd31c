"""Embeddings of cells and genes, as the reference defines them.

- ``cell``: mean of the hidden states of a cell's genes, special tokens left out;
- ``cls``: the hidden state of ``<cls>``, which V2 puts first;
- ``gene``: for each gene the mean of its hidden states over the cells that have it.

Layer 0 is the last, -1 the second to last, which generalises better (Theodoris et al. 2023).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.backends import BATCH_TOKENS, Encoder, Layer, batches, check_tokens

Mode = Literal["cell", "cls", "gene"]
MODES: Final = ("cell", "cls", "gene")


class Cells(Protocol):
    """Tokenised cells: a dataset, or tokens in memory."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each cell, shape ``(cells,)``."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, cell: int) -> NDArray[Any]:
        """Tokens of a cell."""
        ...


@dataclass(frozen=True, slots=True)
class GeneVectors:
    """Embeddings of genes.

    Attributes
    ----------
    tokens
        ``(G,)``: the genes, by rising token.
    vectors
        ``(G, D)``.
    cells
        ``(G,)``: in how many cells each was.
    """

    tokens: NDArray[np.int64]
    vectors: NDArray[np.float32]
    cells: NDArray[np.int64]


def embed_cells(
    encoder: Encoder,
    cells: Cells,
    *,
    mode: Literal["cell", "cls"] = "cell",
    layer: Layer = -1,
    special: Sequence[int] = (),
    work: Path | None = None,
    where: str = "cells",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.float32]:
    """Embed cells.

    Parameters
    ----------
    encoder
        The network.
    cells
        Each with one token or more that is not special.
    mode, layer
        What to take, from which layer.
    special
        Tokens that are no genes: ``<cls>`` and ``<eos>`` of V2.
    work
        Folder for what is done so far. A run that was killed goes on there; it is the caller's to
        name it after all that the result depends on, and to remove it.
    where
        The dataset, for messages.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    embeddings
        ``(cells, D)``; NaN for cells without a gene.

    Raises
    ------
    GstError
        If cells do not fit the network, or ``cls`` is asked of cells without it.
    """
    if mode == "cls" and not special:
        raise GstError("cells of V1 have no <cls>", where="cls", hint="embed the mean: cell")
    check_cells(encoder, cells, where)
    shape = (len(cells), encoder.config.width)
    vectors, begun = _vectors(work, shape)
    done = 0
    for number, batch in enumerate(batches(cells.lengths, BATCH_TOKENS[encoder.device])):
        done += len(batch)
        if number < begun:
            continue
        tokens = [np.asarray(cells[int(cell)]) for cell in batch]
        there = [i for i, own in enumerate(tokens) if len(own)]
        filled = [tokens[i] for i in there]
        if mode == "cls" and there:
            vectors[batch[there]] = encoder.states(filled, layer, first=True).firsts()
        elif there:
            vectors[batch[there]] = encoder.states(filled, layer).means(filled, special)
        if work is not None:
            _note(work, vectors, number + 1)
        progress(done, len(cells))
    return np.array(vectors)


def embed_genes(
    encoder: Encoder,
    cells: Cells,
    *,
    layer: Layer = -1,
    special: Sequence[int] = (),
    where: str = "cells",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GeneVectors:
    """Embed genes: for each the mean over the cells that have it; see :func:`embed_cells`."""
    check_cells(encoder, cells, where)
    config = encoder.config
    sums = np.zeros((config.vocabulary, config.width))
    counts = np.zeros(config.vocabulary, dtype=np.int64)
    done = 0
    for batch in batches(cells.lengths, BATCH_TOKENS[encoder.device]):
        tokens = [np.asarray(cells[int(cell)]) for cell in batch if cells.lengths[cell]]
        states = encoder.states(tokens, layer).split() if tokens else []
        for own, hidden in zip(tokens, states, strict=True):
            # A token is in a cell once.
            sums[own] += hidden
            counts[own] += 1
        done += len(batch)
        progress(done, len(cells))
    counts[list(special)] = 0
    found = np.flatnonzero(counts)
    means = (sums[found] / counts[found, None]).astype(np.float32)
    return GeneVectors(found, means, counts[found])


def fingerprint(*parts: Any) -> str:
    """Name what a result depends on: 16 hexadecimal digits of a SHA-256."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_cells(encoder: Encoder, cells: Cells, where: str) -> None:
    """Make sure that there are cells, and that a network can read them.

    Raises
    ------
    GstError
        If not.
    """
    if not len(cells):
        raise GstError("has no cells", where=where)
    largest = max((int(cells[i].max()) for i in range(len(cells)) if cells.lengths[i]), default=0)
    check_tokens(encoder, int(cells.lengths.max()), largest, where)


def _vectors(work: Path | None, shape: tuple[int, int]) -> tuple[NDArray[np.float32], int]:
    """Open what a run has of the vectors, and say how many batches it had done."""
    if work is None:
        return np.full(shape, np.nan, dtype=np.float32), 0
    work.mkdir(parents=True, exist_ok=True)
    path, state = work / "vectors.npy", work / "state.json"
    if path.is_file() and state.is_file():
        vectors = np.lib.format.open_memmap(path, mode="r+")
        if vectors.shape == shape:
            return vectors, int(json.loads(state.read_text())["batches"])
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    vectors[:] = np.nan
    return vectors, 0


def _note(work: Path, vectors: Any, number: int) -> None:
    """Say that so many batches are on disk; the vectors first."""
    vectors.flush()
    with atomic_write(work / "state.json") as file:
        file.write(json.dumps({"batches": number}))
