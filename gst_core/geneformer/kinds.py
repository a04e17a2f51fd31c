"""What the numbers of a matrix are: raw counts, or what somebody made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gst_core.errors import GstError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from gst_core.geneformer.counts import Counts

Kind = Literal["counts", "fractional counts", "normalised", "log-normalised", "scaled", "empty"]

#: Kinds that tokenising takes; fractions are what RSEM, salmon or SoupX estimate.
USABLE: Final = frozenset(("counts", "fractional counts"))
#: Cells that are looked at.
SAMPLE: Final = 2048
#: Sums of cells are taken for equal within this share.
_EQUAL: Final = 1e-3
#: A logarithm of counts is never as large: exp(25) is 7e10.
_LARGEST_LOG: Final = 25.0


@dataclass(frozen=True, slots=True)
class Matrix:
    """What a sample of cells says of a matrix.

    Attributes
    ----------
    kind
        One of :data:`Kind`.
    reason
        One sentence on how it was told.
    """

    kind: Kind
    reason: str

    @property
    def usable(self) -> bool:
        """Whether ranks of it mean what Geneformer's do."""
        return self.kind in USABLE


def require_raw(counts: Counts) -> Matrix:
    """Make sure that counts are raw.

    Parameters
    ----------
    counts
        A file, or AnnData, that was opened.

    Returns
    -------
    matrix
        What a sample of its cells says.

    Raises
    ------
    GstError
        If it has neither cells nor genes, or other values, with where raw counts may be.
    """
    where = str(counts.path)
    if not counts.n_cells or not counts.n_genes:
        raise GstError("has no cells" if not counts.n_cells else "has no genes", where=where)
    matrix = kind_of(next(counts.chunks(SAMPLE))[1])
    if not matrix.usable:
        others = ", ".join(counts.others)
        raise GstError(
            f"{counts.layer} holds no raw counts: {matrix.reason} ({matrix.kind})",
            where=where,
            hint=f"give raw counts; other matrices here: {others} (--layer)"
            if others
            else "give the file with raw counts",
        )
    return matrix


def kind_of(counts: csr_matrix) -> Matrix:
    """Tell what a sample of cells holds.

    Parameters
    ----------
    counts
        ``(cells, genes)``.
    """
    data = np.asarray(counts.data, dtype=np.float64)
    data = data[data != 0]
    if not len(data):
        return Matrix("empty", "all values are zero")
    if not np.isfinite(data).all():
        return Matrix("scaled", "some values are not finite")
    if data.min() < 0:
        return Matrix("scaled", f"some values are negative, down to {data.min():.4g}")
    whole = float((data == np.rint(data)).mean())
    if whole == 1:
        return Matrix("counts", f"all values are whole numbers, up to {data.max():,.0f}")
    sums = np.asarray(counts.sum(1), dtype=np.float64).ravel()
    if _equal(sums[sums > 0]):
        total = float(np.median(sums[sums > 0]))
        return Matrix("normalised", f"the values of each cell sum to {total:,.0f}")
    if data.max() < _LARGEST_LOG:
        natural = counts.astype(np.float64).copy()
        natural.data = np.expm1(natural.data)
        back = np.asarray(natural.sum(1)).ravel()
        if _equal(back[back > 0]):
            total = float(np.median(back[back > 0]))
            return Matrix("log-normalised", f"log(1 + x) of cells that sum to {total:,.0f}")
        if whole < 0.05:
            return Matrix(
                "log-normalised", f"no whole numbers, and none above {data.max():.3g}: a logarithm"
            )
    return Matrix(
        "fractional counts", f"{1 - whole:.0%} of the values are fractions, up to {data.max():,.1f}"
    )


def _equal(sums: np.ndarray) -> bool:
    return len(sums) > 2 and float(np.ptp(sums)) <= _EQUAL * float(np.median(sums))
