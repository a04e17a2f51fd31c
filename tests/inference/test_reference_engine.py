"""Models of references through the Python API: made here, asked, and damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from gst_core import GeneNamer, GstError
from gst_core.clades import CLADES
from gst_core.export.candidates import build, export
from gst_core.inference import references as reference_engine
from gst_core.inference.references import ReferenceEngine
from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.references.store import STORED, References
from gst_core.sequences import ReadStatistics
from gst_core.vocabulary import Symbol, Vocabulary
from tests.relatives import evolved, letters, random_protein, references_of

SYMBOLS = 20
VOCABULARY = Vocabulary(Symbol(f"SYM{number}", f"symbol {number}") for number in range(SYMBOLS))
COUNTS = np.full(SYMBOLS, 2)
ORIGINALS = np.arange(SYMBOLS)


def some_references() -> References:
    rng = np.random.default_rng(0)
    proteins = []
    for _ in range(SYMBOLS):
        ancestor = random_protein(rng, int(rng.integers(60, 200)))
        proteins += [ancestor, evolved(rng, ancestor, 0.2)]
    return references_of(proteins, np.repeat(np.arange(SYMBOLS), 2).tolist())


def some_network(features: int = CandidateConfig().features) -> CandidateTransformer:
    """A network that has learnt nothing."""
    torch.manual_seed(0)
    return CandidateTransformer(CandidateConfig(features=features)).eval()


def written(
    path: Path,
    references: References | None = None,
    counts: np.ndarray = COUNTS,
    network: CandidateTransformer | None = None,
    originals: np.ndarray = ORIGINALS,
) -> Path:
    path.write_bytes(
        export(
            network or some_network(), references or some_references(), counts, originals,
            VOCABULARY, CLADES, name="made", version="0.1",
            facts={"held_out_accuracy": {"Bos": 0.9}},
        )
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def namer(tmp_path_factory: pytest.TempPathFactory) -> GeneNamer:
    path = written(tmp_path_factory.mktemp("model") / "made.onnx")
    return GeneNamer(path, device="cpu", threads=2)


def test_what_the_file_says(namer):
    assert isinstance(namer.engine, ReferenceEngine)
    assert (namer.engine.name, namer.engine.version) == ("made", "0.1")
    assert namer.fact("held_out_accuracy") == {"Bos": 0.9}
    assert list(namer.engine.clades) == list(CLADES)
    assert namer.engine.vocabulary[3] == Symbol("SYM3", "symbol 3")
    assert namer.species("Sus scrofa").clade == "mammalia"


def test_the_evidence_is_the_reference_of_the_symbol(namer):
    references = some_references()
    pairs = [(f"p{number}", letters(references[number])) for number in range(len(references))]
    for number, found in enumerate(namer.assign(pairs, evidence=True, top_k=3)):
        assert found.evidence is not None
        shown = int(found.evidence.reference[1:])
        assert found.symbol == f"SYM{references.classes[shown]}"
        if shown == number:
            assert found.evidence.identity == 1
            assert found.evidence.query_coverage == found.evidence.reference_coverage == 1


def test_what_resembles_nothing_has_neither_symbol_nor_evidence(namer):
    pairs = [("x", "X" * 60), ("m", "M"), ("empty", "")]
    for found in namer.assign(pairs, evidence=True, top_k=4):
        assert (found.symbol, found.probability, found.evidence) == ("", 0, None)
        assert len(found.candidates) == 1


def test_predictions_fall_and_end_where_candidates_end(namer):
    references = some_references()
    proteins = [letters(references[n]).encode() for n in range(20)] + [b"X" * 9]
    for k in (1, 5, 100):
        found = namer.engine.predict(proteins, "aves", k)
        assert found.evidence is None
        assert found.probabilities.shape == found.indices.shape
        assert found.probabilities.shape[1] <= k
        assert (np.diff(found.probabilities, axis=1) <= 0).all()
        assert (found.probabilities[found.indices < 0] == 0).all()
        assert (found.indices[-1] == -1).all()
        assert (found.indices < SYMBOLS).all()
        # Once there is no candidate, there is none behind it.
        assert (np.diff((found.indices < 0).astype(int), axis=1) >= 0).all()


def test_copies_of_a_gene_are_no_rivals_of_it(namer, tmp_path):
    """Symbol 0 is the gene, all others are copies of it: it gets what they have, or one of them."""
    copies = written(tmp_path / "made.onnx", originals=np.zeros(SYMBOLS, dtype=np.int64))
    one = GeneNamer(copies, device="cpu", threads=1)
    references = some_references()
    protein = b"".join(letters(references[number]).encode() for number in (4, 0, 8))
    apart = namer.engine.predict([protein], None, 12)
    together = one.engine.predict([protein], None, 12)
    own = dict(zip(apart.indices[0].tolist(), apart.probabilities[0].tolist(), strict=True))
    own.pop(-1, None)
    merged = dict(
        zip(together.indices[0].tolist(), together.probabilities[0].tolist(), strict=True)
    )
    merged.pop(-1, None)
    assert len(own) > len(merged) > 0
    assert sum(merged.values()) == pytest.approx(sum(own.values()), abs=1e-5)
    assert together.probabilities[0, 0] > apart.probabilities[0, 0]
    shown = one.engine.predict([protein], None, 1, evidence=True).evidence[0]
    best = references.classes[int(shown.reference[1:])]
    assert best == together.indices[0, 0]


def test_a_protein_does_not_depend_on_its_batch(namer):
    references = some_references()
    proteins = [letters(references[n]).encode() for n in range(20)] + [b"X" * 9]
    together = namer.engine.predict(proteins, None, 5, evidence=True)
    for row, one in enumerate(proteins):
        alone = namer.engine.predict([one], None, 5, evidence=True)
        np.testing.assert_allclose(alone.probabilities[0], together.probabilities[row], atol=1e-6)
        np.testing.assert_array_equal(alone.indices[0, :1], together.indices[row, :1])
        assert alone.evidence[0] == together.evidence[row]


def without(key: str) -> Callable[[onnx.ModelProto], None]:
    def damage(model: onnx.ModelProto) -> None:
        kept = [entry for entry in model.metadata_props if entry.key != key]
        assert len(kept) < len(model.metadata_props)
        del model.metadata_props[:]
        model.metadata_props.extend(kept)

    return damage


def without_stored(name: str) -> Callable[[onnx.ModelProto], None]:
    def damage(model: onnx.ModelProto) -> None:
        kept = [output for output in model.graph.output if output.name != name]
        assert len(kept) < len(model.graph.output)
        del model.graph.output[:]
        model.graph.output.extend(kept)

    return damage


def with_value(name: str, value: int) -> Callable[[onnx.ModelProto], None]:
    def damage(model: onnx.ModelProto) -> None:
        (tensor,) = [tensor for tensor in model.graph.initializer if tensor.name == name]
        array = onnx.numpy_helper.to_array(tensor).copy()
        array[1] = value
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, name))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *(without(f"gst.{key}") for key in ("name", "version", "clades", "vocabulary")),
        without("gst.accessions"),
        *(without_stored(name) for name in STORED),
        with_value("lengths", 9999),
        with_value("lengths", 0),
        with_value("lengths", -3),
        with_value("classes", SYMBOLS),
        with_value("classes", -1),
        with_value("clades", len(CLADES) + 1),
        with_value("packed", 2**32 - 1),
        with_value("originals", SYMBOLS),
        with_value("originals", -1),
    ],
)
def test_a_damaged_model_is_an_error(tmp_path, damage):
    model = onnx.load(written(tmp_path / "made.onnx"))
    damage(model)
    onnx.save(model, tmp_path / "made.onnx")
    with pytest.raises(
        GstError,
        match=r"not a model file that can be used",
    ):
        GeneNamer(tmp_path / "made.onnx", device="cpu")


@pytest.mark.parametrize("part", ["counts", "originals", "accessions", "clades", "features"])
def test_parts_that_do_not_fit_together_are_an_error(tmp_path, part):
    references, counts, network = some_references(), COUNTS, some_network()
    originals = ORIGINALS
    if part == "counts":
        counts = COUNTS[1:]
    elif part == "originals":
        originals = ORIGINALS[1:]
    elif part == "accessions":
        references = replace(references, accessions=references.accessions[1:])
    elif part == "clades":
        references = replace(references, clades=references.clades[1:])
    else:
        network = some_network(20)
    path = written(tmp_path / "made.onnx", references, counts, network, originals)
    with pytest.raises(GstError, match=r"build it again|not a model file that can be used"):
        GeneNamer(path, device="cpu")


@pytest.mark.parametrize("features", [21, 27, 28])
def test_models_of_fewer_numbers_read_the_first_ones(tmp_path, monkeypatch, features):
    path = written(tmp_path / "made.onnx", network=some_network(features))
    namer = GeneNamer(path, device="cpu")
    asked = [("p", letters(some_references()[0]))]
    before = next(iter(namer.assign(asked, clade="humans")))
    whole = reference_engine.features

    def changed(found):
        """Change what this network does not read, where there is any."""
        numbers = whole(found)
        numbers[..., features:] += 1
        return numbers

    monkeypatch.setattr(reference_engine, "features", changed)
    assert next(iter(namer.assign(asked, clade="humans"))) == before
    monkeypatch.setattr(reference_engine, "features", lambda found: whole(found) + 1)
    assert next(iter(namer.assign(asked, clade="humans"))) != before


def test_a_model_without_metadata_is_not_one_of_ours(tmp_path):
    path = tmp_path / "bare.onnx"
    onnx.save(build(some_network(), some_references(), COUNTS, ORIGINALS), path)
    with pytest.raises(GstError, match="not one of GST's"):
        GeneNamer(path, device="cpu")


def test_what_lies_beyond_the_longest_protein_is_not_searched_and_said(namer, monkeypatch):
    monkeypatch.setattr(reference_engine, "LONGEST", 50)
    monkeypatch.setattr(ReferenceEngine, "longest", 50)
    references = some_references()
    whole = [(f"p{number}", letters(references[number])) for number in range(4)]
    statistics = ReadStatistics()
    found = list(namer.assign(whole, top_k=3, statistics=statistics))
    cut = [(name, residues[:50]) for name, residues in whole]
    short = ReadStatistics()
    for one, other in zip(found, namer.assign(cut, top_k=3, statistics=short), strict=True):
        assert one.candidates == other.candidates
    assert statistics.warnings() == [
        "4 records have more than 50 residues, first p0; what lies beyond was not searched"
    ]
    assert short.warnings() == []
