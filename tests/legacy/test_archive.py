"""Checkpoints are data: nothing in one is ever run, and whatever is wrong is one line."""

from __future__ import annotations

import builtins
import collections
import contextlib
import dataclasses
import os
import pickle
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gst_core.errors import GstError
from gst_core.legacy import pickle_machine
from gst_core.legacy.archive import TorchArchive

#: GLOBAL, then what each opcode below means: see pickletools.
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"ctorch\nFloatStorage\n"


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def long(value: int) -> bytes:
    """LONG1: an integer of up to 255 bytes."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def numbers(*values: int) -> bytes:
    fits = range(-(2**31), 2**31)
    return b"(" + b"".join(number(v) if v in fits else long(v) for v in values) + b"t"


def storage(key: str = "0", count: int = 6, tag: str = "cpu", kind: bytes = STORAGE) -> bytes:
    return b"(" + text("storage") + kind + text(key) + text(tag) + number(count) + b"tQ"


def tensor(
    shape: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int = 0,
    stored: bytes | None = None,
) -> bytes:
    return (
        TENSOR
        + b"("
        + (storage() if stored is None else stored)
        + number(offset)
        + numbers(*shape)
        + numbers(*stride)
        + b"\x89NtR"
    )


def write(path: Path, program: bytes, files: dict[str, bytes] | None = None) -> Path:
    """Write an archive whose pickle is a program: protocol 2, the program, STOP."""
    values = np.arange(6, dtype="<f4").tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program + b".")
        for name, content in (files or {"0": values}).items():
            archive.writestr(f"archive/data/{name}", content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(GstError) as caught:
        TorchArchive(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_plain_containers_and_tensors_are_read(tmp_path: Path) -> None:
    program = b"}(" + text("a") + tensor((2, 3), (3, 1)) + text("b") + tensor((3, 2), (1, 3)) + b"u"
    archive = TorchArchive(write(tmp_path / "c.ckpt", program))
    values = {key: archive.read(value) for key, value in archive.content.items()}
    rows = {key: np.vstack(list(archive.read_rows(v))) for key, v in archive.content.items()}
    for key, value in values.items():
        np.testing.assert_array_equal(rows[key], value)
    np.testing.assert_array_equal(values["a"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(values["b"], [[0, 3], [1, 4], [2, 5]])


def test_a_tensor_may_be_a_part_of_its_storage(tmp_path: Path) -> None:
    path = write(tmp_path / "c.ckpt", tensor((2,), (2,), offset=1))
    archive = TorchArchive(path)
    np.testing.assert_array_equal(archive.read(archive.content), [1, 3])


@pytest.mark.parametrize(
    ("kind", "dtype", "stored"),
    [
        (b"ctorch\nHalfStorage\n", "float16", np.arange(6, dtype="<f2")),
        (b"ctorch\nBFloat16Storage\n", "bfloat16", np.arange(6, dtype="<f4").view("<u2")[1::2]),
    ],
)
def test_values_of_16_bits_are_read_where_they_are_expected(
    tmp_path: Path, kind: bytes, dtype: str, stored: np.ndarray
) -> None:
    program = tensor((3, 2), (1, 3), stored=storage(kind=kind))
    path = write(tmp_path / "c.ckpt", program, {"0": stored.tobytes()})
    archive = TorchArchive(path, dtypes=("float32", dtype))
    for values in (archive.read(archive.content), *archive.read_rows(archive.content)):
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, [[0, 3], [1, 4], [2, 5]])
    assert "not a float32 storage" in refusal(path)


def test_the_stride_of_a_single_row_does_not_matter(tmp_path: Path) -> None:
    archive = TorchArchive(write(tmp_path / "c.ckpt", tensor((1, 6), (2**40, 1))))
    np.testing.assert_array_equal(archive.read(archive.content), [range(6)])


def test_a_stride_that_numpy_cannot_take_is_one_line(tmp_path: Path) -> None:
    archive = TorchArchive(write(tmp_path / "c.ckpt", tensor((1, 6), (6, 1))))
    described = dataclasses.replace(archive.content, stride=(2**70, 1))
    with pytest.raises(GstError, match="not a whole PyTorch checkpoint"):
        archive.read(described)


@pytest.mark.parametrize("tag", ["cpu", "cuda:0", "cuda:7", "mps"])
def test_where_a_tensor_lived_does_not_matter(tmp_path: Path, tag: str) -> None:
    path = write(tmp_path / "c.ckpt", tensor((6,), (1,), stored=storage(tag=tag)))
    archive = TorchArchive(path)
    np.testing.assert_array_equal(archive.read(archive.content), range(6))


class _Attack:
    """Pickles to a call of any function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch pwned",), "posix.system"),
        (builtins.eval, ("open('pwned', 'w')",), "builtin"),
        (builtins.exec, ("open('pwned', 'w')",), "builtin"),
        (builtins.getattr, (collections.OrderedDict, "fromkeys"), "builtin"),
        (builtins.__import__, ("os",), "builtin"),
        (open, ("pwned", "w"), "io.open"),
        (shutil.rmtree, ("pwned",), "shutil.rmtree"),
        (collections.Counter, ("abc",), "collections.Counter"),
        (sys.exit, (), "sys.exit"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_other_globals_are_refused_by_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: object,
    arguments: tuple[object, ...],
    name: str,
    protocol: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    program = pickle.dumps({"state_dict": _Attack(function, *arguments)}, protocol=protocol)
    with zipfile.ZipFile("attack.ckpt", "w") as archive:
        archive.writestr("archive/data.pkl", program)
    message = refusal(tmp_path / "attack.ckpt")
    # Other protocols are refused for their instructions, before any name is read.
    assert (name if protocol in (1, 2) else "the pickle instruction") in message
    assert "nothing in it was run" in message
    assert [path.name for path in tmp_path.iterdir()] == ["attack.ckpt"]


@pytest.mark.parametrize(
    "program",
    [
        # The allowed globals called with what they do not take.
        b"ccollections\nOrderedDict\n(]t" + b"R",
        b"cutils\nCategoryMapper\n(" + text("os.system") + b"tR",
        b"cutils\nConciseReprDict\n(](" + text("a") + text("b") + b"etR",
        b"ctorch\nFloatStorage\n)R",
        TENSOR + b")R",
        TENSOR + b"(" + text("a") + number(0) + numbers(1) + numbers(1) + b"\x89NtR",
        # Calls of results, text and containers; a state for a global, a number, a tensor.
        b"})R",
        text("os.system") + b")R",
        b"cutils\nCategoryMapper\n)\x81)R",
        b"cutils\nCategoryMapper\n}(" + text("make") + text("x") + b"ub",
        TENSOR + b"}(" + text("__defaults__") + b")ub",
        number(1) + b"}b",
        tensor((6,), (1,)) + b"}b",
        # A two-part state, which the standard machine would give to setattr.
        b"cutils\nCategoryMapper\n)\x81N}(" + text("__class__") + number(1) + b"u\x86b",
        # Items for what is no dictionary or list, keys that are expensive to hash.
        b"cutils\nCategoryMapper\n)\x81" + text("__class__") + number(1) + b"s",
        text("abc") + number(1) + b"a",
        b"}(" + text("a") + text("b") + b"e",
        b"})" + number(1) + b"s",
        b"]" + text("a") + number(1) + b"s",
        # References that are no storages.
        text("storage") + b"Q",
        b"(" + text("module") + STORAGE + text("0") + text("cpu") + number(6) + b"tQ",
        storage(key="../../../etc/passwd"),
        storage(key="data.pkl"),
        storage(count=-1),
        storage(kind=b"ctorch\nLongStorage\n"),
        storage(kind=text("torch.FloatStorage")),
        # Tensors that would read what is not theirs, or become larger than any memory.
        tensor((7,), (1,)),
        tensor((6,), (1,), offset=1),
        tensor((2, 3), (4, 1)),
        tensor((6,), (1,), offset=-1),
        tensor((-1,), (1,)),
        tensor((2,), (-1,)),
        tensor((6,), (1, 1)),
        tensor((2**30, 2**30), (0, 0)),
        tensor((7,), (0,)),
        # Numbers that are no addresses, where the reach does not limit them.
        tensor((1, 6), (2**70, 1)),
        tensor((1, 6), (2**48, 1)),
        tensor((0, 2**70), (1, 1)),
        tensor((1,) * 9, (1,) * 9),
        # Integers of one hash: a dictionary of many would take for ever to fill.
        b"}(" + b"".join(long(n * (2**61 - 1)) + b"N" for n in range(1, 9)) + b"u",
        b"}" + long(-(2**60)) + b"Ns",
    ],
)
def test_misuse_of_what_is_allowed_is_refused(tmp_path: Path, program: bytes) -> None:
    assert "nothing in it was run" in refusal(write(tmp_path / "c.ckpt", program))


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b"R",
        b"h\x07",
        b"u",
        b"X\xff\xff\xff\xffabc",
        b"(" * 100_000,
        b"\x85" * 1000,
        b"}" + b"(" + text("a") + b"u",
    ],
)
def test_a_damaged_pickle_is_one_line(tmp_path: Path, program: bytes) -> None:
    refusal(write(tmp_path / "c.ckpt", program))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (b"}" * 11_000, "more than 10,000 objects"),
        (b"]" * 11_000, "more than 10,000 objects"),
        (b")" * 11_000, "more than 10,000 objects"),
        (b")" + b"\x85" * 11_000, "more than 10,000 objects"),
        (tensor((6,), (1,)) * 4_000, "more than 10,000 objects"),
        (b"(" * 1001, "in each other, more than 1,000 deep"),
        (b"}" + b"q\x01" * 40_000, "more than 40,000 instructions"),
    ],
)
def test_memory_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: bytes, message: str
) -> None:
    monkeypatch.setattr(pickle_machine, "_MAX_CONTAINERS", 10_000)
    monkeypatch.setattr(pickle_machine, "_MAX_STEPS", 40_000)
    assert message in refusal(write(tmp_path / "c.ckpt", program))


def test_a_pickle_or_a_directory_of_any_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "c.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", bytes(33 * 2**20))
    assert "a pickle of more than 33,554,432 bytes" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        for part in range(100):
            entry = zipfile.ZipInfo(f"archive/data/{part}")
            entry.comment = bytes(60_000)
            archive.writestr(entry, b"")
    assert "a directory of more than 4,194,304 bytes" in refusal(path)


def test_what_steers_a_terminal_is_shown_escaped(tmp_path: Path) -> None:
    program = b"c\x1b[31mevil\x07\x1b]0;title\n\x1b[2Jname\n"
    message = refusal(write(tmp_path / "c.ckpt", program))
    assert message.isprintable()
    assert r"\x1b[31mevil\x07\x1b]0;title" in message


def test_instructions_that_allocate_by_a_number_are_refused(tmp_path: Path) -> None:
    short = b"\x96" + (3).to_bytes(8, "little") + b"abc"
    assert "the pickle instruction BYTEARRAY8" in refusal(write(tmp_path / "short.ckpt", short))
    refusal(write(tmp_path / "long.ckpt", b"\x96" + (2**50).to_bytes(8, "little")))


def test_a_large_memo_index_costs_nothing(tmp_path: Path) -> None:
    program = b"}r\xff\xff\xff\x7f"
    assert TorchArchive(write(tmp_path / "c.ckpt", program)).content == {}


def test_zip_bombs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(50_000_000))
    assert path.stat().st_size < 100_000
    assert "compressed entries" in refusal(path)


def test_entries_that_overlap_are_refused(tmp_path: Path) -> None:
    """A stored bomb: many names for the same bytes."""
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(100_000))
        first = archive.infolist()[1]
        for number_ in range(1, 50):
            again = zipfile.ZipInfo(f"archive/data/{number_}")
            again.header_offset, again.CRC = first.header_offset, first.CRC
            again.file_size = again.compress_size = first.file_size
            archive.filelist.append(again)
    assert "entries that overlap" in refusal(path)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data/0", b"")
    assert "two entries of one name" in refusal(path)


def test_an_archive_without_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/constants.pkl", b"")
    assert "0 files named data.pkl" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK", b">protein\nMKV\n", b"\x80\x02}.", b"\x89HDF"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.ckpt"
    path.write_bytes(content)
    assert "is not a whole PyTorch checkpoint" in refusal(path)


def test_missing_and_short_storages_are_one_line(tmp_path: Path) -> None:
    for files in ({"1": bytes(24)}, {"0": bytes(20)}):
        path = write(tmp_path / "c.ckpt", tensor((6,), (1,)), files)
        assert "tensor storage 0 is missing or has a wrong size" in refusal(path)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "c.ckpt", tensor((2, 3), (3, 1)))
    data = bytearray(path.read_bytes())
    at = data.index(np.arange(6, dtype="<f4").tobytes())
    data[at + 5] ^= 1
    path.write_bytes(data)
    archive = TorchArchive(path)
    with pytest.raises(GstError, match="CRC"):
        archive.read(archive.content)
    with pytest.raises(GstError, match="CRC"):
        list(archive.read_rows(archive.content))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_truncation_or_change_is_a_GstError_or_harmless(
    data: st.DataObject, tmp_path: Path, legacy_data: Path
) -> None:
    original = (legacy_data / "checkpoints" / "gst_variant.ckpt").read_bytes()
    end = original.index(b"archive/data/0")
    broken = bytearray(original)
    if data.draw(st.booleans()):
        del broken[data.draw(st.integers(0, len(original) - 1)) :]
    else:
        # The CRC would hide the unpickler from a change: put it into an archive anew.
        start = original.index(b"\x80\x02")
        program = bytearray(original[start:end])
        program[data.draw(st.integers(0, len(program) - 1))] = data.draw(st.integers(0, 255))
        with zipfile.ZipFile(tmp_path / "changed.ckpt", "w") as archive:
            archive.writestr("archive/data.pkl", bytes(program))
        broken = bytearray((tmp_path / "changed.ckpt").read_bytes())
    path = tmp_path / "broken.ckpt"
    path.write_bytes(broken)
    # Whatever else than a GstError comes out fails the test.
    with contextlib.suppress(GstError):
        TorchArchive(path)
