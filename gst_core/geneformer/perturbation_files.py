"""The folder of a perturbation: parts that appear when they are whole, then one table.

``perturbation.json`` says what is done, with a key of everything that the result depends on;
``parts/N.parquet`` is one part; ``shifts.parquet`` is all of them, and ``gene_shifts.parquet``
the affected genes, where they were asked for. Processes need share nothing but this folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.files import atomic_write, check_folder, make_folder
from gst_core.geneformer.perturbing import Results
from gst_core.geneformer.resources import Resources

DESCRIPTION: Final = "perturbation.json"
SHIFTS: Final = "shifts.parquet"
GENE_SHIFTS: Final = "gene_shifts.parquet"
_STATES: Final = "states.npy"
#: What a column of shifts towards a state begins with.
TOWARDS: Final = "shift_to_"
#: Joins genes that were perturbed together.
TOGETHER: Final = "+"

#: Parts that are merged at a time.
_AT_ONCE: Final = 256
#: Perturbed genes whose affected genes are merged at a time are those of one remainder by it.
_BUCKETS: Final = 16


class PerturbationFolder:
    """The folder of one perturbation.

    Parameters
    ----------
    path
        :meth:`begin` makes it where it is not there.
    description
        What is done; ``key`` names everything that the result depends on.

    Raises
    ------
    GstError
        If the folder holds another perturbation, or cannot be written to.
    """

    def __init__(self, path: Path, description: dict[str, Any]) -> None:
        check_folder(path)
        self.path = path
        self.description = description
        self._states: NDArray[np.float64] | None = None
        file = self.path / DESCRIPTION
        if file.is_file():
            found = read_description(self.path)
            if found["key"] != description["key"]:
                raise GstError(
                    "holds another perturbation, of other cells, genes, network or options",
                    where=str(path),
                    hint="name another --output, or remove this one",
                )
            self.description = found

    def begin(self) -> None:
        """Make the folder, and keep in it what is done and the embeddings of states."""
        file = self.path / DESCRIPTION
        if not file.is_file():
            make_folder(self.path / "parts")
            with atomic_write(file) as stream:
                stream.write(json.dumps(self.description, indent=2) + "\n")
        if self._states is not None:
            with atomic_write(self.path / _STATES, "wb") as stream:
                np.save(stream, self._states, allow_pickle=False)

    @property
    def complete(self) -> bool:
        """Whether the table is there."""
        return (self.path / SHIFTS).is_file()

    def missing(self, parts: int) -> list[int]:
        """Numbers of the parts that are not there; none where the table is made."""
        if self.complete:
            return []
        return [number for number in range(parts) if not self._part(number).is_file()]

    def kept_states(self, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """``(S, D)`` embeddings of states: those that are here, or computed for `begin` to keep."""
        file = self.path / _STATES
        if file.is_file():
            return np.asarray(np.load(file, allow_pickle=False))
        self._states = compute()
        return self._states

    def write(self, number: int, results: Results) -> None:
        """Write a part, its affected genes first: a part that is there is whole."""
        if results.genes:
            with atomic_write(self._part(number, "genes"), "wb") as file:
                pq.write_table(_gene_sums(results), file, compression="zstd")
        with atomic_write(self._part(number), "wb") as file:
            pq.write_table(self._rows(results), file, compression="zstd")

    def merge(self, parts: int, resources: Resources) -> int:
        """Put all parts into one table and remove them; how many rows that are.

        Several processes may come to it at once: each writes the same.
        """
        rows = 0
        if self.complete:
            return int(pq.read_metadata(self.path / SHIFTS).num_rows)
        try:
            if self.description["gene_shifts"]:
                self._merge_genes(parts, resources)
            with atomic_write(self.path / SHIFTS, "wb") as file:
                writer = None
                for start in range(0, parts, _AT_ONCE):
                    numbers = range(start, min(parts, start + _AT_ONCE))
                    table = _named(
                        pa.concat_tables([pq.read_table(self._part(n)) for n in numbers]), resources
                    )
                    writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
                    writer.write_table(table)
                    rows += len(table)
                if writer is not None:
                    writer.close()
        except FileNotFoundError:
            if not (self.path / SHIFTS).is_file():  # not merged by another process meanwhile
                raise
            return self.merge(parts, resources)
        shutil.rmtree(self.path / "parts", ignore_errors=True)
        return rows

    def _part(self, number: int, what: str = "") -> Path:
        return self.path / "parts" / f"{number}{'.' * bool(what)}{what}.parquet"

    def _rows(self, results: Results) -> pa.Table:
        columns = {
            "cell": pa.array(np.array(results.cells, dtype=np.int64)),
            "token": pa.array([_joined(own) for own in results.perturbed], pa.string()),
            "cosine": pa.array(np.array(results.cosines, dtype=np.float64)),
        }
        shifts = np.array(results.to_states, dtype=np.float64).reshape(len(results.cells), -1)
        for i, state in enumerate(self.description["states"] or ()):
            columns[TOWARDS + state] = pa.array(shifts[:, i])
        return pa.table(columns)

    def _merge_genes(self, parts: int, resources: Resources) -> None:
        """Sum up the affected genes of all parts, some perturbed genes at a time."""
        files = [str(path) for n in range(parts) if (path := self._part(n, "genes")).is_file()]
        with atomic_write(self.path / GENE_SHIFTS, "wb") as file:
            writer = None
            for bucket in range(_BUCKETS):
                tables = [pq.read_table(path, filters=[("bucket", "=", bucket)]) for path in files]
                summed = (
                    pa.concat_tables(tables)
                    .group_by(["token", "affected"])
                    .aggregate([("cells", "sum"), ("sum", "sum"), ("squares", "sum")])
                )
                table = _gene_rows(summed, resources)
                writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
                writer.write_table(table)
            if writer is not None:
                writer.close()


def read_description(path: Path) -> dict[str, Any]:
    """Read what a folder says is done there.

    Raises
    ------
    GstError
        If it is no folder of ``geneformer perturb``, or damaged.
    """
    file = path / DESCRIPTION
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        found["key"], found["states"]
    except FileNotFoundError as error:
        raise GstError(
            "is no folder of geneformer perturb", where=str(path), hint=f"it has no {DESCRIPTION}"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        raise GstError("is damaged", where=str(file), hint="perturb again") from error
    return dict(found)


def digest_of_checkpoint(checkpoint: Path) -> str:
    """Name a network by its contents: SHA-256 of its file, or of those of its folder."""
    kinds = (".json", ".safetensors", ".bin", ".onnx")
    files = [checkpoint]
    if checkpoint.is_dir():
        files = sorted(p for p in checkpoint.iterdir() if p.suffix in kinds and p.is_file())
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            total.update(path.suffix.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _joined(genes: Sequence[int]) -> str:
    return TOGETHER.join(str(gene) for gene in genes)


def _named(table: pa.Table, resources: Resources) -> pa.Table:
    """Put Ensembl ids and symbols beside the tokens of what was perturbed."""
    tokens = table.column("token").combine_chunks().dictionary_encode()
    ids, symbols = [], []
    for own in tokens.dictionary.to_pylist():
        positions = [int(resources.position_of_token[int(t)]) for t in own.split(TOGETHER)]
        ids.append(TOGETHER.join(str(resources.gene_ids[p]) for p in positions))
        symbols.append(TOGETHER.join(resources.symbol_of(p) for p in positions))
    for place, (name, values) in enumerate((("ensembl_id", ids), ("symbol", symbols)), 1):
        column = pa.DictionaryArray.from_arrays(tokens.indices, pa.array(values, pa.string()))
        table = table.add_column(place, name, column)
    return table.set_column(table.column_names.index("token"), "token", tokens)


def _gene_sums(results: Results) -> pa.Table:
    """Sum up, by perturbed and affected gene, what one part has."""
    names = list(dict.fromkeys(own for own, _, _ in results.genes))
    number = {own: i for i, own in enumerate(names)}
    perturbed = np.concatenate([np.full(len(t), number[own]) for own, t, _ in results.genes])
    affected = np.concatenate([t for _, t, _ in results.genes]).astype(np.int64)
    cosines = np.concatenate([c for _, _, c in results.genes]).astype(np.float64)
    pairs, where = np.unique(perturbed << 32 | affected, return_inverse=True)
    buckets = np.array([sum(own) % _BUCKETS for own in names], dtype=np.int8)
    first = pairs >> 32
    return pa.table(
        {
            "bucket": pa.array(buckets[first]),
            "token": pa.array([_joined(own) for own in names], pa.string()).take(pa.array(first)),
            "affected": pa.array((pairs & 0xFFFFFFFF).astype(np.int32)),
            "cells": pa.array(np.bincount(where)),
            "sum": pa.array(np.bincount(where, cosines)),
            "squares": pa.array(np.bincount(where, cosines**2)),
        }
    )


def _gene_rows(summed: pa.Table, resources: Resources) -> pa.Table:
    cells = pc.cast(summed.column("cells_sum"), pa.float64())
    mean = pc.divide(summed.column("sum_sum"), cells)
    spread = pc.subtract(pc.divide(summed.column("squares_sum"), cells), pc.multiply(mean, mean))
    affected = summed.column("affected").to_numpy()
    positions = resources.position_of_token[affected]
    table = pa.table(
        {
            "token": summed.column("token"),
            "affected_token": pa.array(affected),
            "affected_ensembl_id": pa.array(
                resources.gene_ids[positions].astype(object), pa.string()
            ),
            "affected_symbol": pa.array(resources.symbols[positions].astype(object), pa.string()),
            "cells": summed.column("cells_sum"),
            "cosine_mean": mean,
            "cosine_stdev": pc.sqrt(pc.max_element_wise(spread, 0.0)),
        }
    )
    return _named(table, resources)
