"""Datasets of tokens, written as the package ``datasets`` would; see :mod:`.dataset`."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.dataset import INPUT_IDS, Tokens, is_dataset

#: Bytes of one Arrow file of a folder, about.
SHARD_BYTES = 500 * 2**20


class DatasetWriter:
    """Writes a dataset that appears under its name only when it is whole.

    Parameters
    ----------
    path
        A folder, or a file that ends in ``.parquet``. A dataset that is there
        is replaced; anything else is an error.
    attributes
        Types of the columns beside ``input_ids`` and ``length``.
    dtype
        Integers of the tokens. The reference has int16 for V1 and int32 for V2.

    Raises
    ------
    GstError
        If `path` is something else than a dataset, or cannot be written to.
    """

    def __init__(
        self,
        path: Path,
        attributes: Mapping[str, pa.DataType] | None = None,
        dtype: pa.DataType | None = None,
    ) -> None:
        self.path = path
        self._parquet = path.suffix == ".parquet"
        self._refuse_other()
        fields = [pa.field(INPUT_IDS, pa.list_(dtype or pa.int32()))]
        fields += [pa.field(name, kind) for name, kind in (attributes or {}).items()]
        fields += [pa.field("length", pa.int64())]
        info = {"features": {field.name: _feature(field.type) for field in fields}}
        self._info = {"citation": "", "description": "", "homepage": "", "license": "", **info}
        self._schema = pa.schema(fields, {"huggingface": json.dumps({"info": info})})
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._writer: Any = None
        self._written = 0
        self._shards: list[Path] = []
        self.cells = 0

    def __enter__(self) -> DatasetWriter:
        try:
            if not self._parquet:
                self._temporary.mkdir()
            self._next_file()
        except OSError as error:
            raise GstError(
                f"cannot write: {error.strerror}",
                where=str(self.path),
                hint="check that the folder exists and is writable, or name another output",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._writer.close()
            if kind is None:
                self._finish()
        finally:
            if self._temporary.is_dir():
                shutil.rmtree(self._temporary, ignore_errors=True)
            else:
                self._temporary.unlink(missing_ok=True)

    def write(self, tokens: Tokens, attributes: Mapping[str, Any] | None = None) -> None:
        """Append cells, with the values of their attributes in the same order."""
        field = self._schema.field(INPUT_IDS)
        values = pa.array(tokens.values).cast(field.type.value_type)
        lists = pa.ListArray.from_arrays(pa.array(tokens.offsets.astype(np.int32)), values)
        columns = {INPUT_IDS: lists, "length": pa.array(tokens.lengths)}
        for name, value in (attributes or {}).items():
            kind = self._schema.field(name).type
            columns[name] = pa.array(value, type=kind, from_pandas=True)
        batch = pa.record_batch([columns[name] for name in self._schema.names], self._schema)
        if not self._parquet and self._written and self._written + batch.nbytes > SHARD_BYTES:
            self._writer.close()
            self._next_file()
        self._writer.write_batch(batch)
        self._written += batch.nbytes
        self.cells += len(tokens)

    def _next_file(self) -> None:
        self._written = 0
        if self._parquet:
            self._writer = pq.ParquetWriter(self._temporary, self._schema, compression="zstd")
            return
        self._shards.append(self._temporary / f"{len(self._shards)}.arrow")
        self._writer = ipc.new_stream(str(self._shards[-1]), self._schema)

    def _refuse_other(self) -> None:
        if self.path.is_dir() and (self._parquet or not is_dataset(self.path)):
            if self._parquet or any(self.path.iterdir()):
                raise GstError(
                    "is a folder that holds something else than a dataset",
                    where=str(self.path),
                    hint="name another output",
                )
        elif self.path.exists() and not self.path.is_dir() and not self._parquet:
            raise GstError(
                "is a file, and a dataset is a folder",
                where=str(self.path),
                hint="name a folder, or a file that ends in .parquet",
            )

    def _finish(self) -> None:
        if self._parquet:
            self._temporary.replace(self.path)
            return
        names = []
        # Of the cells themselves: the same dataset made again is the same, byte for byte.
        contents = hashlib.sha256()
        for number, shard in enumerate(self._shards):
            names.append(f"data-{number:05d}-of-{len(self._shards):05d}.arrow")
            with shard.open("rb") as file:
                contents.update(hashlib.file_digest(file, "sha256").digest())
            shard.rename(self._temporary / names[-1])
        state: dict[str, Any] = {
            "_data_files": [{"filename": name} for name in names],
            "_fingerprint": contents.hexdigest()[:16],
            "_format_columns": None,
            "_format_kwargs": {},
            "_format_type": None,
            "_output_all_columns": False,
            "_split": None,
        }
        for name, content in (("state.json", state), ("dataset_info.json", self._info)):
            (self._temporary / name).write_text(json.dumps(content, indent=2, sort_keys=True))
        if self.path.is_dir():
            # A folder cannot be renamed over one that is not empty: the old one steps aside.
            old = self.path.with_name(f"{self._temporary.name}.old")
            self.path.rename(old)
            self._temporary.rename(self.path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            self._temporary.rename(self.path)


def arrow_type(values: Sequence[Any] | NDArray[Any]) -> pa.DataType:
    """Return the type of an attribute's column: integers, floats, booleans or text."""
    kind = pa.array(values, from_pandas=True).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        return kind
    return pa.string()


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Write a type as ``datasets.Features`` does; all versions of it know ``Sequence``."""
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "Sequence"}
    names = {"float": "float32", "double": "float64", "halffloat": "float16"}
    return {"dtype": names.get(str(kind), str(kind)), "_type": "Value"}
