"""CHECKSUMS files: what sum, md5sum and their like print, and what they do not."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.dataset.checksums import Checksum, bsd_sum, checksum_of, parse_checksums
from gst_core.errors import GstError
from tests.dataset.conftest import refusal

NAMES = st.text(st.characters(codec="ascii", exclude_characters="\n\r"), min_size=1).filter(
    lambda name: name.strip() == name and not name.startswith(("*", "./"))
)


def test_the_lines_of_ensembl_and_of_others_are_read() -> None:
    digest = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
    long = hashlib.sha256(b"x").hexdigest()
    text = (
        "00042   178 Homo_sapiens.GRCh38.pep.all.fa.gz\r\n51234 9 ./README\n\n"
        f"{digest}  a.gz\n{digest.upper()} *b.gz\nMD5 (c d.gz) = {digest}\n{long}  e.gz\n"
    )
    assert parse_checksums(text) == {
        "Homo_sapiens.GRCh38.pep.all.fa.gz": Checksum("sum", "42 178"),
        "README": Checksum("sum", "51234 9"),
        "a.gz": Checksum("md5", digest),
        "b.gz": Checksum("md5", digest),
        "c d.gz": Checksum("md5", digest),
        "e.gz": Checksum("sha256", long),
    }


@pytest.mark.parametrize("text", ["<html>", "70000 1 name", "12 name", "abcdef0123 name", "1 2"])
def test_other_text_is_an_error(text: str) -> None:
    with pytest.raises(GstError, match="CHECKSUMS, line 2"):
        parse_checksums(f"1 2 name\n{text}\n")


@given(st.dictionaries(NAMES, st.tuples(st.integers(0, 65535), st.integers(0, 10**9))))
def test_sums_survive_being_printed(sums: dict[str, tuple[int, int]]) -> None:
    text = "".join(f"{s:05d} {blocks:5d} {name}\n" for name, (s, blocks) in sums.items())
    read = parse_checksums(text)
    assert read == {name: Checksum("sum", f"{s} {b}") for name, (s, b) in sums.items()}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    said = refusal(lambda: parse_checksums(text))
    assert not said or "CHECKSUMS, line" in said


@settings(max_examples=20)
@given(st.binary(max_size=3000))
def test_sums_are_those_of_the_program(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("sum") / "file"
    path.write_bytes(content)
    program = shutil.which("sum")
    if program is None:
        pytest.skip("no program sum here")
    said = subprocess.run([program], input=content, capture_output=True, check=True).stdout.split()
    assert bsd_sum(path) == int(said[0])
    assert checksum_of(path, "sum") == Checksum("sum", f"{int(said[0])} {int(said[1])}")


def test_without_the_program_the_sum_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 40)
    known = checksum_of(path, "sum")
    monkeypatch.setenv("PATH", "")
    assert checksum_of(path, "sum") == known == Checksum("sum", "20480 10")
