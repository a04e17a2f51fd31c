"""Filter a finished result table, or add gene descriptions to it, in the original's formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gst_core.files import atomic_write
from gst_core.results.table import COLUMNS, DECIMALS, Row, format_line, read_table

#: The columns of a table with gene descriptions.
DESCRIPTION_COLUMNS = (*COLUMNS[:2], "gene_description", *COLUMNS[2:])


@dataclass(frozen=True, slots=True)
class FilterCount:
    """How many rows were read, and how many of them were written."""

    read: int
    kept: int


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
    read = kept = 0

    def passing() -> Iterator[Row]:
        nonlocal read, kept
        for row in read_table(table):
            read += 1
            if row.probability >= threshold:
                kept += 1
                yield replace(row, probability=_round(row.probability))

    with atomic_write(output) as file:
        file.writelines(_lines(passing(), COLUMNS))
    return FilterCount(read, kept)


def describe_table(table: Path, output: Path) -> FilterCount:
    """Add the column ``gene_description``; every row is kept.

    Parameters and errors as for :func:`filter_table`.
    """
    rows = 0

    def counted() -> Iterator[Row]:
        nonlocal rows
        for row in read_table(table):
            rows += 1
            yield row

    with atomic_write(output) as file:
        file.writelines(_lines(counted(), DESCRIPTION_COLUMNS))
    return FilterCount(rows, rows)
