"""Tokenised cells on disk: Hugging Face datasets and Parquet, without the ``datasets`` package.

A dataset is a folder as ``Dataset.save_to_disk`` writes it (Arrow streams,
``dataset_info.json``, ``state.json``), or one ``.parquet`` file. Columns:
``input_ids`` (a list of tokens a cell), ``length``, and the cells' attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gst_core.errors import GstError

#: Column of the tokens.
INPUT_IDS = "input_ids"
_HDF5_MAGIC: Final = b"\x89HDF"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of some cells, one behind the other.

    Attributes
    ----------
    values
        Tokens, int32, shape ``(sum of lengths,)``.
    offsets
        Where each cell begins, and where the last ends; int64, shape ``(cells + 1,)``.
    """

    values: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, cell: int) -> NDArray[np.int32]:
        """Tokens of one cell."""
        return self.values[self.offsets[cell] : self.offsets[cell + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each cell, shape ``(cells,)``."""
        return np.diff(self.offsets)

    def selected(self, kept: NDArray[np.bool_]) -> Tokens:
        """Take the cells where `kept`, shape ``(cells,)``, is true."""
        lengths = self.lengths
        offsets = np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64)
        return Tokens(self.values[np.repeat(kept, lengths)], offsets)

    @classmethod
    def joined(cls, parts: Sequence[Tokens]) -> Tokens:
        """Put cells one behind the other."""
        lengths = np.concatenate([np.empty(0, np.int64), *(part.lengths for part in parts)])
        values = np.concatenate([np.empty(0, np.int32), *(part.values for part in parts)])
        return cls(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


class TokenDataset:
    """A dataset of tokenised cells; :meth:`open` is the way in.

    A folder is memory-mapped: what is not read takes no memory. Parquet is
    compressed, and read as a whole.

    Attributes
    ----------
    path
        Where it lies.
    lengths
        Tokens of each cell, int64, shape ``(cells,)``.
    columns
        Names of the columns but ``input_ids``.
    """

    def __init__(self, path: Path, table: pa.Table) -> None:
        self.path = path
        self._table = table
        if INPUT_IDS not in table.column_names:
            raise GstError(
                f"has no column input_ids, only {', '.join(table.column_names[:8]) or 'none'}",
                where=str(path),
                hint="give a dataset that geneformer tokenize wrote",
            )
        chunks = table.column(INPUT_IDS).chunks
        self._cells: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        for chunk in chunks:
            if not _is_list_of_integers(chunk.type) or chunk.null_count:
                raise GstError(
                    f"the column input_ids holds {chunk.type}, not a list of tokens a cell",
                    where=str(path),
                )
            offsets = chunk.offsets.to_numpy().astype(np.int64)
            self._cells.append((offsets, chunk.values.to_numpy(zero_copy_only=False)))
        self._starts = np.cumsum([0, *(len(chunk) for chunk in chunks)])
        lengths = [np.diff(offsets) for offsets, _ in self._cells]
        self.lengths: NDArray[np.int64] = np.concatenate([np.empty(0, np.int64), *lengths])
        self.columns: tuple[str, ...] = tuple(n for n in table.column_names if n != INPUT_IDS)

    @classmethod
    def open(cls, path: Path) -> TokenDataset:
        """Open a folder of Arrow files or a Parquet file.

        Raises
        ------
        GstError
            If it is no dataset, is damaged, or has no tokens.
        """
        try:
            table = _read_folder(path) if path.is_dir() else _read_parquet(path)
        except FileNotFoundError as error:
            raise GstError("there is no such dataset", where=str(path)) from error
        except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
            raise GstError(
                f"is damaged or no dataset of tokens ({error})",
                where=str(path),
                hint="give a folder that save_to_disk wrote, or a .parquet file",
            ) from error
        return cls(path, table)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def tokens(self, cell: int) -> NDArray[Any]:
        """Tokens of one cell, as integers of the width they are stored in."""
        if not 0 <= cell < len(self):
            raise IndexError(f"cell {cell} of {len(self)}")
        chunk = int(np.searchsorted(self._starts, cell, "right")) - 1
        offsets, values = self._cells[chunk]
        row = cell - self._starts[chunk]
        return values[offsets[row] : offsets[row + 1]]

    def __getitem__(self, cell: int) -> NDArray[Any]:
        """Tokens of one cell; see :meth:`tokens`."""
        return self.tokens(cell)

    def column(self, name: str) -> NDArray[Any]:
        """Values of a column, shape ``(cells,)``; text as objects.

        Raises
        ------
        GstError
            If there is no such column.
        """
        if name not in self.columns:
            raise GstError(
                f"has no column {name}",
                where=str(self.path),
                hint=f"it has: {', '.join(self.columns)}",
            )
        return np.asarray(self._table.column(name).to_numpy())

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self.tokens(cell) for cell in range(len(self)))

    def table(self) -> pa.Table:
        """Everything, as an Arrow table."""
        return self._table


def is_dataset(folder: Path) -> bool:
    """Whether a folder is one that ``save_to_disk`` wrote."""
    return (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()


def _is_list_of_integers(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_integer(kind.value_type))


def _read_folder(folder: Path) -> pa.Table:
    if (folder / "dataset_dict.json").is_file():
        splits = ", ".join(json.loads((folder / "dataset_dict.json").read_text())["splits"])
        raise GstError(
            "holds several datasets", where=str(folder), hint=f"give one of its folders: {splits}"
        )
    if not is_dataset(folder):
        raise GstError(
            "is no dataset: it has no state.json or no dataset_info.json",
            where=str(folder),
            hint="give a folder that geneformer tokenize wrote, or save_to_disk",
        )
    state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    tables = []
    for entry in state["_data_files"]:
        name = entry["filename"]
        if Path(name).name != name:
            raise GstError(f"names a file outside of it: {name}", where=str(folder))
        with ipc.open_stream(pa.memory_map(str(folder / name))) as reader:
            tables.append(reader.read_all())
    return pa.concat_tables(tables)


def _read_parquet(path: Path) -> pa.Table:
    with path.open("rb") as file:
        if file.read(4) == _HDF5_MAGIC:
            raise GstError(
                "is an HDF5 file, as counts are, and no dataset of tokens",
                where=str(path),
                hint="encode the counts first: geneformer tokenize",
            )
    return pq.read_table(path, memory_map=True)
