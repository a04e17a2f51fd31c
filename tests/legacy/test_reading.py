"""Reading FASTA for a checkpoint of the original keeps what its answers depend on."""

from __future__ import annotations

import io

import pytest

from gst_core.errors import GstError
from gst_core.sequences import ReadStatistics, proteins_from, read_proteins

FASTA = b">a\tb c\nMK*\n> d e\nMK**\n>f\n*\n>g\nM*K*\n"


def test_stops_and_ids_as_the_original_reads_them() -> None:
    statistics = ReadStatistics()
    source = io.BytesIO(FASTA)
    proteins = list(read_proteins(source, original=True, strict=True, statistics=statistics))
    assert [(p.stable_id, p.residues) for p in proteins] == [
        ("a\tb", b"MK*"),
        ("", b"MK**"),
        ("f", b"*"),
        ("g", b"M*K*"),
    ]
    assert (statistics.internal_stops, statistics.empty_sequences) == (1, 0)


def test_only_for_the_original() -> None:
    proteins = list(read_proteins(io.BytesIO(FASTA)))
    # White space before an id is dropped, a tab ends it, a stop at the end is no residue.
    assert [(p.stable_id, p.residues) for p in proteins] == [
        ("a", b"MK"),
        ("d", b"MK"),
        ("f", b""),
        ("g", b"M*K"),
    ]
    with pytest.raises(GstError, match="has no id"):
        list(read_proteins(io.BytesIO(b"> \nMK\n")))


def test_proteins_in_memory_are_read_the_same() -> None:
    (protein,) = proteins_from([("a\tb c", "MK*")], original=True)
    assert (protein.stable_id, protein.residues) == ("a\tb", b"MK*")
