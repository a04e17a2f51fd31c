"""The engine of our own models: residue codes, lengths and a clade in, top symbols out."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.sequences import PADDING, encode
from gst_core.taxonomy import resolve
from gst_core.vocabulary import Vocabulary

FORMAT = "gst-1"


class TransformerEngine:
    """A Gene Symbol Transformer in ONNX Runtime; an :class:`~gst_core.inference.engine.Engine`.

    Parameters
    ----------
    session
        The opened ``.onnx`` file.
    provider
        What really runs it: ``cpu`` or ``cuda``.

    Raises
    ------
    GstError
        If the metadata are incomplete.
    """

    reads_as_original = False

    def __init__(self, session: ort.InferenceSession, provider: str) -> None:
        self._session = session
        self._provider = provider
        metadata = session.get_modelmeta().custom_metadata_map
        try:
            self._name: str = metadata["gst.name"]
            self._version: str = metadata["gst.version"]
            self._clades: list[str] = json.loads(metadata["gst.clades"])
            self._vocabulary = Vocabulary.from_json(metadata["gst.vocabulary"])
        except (KeyError, ValueError) as error:
            raise GstError(
                f"the model's metadata are incomplete: {error}",
                hint="export it again with gst export",
            ) from error

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._name

    @property
    def version(self) -> str:
        """Version of the model."""
        return self._version

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols, in the order of the class indices."""
        return self._vocabulary

    @property
    def clades(self) -> Sequence[str]:
        """The clade categories the model knows."""
        return self._clades

    @property
    def provider(self) -> str:
        """The execution provider that really runs it: ``cpu`` or ``cuda``."""
        return self._provider

    def clade_of(self, taxon_id: int) -> str | None:
        """Name of the clade category of an NCBI taxon; None where it has none."""
        clade = resolve(taxon_id).clade
        return clade if clade in self._clades else None

    def cost(self, length: int) -> int:
        """Relative cost of a protein in a batch: its residues, and a share for the symbols."""
        return max(length, 64)

    def predict(
        self, sequences: Sequence[bytes], clade: str | None, top_k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Name a batch of proteins; see :class:`~gst_core.inference.engine.Engine`."""
        lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
        codes = np.full((len(sequences), int(lengths.max())), PADDING, dtype=np.uint8)
        codes[np.arange(codes.shape[1]) < lengths[:, None]] = encode(b"".join(sequences))
        index = len(self._clades) if clade is None else self._clades.index(clade)
        feed = {
            "codes": codes,
            "lengths": lengths,
            "clade": np.full(len(sequences), index),
            "top_k": np.array([min(top_k, len(self._vocabulary))]),
        }
        probabilities, indices = self._session.run(["probabilities", "indices"], feed)
        return probabilities, indices
