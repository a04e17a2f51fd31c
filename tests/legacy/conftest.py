"""The original's checkpoints, imported once for all tests."""

from __future__ import annotations

import io
from pathlib import Path

import onnxruntime as ort
import pytest

from gst_core.inference.legacy import LegacyEngine
from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.graph import write_onnx
from tests.legacy.golden import CHECKPOINTS, Golden, read_fasta


@pytest.fixture(scope="session")
def legacy_data(shared_data: Path) -> Path:
    return shared_data / "legacy-gst"


@pytest.fixture(scope="session")
def goldens(legacy_data: Path) -> dict[str, Golden]:
    result = {}
    for name, file in CHECKPOINTS.items():
        checkpoint = read_checkpoint(legacy_data / "checkpoints" / f"{file}.ckpt")
        stream = io.BytesIO()
        write_onnx(checkpoint, stream)
        model = stream.getvalue()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        engine = LegacyEngine(session, "cpu")
        result[name] = Golden(name, legacy_data, checkpoint, model, engine)
    return result


@pytest.fixture(scope="session", params=list(CHECKPOINTS))
def golden(request: pytest.FixtureRequest, goldens: dict[str, Golden]) -> Golden:
    return goldens[request.param]


@pytest.fixture(scope="session")
def proteins(legacy_data: Path) -> list[tuple[str, bytes]]:
    records = read_fasta(legacy_data / "inputs" / "proteins_200.fa")
    assert len(records) == 200
    return records
