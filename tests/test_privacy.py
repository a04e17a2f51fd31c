"""Nothing about a run leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

ROOT = Path(__file__).resolve().parents[1]


def files_left_behind(first: str, folder: Path) -> list[Path]:
    """Run a model after `first`; return what ONNX Runtime kept in the user's cache folder."""
    value = onnx.helper.make_tensor_value_info
    float_ = onnx.TensorProto.FLOAT
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    graph = onnx.helper.make_graph(
        [node], "identity", [value("x", float_, [1])], [value("y", float_, [1])]
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[opset]), folder / "m.onnx")
    cache = folder / "cache"
    cache.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(cache), "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
    program = f"{first}\nimport onnxruntime\nonnxruntime.InferenceSession('m.onnx')"
    subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=True)
    return [path for path in cache.rglob("*") if path.is_file()]


def test_onnx_runtime_reports_nothing(tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    if not files_left_behind("", tmp_path / "without"):
        pytest.skip("this build of ONNX Runtime has no telemetry")
    assert files_left_behind("import gst_core", tmp_path / "with") == []
