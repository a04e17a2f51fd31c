"""``gst build`` from FASTA to a model that names the proteins of a new species."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gst_core import GeneNamer
from gst_core.cli.main import gst
from gst_core.errors import GstError
from gst_core.references import compiled
from gst_core.training.proteins import LabelledProtein
from tests.relatives import evolved, family_proteins, labelled, letters, random_protein

SPECIES = ("Homo sapiens", "Mus musculus", "Gallus gallus", "Danio rerio")
SYMBOLS = 40


def fasta(path: Path, proteins: Sequence[LabelledProtein]) -> Path:
    """Write proteins as UniProt does."""
    path.write_text(
        "".join(
            f">sp|{p.accession}|X A protein OS={p.taxon.scientific_name} OX={p.taxon.taxon_id} "
            f"GN={p.symbol} PE=1 SV=1\n{letters(p.codes)}\n"
            for p in proteins
        )
    )
    return path


def build(proteins: Path, output: Path, *options: str) -> Result:
    arguments = ["--proteins", str(proteins), "--output", str(output), "--threads", "1", *options]
    return CliRunner().invoke(gst, ["build", *arguments])


@pytest.fixture(scope="module")
def proteins() -> list[LabelledProtein]:
    return family_proteins(SYMBOLS, (*SPECIES, "Bos taurus"))


@pytest.fixture(scope="module")
def built(
    proteins: list[LabelledProtein], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    """A model that has never seen a cow."""
    folder = tmp_path_factory.mktemp("built")
    source = fasta(folder / "vertebrates.fasta", proteins)
    model = folder / "first.onnx"
    return model, build(source, model, "--hold_out_genus", "Bos", "--epochs", "40")


def test_it_says_what_it_built(built):
    model, result = built
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    steps = [line.removeprefix("gst build: ") for line in result.stderr.splitlines()]
    for step in ("reading proteins", "choosing references", "simulating new species", "training"):
        assert any(line.startswith(step) for line in steps)
    assert steps[-1].startswith(f"{model}, ")
    assert f"of {SYMBOLS} symbols" in steps[-1]


def test_the_model_knows_the_genes_that_all_species_have(built):
    namer = GeneNamer(built[0], device="cpu", threads=1)
    assert namer.fact("core") == list(range(SYMBOLS))
    symbols = [symbol.symbol for symbol in namer.engine.vocabulary]
    assert namer.core_genes == {symbol.casefold(): symbol for symbol in symbols}


def test_the_model_names_the_proteins_of_a_new_species(built, proteins):
    namer = GeneNamer(built[0], device="cpu", threads=2)
    cows = [p for p in proteins if p.taxon.genus == "Bos"]
    others = {p.accession: p for p in proteins if p.taxon.genus != "Bos"}
    pairs = [(p.symbol, letters(p.codes)) for p in cows]
    found = list(namer.assign(pairs, scientific_name="Bos taurus", evidence=True))
    assert [a.symbol for a in found] == [p.symbol for p in cows]
    assert np.mean([a.probability for a in found]) > 0.5
    for assignment in found:
        assert assignment.evidence is not None
        reference = others[assignment.evidence.reference]
        assert reference.symbol == assignment.symbol
        assert 0.4 < assignment.evidence.identity < 0.95
        assert assignment.evidence.query_coverage > 0.5
        assert assignment.evidence.reference_coverage > 0.5


def test_what_it_does_not_know_is_less_likely(built, proteins):
    namer = GeneNamer(built[0], device="cpu", threads=2)
    rng = np.random.default_rng(9)
    known = [(p.symbol, letters(p.codes)) for p in proteins if p.taxon.genus == "Bos"]
    strange = [(f"s{n}", letters(random_protein(rng, 150))) for n in range(40)]
    sure, unsure = (
        np.mean([a.probability for a in namer.assign(pairs)]) for pairs in (known, strange)
    )
    assert unsure < sure - 0.2


def test_the_number_of_references_is_what_was_allowed(proteins, tmp_path):
    """Every symbol keeps one, however few there may be."""
    source = fasta(tmp_path / "some.fasta", proteins)
    options = ("--epochs", "1", "--simulate", "200", "--references")
    result = build(source, tmp_path / "few.onnx", *options, str(SYMBOLS + 5))
    assert result.exit_code == 0, result.output
    references = GeneNamer(tmp_path / "few.onnx", threads=1).engine.finder.references
    assert SYMBOLS <= len(references) <= SYMBOLS + 5
    assert len(set(references.classes.tolist())) == SYMBOLS
    result = build(source, tmp_path / "none.onnx", *options, str(SYMBOLS - 1))
    assert isinstance(result.exception, GstError)
    assert f"{SYMBOLS} symbols, and {SYMBOLS - 1} references at most" in str(result.exception)
    assert not (tmp_path / "none.onnx").exists()


def test_pseudogenes_that_only_humans_have_name_nothing(proteins, tmp_path):
    """In others symbols of pseudogenes are given where one has a living gene of that name."""
    rng = np.random.default_rng(3)
    dead = [
        labelled(random_protein(rng, 120), symbol, "Homo sapiens", f"A{number}")
        for number, symbol in enumerate(("DEADP", "READ1"))
    ]
    alive = labelled(evolved(rng, dead[0].codes, 0.1), "UOX", "Homo sapiens", "A2")
    cow = labelled(evolved(rng, dead[0].codes, 0.2), "UOX", "Bos taurus", "A3")
    genes = [("DEADP", "pseudogene", "pseudogene"), ("UOX", "urate oxidase", "pseudogene")]
    genes.append(("READ1", "readthrough of two", "other"))
    header = [
        "hgnc_id",
        "symbol",
        "name",
        "locus_group",
        "status",
        "prev_symbol",
        "alias_symbol",
        "uniprot_ids",
    ]
    rows = [
        [f"HGNC:{number}", symbol, name, group, "Approved", "", "", ""]
        for number, (symbol, name, group) in enumerate(genes)
    ]
    hgnc = tmp_path / "hgnc.txt"
    hgnc.write_text("".join("\t".join(row) + "\n" for row in [header, *rows]))
    source = fasta(tmp_path / "some.fasta", [*proteins[:60], *dead, alive, cow])
    result = build(source, tmp_path / "made.onnx", "--hgnc", str(hgnc), "--epochs", "1")
    assert result.exit_code == 0, result.output
    namer = GeneNamer(tmp_path / "made.onnx", threads=1)
    symbols = {symbol.symbol for symbol in namer.engine.vocabulary}
    assert symbols & {"DEADP", "READ1", "UOX"} == {"DEADP", "UOX"}
    for species, named in (("Homo sapiens", True), ("Bos taurus", False)):
        (found,) = namer.assign([("p", letters(dead[0].codes))], scientific_name=species, top_k=12)
        assert ("DEADP" in {symbol.symbol for symbol, _ in found.candidates}) == named


def test_facts_are_in_the_file(built, proteins, tmp_path):
    namer = GeneNamer(built[0], device="cpu", threads=1)
    assert (namer.engine.name, namer.engine.version) == ("first", "1.0.0")
    said = namer.fact("training_data")
    assert said.startswith(f"{SYMBOLS * 4} vertebrate proteins with {SYMBOLS} gene symbols")
    assert said.endswith("without Bos")
    assert 0 <= namer.fact("calibration")["accuracy"] <= 1
    facts = tmp_path / "facts.json"
    facts.write_text('{"held_out_accuracy": {"Bos": 0.9}, "training_data": "mine"}')
    source = fasta(tmp_path / "few.fasta", proteins[:50])
    options = ("--epochs", "1", "--name", "mine", "--version", "2.0", "--facts", str(facts))
    result = build(source, tmp_path / "second.onnx", *options)
    assert result.exit_code == 0, result.output
    namer = GeneNamer(tmp_path / "second.onnx", device="cpu", threads=1)
    assert (namer.engine.name, namer.engine.version) == ("mine", "2.0")
    assert namer.fact("held_out_accuracy") == {"Bos": 0.9}
    assert namer.fact("training_data") == "mine"


def test_the_same_seed_builds_the_same_file(proteins, tmp_path):
    source = fasta(tmp_path / "few.fasta", proteins[:50])
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        options = ("--epochs", "2", "--seed", seed, "--name", "same")
        assert build(source, tmp_path / f"{name}.onnx", *options).exit_code == 0
    data = [(tmp_path / f"{name}.onnx").read_bytes() for name in "abc"]
    assert data[0] == data[1] != data[2]


def one_symbol_each() -> list[LabelledProtein]:
    """Two genera that have no gene in common."""
    rng = np.random.default_rng(0)
    return [
        labelled(random_protein(rng, 90), f"{species[:3]}{n}", species, f"P{species[:1]}{n}")
        for n in range(10)
        for species in SPECIES[:2]
    ]


def a_single_pair() -> list[LabelledProtein]:
    rng = np.random.default_rng(0)
    ancestor = random_protein(rng, 90)
    return [
        labelled(evolved(rng, ancestor, 0.1), "GH1", species, f"P{n}")
        for n, species in enumerate(SPECIES[:2])
    ] + one_symbol_each()[:1]


@pytest.mark.parametrize(
    ("proteins", "options", "message"),
    [
        (family_proteins(2, SPECIES), ["--hold_out_genus", "Pan"], "no protein is of the genus"),
        (family_proteins(9, SPECIES[:1]), [], "fewer than two genera"),
        (family_proteins(9, SPECIES[:2]), ["--hold_out_genus", "Mus"], "fewer than two genera"),
        (one_symbol_each(), [], "no two genera have a symbol in common"),
    ],
)
def test_proteins_that_will_not_do(tmp_path, proteins, options, message):
    result = build(fasta(tmp_path / "p.fasta", proteins), tmp_path / "model.onnx", *options)
    assert isinstance(result.exception, GstError), result.output
    assert message in str(result.exception)
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("seed", range(4))
def test_very_few_proteins_are_enough_or_an_error(tmp_path, seed):
    source = fasta(tmp_path / "p.fasta", a_single_pair())
    result = build(source, tmp_path / "model.onnx", "--epochs", "1", "--seed", str(seed))
    if result.exit_code:
        assert isinstance(result.exception, GstError), result.exception
        assert "too few" in str(result.exception)
        assert not (tmp_path / "model.onnx").exists()
        return
    namer = GeneNamer(tmp_path / "model.onnx", device="cpu", threads=1)
    pairs = [(p.symbol, letters(p.codes)) for p in a_single_pair()]
    assert all(0 <= a.probability <= 1 for a in namer.assign(pairs))


@pytest.mark.parametrize("text", ["no FASTA\n", ">sp|P1|X OX=9606\nMKV\n", ">x GN=GH1\nMKV\n"])
def test_files_that_are_no_labelled_proteins(tmp_path, text):
    source = tmp_path / "p.fasta"
    source.write_text(text)
    result = build(source, tmp_path / "model.onnx")
    assert isinstance(result.exception, GstError), result.output
    assert "p.fasta" in str(result.exception)


def test_without_proteins_it_is_wrong_usage(tmp_path):
    assert CliRunner().invoke(gst, ["build", "--output", str(tmp_path / "m.onnx")]).exit_code == 2
    assert build(tmp_path / "absent.fasta", tmp_path / "m.onnx").exit_code == 2


def test_without_the_compiled_look_up_a_line_says_it_is_slow(tmp_path, monkeypatch):
    source = fasta(tmp_path / "p.fasta", one_symbol_each())
    assert "compiled look-up" not in build(source, tmp_path / "model.onnx").stderr
    monkeypatch.setattr(compiled, "LIBRARY", None)
    assert "no compiled look-up" in build(source, tmp_path / "model.onnx").stderr
