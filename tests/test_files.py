"""Output files that are whole or absent."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.files import atomic_write, check_outputs, is_folder


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.tsv"
    with atomic_write(path) as file:
        file.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == b"\xc3\xa9\n"
    with pytest.raises(ZeroDivisionError), atomic_write(path, "wb") as file:
        file.write(bytes([1 // 0]))
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    """As does a device: /dev/null of a user who may rename over it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with atomic_write(pipe) as file:
        file.write("row\n")
    reader.join(10)
    assert read == [b"row\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(GstError, match="is a folder"), atomic_write(tmp_path):
        pass
    with pytest.raises(GstError, match="cannot write"), atomic_write(tmp_path / "no" / "file"):
        pass


def test_a_link_is_written_through_and_the_mode_kept(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    real, link = tmp_path / "d" / "real.tsv", tmp_path / "link.tsv"
    link.symlink_to("d/real.tsv")
    with atomic_write(link) as file:  # a link to nothing yet
        file.write("1\n")
    real.chmod(0o600)
    with atomic_write(link) as file:
        file.write("2\n")
    assert link.is_symlink()
    assert real.read_text() == "2\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["real.tsv"]


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(GstError, match="leads to itself"), atomic_write(loop):
        pass


def test_a_name_as_long_as_a_name_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".tsv")
    with atomic_write(path) as file:
        file.write("x")
    assert path.read_text() == "x"


def test_an_open_descriptor_is_written_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as log:
        log.write("before\n")
        log.flush()
        for name in (f"/dev/fd/{log.fileno()}", f"/proc/self/fd/{log.fileno()}"):
            link = tmp_path / "link"
            link.symlink_to(name)
            with atomic_write(link) as file:
                file.write("row\n")
            link.unlink()
        log.write("after\n")
    assert path.read_text() == "before\nrow\nrow\nafter\n"
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_are_no_inputs_by_whatever_name(tmp_path: Path) -> None:
    fasta = tmp_path / "a.fa"
    fasta.write_text(">p\nMKV\n")
    (tmp_path / "soft").symlink_to("a.fa")
    (tmp_path / "hard").hardlink_to(fasta)
    (tmp_path / "d").mkdir()
    for name in ("a.fa", "soft", "hard", "d/../a.fa"):
        with pytest.raises(GstError, match="overwrite an input"):
            check_outputs([str(tmp_path / name)], [fasta])
    with fasta.open("a") as shell, pytest.raises(GstError, match="overwrite an input"):
        check_outputs([f"/dev/fd/{shell.fileno()}"], [fasta])
    check_outputs([tmp_path / "new", "/dev/null"], [fasta, "/dev/null", tmp_path / "absent"])


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "soft").symlink_to("x")  # of two outputs that do not exist yet
    with pytest.raises(GstError, match="twice among the outputs"):
        check_outputs([tmp_path / "x", tmp_path / "soft"])
    check_outputs(["/dev/null", "/dev/null"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_is_protected_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("kept")
    path.chmod(0o400)
    with pytest.raises(GstError, match="cannot write: Permission denied"):
        check_outputs([path])


def test_what_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, said in [
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "x", "cannot write: No such file"),
        (tmp_path / "file" / "x", "cannot write: Not a directory"),
        (Path("/dev/fd/987"), "is closed"),
    ]:
        with pytest.raises(GstError, match=said):
            check_outputs([path])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_are_told_by_a_slash(tmp_path: Path) -> None:
    assert [is_folder(x) for x in (tmp_path, "new/", "new", "-")] == [True, True, False, False]
