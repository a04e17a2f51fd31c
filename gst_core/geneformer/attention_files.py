"""Attention from a file to a Parquet file: averaged by gene, or of each gene of each cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.attention import (
    Source,
    attention_of_cells,
    attention_of_genes,
    chosen_layers,
    column_names,
)
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.embedding_files import check_output, open_cells

By = Literal["gene", "cell"]
Progress = Callable[[int, int], None]


def write_attention(
    model: Geneformer,
    cells_file: Path,
    output: Path,
    *,
    by: By = "gene",
    layers: Sequence[int] | None = None,
    source: Source = "all",
    counts_layer: str | None = None,
    gene_column: str | None = None,
    progress: Progress = lambda done, total: None,
) -> int:
    """Write attention by layer and head.

    Parameters
    ----------
    model
        The network, of a checkpoint folder, and its dictionary.
    cells_file
        A dataset of ``geneformer tokenize``, or counts.
    output
        ``.parquet``. Columns ``ensembl_id`` and ``symbol``, then, by gene, ``cells``, in how many
        cells it was; by cell, ``cell``, the row of the input, and ``rank``, the gene's place in
        it; then ``layer0_head0`` and so on.
    by
        ``gene``: a row a gene, the mean over its cells. ``cell``: a row for each gene of each
        cell, written as it is computed.
    layers, source
        As for :func:`~gst_core.geneformer.attention.attention_of_cells`.
    counts_layer, gene_column
        As for :meth:`Geneformer.tokenize`.
    progress
        Told how many cells are done, of how many.

    Returns
    -------
    rows
        Number of rows written.

    Raises
    ------
    GstError
        If the input does not fit the network, or the output is of another kind.
    """
    check_output(output, cells_file, ".parquet")
    chosen = chosen_layers(model.encoder, layers)
    names = column_names(chosen, model.encoder.config.heads)
    cells, _ = open_cells(model, cells_file, counts_layer, gene_column)
    options: dict[str, Any] = {
        "layers": chosen,
        "source": source,
        "special": model.special,
        "where": str(cells_file),
        "progress": progress,
    }
    if by == "cell":
        return _by_cell(model, cells, output, names, options)
    found = attention_of_genes(model.encoder, cells, **options)
    table = _table(model, found.tokens, {"cells": found.cells}, names, found.weights)
    import pyarrow.parquet as pq

    with atomic_write(output, "wb") as file:
        pq.write_table(table, file, compression="zstd")
    return len(found.tokens)


def _by_cell(
    model: Geneformer,
    cells: TokenDataset | Tokens,
    output: Path,
    names: list[str],
    options: dict[str, Any],
) -> int:
    import pyarrow.parquet as pq

    rows = 0
    writer: pq.ParquetWriter | None = None
    with atomic_write(output, "wb") as file:
        for cell, weights in attention_of_cells(model.encoder, cells, **options):
            tokens = np.asarray(cells[cell]).astype(np.int64)
            first = int(bool(model.special))  # the first gene is of rank 1, <cls> of rank 0
            place: dict[str, NDArray[Any]] = {
                "cell": np.full(len(tokens), cell, dtype=np.int64),
                "rank": np.arange(1 - first, len(tokens) + 1 - first, dtype=np.int32),
            }
            table = _table(model, tokens, place, names, weights)
            writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
            writer.write_table(table)
            rows += len(tokens)
        if writer is None:
            raise GstError("no cell has a gene", where=options["where"])
        writer.close()
    return rows


def _table(
    model: Geneformer,
    tokens: NDArray[np.int64],
    place: dict[str, NDArray[Any]],
    names: list[str],
    weights: NDArray[np.float32],
) -> Any:
    import pyarrow as pa

    ids, symbols = model.names_of(tokens)
    columns = {"ensembl_id": pa.array(ids), "symbol": pa.array(symbols)}
    columns |= {name: pa.array(values) for name, values in place.items()}
    flat = weights.reshape(len(tokens), -1)
    columns |= {name: pa.array(flat[:, number]) for number, name in enumerate(names)}
    return pa.table(columns)
