"""``gst_assign --evidence``, with a model of three references."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gst_core.assignment import Assignment
from gst_core.clades import CLADES
from gst_core.cli.assign import assign
from gst_core.errors import GstError
from gst_core.export.candidates import export as export_references
from gst_core.export.model import export as export_network
from gst_core.inference.namer import GeneNamer
from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.references import compiled
from gst_core.references.store import References
from gst_core.sequences import encode
from gst_core.vocabulary import Symbol, Vocabulary
from tests.networks import TINY, lively_network

LETTERS = np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", dtype=np.uint8)
SYMBOLS = [Symbol(name, source="HGNC Symbol") for name in ("INS", "LEP", "GH1")]


def proteins() -> list[bytes]:
    """Return three proteins of 90 residues that have nothing in common."""
    rng = np.random.default_rng(0)
    return [rng.choice(LETTERS, 90).tobytes() for _ in SYMBOLS]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one reference a symbol; its network is new, for it has nothing to weigh."""
    references = References(
        encode(b"".join(proteins())),
        np.arange(0, 271, 90, dtype=np.int64),
        np.arange(3, dtype=np.int32),
        np.zeros(3, dtype=np.uint8),
        ["P01308", "P41159", "P01241"],
    )
    torch.manual_seed(0)
    data = export_references(
        CandidateTransformer(CandidateConfig()).eval(),
        references,
        np.ones(3, dtype=np.int64),
        np.arange(3),
        Vocabulary(SYMBOLS),
        CLADES,
        name="three",
        version="1",
    )
    path = tmp_path_factory.mktemp("model") / "three.onnx"
    path.write_bytes(data)
    return path


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """The middle 60 residues of the second reference, six of them another; and no residue."""
    part = bytearray(proteins()[1][15:75])
    for place in range(5, 60, 10):
        part[place] = ord("W") if part[place] != ord("W") else ord("G")
    path = tmp_path / "p.fa"
    path.write_bytes(b">part\n" + bytes(part) + b"\n>empty\n")
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(assign, [*map(str, arguments), "--quiet", "--output", "-"])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def test_the_columns(model: Path, fasta: Path) -> None:
    arguments = ["--sequences_fasta", fasta, "--checkpoint", model]
    text = run(*arguments, "--evidence", "--accession", "--top_k", 2)
    header, *lines = csv.reader(text.splitlines(), delimiter="\t")
    assert header[5:] == [
        "accession",
        "reference",
        "identity",
        "query_coverage",
        "reference_coverage",
        "fits_equally",
        "symbol_2",
        "probability_2",
    ]
    part, empty = (dict(zip(header, line, strict=True)) for line in lines)
    assert part["symbol"] == "LEP"
    assert part["reference"] == "P41159"
    # The last residue that differs may be left to the end of the alignment, or not.
    assert 0.88 <= float(part["identity"]) <= 0.93
    assert 0.9 <= float(part["query_coverage"]) <= 1
    assert float(part["reference_coverage"]) == pytest.approx(
        float(part["query_coverage"]) * 60 / 90, abs=0.002
    )
    assert [empty[name] for name in header[6:11]] == [""] * 5
    plain = run(*arguments)
    assert [line.split("\t")[:5] for line in text.splitlines()] == [
        line.split("\t") for line in plain.splitlines()
    ]


def test_json(model: Path, fasta: Path) -> None:
    arguments = ["--sequences_fasta", fasta, "--checkpoint", model, "--format", "json"]
    (genome,) = json.loads(run(*arguments, "--evidence"))["genomes"]
    part, empty = genome["assignments"]
    assert part["evidence"]["reference"] == "P41159"
    assert 0.88 <= part["evidence"]["identity"] <= 0.93
    assert empty["evidence"] is None


@pytest.mark.parametrize("genomes", [1, 2])
def test_a_model_without_references_is_an_error_before_anything_is_made(
    fasta: Path, tmp_path: Path, genomes: int
) -> None:
    checkpoint, out = tmp_path / "network.onnx", tmp_path / "out"
    vocabulary = Vocabulary(Symbol(f"S{number}") for number in range(TINY.num_symbols))
    clades = [f"clade{number}" for number in range(TINY.num_clades)]
    checkpoint.write_bytes(
        export_network(lively_network(), vocabulary, clades, name="plain", version="1")
    )
    out.mkdir()
    table, report = tmp_path / "m.csv", tmp_path / "report.html"
    table.write_text("id,fasta\n" + "".join(f"g{n},{fasta}\n" for n in range(genomes)))
    arguments = ["--manifest", table, "--output", out, "--report", report, "--evidence"]
    result = CliRunner().invoke(assign, [*map(str, arguments), "--checkpoint", str(checkpoint)])
    assert isinstance(result.exception, GstError)
    assert "the model plain has no references" in str(result.exception)
    assert list(out.iterdir()) == []
    assert not report.exists()
    with pytest.raises(GstError, match="has no references"):
        _first(GeneNamer(checkpoint), fasta)


def _first(namer: GeneNamer, fasta: Path) -> Assignment:
    return next(namer.assign(fasta, evidence=True))


def test_without_the_compiled_look_up_names_are_the_same_and_a_line_says_it_is_slow(
    model: Path, fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--sequences_fasta", str(fasta), "--checkpoint", str(model), "--evidence"]
    expected = run(*arguments)
    monkeypatch.setattr(compiled, "LIBRARY", None)
    assert run(*arguments) == expected
    result = CliRunner().invoke(assign, [*arguments, "--output", "-"])
    assert result.exit_code == 0
    assert "warning: this installation has no compiled look-up" in result.stderr


def test_the_alignment_of_a_candidate_is_drawn(model):
    engine = GeneNamer(model, device="cpu", threads=1).engine
    changed = bytearray(proteins()[0])
    changed[40] = ord("W") if changed[40] != ord("W") else ord("A")
    drawn = engine.alignment_for(bytes(changed), None, "ins").splitlines()
    assert drawn[0].split() == ["protein", "0", bytes(changed)[:60].decode()]
    assert drawn[2].split() == ["ins", "0", proteins()[0][:60].decode()]
    assert drawn[1].split()[1].index(".") == 40
    assert engine.alignment_for(bytes(changed), None, "LEP") == ""


def test_a_report_of_one_genome_has_its_proteins(model, tmp_path):
    fasta = tmp_path / "g.fa"
    fasta.write_text("".join(f">p{n}\n{p.decode()}\n" for n, p in enumerate(proteins())))
    page = tmp_path / "g.html"
    arguments = ["--sequences_fasta", str(fasta), "--checkpoint", str(model)]
    result = CliRunner().invoke(assign, [*arguments, "--report", str(page), "--threads", "1"])
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert all(f'["p{n}",' in text for n in range(3))
    assert "100%" in text
    assert 'id="core"' not in text  # this model does not tell its core genes
