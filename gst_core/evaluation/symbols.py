"""The symbols a model can give, whatever kind of file it is."""

from __future__ import annotations

from pathlib import Path

from gst_core.legacy.checkpoint import read_checkpoint
from gst_core.legacy.importing import is_checkpoint


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
    if is_checkpoint(path):
        vocabulary = read_checkpoint(path).vocabulary
    else:
        from gst_core.inference.session import read_vocabulary

        vocabulary = read_vocabulary(path)
    return frozenset(symbol.symbol.lower() for symbol in vocabulary)
