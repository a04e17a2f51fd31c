"""Cells as a classifier wants them: tokens, what is known of each, and the plain counts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.embedding import Cells
from gst_core.geneformer.embedding_files import open_cells
from gst_core.geneformer.masking import cut

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

#: What a column holds where nothing is known of a cell.
_UNKNOWN: Final = frozenset(("", "nan", "None", "NaN", "<NA>"))
#: Counts of a cell are brought to this sum before their logarithm is taken.
_TARGET_SUM: Final = 1e4


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
        ``(cells, genes)`` for plain methods: logarithms of counts, or what ranks give.
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
        obs, expression, measure = _columns(cells), _ranks(tokens, config.vocabulary), "ranks"
    else:
        obs, measure = adata.obs, "counts"
        expression = log_counts(adata, counts_layer)
    return LabelledCells(
        source,
        tokens,
        obs,
        np.asarray(tokens.lengths > len(model.special), dtype=np.bool_),
        expression,
        measure,
        int((cells.lengths > config.positions).sum()),
    )


def log_counts(adata: Any, layer: str | None = None) -> csr_matrix:
    """Logarithm of one and the counts of each cell, brought to a sum of 10,000."""
    import scipy.sparse as sp

    from gst_core.geneformer.counts import of_anndata

    rows = [chunk for _, chunk in of_anndata(adata, layer).chunks()]
    matrix = sp.csr_matrix(sp.vstack(rows), dtype=np.float32)
    sums = np.asarray(matrix.sum(1)).ravel()
    factors = np.divide(_TARGET_SUM, sums, out=np.zeros_like(sums), where=sums > 0)
    return sp.csr_matrix((sp.diags_array(factors.astype(np.float32)) @ matrix).log1p())


def _ranks(cells: CutCells, vocabulary: int) -> csr_matrix:
    """Take what is left of counts in tokens: 1 for the first gene, falling to 0 after the last."""
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

    obs = pd.DataFrame({name: cells.column(name) for name in cells.columns if name != "length"})
    if "obs_names" in obs:
        return obs.set_index(pd.Index(obs.pop("obs_names").astype(str)))
    return obs.set_index(pd.Index([str(number) for number in range(len(cells))]))
