"""The engine of our own models: residue codes, lengths and a clade in, top symbols out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gst_core.inference.engine import Engine, Prediction
from gst_core.sequences import PADDING, encode

FORMAT = "gst-1"


class TransformerEngine(Engine):
    """A Gene Symbol Transformer in ONNX Runtime."""

    format = FORMAT
    reads_as_original = False
    remedy = "export it again with gst export"

    def cost(self, length: int) -> int:
        """Relative cost of a protein in a batch: its residues, and a share for the symbols."""
        return max(length, 64)

    def predict(
        self,
        sequences: Sequence[bytes],
        clade: str | None,
        top_k: int,
        evidence: bool = False,
        genus: str | None = None,
    ) -> Prediction:
        """Name a batch of proteins; see :class:`~gst_core.inference.engine.Engine`."""
        del evidence, genus
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        codes = np.full((len(sequences), int(lengths.max())), PADDING, dtype=np.uint8)
        codes[np.arange(codes.shape[1]) < lengths[:, None]] = encode(b"".join(sequences))
        feed = {
            "codes": codes,
            "lengths": lengths,
            "clade": np.full(len(sequences), self.clade_index(clade)),
            "top_k": np.array([min(top_k, len(self._vocabulary))]),
        }
        probabilities, indices = self._top(feed)
        return Prediction(probabilities, indices)
