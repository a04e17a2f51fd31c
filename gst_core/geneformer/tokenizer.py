"""Rank value encoding: each cell as its genes, the most telling first.

A gene's value is its count, divided by the cell's total and by the gene's median over the
pretraining corpus (Theodoris et al., Nature 2023): what is high everywhere ranks low. Within a
cell the total divides all alike, so that ranks are those of count / median. Genes of equal value
stand in the order of their tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.resources import TARGET_SUM, Resources

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Strings = NDArray[np.str_]

#: Columns of `var` that may have the genes' ids, the likeliest first; the reference knows the
#: first alone.
ID_COLUMNS: Final = (
    "ensembl_id",
    "gene_ids",
    "gene_id",
    "feature_id",
    "ensembl",
    "Accession",
    "gene_symbols",
    "gene_symbol",
    "gene_name",
    "gene_names",
    "feature_name",
    "Gene",
)
#: Name of the index, as `--gene_column` takes it.
INDEX: Final = "index"


@dataclass
class TokenStatistics:
    """Counts of what was tokenised.

    Attributes
    ----------
    cells, empty, cut
        All cells; those without any gene of the vocabulary; those longer than the limit.
    tokens
        Of all cells.
    umis, mapped_umis
        Sums of counts, and of those of genes with a token.
    """

    cells: int = 0
    empty: int = 0
    cut: int = 0
    tokens: int = 0
    umis: float = 0.0
    mapped_umis: float = 0.0


def gene_column(var: pd.DataFrame, resources: Resources, name: str | None = None) -> str:
    """Find the column of `var` that leads to most genes with a token.

    Parameters
    ----------
    var
        A row a gene.
    resources
        The dictionary.
    name
        A column to take, or ``index``.

    Returns
    -------
    column
        Its name; ``index`` is the index. Of several that lead equally far, the first of
        :data:`ID_COLUMNS`, then the index.

    Raises
    ------
    GstError
        If there is no such column.
    """
    if name is not None:
        if name != INDEX and name not in var.columns:
            raise GstError(
                f"has no column '{name}' of genes",
                where="var",
                hint=f"it has: {', '.join([INDEX, *map(str, var.columns)])}",
            )
        return name
    if "ensembl_id" in var.columns:
        return "ensembl_id"
    candidates = [column for column in ID_COLUMNS if column in var.columns] + [INDEX]
    found = {c: int((resources.index_of(gene_names(var, c)) >= 0).sum()) for c in candidates}
    return max(candidates, key=lambda column: found[column])


def gene_names(var: pd.DataFrame, column: str) -> Strings:
    """Genes' names of a column of `var`, or of its index, as text."""
    values = var.index if column == INDEX else var[column]
    return np.array(["" if v is None or v != v else str(v) for v in values.to_list()], "U")


@dataclass
class Tokenizer:
    """Counts to tokens.

    Parameters
    ----------
    resources
        The dictionary, which decides on model version, special tokens and length.
    genes
        Name of each column of the counts: Ensembl ids, with version or without, symbols, aliases.
        Columns that lead to one gene are summed.
    max_length
        Tokens of a cell at most, special ones included; the model's without it.
    whole
        The first cells hold whole numbers, and so must the others: files are put together of
        parts that were not treated alike.
    """

    resources: Resources
    genes: Sequence[str] | Strings
    max_length: int | None = None
    whole: bool = False
    statistics: TokenStatistics = field(default_factory=TokenStatistics)

    def __post_init__(self) -> None:
        resources = self.resources
        self._positions = resources.index_of(self.genes)
        mapped = np.flatnonzero(self._positions >= 0)
        # A product with it brings columns to genes, and sums those of one gene.
        self._genes = sp.csr_matrix(
            (np.ones(len(mapped)), (mapped, self._positions[mapped])),
            shape=(len(self._positions), len(resources.gene_ids)),
        )
        self._limit = min(self.max_length or resources.max_length, resources.max_length)
        self._special = resources.special_tokens
        if self._limit <= len(self._special):
            raise GstError(f"a cell of {self._limit} tokens has no room for a gene")

    @property
    def mapped(self) -> int:
        """Number of columns that lead to a gene with a token."""
        return int((self._positions >= 0).sum())

    def values(self, counts: csr_matrix) -> csr_matrix:
        """Weigh counts by the genes' medians.

        Parameters
        ----------
        counts
            ``(cells, len(genes))``, raw.

        Returns
        -------
        values
            ``(cells, genes of the vocabulary)``: count / total x 10,000 / median, without
            zeros; the columns of a row are in no order.
        """
        counts = sp.csr_matrix(counts, dtype=np.float64)
        self._check(counts.data)
        values = counts @ self._genes
        values.eliminate_zeros()
        totals = np.asarray(counts.sum(1)).ravel()
        self.statistics.umis += float(totals.sum())
        self.statistics.mapped_umis += float(values.data.sum())
        values.data /= self.resources.medians[values.indices]
        values.data *= np.repeat(TARGET_SUM / np.maximum(totals, 1e-300), np.diff(values.indptr))
        return values

    def tokenize(self, counts: csr_matrix) -> Tokens:
        """Encode cells.

        Parameters
        ----------
        counts
            ``(cells, len(genes))``, raw.

        Returns
        -------
        tokens
            A cell without a gene of the vocabulary has its special tokens alone.

        Raises
        ------
        GstError
            If counts are negative or not finite.
        """
        values = self.values(counts)
        room = self._limit - len(self._special)
        found = np.diff(values.indptr)
        kept = np.minimum(found, room)
        lengths = kept + len(self._special)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        tokens = np.empty(int(offsets[-1]), np.int32)
        first = 0
        if self.resources.cls_token is not None:
            tokens[offsets[:-1]] = self.resources.cls_token
            first = 1
        if self.resources.eos_token is not None:
            tokens[offsets[1:] - 1] = self.resources.eos_token
        vocabulary, pointers, data = self.resources.token_ids, values.indptr, -values.data
        for cell in range(len(found)):
            start, stop = pointers[cell], pointers[cell + 1]
            genes = values.indices[start:stop]
            ranked = _ranked(data[start:stop], genes)[: kept[cell]]
            begin = offsets[cell] + first
            tokens[begin : begin + kept[cell]] = vocabulary[ranked]
        statistics = self.statistics
        statistics.cells += len(found)
        statistics.empty += int((found == 0).sum())
        statistics.cut += int((found > room).sum())
        statistics.tokens += len(tokens)
        return Tokens(tokens, offsets)

    def _check(self, data: NDArray[Any]) -> None:
        if len(data) and not (np.isfinite(data.min()) and data.min() >= 0 and data.max() < np.inf):
            raise GstError(
                "counts that are negative or not finite: these are not raw counts",
                hint="run geneformer check; raw counts may be in another --layer",
            )
        if self.whole and (data != np.rint(data)).any():
            raise GstError(
                "some cells hold fractions where the first hold whole numbers: not all of these "
                "are raw counts",
                hint="put the file together of raw counts alone",
            )


def _ranked(keys: NDArray[np.float64], genes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sort genes by rising keys; those of equal keys by their number.

    A stable sort of sorted genes gives the same and takes three times as long.
    """
    order = np.argsort(keys)
    ranked, keys = genes[order], keys[order]
    equal = keys[1:] == keys[:-1]
    if equal.any():
        tied = np.zeros(len(keys), dtype=np.bool_)
        tied[1:] |= equal
        tied[:-1] |= equal
        places = np.flatnonzero(tied)
        ranked[places] = ranked[places][np.lexsort((ranked[places], keys[places]))]
    return ranked
