"""Two columns of a user's table as a look-up: known symbols, species of genomes."""

from __future__ import annotations

import csv
from pathlib import Path

from gst_core.errors import GstError


def read_lookup(path: str | Path, key: str, value: str) -> dict[str, str]:
    """Read two named columns of a table with a header.

    Parameters
    ----------
    path
        Comma-separated, or tab-separated where the header has a tab.
    key, value
        Names of the columns. Rows without a key are skipped.

    Returns
    -------
    lookup
        Key to value.

    Raises
    ------
    GstError
        If the file cannot be read, lacks a column, has a row of another
        length, or gives one key two values.
    """
    lookup: dict[str, str] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            delimiter = "\t" if "\t" in header else ","
            columns = next(csv.reader([header], delimiter=delimiter), [])
            missing = [name for name in (key, value) if name not in columns]
            if missing:
                raise GstError(
                    f"no column {', '.join(missing)}",
                    where=f"{path}, line 1",
                    hint=f"expected a header with the columns {key} and {value}",
                )
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            for fields in rows:
                # the header line is not in the reader's own count
                where = f"{path}, line {rows.line_num + 1}"
                if fields and len(fields) != len(columns):
                    raise GstError(
                        f"{len(fields)} fields where the header has {len(columns)}", where=where
                    )
                row = dict(zip(columns, fields, strict=False))
                if not row.get(key):
                    continue
                if lookup.setdefault(row[key], row[value]) != row[value]:
                    raise GstError(
                        f"{key} '{row[key]}' has two values of {value}: "
                        f"'{lookup[row[key]]}' and '{row[value]}'",
                        where=where,
                        hint="keep one of the two rows",
                    )
    except OSError as error:
        raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise GstError(f"is no table of text: {error}", where=str(path)) from error
    return lookup
