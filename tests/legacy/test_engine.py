"""The engine keeps what the original's answers depend on, and none of its crashes."""

from __future__ import annotations

import io

import numpy as np
import onnxruntime as ort
import pytest

from gst_core.errors import GstError
from gst_core.inference.engine import Engine
from gst_core.inference.legacy import LegacyEngine
from gst_core.legacy.onnx_writer import GraphBuilder
from tests.legacy.golden import Golden


def test_it_is_an_engine(golden: Golden) -> None:
    engine: Engine = golden.engine
    assert engine.name == golden.checkpoint.name
    assert engine.version == golden.checkpoint.version
    assert engine.provider == "cpu"
    assert list(engine.clades) == list(golden.checkpoint.clades)
    assert engine.cost(1) == engine.cost(35_000) > 0


def test_top_k_falls_and_is_cut_to_the_vocabulary(golden: Golden) -> None:
    symbols = len(golden.engine.vocabulary)
    probabilities, indices, _ = golden.engine.predict([b"MKV", b"ACD"], "aves", symbols + 10)
    assert probabilities.shape == indices.shape == (2, symbols)
    assert (np.diff(probabilities, axis=1) <= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    for row in indices:
        assert sorted(row) == list(range(symbols))


def test_no_proteins_is_no_error(golden: Golden) -> None:
    probabilities, indices, _ = golden.engine.predict([], None, 1)
    assert probabilities.shape == indices.shape == (0, 1)


def test_an_empty_sequence_is_padding_throughout(golden: Golden) -> None:
    assert (golden.engine.encode([b""]) == len(golden.checkpoint.alphabet) - 1).all()


@pytest.mark.parametrize(("name", "side"), [("transformer", "right"), ("variant", "left")])
def test_padding_side_and_cutting(goldens: dict[str, Golden], name: str, side: str) -> None:
    engine, shape = goldens[name].engine, goldens[name].checkpoint.shape
    length, padding = shape.sequence_length, shape.num_letters - 1
    long = b"M" + b"A" * (length - 1) + b"W" * 50
    short, cut = engine.encode([b"MA", long])
    assert list(short[:2] if side == "right" else short[-2:]) == [10, 0]
    assert (short == padding).sum() == length - 2
    # The start is kept on either side.
    assert list(cut) == [10] + [0] * (length - 1)


def test_a_terminal_stop_is_a_residue(golden: Golden) -> None:
    assert golden.engine.reads_as_original
    with_stop, without = golden.engine.encode([b"MK*", b"MK"])
    assert (with_stop != without).sum() >= 1
    assert 26 in with_stop


def test_what_stopped_the_original_counts_as_x(golden: Golden) -> None:
    odd, unknown = golden.engine.encode([b"M-K.a7?", b"MXKXXXX"])
    np.testing.assert_array_equal(odd, unknown)


def test_clades_are_the_original_s_even_where_they_are_wrong(golden: Golden) -> None:
    assert golden.engine.clade_of(9606) == "humans"
    assert golden.engine.clade_of(7955) == "teleostei"
    # The opossum, a marsupial, and the spotted gar, a ray-finned fish.
    assert golden.engine.clade_of(13616) == "mammalia"
    assert golden.engine.clade_of(7918) == "metazoa"


def test_a_taxon_without_a_clade_has_none(golden: Golden) -> None:
    assert golden.engine.clade_of(10239) is None


def test_an_unknown_clade_is_an_error_in_words(golden: Golden) -> None:
    with pytest.raises(GstError, match="fungi"):
        golden.engine.predict([b"MKV"], "fungi", 1)


def test_clade_reaches_the_network_where_it_was_trained_with(golden: Golden) -> None:
    top = {
        clade: golden.engine.predict([b"MKVLLAAGGW"], clade, 1)[0][0, 0]
        for clade in ("humans", "teleostei", None)
    }
    assert len(set(top.values())) == (3 if golden.checkpoint.shape.uses_clade else 1)


def _session(metadata: dict[str, str]) -> ort.InferenceSession:
    graph = GraphBuilder()
    graph.input("x", "float32", (1,))
    graph.node("Identity", "x", outputs=("y",))
    graph.output("y", "float32", (1,))
    stream = io.BytesIO()
    graph.write(stream, "other", metadata)
    return ort.InferenceSession(stream.getvalue(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("metadata", [{}, {"gst.format": "1"}, {"gst.format": "legacy-1"}])
def test_another_onnx_file_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(GstError, match="gst import"):
        LegacyEngine(_session(metadata), "cpu")
