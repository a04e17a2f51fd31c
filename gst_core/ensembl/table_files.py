"""Makes a core database from a folder of table files, as Ensembl publishes them.

Such a folder holds one tab-separated ``<table>.txt`` a table, written by
``mysqldump --tab``, and an SQL file with the tables' definitions.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    column,
    insert,
    inspect,
    select,
    table,
)

from gst_core.ensembl import schema
from gst_core.errors import GstError

#: rows, and characters, sent at a time
_ROWS, _CHARACTERS = 500, 4_000_000
_DEFINITION = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?`?(\w+)`?\s*\((.*?)\n\)", re.DOTALL)
_COLUMN = re.compile(
    r"^\s+`?(?!(?:PRIMARY|UNIQUE|KEY|INDEX|FULLTEXT|CONSTRAINT)\b)(\w+)`?\s+\w", re.M
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_FIELD = re.compile(r"((?:[^\\\t]|\\.)*)\t", re.DOTALL)

Row = list[str | None]


def create_database(
    engine: Engine,
    folder: Path,
    external_db: Path | None = None,
    progress: Callable[[str, int], None] = lambda table, rows: None,
) -> None:
    """Create the schema and fill it.

    Parameters
    ----------
    engine
        An empty database.
    folder
        The table files, plain or gzipped.
    external_db
        Table file of ``external_db`` to add those sources from that `folder`
        does not have.
    progress
        Called with each table's name and number of rows once it is filled.

    Raises
    ------
    GstError
        If the database has tables already, the folder holds no table file, or a
        line does not have the table's number of columns.
    """
    files = _table_files(folder)
    order = _column_orders(folder)
    if present := inspect(engine).get_table_names():
        raise GstError(
            f"the database has tables already ({present[0]}, ...)", hint="name an empty one"
        )
    tables = schema.creatable_tables()
    try:
        tables.create_all(engine)
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                # As LOAD DATA does it: old databases hold dates that strict mode refuses.
                connection.exec_driver_sql("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
            for name, path in files.items():
                progress(name, _fill(connection, tables, name, path, order.get(name)))
            if external_db is not None:
                progress("external_db", _add_sources(connection, external_db))
    except BaseException:
        tables.drop_all(engine)
        raise


def _table_files(folder: Path) -> dict[str, Path]:
    paths = sorted([*folder.glob("*.txt"), *folder.glob("*.txt.gz")])
    files = {path.name.partition(".")[0]: path for path in paths}
    files = {name: path for name, path in files.items() if name in schema.TABLES}
    if "gene" not in files:
        raise GstError(
            "holds no gene.txt",
            where=str(folder),
            hint="name a folder with the table files of a core database",
        )
    return files


def _column_orders(folder: Path) -> dict[str, list[str]]:
    """Read the columns' order from the SQL beside the table files: schemas differ in it."""
    orders: dict[str, list[str]] = {}
    for path in sorted([*folder.glob("*.sql"), *folder.glob("*.sql.gz")]):
        with _open(path) as file:
            text = file.read().decode("utf-8", errors="replace")
        for match in _DEFINITION.finditer(text):
            orders[match.group(1)] = _COLUMN.findall(match.group(2))
    return orders


def _fill(
    connection: Connection, tables: MetaData, name: str, path: Path, order: list[str] | None
) -> int:
    columns = order or [column.name for column in tables.tables[name].columns]
    unknown = set(columns) - set(tables.tables[name].columns.keys())
    if unknown:
        raise GstError(
            f"the column {sorted(unknown)[0]} is not in the core schema",
            where=str(path),
            hint="use a dump of a current schema",
        )
    return _insert(connection, name, columns, _read_rows(path, len(columns)))


def _insert(connection: Connection, name: str, columns: list[str], rows: Iterable[Row]) -> int:
    # Without the models' types: the files hold what the database itself wrote.
    statement = insert(table(name, *map(column, columns)))
    count = 0
    some: list[dict[str, str | None]] = []
    characters = 0
    most = _most_characters(connection)
    for row in rows:
        length = sum(len(value or "") for value in row)
        # Before it is added: a packet holds what was gathered, or a single long row.
        if some and (len(some) == _ROWS or characters + length > most):
            connection.execute(statement, some)
            some, characters = [], 0
        some.append(dict(zip(columns, row, strict=True)))
        characters += length
        count += 1
    if some:
        connection.execute(statement, some)
    return count


def _most_characters(connection: Connection) -> int:
    """How much to send at a time: a quarter of what the server takes, for quotes and UTF-8."""
    if connection.dialect.name == "sqlite":
        return _CHARACTERS
    packet = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
    return min(_CHARACTERS, int(packet) // 4)


def _add_sources(connection: Connection, path: Path) -> int:
    """Add the external databases that are lacking, under a new number where theirs is taken."""
    sources = schema.external_db
    names = [c.name for c in sources.columns]
    present = set(connection.scalars(select(sources.c.db_name)))
    taken = set(connection.scalars(select(sources.c.external_db_id)))
    rows = [row for row in _read_rows(path, len(names)) if row[1] not in present]
    numbers = {int(row[0]) for row in rows if row[0]}
    free = max(taken | numbers, default=0)
    for row in rows:
        if int(row[0] or 0) in taken:
            free += 1
            row[0] = str(free)
    return _insert(connection, sources.name, names, rows)


def _read_rows(path: Path, columns: int) -> Iterator[Row]:
    with _open(path) as file:
        for number, line in _logical_lines(file):
            row = _split(line)
            if len(row) != columns:
                raise GstError(
                    f"has {len(row)} columns, the table has {columns}",
                    where=f"{path}, line {number}",
                    hint="put the table.sql that belongs to the files beside them",
                )
            yield row


def _logical_lines(file: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Yield (number, text) of each row; a line break within a value has a backslash before it."""
    pending, first = b"", 0
    for number, line in enumerate(file, start=1):
        first = first if pending else number
        pending += line
        body = pending.rstrip(b"\n")
        if line.endswith(b"\n") and (len(body) - len(body.rstrip(b"\\"))) % 2:
            continue
        yield first, _decode(body)
        pending = b""
    if pending:
        yield first, _decode(pending)


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _split(line: str) -> Row:
    if "\\" not in line:
        return list(line.split("\t"))
    fields = _FIELD.findall(f"{line}\t")
    return [None if field == r"\N" else _ESCAPED.sub(_unescape, field) for field in fields]


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match.group(1), match.group(1))


def _open(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")
