"""Files of geneformer export are checked before a runtime sees them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from gst_core.errors import GstError
from gst_core.geneformer.api import Geneformer
from gst_core.geneformer.backends import open_encoder
from gst_core.geneformer.config import ACTIVATIONS, NetworkConfig
from gst_core.geneformer.export import to_onnx
from gst_core.geneformer.layout import Layout
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.onnx_format import Dictionary, check_file
from gst_core.geneformer.resources import Resources
from gst_core.inference.session import default_model


def network(activation: str = "relu") -> MaskedLanguageModel:
    torch.manual_seed(0)
    config = NetworkConfig(34, 16, 3, 2, 32, 40, activation=activation, initializer_range=0.3)
    return MaskedLanguageModel(config).eval().requires_grad_(False)


@pytest.fixture
def model(tiny_resources: Resources) -> onnx.ModelProto:
    return to_onnx(network().bert, tiny_resources)


def refusal(path: Path) -> str:
    with pytest.raises(GstError) as caught:
        open_encoder(path, "cpu")
    assert str(path) in str(caught.value)
    return str(caught.value)


def write(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_both_layers_are_those_of_torch(
    tiny_resources: Resources, tmp_path: Path, activation: str
) -> None:
    ours = network(activation)
    path = write(to_onnx(ours.bert, tiny_resources), tmp_path / "m.onnx")
    assert check_file(path) == (ours.config, Dictionary.of(tiny_resources))
    encoder = open_encoder(path, "cpu", 1)
    lengths = [5, 5, 40, 1]
    row = torch.randint(1, 34, (sum(lengths),), generator=torch.Generator().manual_seed(1))
    cells = [part.numpy() for part in row.split(lengths)]
    for layer in (-1, 0):
        expected = ours.bert(row, Layout.of(lengths), depth=3 + layer).split(lengths)
        for found, wanted in zip(encoder.states(cells, layer).split(), expected, strict=True):
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


def test_the_file_says_which_dictionary_it_is_of(
    model: onnx.ModelProto, tiny_resources: Resources, tmp_path: Path
) -> None:
    said = {prop.key: prop.value for prop in model.metadata_props}
    found = json.loads(said["geneformer.dictionary"])
    assert found["model_version"] == "V2"
    assert found["special_tokens"] == {"pad": 0, "mask": 1, "cls": 2, "eos": 3}
    path = write(model, tmp_path / "m.onnx")
    encoder = open_encoder(path, "cpu", 1)
    Geneformer(encoder, tiny_resources)
    other = replace(tiny_resources, medians=tiny_resources.medians * 2)
    with pytest.raises(GstError, match=r"other genes, tokens or medians.*--resources"):
        Geneformer(encoder, other)
    helper.set_model_props(model, {**said, "geneformer.dictionary": "[]"})
    assert "describe none" in refusal(write(model, tmp_path / "d.onnx"))


def test_a_file_is_not_made_for_a_dictionary_of_another_size(tiny_resources: Resources) -> None:
    fewer = replace(tiny_resources, gene_ids=tiny_resources.gene_ids[:9])
    fewer = replace(fewer, token_ids=fewer.token_ids[:9], medians=fewer.medians[:9])
    with pytest.raises(GstError, match=r"knows 34 tokens, the dictionary of V2 13"):
        to_onnx(network().bert, fewer)
