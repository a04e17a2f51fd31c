"""Files of geneformer export are checked before a runtime sees them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from gst_core.errors import GstError
from gst_core.geneformer.backends import open_encoder
from gst_core.geneformer.config import ACTIVATIONS, NetworkConfig
from gst_core.geneformer.export import to_onnx
from gst_core.geneformer.network import Layout, MaskedLanguageModel
from gst_core.geneformer.onnx_format import check_file
from gst_core.inference.session import default_model


def network(activation: str = "relu") -> MaskedLanguageModel:
    torch.manual_seed(0)
    config = NetworkConfig(34, 16, 3, 2, 32, 40, activation=activation, initializer_range=0.3)
    return MaskedLanguageModel(config).eval().requires_grad_(False)


@pytest.fixture
def model() -> onnx.ModelProto:
    return to_onnx(network().bert)


def refusal(path: Path) -> str:
    with pytest.raises(GstError) as caught:
        open_encoder(path, "cpu")
    assert str(path) in str(caught.value)
    return str(caught.value)


def write(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_both_layers_are_those_of_torch(tmp_path: Path, activation: str) -> None:
    ours = network(activation)
    path = write(to_onnx(ours.bert), tmp_path / "m.onnx")
    assert check_file(path) == ours.config
    encoder = open_encoder(path, "cpu", 1)
    lengths = [5, 5, 40, 1]
    row = torch.randint(1, 34, (sum(lengths),), generator=torch.Generator().manual_seed(1))
    cells = [part.numpy() for part in row.split(lengths)]
    for layer in (-1, 0):
        expected = ours.bert(row, Layout.of(lengths), depth=3 + layer).split(lengths)
        for found, wanted in zip(encoder.hidden(cells, layer), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_damage_is_one_line(model: onnx.ModelProto, tmp_path: Path) -> None:
    data = model.SerializeToString()
    for size in (0, 10, len(data) // 2):
        path = tmp_path / f"{size}.onnx"
        path.write_bytes(data[:size])
        assert "not a model file that can be used" in refusal(path)
    assert "not one of geneformer export" in refusal(default_model())


def test_arrays_of_another_shape_than_the_config_says_are_refused(
    model: onnx.ModelProto, tmp_path: Path
) -> None:
    settings = {**network().config.to_json(), "vocab_size": 35}
    kept = {prop.key: prop.value for prop in model.metadata_props}
    helper.set_model_props(model, {**kept, "geneformer.config": json.dumps(settings)})
    assert "words is not of 35 vectors" in refusal(write(model, tmp_path / "v.onnx"))
    helper.set_model_props(model, {**kept, "geneformer.config": json.dumps({"a": 1})})
    assert "model_type" in refusal(write(model, tmp_path / "c.onnx"))
    helper.set_model_props(model, {**kept, "geneformer.config": "{"})
    assert "no JSON" in refusal(write(model, tmp_path / "j.onnx"))


def test_operators_that_no_encoder_has_are_refused(model: onnx.ModelProto, tmp_path: Path) -> None:
    model.graph.node.insert(0, helper.make_node("Expand", ["words", "const"], ["bomb"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([10**6, 34, 16]), "const"))
    assert "Expand" in refusal(write(model, tmp_path / "e.onnx"))
