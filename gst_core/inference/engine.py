"""What every kind of model offers to the code that names proteins."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.vocabulary import Vocabulary


class Engine(ABC):
    """A loaded model: residues in, the best symbols and their probabilities out.

    Parameters
    ----------
    session
        The opened ``.onnx`` file.
    provider
        What really runs it: ``cpu`` or ``cuda``.

    Raises
    ------
    GstError
        If the file is of another format, or its metadata are incomplete.
    """

    #: ``gst.format`` of the files it serves.
    format: ClassVar[str]
    #: Whether a ``*`` at the end is a residue and an empty sequence is named too.
    reads_as_original: ClassVar[bool]
    #: What to do about a file that is not what it should be.
    remedy: ClassVar[str]

    def __init__(self, session: ort.InferenceSession, provider: str) -> None:
        self._session = session
        self._provider = provider
        metadata = session.get_modelmeta().custom_metadata_map
        if metadata.get("gst.format") != self.format:
            raise GstError(
                f"model format {metadata.get('gst.format')!r} in place of {self.format!r}",
                hint=self.remedy,
            )
        try:
            self._name: str = metadata["gst.name"]
            self._version: str = metadata["gst.version"]
            self._clades: list[str] = json.loads(metadata["gst.clades"])
            self._vocabulary = Vocabulary.from_json(metadata["gst.vocabulary"])
            self._read(metadata)
        except (KeyError, ValueError) as error:
            raise GstError(
                f"the model's metadata are incomplete: {error}", hint=self.remedy
            ) from error

    def _read(self, metadata: dict[str, str]) -> None:  # noqa: B027 - most need no more
        """Read what this kind of model has beside the rest; KeyError or ValueError where amiss."""

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

    def clade_index(self, clade: str | None) -> int:
        """Give the number of a clade category in the input; the one after the last for ``None``.

        Raises
        ------
        GstError
            If the clade is not one of the model's.
        """
        if clade is None:
            return len(self._clades)
        if clade not in self._clades:
            raise GstError(
                f"the model {self._name} has no clade {clade!r}",
                hint=f"use one of {', '.join(self._clades)}",
            )
        return self._clades.index(clade)

    @abstractmethod
    def clade_of(self, taxon_id: int) -> str | None:
        """Name of the model's own clade category for an NCBI taxon; None: it runs without one."""

    @abstractmethod
    def cost(self, length: int) -> int:
        """Relative cost (time and memory) of a protein of `length` residues in a batch."""

    @abstractmethod
    def predict(
        self, sequences: Sequence[bytes], clade: str | None, top_k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Name a batch of proteins; the result of one never depends on the others.

        Parameters
        ----------
        sequences
            Clean upper-case residues, as :mod:`gst_core.sequences` yields them.
        clade
            One of the model's clade categories, or ``None`` where unknown.
        top_k
            How many symbols for each.

        Returns
        -------
        probabilities
            ``(len(sequences), top_k)``, falling along each row.
        indices
            ``(len(sequences), top_k)``, class indices into `vocabulary`.

        Raises
        ------
        GstError
            If the clade is not one of the model's.
        """
