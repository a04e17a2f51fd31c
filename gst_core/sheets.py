"""Small tables that people write by hand: manifests, samplesheets.

Spreadsheets write the same table in several ways: with commas, semicolons or tabs between
fields, with a byte order mark, with Windows line ends. All are read. What is wrong is an
error with its line, and says what is there.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gst_core.errors import GstError

_DELIMITERS = "\t;,"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet.

    Attributes
    ----------
    line
        Its first line in the file, from 1.
    cells
        Text by column, without white space around it; empty where the sheet has no such column.
    """

    line: int
    cells: dict[str, str]


def read_sheet(
    path: Path, required: Sequence[str], optional: Sequence[str] = (), *, others: bool = False
) -> list[SheetRow]:
    """Read a table with a header.

    Parameters
    ----------
    path
        Separated by commas, or by semicolons or tabs where the header has any; quoted as in
        RFC 4180. Blank lines are passed over, white space around fields is dropped.
    required, optional
        Names of the columns, as they must be written.
    others
        Pass over further columns, rather than take them for mistakes.

    Raises
    ------
    GstError
        With the line, for what is not as above, a column that is there twice, and a row whose
        number of fields is not the header's.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(file, str(path), required, optional, others))
    except UnicodeDecodeError as error:
        raise GstError(
            "is not UTF-8 text", where=str(path), hint="save it as CSV, UTF-8"
        ) from error
    except OSError as error:
        raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error


def _rows(
    file: TextIO, name: str, required: Sequence[str], optional: Sequence[str], others: bool
) -> Iterator[SheetRow]:
    header, line = "", 0
    while not header.strip() and (text := file.readline()):
        header, line = text, line + 1
    if not header.strip():
        known = ", ".join((*required, *optional))
        raise GstError("is empty", where=name, hint=f"its first line names the columns: {known}")
    delimiter = next((d for d in _DELIMITERS if d in header), ",")
    reader = csv.reader([header], delimiter=delimiter, skipinitialspace=True)
    columns = [column.strip() for column in next(reader, [])]
    _check_header(columns, f"{name}, line {line}", required, optional, others)
    rows = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
    begins = line + 1
    try:
        for fields in rows:
            where = f"{name}, line {begins}"
            cells = [field.strip() for field in fields]
            while len(cells) > len(columns) and not cells[-1]:
                cells.pop()
            if any(cells):
                if len(cells) != len(columns):
                    raise GstError(
                        f"{len(cells)} fields where the header has {len(columns)}",
                        where=where,
                        hint="put a field that holds a separator in double quotes",
                    )
                for column, cell in zip(columns, cells, strict=True):
                    if any(ord(character) < 32 for character in cell):
                        raise GstError(
                            "a control character or line break", where=f"{where}, column {column}"
                        )
                found = dict(zip(columns, cells, strict=True))
                yield SheetRow(begins, {c: found.get(c, "") for c in (*required, *optional)})
            begins = line + rows.line_num + 1
    except csv.Error as error:
        raise GstError(f"broken quoting: {error}", where=f"{name}, line {begins}") from error


def _check_header(
    columns: list[str], where: str, required: Sequence[str], optional: Sequence[str], others: bool
) -> None:
    known = (*required, *optional)
    named = [column for column in columns if column]
    there = f"it has {', '.join(named) or 'none'}; the columns are {', '.join(known)}"
    for column in named:
        if named.count(column) > 1:
            raise GstError(f"the column '{column}' is there twice", where=where)
    for column in named:
        near = _nearest(column, [name for name in known if name not in named])
        if column not in known and (near or not others):
            meant = f"; '{near}' is meant?" if near else ""
            raise GstError(f"'{column}' is no column{meant}", where=where, hint=there)
    for column in required:
        if column not in columns:
            raise GstError(f"no column '{column}'", where=where, hint=there)


def _nearest(column: str, known: Sequence[str]) -> str | None:
    """Name the column that a name is a misspelling of."""
    plain = {name.replace("_", ""): name for name in known}
    written = "".join(filter(str.isalnum, column.lower()))
    near = difflib.get_close_matches(written, plain, n=1, cutoff=0.8)
    return plain[near[0]] if near else None
