"""The embedded model through the Python API, on real proteins."""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

from gst_core import GeneNamer, GstError
from gst_core.results.lookup import read_lookup
from gst_core.sequences import read_proteins

SAMPLE = Path(str(files("gst_core"))) / "assets" / "sample"


@pytest.fixture(scope="module")
def namer() -> GeneNamer:
    return GeneNamer(device="cpu", threads=2)


def test_real_proteins_are_named(namer):
    known = read_lookup(SAMPLE / "known_symbols.tsv", "stable_id", "symbol")
    found = list(namer.assign(SAMPLE / "bos_taurus.fa", scientific_name="Bos taurus"))
    right = sum(a.symbol.upper() == known[a.stable_id].upper() for a in found)
    # The sample is in the training data of the embedded model: this is a test of
    # the whole machinery, not of accuracy.
    assert right >= 0.9 * len(found)


def test_the_result_of_a_protein_never_depends_on_its_batch(namer):
    proteins = [p for fasta in sorted(SAMPLE.glob("*.fa")) for p in read_proteins(fasta)]
    residues = [p.residues for p in proteins[:60]] + [b"M", b"MK" * 4000, b"X" * 40, b"*"]
    together, which, _ = namer.engine.predict(residues, "aves", 5)
    for row, one in enumerate(residues):
        alone, index, _ = namer.engine.predict([one], "aves", 5)
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)
        np.testing.assert_array_equal(index[0][:1], which[row][:1])


def test_probabilities_are_probabilities(namer):
    proteins = [p.residues for p in read_proteins(SAMPLE / "bos_taurus.fa")]
    found = namer.engine.predict([*proteins, b"X" * 40], None, 100)
    assert (np.diff(found.probabilities, axis=1) <= 0).all()
    assert (found.probabilities.sum(1) <= 1 + 1e-5).all()
    assert (found.probabilities[:-1, 0] > 0).all()
    # Fewer than were asked for may come back; what is missing has no probability.
    assert (found.probabilities[found.indices < 0] == 0).all()
    for row in found.indices.tolist():
        kept = [index for index in row if index >= 0]
        assert len(set(kept)) == len(kept) <= 100
        assert all(index < len(namer.engine.vocabulary) for index in kept)


def test_no_class_is_taken_for_a_symbol_and_no_assignment_is_without_candidates(namer):
    pairs = [("x", "X" * 60), ("m", "M"), ("none", "")]
    pairs += [(p.stable_id, p.residues.decode()) for p in read_proteins(SAMPLE / "bos_taurus.fa")]
    for found in namer.assign(pairs, top_k=100):
        assert found.candidates
        symbols = [symbol.symbol for symbol, _ in found.candidates]
        assert len(set(symbols)) == len(symbols)
        if found.symbol == "":
            assert found.candidates[0][1] == 0
            assert len(found.candidates) == 1


def test_evidence_comes_from_models_that_have_references_alone(namer):
    fasta = SAMPLE / "bos_taurus.fa"
    assert all(a.evidence is None for a in namer.assign(fasta))
    if not namer.engine.gives_evidence:
        with pytest.raises(GstError, match="has no references"):
            namer.assign(fasta, evidence=True)
        return
    for found in namer.assign(fasta, evidence=True):
        assert found.evidence is not None
        assert 0 < found.evidence.identity <= 1


def test_any_form_of_input_gives_the_same_names(namer):
    fasta = SAMPLE / "danio_rerio.fa"
    pairs = [(p.stable_id, p.residues.decode()) for p in read_proteins(fasta)]
    expected = list(namer.assign(fasta))
    assert list(namer.assign(io.BytesIO(fasta.read_bytes()))) == expected
    assert list(namer.assign(pairs)) == expected
    assert list(namer.assign(SeqRecord(Seq(s), id=i) for i, s in pairs)) == expected


def test_species_by_name_id_or_clade(namer):
    assert namer.species("Sus scrofa").clade == "mammalia"
    assert namer.species(taxon_id=9031).clade == "aves"
    assert namer.species(clade="teleostei").clade == "teleostei"
    nothing = namer.species()
    assert nothing.clade is None
    assert "without a clade" in nothing.note
    with pytest.raises(GstError, match="did you mean Sus scrofa"):
        namer.species("Suss scrofa", strict=True)
    unknown = namer.species("Suss scrofa")
    assert unknown.clade is None
    assert "did you mean Sus scrofa" in unknown.warning
    with pytest.raises(GstError, match="no clade 'dragons'"):
        namer.species(clade="dragons")


def test_input_of_the_wrong_kind(namer):
    with pytest.raises(GstError, match="cannot read proteins from int"):
        namer.assign(7)


def test_a_foreign_onnx_model_is_refused(tmp_path):
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "g",
        [value("x", 1, [1])],
        [value("y", 1, [1])],
    )
    path = tmp_path / "foreign.onnx"
    path.write_bytes(
        onnx.helper.make_model(
            graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 21)]
        ).SerializeToString()
    )
    with pytest.raises(GstError, match="not one of GST's"):
        GeneNamer(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "top_k: 0 candidates a protein"),
        ({"symbol_style": "Species"}, "there is no 'Species'; use one of source, species, upper"),
    ],
)
def test_an_option_that_there_is_not_is_an_error_at_once(namer, options, message):
    with pytest.raises(GstError, match=message):
        namer.assign([("a", "MKV")], **options)


def test_a_device_a_number_or_a_library_that_there_is_not_is_an_error(namer):
    with pytest.raises(GstError, match="device: there is no 'gpu'; use one of auto, cpu, cuda"):
        GeneNamer(device="gpu")
    with pytest.raises(GstError, match="threads: 0 threads"):
        GeneNamer(threads=0)
    with pytest.raises(GstError, match="library: there is no 'arrow'; use one of pandas, polars"):
        namer.to_frame([("a", "MKV")], library="arrow")


@pytest.mark.parametrize(
    ("species", "clade"),
    [
        ({"scientific_name": "Mus musculus", "taxon_id": 9031}, "aves"),
        ({"scientific_name": "Mus musculus", "taxon_id": 999_999_999}, "rodentia"),
        ({"scientific_name": "no such animal", "taxon_id": 9031}, "aves"),
        ({"scientific_name": "Mus musculus", "taxon_id": 9031, "clade": "Teleostei"}, "teleostei"),
        ({"scientific_name": "", "taxon_id": None}, None),
    ],
)
def test_the_id_of_a_species_goes_before_its_name(namer, species, clade):
    found = namer.species(**species)
    assert (found.clade, found.warning) == (clade, "")


@pytest.mark.parametrize(
    ("species", "doubled"),
    [
        ({"scientific_name": "Danio rerio"}, True),
        ({"scientific_name": "Xenopus laevis"}, True),
        ({"scientific_name": "Xenopus tropicalis"}, False),
        ({"taxon_id": 9606}, False),
        ({"clade": "teleostei"}, True),
        ({"clade": "aves"}, False),
        ({}, False),
    ],
)
def test_it_is_known_where_genomes_were_doubled(namer, species, doubled):
    assert namer.species(**species).doubled is doubled
