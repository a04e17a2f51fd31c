"""Datasets that others read, and others' datasets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gst_core.errors import GstError
from gst_core.geneformer import dataset_writer as module
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.dataset_writer import DatasetWriter, arrow_type

CELLS = [[2, 9, 4, 3], [], [7], [5, 6]]


def tokens(cells: list[list[int]]) -> Tokens:
    offsets = np.cumsum([0, *map(len, cells)]).astype(np.int64)
    return Tokens(np.array([t for cell in cells for t in cell], np.int32), offsets)


def write(path: Path, times: int = 1) -> None:
    attributes = {"kind": pa.string(), "batch": pa.int64(), "score": pa.float64()}
    with DatasetWriter(path, attributes, pa.int16()) as writer:
        for _ in range(times):
            values = {"kind": ["a", "b", None, "d"], "batch": [1, 2, 3, 4], "score": [0.5, 1, 2, 3]}
            writer.write(tokens(CELLS), values)


@pytest.mark.parametrize("name", ["cells.dataset", "cells.parquet"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, times=2)
    dataset = TokenDataset.open(tmp_path / name)
    assert [list(cell) for cell in dataset] == CELLS * 2
    assert dataset.lengths.tolist() == [4, 0, 1, 2] * 2
    assert dataset.columns == ("kind", "batch", "score", "length")
    assert list(dataset.column("kind")) == ["a", "b", None, "d"] * 2
    assert dataset.column("length").tolist() == [4, 0, 1, 2] * 2
    with pytest.raises(GstError, match=r"no column colour; it has: kind, batch"):
        dataset.column("colour")
    with pytest.raises(IndexError):
        dataset.tokens(8)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("shard_bytes", [100, 500 * 2**20])
def test_the_same_cells_are_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shard_bytes: int
) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", shard_bytes)
    for name, times in {"one": 2, "again": 2, "other": 3}.items():
        write(tmp_path / name, times)
    files = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "again", "other")
    }
    assert files["one"] == files["again"]
    assert files["one"]["state.json"] != files["other"]["state.json"]
    # As long as those of Hugging Face's own, which names its caches by them.
    assert len(json.loads(files["one"]["state.json"])["_fingerprint"]) == 16


def test_hugging_face_reads_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(module, "SHARD_BYTES", 100)
    write(tmp_path / "cells", times=3)
    assert (tmp_path / "cells" / "data-00002-of-00003.arrow").is_file()
    theirs = datasets.load_from_disk(str(tmp_path / "cells"))
    assert theirs["input_ids"][:] == CELLS * 3
    assert theirs["length"][:] == [4, 0, 1, 2] * 3
    assert theirs.features["input_ids"].feature.dtype == "int16"
    assert theirs.sort("length")[11]["kind"] == "a"
    write(tmp_path / "cells.parquet")
    theirs = datasets.Dataset.from_parquet(
        str(tmp_path / "cells.parquet"), cache_dir=str(tmp_path / "cache")
    )
    assert theirs["input_ids"][:] == CELLS


def test_theirs_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    theirs = datasets.Dataset.from_dict({"input_ids": CELLS, "kind": list("abcd")})
    theirs.select([3, 0]).save_to_disk(str(tmp_path / "cells"))
    dataset = TokenDataset.open(tmp_path / "cells")
    assert [list(cell) for cell in dataset] == [CELLS[3], CELLS[0]]
    datasets.DatasetDict({"train": theirs}).save_to_disk(str(tmp_path / "both"))
    with pytest.raises(GstError, match=r"several datasets; give one of its folders: train"):
        TokenDataset.open(tmp_path / "both")


def test_golden_sets_are_read(geneformer_data: Path) -> None:
    for version, first in (("V1", 7492), ("V2", 2)):
        dataset = TokenDataset.open(geneformer_data / "golden" / f"gold_{version}.dataset")
        assert len(dataset) == 559
        assert dataset.tokens(0)[0] == first
        assert np.array_equal(dataset.lengths, dataset.column("length"))


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "cells")

    def fail() -> None:
        with DatasetWriter(tmp_path / "cells") as writer:
            writer.write(tokens([[1]]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(TokenDataset.open(tmp_path / "cells")) == 4
    write(tmp_path / "cells", times=2)
    assert len(TokenDataset.open(tmp_path / "cells")) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("x")
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "cells.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n")
    for name, said in (("folder", "something else"), ("file.txt", "a dataset is a folder")):
        with pytest.raises(GstError, match=said):
            DatasetWriter(tmp_path / name)
    for name, said in (
        ("folder", "no state.json"),
        ("file.txt", "no dataset of tokens"),
        ("cells.h5ad", "encode the counts first: geneformer tokenize"),
        ("none", "no such dataset"),
    ):
        with pytest.raises(GstError, match=said):
            TokenDataset.open(tmp_path / name)
    write(tmp_path / "cells")
    arrow = next((tmp_path / "cells").glob("*.arrow"))
    arrow.write_bytes(arrow.read_bytes()[:700])
    with pytest.raises(GstError, match="damaged"):
        TokenDataset.open(tmp_path / "cells")


def test_types_of_attributes() -> None:
    pd = pytest.importorskip("pandas")
    assert arrow_type(pd.Categorical(["a", "b"])) == pa.string()
    assert arrow_type(pd.Series([1, 2])) == pa.int64()
    assert arrow_type(pd.Series([1.5, None])) == pa.float64()
    assert arrow_type(pd.Series([None, "x"])) == pa.string()
