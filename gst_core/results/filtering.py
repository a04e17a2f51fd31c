"""Filter a finished result table, or add gene descriptions to it, in the original's formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gst_core.files import atomic_write
from gst_core.results.table import COLUMNS, DECIMALS, Row, format_line, read_table
from gst_core.vocabulary import looks_like_date

#: The columns of a table with gene descriptions.
DESCRIPTION_COLUMNS = (*COLUMNS[:2], "gene_description", *COLUMNS[2:])


@dataclass(frozen=True, slots=True)
class FilterCount:
    """What went through.

    Attributes
    ----------
    read, kept
        Rows read, and those of them that were written.
    dates
        Symbols among those that look like dates, as spreadsheets make them of ``SEPT2``.
    first_date
        The first of them, with its line.
    """

    read: int = 0
    kept: int = 0
    dates: int = 0
    first_date: str = ""


class _Counter:
    """Counts rows as they pass."""

    def __init__(self, table: Path, threshold: float) -> None:
        self._table = table
        self._threshold = threshold
        self._read = self._kept = self._dates = 0
        self._first_date = ""

    def rows(self) -> Iterator[Row]:
        """Give the rows that are kept."""
        for row in read_table(self._table):
            self._read += 1
            if row.probability < self._threshold:
                continue
            self._kept += 1
            if looks_like_date(row.symbol):
                self._dates += 1
                self._first_date = self._first_date or f"'{row.symbol}' in line {row.line}"
            yield row

    @property
    def count(self) -> FilterCount:
        return FilterCount(self._read, self._kept, self._dates, self._first_date)


def beside(table: Path, suffix: str) -> Path:
    """Name an output as the original does: ``<stem>_<suffix>.csv`` beside the table."""
    return table.with_name(f"{table.stem}_{suffix}.csv")


def _round(probability: float) -> float:
    # numpy's rounding, not Python's, decides the last digit of the original's tables.
    return float(np.round(probability, DECIMALS))


def gene_description(description: str, probability: float) -> str:
    """Describe a gene the way Genebuild marks a predicted symbol.

    Parameters
    ----------
    description
        Of the symbol; may be empty.
    probability
        0 to 1. It becomes a percentage of at most two decimals which is printed,
        as by the original, with all digits of a double (``70.02000000000001%``).
    """
    note = f"[Ensembl NN prediction with score {100 * _round(probability)}%]"
    return f"{description} {note}".lstrip()


def _lines(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[str]:
    """Write rows under a header; columns beyond the usual ones follow these."""
    extra: tuple[str, ...] | None = None
    for row in rows:
        if extra is None:
            extra = tuple(row.extra)
            yield format_line([*columns, *extra])
        fields = {
            "stable_id": row.stable_id,
            "symbol": row.symbol,
            "gene_description": gene_description(row.description, row.probability),
            "probability": str(row.probability),
            "description": row.description,
            "source": row.source,
        }
        yield format_line([*(fields[column] for column in columns), *row.extra.values()])
    if extra is None:
        yield format_line(columns)


def filter_table(table: Path, threshold: float, output: Path) -> FilterCount:
    """Keep the assignments of at least a probability.

    The number in the file is compared; what is written is then rounded to four
    decimals, without trailing zeros (``0.95``, ``1.0``). Nothing else is changed:
    a symbol spelt ``NA`` or ``007`` stays as it is.

    Parameters
    ----------
    table
        A result table of ours or of the original.
    threshold
        Lowest probability that is kept, 0 to 1.
    output
        The table to write.

    Raises
    ------
    GstError
        If the table is damaged, or the output cannot be written.
    """
    counter = _Counter(table, threshold)
    rows = (replace(row, probability=_round(row.probability)) for row in counter.rows())
    with atomic_write(output) as file:
        file.writelines(_lines(rows, COLUMNS))
    return counter.count


def describe_table(table: Path, output: Path) -> FilterCount:
    """Add the column ``gene_description``; every row is kept.

    Parameters and errors as for :func:`filter_table`.
    """
    counter = _Counter(table, 0)
    with atomic_write(output) as file:
        file.writelines(_lines(counter.rows(), DESCRIPTION_COLUMNS))
    return counter.count
