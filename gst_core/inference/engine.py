"""What every kind of model offers to the code that names proteins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.vocabulary import Vocabulary


class Engine(Protocol):
    """A loaded model: residues in, the best symbols and their probabilities out."""

    @property
    def name(self) -> str:
        """Name of the model."""

    @property
    def version(self) -> str:
        """Version of the model."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols, in the order of the class indices."""

    @property
    def clades(self) -> Sequence[str]:
        """The clade categories the model knows."""

    @property
    def reads_as_original(self) -> bool:
        """Whether a ``*`` at the end is a residue and an empty sequence is named too."""

    @property
    def provider(self) -> str:
        """The execution provider that really runs it: ``cpu`` or ``cuda``."""

    def clade_of(self, taxon_id: int) -> str | None:
        """Name of the model's own clade category for an NCBI taxon; None: it runs without one.

        Raises
        ------
        GstError
            If the taxon has no category in this model.
        """

    def cost(self, length: int) -> int:
        """Relative cost (time and memory) of a protein of `length` residues in a batch."""

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
        """
