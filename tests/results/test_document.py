"""The JSON document: valid whatever goes in, one shape whatever the number of genomes."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.assignment import Assignment, Evidence
from gst_core.results import Genome, ModelInfo, open_results
from gst_core.vocabulary import Symbol

MODEL = ModelInfo("vertebrates", "2.0")
TP53 = Symbol("TP53", 'tumor "protein"', "HGNC Symbol", "HGNC:11998")


def document(genomes: list[tuple[Genome, list[Assignment]]], **options: object) -> dict:
    stream = io.StringIO()
    with open_results(stream, MODEL, format="json", **options) as results:  # type: ignore[arg-type]
        for genome, assignments in genomes:
            results.write(genome, assignments)
    return json.loads(stream.getvalue())


def test_fields() -> None:
    rows = [
        Assignment("P1", ((TP53, 0.91236), (Symbol("TP63"), 0.05), (Symbol("TP73"), 0.01)), 393),
        Assignment("P2", ((Symbol(""), 0.0),), 0),
    ]
    read = document([(Genome("pig", "Sus scrofa", 9823, "mammalia"), rows)], top_k=2)
    assert read["format"] == "gst.assignments"
    assert read["model"] == {"name": "vertebrates", "version": "2.0"}
    (genome,) = read["genomes"]
    assert genome["scientific_name"] == "Sus scrofa"
    assert genome["taxon_id"] == 9823
    assert genome["clade"] == "mammalia"
    first, second = genome["assignments"]
    assert first["length"] == 393
    assert first["candidates"][0] == {
        "symbol": "TP53",
        "probability": 0.9124,
        "description": 'tumor "protein"',
        "source": "HGNC Symbol",
        "accession": "HGNC:11998",
    }
    assert [c["symbol"] for c in first["candidates"]] == ["TP53", "TP63"]
    assert second == {"stable_id": "P2", "length": 0, "candidates": []}


def test_evidence() -> None:
    rows = [
        Assignment("P1", ((TP53, 0.9),), 393, Evidence("P67939", 2 / 3, 1.0, 0.0625, ("HBA2",))),
        Assignment("P2", ((Symbol(""), 0.0),), 0),
    ]
    (genome,) = document([(Genome("pig"), rows)], evidence=True)["genomes"]
    assert [a["evidence"] for a in genome["assignments"]] == [
        {
            "reference": "P67939",
            "identity": 0.667,
            "query_coverage": 1.0,
            "reference_coverage": 0.062,
            "fits_equally": ["HBA2"],
        },
        None,
    ]
    (genome,) = document([(Genome("pig"), rows)])["genomes"]
    assert not any("evidence" in a for a in genome["assignments"])


@pytest.mark.parametrize("genomes", [0, 1, 3])
@pytest.mark.parametrize("rows", [0, 1, 3])
def test_shape_does_not_depend_on_numbers(genomes: int, rows: int) -> None:
    read = document(
        [
            (Genome(f"g{i}"), [Assignment(f"P{j}", ((TP53, 1.0),), 1) for j in range(rows)])
            for i in range(genomes)
        ]
    )
    assert [g["id"] for g in read["genomes"]] == [f"g{i}" for i in range(genomes)]
    for genome in read["genomes"]:
        assert genome["clade"] is None
        assert [a["stable_id"] for a in genome["assignments"]] == [f"P{j}" for j in range(rows)]


def test_threshold_leaves_out_rows() -> None:
    rows = [Assignment(f"P{p}", ((TP53, p),), 1) for p in (0.4, 0.6, 0.2)]
    read = document([(Genome("g"), rows)], threshold=0.5)
    assert [a["stable_id"] for a in read["genomes"][0]["assignments"]] == ["P0.6"]


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text: str) -> None:
    rows = [Assignment(text, ((Symbol("x" + text, text, text, text), 0.5),), 1)]
    read = document([(Genome(text, text), rows)])
    (record,) = read["genomes"][0]["assignments"]
    assert record["stable_id"] == text
    assert record["candidates"][0]["description"] == text
