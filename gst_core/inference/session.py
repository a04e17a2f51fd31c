"""Opening a model file in ONNX Runtime, on the device that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, get_args

from gst_core.errors import GstError
from gst_core.inference.formats import check_file
from gst_core.onnxfile import opened
from gst_core.vocabulary import Vocabulary

try:
    import onnxruntime as ort
except ModuleNotFoundError as missing:  # the base install leaves the choice of CPU or GPU build
    raise GstError(
        "ONNX Runtime is not installed",
        hint="install GST with the extra [cpu], or [gpu] for NVIDIA GPUs: pip install '.[cpu]'",
    ) from missing

Device = Literal["auto", "cpu", "cuda"]
DEVICES: Final = get_args(Device)


def default_model() -> Path:
    """Path of the embedded model.

    Raises
    ------
    GstError
        If this installation carries none.
    """
    path = Path(str(files("gst_core"))) / "assets" / "model" / "vertebrates.onnx"
    if not path.is_file():
        raise GstError(
            "the embedded model is missing", where=str(path), hint="give one with --checkpoint"
        )
    return path


def open_session(
    path: Path,
    device: Device = "auto",
    threads: int = 1,
    check: Callable[[Path], object] = check_file,
) -> tuple[ort.InferenceSession, str]:
    """Open a model.

    Parameters
    ----------
    path
        A ``.onnx`` file.
    device
        ``cuda`` insists; ``auto`` takes CUDA where it really runs, else the CPU.
    threads
        Threads within one run of the model on the CPU.
    check
        Refuses a file that is not what it should be, before the runtime sees it.

    Returns
    -------
    session
        The opened model.
    provider
        What really runs it: ``cpu`` or ``cuda``.

    Raises
    ------
    GstError
        If the file is no ONNX model, or CUDA was insisted on and does not run.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said below, once
    # Idle threads sleep: tasks of a pipeline share their machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    check(path)
    cuda = device != "cpu" and "CUDAExecutionProvider" in ort.get_available_providers()
    ort.set_default_logger_severity(4)  # likewise where a provider's library does not load
    if cuda and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # the CUDA libraries that pip installed beside onnxruntime-gpu
    try:
        if cuda:
            session = ort.InferenceSession(
                path, options, providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
            )
        else:
            session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has no common class for what it raises
        first = str(error).strip().splitlines()[0]
        raise GstError(
            f"ONNX Runtime cannot open the model: {first}",
            where=str(path),
            hint="give an .onnx file made by gst build or gst export, or an original .ckpt",
        ) from error
    # ONNX Runtime goes on without CUDA where its libraries do not load: look at
    # what it took, not at what it was asked for.
    provider = "cuda" if session.get_providers()[0] == "CUDAExecutionProvider" else "cpu"
    if device == "cuda" and provider != "cuda":
        reason = (
            "its CUDA or cuDNN libraries or the driver did not load, or there is no GPU"
            if cuda
            else "the installed ONNX Runtime has no CUDA support"
        )
        raise GstError(
            f"CUDA cannot run here: {reason}",
            where="--device cuda",
            hint="use the extra [gpu] on a machine with an NVIDIA GPU, or --device cpu",
        )
    return session, provider


def read_metadata(path: Path) -> dict[str, str]:
    """Read a model's metadata, without preparing it to run.

    Raises
    ------
    GstError
        If the file is missing or no model of ours.
    """
    with opened(path) as model:
        metadata = model.metadata
    if "gst.format" not in metadata:
        raise GstError("an ONNX model, but not one of GST's", where=str(path))
    return metadata


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the symbols a model can give, without preparing it to run.

    Raises
    ------
    GstError
        If the file is missing, no model of ours, or its vocabulary is missing or damaged.
    """
    try:
        return Vocabulary.from_json(read_metadata(path)["gst.vocabulary"])
    except (KeyError, ValueError) as error:
        raise GstError("has no vocabulary", where=str(path), hint="use a model of gst's") from error
