"""Cells as a classifier wants them: tokens, what is known of each, and the plain counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.counts import of_anndata
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.embedding_files import open_cells
from gst_core.geneformer.masking import cut
from gst_core.geneformer.tokenizing import prepare

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

#: What a column holds where nothing is known of a cell.
_UNKNOWN: Final = frozenset(("", "nan", "None", "NaN", "<NA>"))


class CutCells:
    """Cells that are shortened to a network's positions when they are read.

    Parameters
    ----------
    cells
        Tokens.
    positions
        Tokens of a cell at most.
    eos
        Token that ends cells, where there is one.
    """

    def __init__(self, cells: Cells, positions: int, eos: int | None) -> None:
        self._cells, self._positions, self._eos = cells, positions, eos
        self.lengths: NDArray[np.int64] = np.minimum(cells.lengths, positions)

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, cell: int) -> NDArray[np.int64]:
        """Tokens of a cell."""
        return cut(self._cells[cell], self._positions, self._eos)


@dataclass(frozen=True, slots=True)
class LabelledCells:
    """Cells of a file, all of them, in their order.

    Attributes
    ----------
    path
        The file.
    tokens
        Cut to the network's positions.
    obs
        What is known of the cells, a row each, indexed by their names.
    readable
        ``(cells,)``: whether a cell has a gene of the vocabulary.
    expression
        ``(cells, vocabulary)`` for plain methods: logarithms of counts, or what ranks give. They
        read the genes that the network reads.
    measure
        What it holds: ``counts`` or, where a dataset has no counts, ``ranks``.
    shortened
        Number of cells with more tokens than the network has positions.
    """

    path: Path
    tokens: CutCells
    obs: pd.DataFrame
    readable: NDArray[np.bool_]
    expression: csr_matrix
    measure: str
    shortened: int

    def column(self, name: str, option: str) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
        """Give a column as text, and where it is known.

        Raises
        ------
        GstError
            If there is none.
        """
        if name not in self.obs.columns:
            there = ", ".join(map(str, self.obs.columns[:20])) or "none"
            raise GstError(
                f"{option} {name}: the cells have no such column",
                where=str(self.path),
                hint=f"they have: {there}"
                + (
                    ""
                    if self.measure == "counts"
                    else "; see geneformer tokenize --custom_attribute"
                ),
            )
        values = self.obs[name].astype(object).to_numpy()
        text = np.array(["" if value is None else str(value) for value in values], dtype=str)
        return text, ~np.isin(text, list(_UNKNOWN))

    def only(self, filters: Mapping[str, Sequence[str]]) -> LabelledCells:
        """Read no cells but those that have one of the values in each column.

        Raises
        ------
        GstError
            If a column is missing, or no cell fits.
        """
        kept = self.readable.copy()
        for name, values in filters.items():
            kept &= np.isin(self.column(name, "--filter")[0], list(values))
        if filters and not kept.any():
            texts = " ".join(f"{name}={','.join(values)}" for name, values in filters.items())
            raise GstError(f"no cell fits --filter {texts}", where=str(self.path))
        return replace(self, readable=kept)

    def donors(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.str_]:
        """Give the column of individuals, which each of some cells must have.

        Raises
        ------
        GstError
            If there is none, or one of these cells has no value.
        """
        text, known = self.column(name, "--donor")
        if not known[rows].all():
            raise GstError(
                f"{(~known[rows]).sum():,} cells with a label have no donor",
                where=f"{self.path}, column {name}",
                hint="fill the column, or leave these cells out",
            )
        return text

    def fingerprint(self) -> str:
        """SHA-256 of all tokens."""
        digest = hashlib.sha256()
        for cell in range(len(self.tokens)):
            digest.update(self.tokens[cell].astype(np.int32).tobytes())
            digest.update(b"|")
        return digest.hexdigest()


def read_labelled_cells(
    model: Geneformer,
    source: Path,
    *,
    counts_layer: str | None = None,
    gene_column: str | None = None,
) -> LabelledCells:
    """Read a dataset of tokens, or counts, which are tokenised.

    Parameters
    ----------
    model
        The network and its dictionary.
    source
        Either of both.
    counts_layer, gene_column
        As for ``geneformer tokenize``.

    Raises
    ------
    GstError
        If it cannot be read, is no raw counts, or does not fit the network.
    """
    cells, adata = open_cells(model, source, counts_layer, gene_column)
    config = model.encoder.config
    if not len(cells):
        raise GstError("has no cells", where=str(source))
    largest = max((int(cells[i].max()) for i in range(len(cells)) if cells.lengths[i]), default=0)
    if largest >= config.vocabulary:
        raise GstError(
            f"token {largest} is none of the network's {config.vocabulary:,}",
            where=str(source),
            hint="tokenize again with the other --model_version",
        )
    tokens = CutCells(cells, config.positions, model.resources.eos_token)
    if isinstance(cells, TokenDataset):
        obs, expression, measure = _columns(cells), ranks(tokens, config.vocabulary), "ranks"
    else:
        obs, measure = adata.obs, "counts"
        expression = log_counts(model, adata, counts_layer, gene_column)
    return LabelledCells(
        source,
        tokens,
        obs,
        np.asarray(tokens.lengths > len(model.special), dtype=np.bool_),
        expression,
        measure,
        int((cells.lengths > config.positions).sum()),
    )


def log_counts(model: Geneformer, adata: Any, layer: str | None, column: str | None) -> csr_matrix:
    """Take the logarithm of one and a cell's counts, brought to a sum of 10,000 in all its genes.

    Returns
    -------
    expression
        ``(cells, vocabulary)``: a gene's column is its token, so that files agree.
    """
    import scipy.sparse as sp

    resources = model.resources
    opened = prepare(of_anndata(adata, layer), resources, column)
    parts = []
    for _, rows in opened.counts.chunks():
        values = opened.tokenizer.values(rows)
        # These are divided by medians, which ranks need and a regression does not.
        logs = np.log1p(values.data * resources.medians[values.indices])
        columns = resources.token_ids[values.indices]
        shape = (values.shape[0], resources.vocabulary_size)
        parts.append(sp.csr_matrix((logs.astype(np.float32), columns, values.indptr), shape=shape))
    return sp.csr_matrix(sp.vstack(parts))


def ranks(cells: CutCells, vocabulary: int) -> csr_matrix:
    """Take what is left of counts in tokens: 1 for the first gene, falling to 0 after the last.

    Returns
    -------
    expression
        ``(cells, vocabulary)``.
    """
    import scipy.sparse as sp

    lengths = cells.lengths
    values = [1 - np.arange(n, dtype=np.float32) / max(1, n) for n in lengths]
    return sp.csr_matrix(
        (
            np.concatenate([np.empty(0, np.float32), *values]),
            np.concatenate([np.empty(0, np.int64), *(cells[i] for i in range(len(cells)))]),
            np.concatenate([[0], np.cumsum(lengths)]),
        ),
        shape=(len(cells), vocabulary),
    )


def _columns(cells: TokenDataset) -> pd.DataFrame:
    import pandas as pd

    numbers = pd.RangeIndex(len(cells))
    columns = {name: cells.column(name) for name in cells.columns if name != "length"}
    obs = pd.DataFrame(columns, index=numbers)
    if "obs_names" in obs:
        return obs.set_index(pd.Index(obs.pop("obs_names").astype(str)))
    return obs.set_index(numbers.astype(str))
