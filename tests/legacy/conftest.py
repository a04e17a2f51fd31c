"""The original's checkpoints or ones like them, imported once for all tests."""

from __future__ import annotations

import io
from pathlib import Path

import onnxruntime as ort
import pytest

from gst_core.inference.legacy import LegacyEngine
from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.graph import write_onnx
from tests.conftest import SHARED_DATA
from tests.legacy.golden import CHECKPOINTS, Golden, read_fasta
from tests.legacy.made_checkpoints import write_folder


@pytest.fixture(scope="session")
def original_data(shared_data: Path) -> Path:
    """Return the folder of what the original's programs wrote; skip without it."""
    return shared_data / "legacy-gst"


@pytest.fixture(scope="session")
def legacy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the original's checkpoints and what it says with them or, without it, made ones."""
    real = SHARED_DATA / "legacy-gst"
    if real.is_dir():
        return real
    folder = tmp_path_factory.mktemp("made") / "legacy-gst"
    write_folder(folder)
    return folder


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
