"""The ONNX file: valid by the format's own checker, without the onnx package to write it."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.legacy.onnx_writer import GraphBuilder, _varint
from gst_core.vocabulary import Vocabulary
from tests.legacy.golden import Golden


def test_the_format_s_own_checker_accepts_it(golden: Golden) -> None:
    model = onnx.load_from_string(golden.model)
    # ONNX's checker does not know ONNX Runtime's fused operators; the session does.
    onnx.checker.check_model(model)
    assert {o.domain: o.version for o in model.opset_import} == {"": 20, "com.microsoft": 1}
    assert [i.name for i in model.graph.input] == ["codes", "clade", "top_k"]
    assert [o.name for o in model.graph.output] == ["probabilities", "indices"]


def test_metadata_say_all_that_serving_takes(golden: Golden) -> None:
    model = onnx.load_from_string(golden.model)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    checkpoint = golden.checkpoint
    assert metadata["gst.format"] == "legacy-1"
    assert metadata["gst.name"] == checkpoint.name
    assert json.loads(metadata["gst.clades"]) == list(checkpoint.clades)
    assert metadata["gst.alphabet"] == checkpoint.alphabet
    assert list(Vocabulary.from_json(metadata["gst.vocabulary"])) == list(checkpoint.vocabulary)


def test_weights_are_those_of_the_checkpoint(goldens: dict[str, Golden]) -> None:
    golden = goldens["mlp"]
    stored = {
        tensor.name: onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(golden.model).graph.initializer
    }
    weights = golden.checkpoint.weights
    np.testing.assert_array_equal(stored["output_layer.weight"].T, weights["output_layer.weight"])
    whole = np.vstack((stored["input_layer.rows"], stored["clade.weight"])).T
    np.testing.assert_array_equal(whole, weights["input_layer.weight"])


def test_the_wide_layer_is_folded(goldens: dict[str, Golden]) -> None:
    checkpoint = goldens["transformer"].checkpoint
    model = onnx.load_from_string(goldens["transformer"].model)
    stored = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    shape = checkpoint.shape
    folded = shape.hidden + shape.embedding_dimension + shape.num_clades
    assert stored["integration.weight"] == (folded, shape.num_symbols)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_written_as_protocol_buffers_do(value: int) -> None:
    # Field 3 of AttributeProto, a variable-length integer
    assert onnx.AttributeProto(i=value).SerializeToString() == b"\x18" + _varint(value)


def test_attributes_and_shapes_are_read_back() -> None:
    graph = GraphBuilder()
    graph.input("x", "float32", ("batch", 3))
    graph.constant("c", np.array([[1, -2], [3, 4]], dtype=np.int64))
    graph.node("Op", "x", "c", outputs=("y",), domain="d", f=0.5, i=-7, s="text", ints=(1, -1))
    graph.output("y", "int32", ())
    stream = io.BytesIO()
    graph.write(stream, "name", {"key": "wért"})
    model = onnx.load_from_string(stream.getvalue())
    (node,) = model.graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert attributes == {"f": 0.5, "i": -7, "s": b"text", "ints": [1, -1]}
    assert (node.op_type, node.domain) == ("Op", "d")
    assert (list(node.input), list(node.output)) == (["x", "c"], ["y"])
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert (dims[0].dim_param, dims[1].dim_value) == ("batch", 3)
    (constant,) = model.graph.initializer
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(constant), [[1, -2], [3, 4]])
    assert model.metadata_props[0].value == "wért"


@pytest.mark.parametrize("package", ["torch", "onnx"])
def test_importing_needs_neither_torch_nor_onnx(golden: Golden, package: str) -> None:
    """The import runs where only the inference packages are installed."""
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from pathlib import Path\n"
        "from gst_core.legacy.importing import import_checkpoint\n"
        "print(import_checkpoint(Path(sys.argv[1]), cache=False).stat().st_size)"
    )
    path = golden.folder / "checkpoints" / "gst_variant.ckpt"
    output = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    ).stdout
    assert int(output) > 100_000
