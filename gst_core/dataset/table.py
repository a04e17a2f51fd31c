"""The table of a dataset: Parquet, a row a protein, written and read in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gst_core.dataset.entry import Entry
from gst_core.errors import GstError
from gst_core.files import atomic_write

TABLE: Final = "proteins.parquet"
MANIFEST: Final = "manifest.json"

#: The columns; ``docs/dataset.md`` says what each holds.
SCHEMA: Final = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=False) for name in ("stable_id", "gene")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("transcript", "symbol")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("label", "description")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("source", "accession")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("database", "species")),
        pa.field("taxon_id", pa.int32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in ("genus", "clade", "sequence")),
    ]
)
#: Rows of a group: what memory holds of a dataset while it is written or read.
GROUP: Final = 20_000
_MAGIC: Final = b"PAR1"


def row_of(entry: Entry) -> dict[str, Any]:
    """Give the values of an entry by column."""
    row = {name: getattr(entry, name, "") for name in SCHEMA.names}
    return row | {"genus": entry.taxon.genus or "", "clade": entry.taxon.clade or ""}


class TableWriter:
    """A Parquet file that appears when it is whole.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._file = atomic_write(path, "wb")
        self._rows: list[dict[str, Any]] = []
        self.rows = 0

    def __enter__(self) -> TableWriter:
        self._writer = pq.ParquetWriter(self._file.__enter__(), SCHEMA, compression="zstd")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except BaseException as failed:
            self._file.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._file.__exit__(kind, error, trace)

    def add(self, entry: Entry) -> None:
        """Append a protein."""
        self.add_row(row_of(entry))

    def add_row(self, row: dict[str, Any]) -> None:
        """Append a row, by column."""
        self._rows.append(row)
        self.rows += 1
        if len(self._rows) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows = []


def is_table(path: Path) -> bool:
    """Whether a file is Parquet, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(4) == _MAGIC
    except OSError:
        return False


def table_of(dataset: Path) -> Path:
    """Give the table of a dataset, which is a folder or the table itself.

    Raises
    ------
    GstError
        If the folder holds none, or no manifest: what made it did not end.
    """
    if not dataset.is_dir():
        return dataset
    if not (dataset / MANIFEST).is_file() or not (dataset / TABLE).is_file():
        raise GstError(
            f"is no whole dataset: it has no {MANIFEST} or no {TABLE}",
            where=str(dataset),
            hint="run the command that makes it again; gst dataset goes on where it was stopped",
        )
    return dataset / TABLE


def read_rows(path: Path, columns: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """Read the rows of a table, a group at a time.

    Parameters
    ----------
    path
        The Parquet file.
    columns
        Those to read; all by default.

    Raises
    ------
    GstError
        If the file is damaged, or not a table of proteins.
    """
    wanted = list(columns) if columns is not None else SCHEMA.names
    try:
        with pq.ParquetFile(path) as file:
            there = set(file.schema_arrow.names)
            if missing := [name for name in wanted if name not in there]:
                raise GstError(
                    f"is not a table of proteins: it has no column '{missing[0]}'",
                    where=str(path),
                    hint="gst dataset makes such tables",
                )
            for batch in file.iter_batches(batch_size=GROUP, columns=wanted):
                yield from batch.to_pylist()
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as error:
        raise GstError(
            f"cannot be read as Parquet: {error}",
            where=str(path),
            hint="make or copy it again",
        ) from error
