"""Whatever is in a checkpoint, it is refused in one line or read, in memory of the file's size."""

from __future__ import annotations

import io
import pickletools
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gst_core.errors import GstError
from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.graph import write_onnx

Entries = dict[str, bytes]
_SETTINGS = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
#: Sizes that programs believe: negative, beyond what there is, beyond what can be addressed.
SIZES = st.one_of(
    st.integers(-3, 300), st.sampled_from([2**16, 2**31 - 1, -(2**31)]), st.integers(0, 2**31 - 1)
)
#: What the machine knows, with what follows each in the program.
INSTRUCTIONS = st.sampled_from(
    [
        b"}", b"]", b")", b"(", b"t", b"u", b"s", b"a", b"e", b"\x85", b"\x86", b"\x87", b"N",
        b"\x88", b"R", b"\x81", b"b", b"Q", b"q\x00", b"h\x00", b"q\x01", b"h\x01",
        b"K\x02", b"J\xff\xff\xff\x7f", b"\x8a\x09" + b"\xff" * 8 + b"\x00", b"X\x01\x00\x00\x000",
        b"X\x07\x00\x00\x00storage", b"X\x0a\x00\x00\x00state_dict", b"ccollections\nOrderedDict\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n",
        b"cutils\nCategoryMapper\n", b"cutils\nConciseReprDict\n", b"cos\nsystem\n",
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def entries(legacy_data: Path) -> Entries:
    """What is in a checkpoint of the original, by name."""
    with zipfile.ZipFile(legacy_data / "checkpoints" / "gst_variant.ckpt") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pickle_of(entries: Entries) -> tuple[str, bytes]:
    return next((name, data) for name, data in entries.items() if name.endswith("data.pkl"))


def import_with(entries: Entries, program: bytes, folder: Path) -> None:
    """Read a checkpoint with another pickle, and convert it; nothing but a GstError comes out."""
    path = folder / "changed.ckpt"
    name, _ = pickle_of(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, data in entries.items():
            archive.writestr(entry, program if entry == name else data)
    message = ""
    tracemalloc.start()
    try:
        write_onnx(read_checkpoint(path), io.BytesIO())
    except GstError as error:
        message = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert not message or (str(path) in message and "\n" not in message)
    assert peak < 20 * path.stat().st_size + 2**24


@_SETTINGS
@given(data=st.data())
def test_a_changed_pickle(data: st.DataObject, entries: Entries, tmp_path: Path) -> None:
    """Bytes changed, cut out, put in and repeated, beside weights that are whole."""
    program = bytearray(pickle_of(entries)[1])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(program) - 1))
        end = at + data.draw(st.integers(1, 40))
        new = data.draw(st.binary(min_size=1, max_size=4))
        how = data.draw(st.sampled_from(["change", "cut", "put", "repeat"]))
        part = {"change": new, "cut": b"", "put": new + program[at:end]}
        program[at:end] = part.get(how, program[at:end] * 2)
        program = program or bytearray(b".")
    import_with(entries, bytes(program), tmp_path)


def numbers_in(program: bytes) -> Iterator[tuple[int, int]]:
    """Where the numbers of a pickle are: of shapes, strides, storages and hyper-parameters."""
    before = 0
    found = False
    for opcode, _, position in pickletools.genops(program):
        if found:
            yield before, position or 0
        before, found = position or 0, opcode.name in ("BININT1", "BININT2", "BININT")


@_SETTINGS
@given(data=st.data())
def test_changed_sizes(data: st.DataObject, entries: Entries, tmp_path: Path) -> None:
    program = pickle_of(entries)[1]
    places = list(numbers_in(program))
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=5, unique=True))
    for start, end in sorted(chosen, reverse=True):
        number = b"J" + data.draw(SIZES).to_bytes(4, "little", signed=True)
        program = program[:start] + number + program[end:]
    import_with(entries, program, tmp_path)


@_SETTINGS
@given(st.lists(INSTRUCTIONS, max_size=40))
def test_any_program(entries: Entries, tmp_path: Path, instructions: list[bytes]) -> None:
    import_with(entries, b"\x80\x02" + b"".join(instructions) + b".", tmp_path)


def test_what_it_starts_from_is_read(entries: Entries, tmp_path: Path) -> None:
    """Else all the above would be refused for one and the same reason."""
    path = tmp_path / "whole.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    assert read_checkpoint(path).vocabulary
