"""Opening models: devices that are not there, files that are no models."""

from __future__ import annotations

import onnxruntime as ort
import pytest

from gst_core import GeneNamer
from gst_core.errors import GstError
from gst_core.evaluation.symbols import model_symbols
from gst_core.inference import namer
from gst_core.inference.session import (
    default_model,
    open_session,
    read_metadata,
    read_vocabulary,
)


def test_cuda_where_there_is_none_is_an_error():
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(GstError, match="CUDA cannot run here: the installed ONNX Runtime has no"):
        open_session(default_model(), "cuda")


def test_cuda_that_is_built_in_but_does_not_load_is_an_error(monkeypatch):
    """ONNX Runtime itself goes on with the CPU and exit status 0."""
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    if hasattr(ort, "preload_dlls"):
        monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    opened, provider = open_session(default_model(), "auto")
    assert provider == "cpu"
    assert "CUDAExecutionProvider" not in opened.get_providers()
    with pytest.raises(GstError, match="did not load, or there is no GPU"):
        open_session(default_model(), "cuda")


@pytest.mark.parametrize(("asked", "taken"), [("auto", "cpu"), ("cuda", "cuda"), ("cpu", "cpu")])
def test_a_model_of_references_is_not_put_on_a_gpu_unasked(monkeypatch, asked, taken):
    """CUDA takes seconds to start, and most of the work is the processor's."""
    devices = []

    def spy(path, device, threads):
        devices.append(device)
        return open_session(path, "cpu", threads)

    monkeypatch.setattr(namer, "open_session", spy)
    GeneNamer(device=asked)
    assert devices == [taken]


def test_files_that_are_no_model(tmp_path):
    with pytest.raises(GstError, match="no such model file"):
        open_session(tmp_path / "absent.onnx")
    text = tmp_path / "text.onnx"
    text.write_text("not a model")
    with pytest.raises(GstError, match="not a model file that can be used"):
        open_session(text)
    with pytest.raises(GstError, match="not a model file"):
        read_metadata(text)
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(default_model().read_bytes()[:100_000])
    with pytest.raises(GstError, match="not a model file that can be used"):
        open_session(torn)


def test_metadata_are_all_in_the_file():
    metadata = read_metadata(default_model())
    assert metadata["gst.format"] in ("gst-1", "gst-2")
    for key in (
        "name", "version", "alphabet", "clades", "config", "vocabulary",
        "training_data", "held_out_accuracy", "calibration",
    ):  # fmt: skip
        assert metadata[f"gst.{key}"], key


@pytest.mark.parametrize(
    "vocabulary",
    [
        None,
        "",
        "no JSON",
        "[]",
        "[" * 100_000,
        '{"symbol":["GH1"],"description":[""],"source":[""]}',
        '{"symbol":["GH1"],"description":[""],"source":[""],"accession":[]}',
        '{"symbol":[1],"description":[""],"source":[""],"accession":[""]}',
        '{"symbol":1,"description":1,"source":1,"accession":1}',
    ],
)
def test_a_model_whose_vocabulary_is_missing_or_damaged(tmp_path, vocabulary):
    onnx = pytest.importorskip("onnx")
    made = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 17]>
        nothing (float[1] x) => (float[1] y) { y = Identity(x) }"""
    )
    properties = {"gst.format": "gst-1"}
    if vocabulary is not None:
        properties["gst.vocabulary"] = vocabulary
    onnx.helper.set_model_props(made, properties)
    path = tmp_path / "model.onnx"
    onnx.save(made, path)
    for read in (read_vocabulary, model_symbols):
        with pytest.raises(GstError, match=r"model\.onnx: has no vocabulary"):
            read(path)
