"""Symbols in the case of the committees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gst_core.assignment import Assignment, Evidence
from gst_core.styles import styled, writer
from gst_core.vocabulary import Symbol


@pytest.mark.parametrize(
    ("symbol", "human", "mouse", "fish"),
    [
        ("BRCA2", "BRCA2", "Brca2", "brca2"),
        ("hoxb4a", "HOXB4A", "Hoxb4a", "hoxb4a"),
        ("MT-ND1", "MT-ND1", "mt-Nd1", "mt-nd1"),
        ("mt-Nd1", "MT-ND1", "mt-Nd1", "mt-nd1"),
        ("C12orf43", "C12orf43", "C12orf43", "c12orf43"),
        ("CXorf38", "CXorf38", "Cxorf38", "cxorf38"),
        ("si:dkey-1h24.6", "si:dkey-1h24.6", "si:dkey-1h24.6", "si:dkey-1h24.6"),
        ("1700001C19Rik", "1700001C19Rik", "1700001C19Rik", "1700001C19Rik"),
        ("NKX2-5", "NKX2-5", "Nkx2-5", "nkx2-5"),
        ("", "", "", ""),
    ],
)
def test_committees(symbol, human, mouse, fish):
    assert writer("primates", "species")(symbol) == human
    assert writer(None, "species")(symbol) == human
    assert writer("rodentia", "species")(symbol) == mouse
    assert writer("teleostei", "species")(symbol) == fish
    assert writer("amphibians", "species")(symbol) == fish
    assert writer("rodentia", "source")(symbol) == symbol
    assert writer("rodentia", "upper")(symbol) == symbol.upper()


def test_all_candidates_are_written_and_nothing_else_changes():
    symbol = Symbol("BRCA2", "a description", "HGNC Symbol", "HGNC:1101")
    given = Assignment("p", ((symbol, 0.9), (Symbol("TP53"), 0.1)), 10)
    (found,) = styled([given], "rodentia", "species")
    assert [s.symbol for s, _ in found.candidates] == ["Brca2", "Tp53"]
    assert found.best.accession == "HGNC:1101"
    assert found.length == 10


def test_what_fits_equally_and_what_was_settled_are_written_alike():
    shown = Evidence("P05214", 1.0, 1.0, 1.0, equals=("TUBA3C", "TUBA3D"))
    given = [
        Assignment("p", ((Symbol("Tuba3a"), 0.4),), 10, shown, settled="instead of TUBA3C"),
        Assignment("q", ((Symbol("TUBA3C"), 0.4),), 10, settled="one of 2 claims"),
    ]
    first, second = styled(given, "rodentia", "species")
    assert first.evidence == replace(shown, equals=("Tuba3c", "Tuba3d"))
    assert first.settled == "instead of Tuba3c"
    assert second.settled == "one of 2 claims"
    assert given[0].evidence == shown
