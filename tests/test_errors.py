"""What users are shown is one line that cannot steer their terminal."""

from __future__ import annotations

import pytest

from gst_core.errors import GstError, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Träg\u00a0er 蛋白", r"Träg\xa0er 蛋白"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("abc\u202etxt", r"abc\u202etxt"),
        ("name\udcff", r"name\xff"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_shown(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_an_error_is_one_line_that_can_be_shown() -> None:
    error = GstError("a\nb\x1b[2J", where="f\r\n", hint="do\x00 it")
    assert str(error) == r"f : a b\x1b[2J; do\x00 it"
