"""Embeddings from a file to a file: datasets or counts in, h5ad or Parquet out, resumable."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write, check_outputs
from gst_core.geneformer.api import OBSM_KEY, Geneformer
from gst_core.geneformer.backends import Layer
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.embedding import Cells, Mode, embed_cells, embed_genes, fingerprint

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]

#: The first and the last token of a cell of V2.
_ENDS: Final = (2, 3)


def embed_file(
    model: Geneformer,
    source: Path,
    output: Path,
    *,
    checkpoint: Path,
    mode: Mode = "cell",
    layer: Layer = -1,
    counts_layer: str | None = None,
    gene_column: str | None = None,
    progress: Progress = lambda done, total: None,
) -> int:
    """Embed a dataset or counts.

    Parameters
    ----------
    model
        The network and its dictionary.
    source
        A dataset of ``geneformer tokenize``, or counts, which are tokenised first.
    output
        ``.parquet``: a row a cell, columns ``0`` to ``D-1``, then those of the dataset or of
        `obs`; ``.h5ad``: the counts with the embedding in ``obsm["X_geneformer"]``, or, of a
        dataset, cells without counts. Of ``gene`` a row a gene, and Parquet alone.
    checkpoint
        Where the network came from. A run that was killed goes on where contents are the same:
        those of the network and of all tokens.
    mode, layer, counts_layer, gene_column
        As for :meth:`Geneformer.embed`.
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
    check_output(output, source, ".h5ad", ".parquet")
    if mode == "gene" and output.suffix != ".parquet":
        raise GstError("embeddings of genes go into .parquet", where=str(output))
    cells, adata = open_cells(model, source, counts_layer, gene_column)
    special = model.special
    if mode == "gene":
        found = embed_genes(
            model.encoder, cells, layer=layer, special=special, where=str(source), progress=progress
        )
        ids, symbols = model.names_of(found.tokens)
        others = {"ensembl_id": ids, "symbol": symbols, "cells": found.cells}
        _write_parquet(output, found.vectors, others)
        return len(found.tokens)
    options = (mode, layer, model.encoder.bf16)
    work = _work_folder(output, checkpoint, special, cells, *options)
    vectors = embed_cells(
        model.encoder,
        cells,
        mode=mode,
        layer=layer,
        special=special,
        work=work,
        where=str(source),
        progress=progress,
    )
    if isinstance(cells, TokenDataset):
        others = {name: cells.column(name) for name in cells.columns}
        if output.suffix == ".parquet":
            _write_parquet(output, vectors, others)
        else:
            _write_h5ad(output, _cells_alone(others), vectors)
    elif output.suffix == ".parquet":
        _write_parquet(output, vectors, _obs_columns(adata.obs))
    else:
        _write_h5ad(output, adata, vectors)
    shutil.rmtree(work, ignore_errors=True)
    return len(vectors)


def check_output(output: Path, source: Path, *suffixes: str) -> None:
    """Make sure, before any work, that an output can be written.

    Parameters
    ----------
    output, source
        What will be written, and what is read.
    suffixes
        Those that the output may have.

    Raises
    ------
    GstError
        If it has another, its folder is not there, or it would take the place of the input.
    """
    if output.suffix not in suffixes:
        kinds = f"neither {' nor '.join(suffixes)}" if len(suffixes) > 1 else f"not {suffixes[0]}"
        raise GstError(f"is {kinds}", where=str(output), hint="name the output so")
    check_outputs([output], [source])


def open_cells(
    model: Geneformer, source: Path, counts_layer: str | None, gene_column: str | None
) -> tuple[TokenDataset | Tokens, Any]:
    """Open a dataset, or tokenise counts.

    Returns
    -------
    cells, adata
        Tokens; and the AnnData that they are of, None where it was a dataset.

    Raises
    ------
    GstError
        If the input cannot be read, is no raw counts, or is of another model version.
    """
    if source.suffix == ".parquet" or (source / "state.json").is_file():
        dataset = TokenDataset.open(source)
        _check_version(model, dataset, source)
        return dataset, None
    adata = _read_anndata(source)
    return model.tokenize(adata, layer=counts_layer, gene_column=gene_column), adata


def _check_version(model: Geneformer, cells: TokenDataset, source: Path) -> None:
    """Refuse tokens of V2 for a network of V1, which has as many tokens and more."""
    if model.resources.cls_token is not None or not len(cells):
        return
    sample = [cells[i] for i in range(0, len(cells), max(1, len(cells) // 100))]
    if all(len(own) > 1 and (own[0], own[-1]) == _ENDS for own in sample):
        raise GstError(
            "each cell stands between V2's <cls> and <eos>, and the network is of V1",
            where=str(source),
            hint="tokenize again with --model_version V1",
        )


def _read_anndata(source: Path) -> Any:
    """Read counts with all that belongs to them; formats that are not AnnData's become it."""
    import anndata
    import scipy.sparse as sp

    from gst_core.geneformer.counts import open_counts

    counts = open_counts(source)  # what is wrong with the file is said by one place
    if source.suffix == ".h5ad":
        counts.close()
        return anndata.read_h5ad(source)
    rows = [chunk for _, chunk in counts.chunks()]
    adata = anndata.AnnData(sp.vstack(rows, format="csr"), counts.obs, counts.var)
    counts.close()
    return adata


def _work_folder(
    output: Path, checkpoint: Path, special: list[int], cells: Cells, *options: Any
) -> Path:
    """Name the folder of what is done so far by the contents that the vectors follow from."""
    key = fingerprint(_digest_of(checkpoint), digest_of(cells), special, *options)
    return output.with_name(f".{output.name}.{key}.parts")


def _digest_of(checkpoint: Path) -> str:
    """SHA-256 of a network: an ``.onnx`` file, or what a folder says of shape and weights."""
    from gst_core.geneformer import weights

    if checkpoint.is_dir():
        parts = (checkpoint / "config.json", weights.weight_file(checkpoint))
        return "".join(map(weights.fingerprint, parts))
    return weights.fingerprint(checkpoint)


def digest_of(cells: Cells) -> str:
    """SHA-256 of all tokens of all cells, in their order."""
    digest = hashlib.sha256(np.ascontiguousarray(cells.lengths, np.int64).tobytes())
    for cell in range(len(cells)):
        digest.update(np.ascontiguousarray(cells[cell], np.int32).tobytes())
    return digest.hexdigest()


def _write_parquet(
    output: Path, vectors: NDArray[np.float32], others: dict[str, NDArray[Any]]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {str(i): pa.array(vectors[:, i]) for i in range(vectors.shape[1])}
    clash = sorted(set(columns) & set(others))
    if clash:
        raise GstError(
            f"a column of the cells is named {clash[0]}, as one of the embedding",
            where=str(output),
            hint="rename it",
        )
    columns |= {name: pa.array(values, from_pandas=True) for name, values in others.items()}
    with atomic_write(output, "wb") as file:
        pq.write_table(pa.table(columns), file, compression="zstd")


def _obs_columns(obs: pd.DataFrame) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {"obs_names": obs.index.astype(str).to_numpy(dtype=object)}
    for name in obs.columns:
        values = obs[name]
        plain = values.dtype.kind in "iufb"
        columns[str(name)] = values.to_numpy() if plain else values.astype(str).to_numpy(object)
    return columns


def _cells_alone(columns: dict[str, NDArray[Any]]) -> Any:
    """Make an AnnData without genes of a dataset's columns."""
    import anndata
    import pandas as pd

    obs = pd.DataFrame(columns)
    names = obs.pop("obs_names") if "obs_names" in obs else pd.Series(range(len(obs)))
    obs.index = pd.Index(names.astype(str))
    for name in obs.columns:
        if obs[name].dtype == object and obs[name].isna().any():
            # HDF5 has no gaps in text: as categories they are written, a column of gaps too
            text = obs[name].map(str, na_action="ignore")
            obs[name] = pd.Categorical(text, pd.Index(sorted(set(text.dropna())), dtype=str))
    return anndata.AnnData(obs=obs)


def _write_h5ad(output: Path, adata: Any, vectors: NDArray[np.float32]) -> None:
    adata.obsm[OBSM_KEY] = vectors
    temporary = output.with_name(f".{output.name}.tmp.h5ad")
    try:
        adata.write_h5ad(temporary)
        temporary.replace(output)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise GstError(
            f"the cells' own columns cannot be written to .h5ad: {str(error).splitlines()[-1]}",
            where=str(output),
            hint="leave the column out, or write a .parquet",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
