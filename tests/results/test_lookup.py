"""Look-ups read what users have and say what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.results.lookup import read_lookup


@pytest.mark.parametrize(
    "text",
    [
        "k,other,v\na,1,x\nb,2,\n",
        "\ufeffv\tk\r\nx\ta\r\n\tb\r\n",
        'k,v\n"a",x\n\na,x\nb,\n,unused\n',
    ],
)
def test_commas_tabs_order_and_repeats(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t"
    path.write_bytes(text.encode())
    assert read_lookup(path, "k", "v") == {"a": "x", "b": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no column k, v"),
        (b"k,w\na,b\n", "line 1: no column v"),
        (b"k,v\na\n", "line 2: 1 fields where the header has 2"),
        (b"k,v\na,x\na,y\n", "line 3: k 'a' has two values of v: 'x' and 'y'"),
        (b'k,v\na,"x\n', "no table of text"),
        (b"k,v\na,\xff\n", "no table of text"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t"
    path.write_bytes(content)
    with pytest.raises(GstError, match=message):
        read_lookup(path, "k", "v")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(GstError, match="cannot read"):
        read_lookup(tmp_path / "none", "k", "v")
