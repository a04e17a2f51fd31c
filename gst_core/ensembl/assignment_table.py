"""Reads a table of assigned symbols, trusting nothing in it."""

from __future__ import annotations

import csv
import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from gst_core.errors import GstError
from gst_core.vocabulary import looks_like_date

COLUMNS = ("stable_id", "symbol", "probability", "description", "source")


@dataclass(frozen=True, slots=True)
class AssignedSymbol:
    """A row of the table.

    Attributes
    ----------
    line
        Its line in the file, for messages.
    stable_id
        Stable id of a gene, with or without version.
    symbol, probability, description, source
        As the table has them; description and source may be empty, and so is
        the symbol of a protein without residues, whose probability is 0.
    accession
        The symbol's accession at its source, where the table has a column of
        that name.
    """

    line: int
    stable_id: str
    symbol: str
    probability: float
    description: str
    source: str
    accession: str = ""


def read_assignments(file: IO[str], name: str) -> Iterator[AssignedSymbol]:
    """Read a result table: tab-separated, fields quoted as ``csv`` quotes them.

    Parameters
    ----------
    file
        Text, opened without newline translation.
    name
        Its name in messages.

    Yields
    ------
    row
        The rows in the file's order.

    Raises
    ------
    GstError
        If the header, a number of fields, a probability or the end of the file
        is not that of a whole table, if a text holds a control character, or if a
        symbol has become a date, naming the line.
    """
    reader = csv.reader(_whole_lines(file, name), delimiter="\t", strict=True)
    try:
        header = next(reader, [])
        if tuple(header[:5]) != COLUMNS:
            raise GstError(
                "does not begin with the header of a table of symbols",
                where=name,
                hint=f"the first columns are {', '.join(COLUMNS)}, separated by tabs",
            )
        extra = header.index("accession") if "accession" in header else None
        for fields in reader:
            where = f"{name}, line {reader.line_num}"
            if len(fields) != len(header):
                raise GstError(
                    f"has {len(fields)} fields, the header has {len(header)}",
                    where=where,
                    hint="write the table again; it may have been cut short",
                )
            probability = _probability(fields[2], where)
            yield AssignedSymbol(
                reader.line_num,
                _present(fields[0], "stable id", where),
                _symbol(fields[1], where) if fields[1] or probability else "",
                probability,
                _plain(fields[3], "description", where),
                _plain(fields[4], "source", where),
                _plain(fields[extra], "accession", where).strip() if extra is not None else "",
            )
    except csv.Error as error:
        raise GstError(
            f"cannot be read: {error}",
            where=f"{name}, line {reader.line_num}",
            hint="write the table again; it may have been cut short",
        ) from error
    except UnicodeDecodeError as error:
        raise GstError("is not UTF-8 text", where=name, hint="convert it") from error


def _whole_lines(lines: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.endswith(("\n", "\r")):
            raise GstError(
                "the last line has no end",
                where=f"{name}, line {number}",
                hint="the table was cut short; write it again",
            )
        yield line


def _present(text: str, what: str, where: str) -> str:
    text = text.strip()
    if not text:
        raise GstError(f"the {what} is empty", where=where, hint="mend the line or take it out")
    return _plain(text, what, where)


def _symbol(text: str, where: str) -> str:
    symbol = _present(text, "symbol", where)
    if looks_like_date(symbol):
        raise GstError(
            f"the symbol '{symbol}' is a date, as spreadsheets make of SEPT2 and MARCH1",
            where=where,
            hint="take the table as gst_assign wrote it",
        )
    return symbol


def _plain(text: str, what: str, where: str) -> str:
    """Refuse what would steer a terminal or end a line wherever the text is shown."""
    # Characters of the category Zs, as the no-break space, are not printable but harmless.
    if not all(c.isprintable() or unicodedata.category(c) == "Zs" for c in text):
        raise GstError(
            f"the {what} {text!a} holds a control character",
            where=where,
            hint="mend the line or take it out",
        )
    return text


def _probability(text: str, where: str) -> float:
    try:
        probability = float(text)
    except ValueError:
        probability = math.nan
    if not 0 <= probability <= 1:
        raise GstError(
            f"'{text[:40]}' is not a probability", where=where, hint="it lies between 0 and 1"
        )
    return probability
