"""A model file is data: it cannot crash, hang or bloat the program."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gst_core import GstError
from gst_core.inference.formats import check_file
from gst_core.inference.session import default_model
from tests.inference.test_reference_engine import written

#: Damaged files that are tried; more by this variable.
TRIALS = int(os.environ.get("GST_FUZZ", "60"))


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("door") / "made.onnx")


def changed(model_file: Path, tmp_path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    model = onnx.load(model_file)
    change(model)
    path = tmp_path / "changed.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def add_node(*args: object, **attributes: object) -> Callable[[onnx.ModelProto], object]:
    node = helper.make_node(*args, **attributes)  # type: ignore[arg-type]
    return lambda model: model.graph.node.append(node)


def doubling(model: onnx.ModelProto) -> None:
    name = "features"
    for number in range(40):
        model.graph.node.append(helper.make_node("Concat", [name, name], [f"d{number}"], axis=0))
        name = f"d{number}"


def outer_product(model: onnx.ModelProto) -> None:
    column = np.zeros((2**20, 1), np.float32)
    for name, array in (("column", column), ("row", column.T)):
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    model.graph.node.append(helper.make_node("MatMul", ["column", "row"], ["large"]))


def division(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Shape", ["features"], ["shape"]))
    model.graph.node.append(helper.make_node("Div", ["shape", "shape"], ["ones"]))


def external(model: onnx.ModelProto) -> None:
    array = model.graph.initializer[0]
    array.ClearField("raw_data")
    array.data_location = TensorProto.EXTERNAL
    array.external_data.add(key="location", value="/etc/passwd")


def with_function(model: onnx.ModelProto) -> None:
    opset = [helper.make_opsetid("", 21)]
    node = helper.make_node("Identity", ["x"], ["y"])
    model.functions.append(helper.make_function("own", "F", ["x"], ["y"], [node], opset))


def branch(model: onnx.ModelProto) -> None:
    graph = helper.make_graph([], "g", [], [])
    model.graph.node.append(
        helper.make_node("If", ["present"], ["z"], then_branch=graph, else_branch=graph)
    )


def retyped(name: str, dtype: str, add: int = 0) -> Callable[[onnx.ModelProto], object]:
    """Store an array as numbers of another type; `add` makes their sum no number of 64 bits."""

    def change(model: onnx.ModelProto) -> None:
        (array,) = (a for a in model.graph.initializer if a.name == name)
        values = numpy_helper.to_array(array).astype(dtype)
        values[:2] += add
        array.CopyFrom(numpy_helper.from_array(values, name))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (retyped("lengths", "int64", 2**62), "its array lengths is no row of int32"),
        (retyped("packed", "float64"), "its array packed has a type"),
        (add_node("Loop", ["", "present"], ["z"]), "has the operator Loop"),
        (doubling, "takes more memory or time"),
        (outer_product, "takes more memory or time"),
        (division, "divides whole numbers by what may be 0"),
        (external, "a field 13"),
        (with_function, "a field 25"),
        (branch, "the operator If of its graph"),
        (add_node("Tile", ["features", "present"], ["z"]), "has the operator Tile"),
        (add_node("Abs", ["features"], ["z"], domain="own"), r"has the operator own\.Abs"),
        (add_node("Identity", ["absent"], ["z"]), "uses what it has not made"),
        (add_node("Identity", ["features"], ["present"]), "two values of one name"),
        (lambda m: m.graph.initializer.append(m.graph.initializer[0]), "two arrays of one name"),
        (lambda m: m.opset_import.append(helper.make_opsetid("own", 1)), "operators of own 1"),
    ],
)
def test_a_graph_that_is_not_ours_is_refused(
    model_file: Path, tmp_path: Path, change: Callable[[onnx.ModelProto], object], message: str
) -> None:
    with pytest.raises(GstError, match=message):
        check_file(changed(model_file, tmp_path, change))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("len_int64_wrap", "its array lengths is no row of int32"),
        ("packed_f64_oob", "its array packed has a type"),
        ("acc_notutf8", "gst.accessions are not UTF-8"),
        ("loop_forever", "the operator Loop of its graph"),
    ],
)
def test_files_that_were_made_to_break_it(shared_data: Path, case: str, message: str) -> None:
    path = shared_data.parent / "cases" / f"{case}.onnx"
    with pytest.raises(GstError, match=message) as caught:
        check_file(path)
    assert str(path) in str(caught.value)


def test_accessions_that_are_no_text(model_file: Path, tmp_path: Path) -> None:
    data = model_file.read_bytes()
    begin = data.index(b"gst.accessions") + len(b"gst.accessions") + 4
    path = tmp_path / "damaged.onnx"
    path.write_bytes(data[:begin] + b"\xff\xfe" + data[begin + 2 :])
    with pytest.raises(GstError, match=r"gst\.accessions are not UTF-8"):
        check_file(path)


def test_the_embedded_model_is_looked_at_in_a_moment() -> None:
    began = time.perf_counter()
    assert check_file(default_model())["gst.format"] == "gst-2"
    assert time.perf_counter() - began < 5


def test_damaged_files_are_refused_and_nothing_worse(model_file: Path) -> None:
    """In a process of its own: a crash is a failure of the test, not its end."""
    command = [sys.executable, str(Path(__file__).with_name("hostile.py")), str(model_file)]
    done = subprocess.run(
        [*command, os.environ.get("GST_FUZZ_SEED", "0"), str(TRIALS)],
        capture_output=True, text=True, timeout=60 + TRIALS, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-200:]}\n{done.stderr[-3000:]}"
    refused = int(done.stdout.split()[-1])
    assert refused > TRIALS // 2
