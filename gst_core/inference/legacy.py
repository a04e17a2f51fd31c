"""Serve the networks of original checkpoints, as :mod:`gst_core.legacy` writes them.

What the original does and its answers depend on is done here too: it pads to the
model's sequence length with a letter of its own, keeps the start of a longer
protein, reads a stop at the end as a residue, and names an empty sequence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gst_core.inference.engine import Engine, Prediction
from gst_core.taxonomy import resolve

FORMAT = "legacy-1"

#: Proteins in one run of the graph, by architecture: enough to be fast, few enough that
#: activations (4 MB a protein in the production Transformer) stay small.
_RUN_SIZE = {"transformer": 4, "mlp": 32}
#: Cost of a position beside one of our own models': attention over all positions is dear.
_COST = {"transformer": 8, "mlp": 1}


class LegacyEngine(Engine):
    """A network of the original in ONNX Runtime."""

    format = FORMAT
    reads_as_original = True
    remedy = "import the checkpoint again with 'gst import'"

    def _read(self, metadata: dict[str, str]) -> None:
        self._length = int(metadata["gst.sequence_length"])
        self._pads_left = metadata["gst.padding_side"] == "left"
        self._run_size = _RUN_SIZE[metadata["gst.architecture"]]
        self._cost = _COST[metadata["gst.architecture"]]
        alphabet = metadata["gst.alphabet"].encode("ascii")
        # Letters unknown to the original would have stopped it; they count as X.
        self._code_of = np.full(256, alphabet.index(b"X"), dtype=np.int32)
        self._code_of[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
        self._padding = np.int32(len(alphabet) - 1)

    def clade_of(self, taxon_id: int) -> str | None:
        """Find the category the original gives a taxon, even where it is wrong; None for none."""
        clade = resolve(taxon_id).legacy_clade
        return clade if clade in self._clades else None

    def cost(self, length: int) -> int:
        """Relative cost of a protein: the same for all, as each is padded or cut to one length."""
        del length
        return self._length * self._cost

    def encode(self, sequences: Sequence[bytes]) -> NDArray[np.int32]:
        """Encode residues as the original does.

        Returns
        -------
        codes
            ``(len(sequences), sequence_length)``, indices into the alphabet.
        """
        codes = np.full((len(sequences), self._length), self._padding, dtype=np.int32)
        for row, sequence in zip(codes, sequences, strict=True):
            # The start is kept with padding on the left too.
            residues = self._code_of[np.frombuffer(sequence[: self._length], dtype=np.uint8)]
            if self._pads_left:
                row[self._length - len(residues) :] = residues
            else:
                row[: len(residues)] = residues
        return codes

    def predict(
        self,
        sequences: Sequence[bytes],
        clade: str | None,
        top_k: int,
        evidence: bool = False,
        genus: str | None = None,
    ) -> Prediction:
        """Name a batch of proteins; see :class:`~gst_core.inference.engine.Engine`.

        Without a clade the clade vector is zeros. The original had no such mode:
        its checkpoints that use the clade were always trained with one.

        Raises
        ------
        GstError
            If the clade is not one of the model's.
        """
        del evidence, genus
        index = self.clade_index(clade)
        k = np.array([min(top_k, len(self._vocabulary))], dtype=np.int64)
        probabilities = np.empty((len(sequences), k[0]), dtype=np.float32)
        indices = np.empty((len(sequences), k[0]), dtype=np.int64)
        for start in range(0, len(sequences), self._run_size):
            part = slice(start, start + self._run_size)
            codes = self.encode(sequences[part])
            feed = {"codes": codes, "clade": np.full(len(codes), index), "top_k": k}
            probabilities[part], indices[part] = self._top(feed)
        return Prediction(probabilities, indices)
