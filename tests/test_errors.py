"""What users are shown is one line that cannot steer their terminal."""

from __future__ import annotations

import pytest

from gst_core.errors import GstError, display, shown


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql://me:hush@host/db is odd", "mysql://me:***@host/db is odd"),
        ("'mysql://me:hu/s@h@host:1/db'", "'mysql://me:***@host:1/db'"),
        ("(mysql://:hush@host/db)", "(mysql://:***@host/db)"),
        ("mysql://h/db?a=1&Password=hush&b=2", "mysql://h/db?a=1&Password=***&b=2"),
        ("(x://h/db?pwd=hush)", "(x://h/db?pwd=***)"),
        ("mysql://me@host:3306/db", "mysql://me@host:3306/db"),
        ("https://host:80/a?x=1, a@b", "https://host:80/a?x=1, a@b"),
    ],
)
def test_passwords_in_addresses_are_hidden(text: str, expected: str) -> None:
    assert display(text) == expected
    assert str(GstError(text)) == expected
