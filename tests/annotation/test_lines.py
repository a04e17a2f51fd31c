"""The last column of GFF3 and GTF, read and changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.annotation.lines import attributes_of, escaped, unescaped, with_attributes

_values = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
_keys = st.text("abcXYZ_", min_size=1, max_size=6).filter(lambda key: key not in {"Note", "Name"})


def _line(attributes: str, end: str = "\n") -> bytes:
    return f"chr1\tmade\tgene\t1\t9\t.\t+\t.\t{attributes}{end}".encode()


@given(st.text())
def test_what_is_escaped_comes_back(value: str) -> None:
    text = escaped(value)
    assert unescaped(text.encode("utf-8", "surrogatepass")) == value or "�" in unescaped(
        text.encode("utf-8", "surrogatepass")
    )
    assert not set(text) & set(";=&,\t\n\r")


@given(st.dictionaries(_keys, _values, max_size=4), _values, st.sampled_from(["\n", "\r\n", ""]))
def test_gff3_keeps_what_it_has_and_gets_what_is_given(
    had: dict[str, str], value: str, end: str
) -> None:
    before = _line(";".join(f"{k}={escaped(v)}" for k, v in had.items()) or ".", end)
    after = with_attributes(before, "gff3", {"Note": value}, {"Name": value})
    again = with_attributes(after, "gff3", {}, {"Name": value})
    assert after == again
    assert after.endswith(end.encode())
    assert after.count(b"\t") == 8
    read = attributes_of(after.rstrip(b"\r\n").split(b"\t")[8], "gff3")
    stripped = {k: [v] for k, v in had.items()}
    assert read == {**stripped, "Name": [value], "Note": [value]}


@given(st.dictionaries(_keys, st.text("abc 1;.-", min_size=1), min_size=1, max_size=4))
def test_gtf_keeps_what_it_has_and_gets_what_is_given(had: dict[str, str]) -> None:
    before = _line(" ".join(f'{k} "{v}";' for k, v in had.items()))
    after = with_attributes(before, "gtf", {}, {"gene_name": "HBB"})
    assert after.startswith(before.rstrip(b"\n"))
    assert with_attributes(after, "gtf", {}, {"gene_name": "HBA1"}) == after.replace(
        b"HBB", b"HBA1"
    )
    read = attributes_of(after.rstrip(b"\n").split(b"\t")[8], "gtf")
    assert read == {**{k: [v.strip()] for k, v in had.items()}, "gene_name": ["HBB"]}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("ID=a", "ID=a;Name=N;Note=x"),
        ("ID=a;", "ID=a;Name=N;Note=x;"),
        (".", "Name=N;Note=x"),
        ("ID=a;Note=y;Name=old;z=1", "ID=a;Note=y,x;Name=N;z=1"),
        ("ID = a ; Name = old", "ID = a ;Name=N;Note=x"),
        ("ID=a%3Bb;Alias=\xe9", "ID=a%3Bb;Alias=\xe9;Name=N;Note=x"),
    ],
)
def test_gff3_is_changed_in_place(attributes: str, expected: str) -> None:
    changed = with_attributes(_line(attributes), "gff3", {"Note": "x"}, {"Name": "N"})
    assert changed == _line(expected)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('gene_id "a";', 'gene_id "a"; gene_name "N";'),
        ('gene_id "a"', 'gene_id "a"; gene_name "N";'),
        ('gene_id "a"; gene_name "old"; x 1;', 'gene_id "a"; gene_name "N"; x 1;'),
        ("", 'gene_name "N";'),
    ],
)
def test_gtf_is_changed_in_place(attributes: str, expected: str) -> None:
    assert with_attributes(_line(attributes), "gtf", {}, {"gene_name": "N"}) == _line(expected)


def test_gtf_has_no_escape_for_what_would_end_a_value() -> None:
    changed = with_attributes(_line('gene_id "a";'), "gtf", {}, {"d": 'one; "two"\n'})
    assert changed == _line('gene_id "a"; d "one, \'two\' ";')
