"""A checkpoint is imported once; the cache is a convenience that cannot fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from gst_core import GeneNamer
from gst_core.errors import GstError
from gst_core.legacy import importing
from gst_core.legacy.importing import convert, import_checkpoint


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gst"


@pytest.fixture
def variant(legacy_data: Path) -> Path:
    return legacy_data / "checkpoints" / "gst_variant.ckpt"


def test_second_import_only_reads_the_cache(
    variant: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = import_checkpoint(variant)
    assert first.parent == cache
    # By content: the name and place of the checkpoint do not matter.
    copy = tmp_path / "renamed.ckpt"
    copy.write_bytes(variant.read_bytes())
    monkeypatch.setattr(importing, "read_checkpoint", lambda path: pytest.fail("read again"))
    assert import_checkpoint(copy) == first


def test_without_cache_nothing_is_left_there(variant: Path, cache: Path) -> None:
    model = import_checkpoint(variant, cache=False)
    assert GeneNamer(model, device="cpu").engine.name == "variant_24_num_symbols_golden"
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(
    variant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    namer = GeneNamer(variant, device="cpu")
    assert [a.symbol for a in namer.assign([("empty", "")])] != [""]


def test_a_refused_checkpoint_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.ckpt"
    bad.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(GstError, match=r"bad\.ckpt"):
        import_checkpoint(bad)
    with pytest.raises(GstError, match=r"bad\.ckpt"):
        convert(bad, tmp_path / "model.onnx")
    assert not cache.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bad.ckpt"]


def test_converting_twice_gives_the_same_file(variant: Path, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        convert(variant, tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
