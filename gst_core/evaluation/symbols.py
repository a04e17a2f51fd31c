"""The symbols a model can give, whatever kind of file it is."""

from __future__ import annotations

from pathlib import Path

from gst_core.errors import GstError
from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.importing import is_checkpoint
from gst_core.vocabulary import Vocabulary


def model_symbols(path: Path) -> frozenset[str]:
    """Read a model's symbols, in lower case.

    Parameters
    ----------
    path
        An ``.onnx`` model, or a ``.ckpt`` of the original.

    Raises
    ------
    GstError
        If it is neither, or damaged.
    """
    legacy = is_checkpoint(path)
    vocabulary = read_checkpoint(path).vocabulary if legacy else _onnx_vocabulary(path)
    return frozenset(symbol.symbol.lower() for symbol in vocabulary)


def _onnx_vocabulary(path: Path) -> Vocabulary:
    import onnxruntime as ort

    try:
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return Vocabulary.from_json(session.get_modelmeta().custom_metadata_map["gst.vocabulary"])
    except Exception as error:  # ONNX Runtime's exceptions have no common base of their own
        raise GstError(
            "is not a model of ours",
            where=str(path),
            hint="give an .onnx model of gst export, or a .ckpt of the original",
        ) from error
