"""What every kind of model offers to the code that names proteins."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gst_core.assignment import Evidence
from gst_core.errors import GstError
from gst_core.taxonomy import resolve
from gst_core.vocabulary import Symbol, Vocabulary


class Prediction(NamedTuple):
    """What a model says of a batch of proteins.

    Attributes
    ----------
    probabilities
        ``(B, k)``, falling along each row.
    indices
        ``(B, k)``, class indices into the vocabulary; -1 where the model has no more
        candidates, and the probability is 0.
    evidence
        Of each protein's best symbol; None where it was not asked for.
    """

    probabilities: NDArray[np.float32]
    indices: NDArray[np.int64]
    evidence: Sequence[Evidence | None] | None = None


class Engine(ABC):
    """A loaded model: residues in, the best symbols and their probabilities out.

    Parameters
    ----------
    session
        The opened ``.onnx`` file.
    provider
        What really runs it: ``cpu`` or ``cuda``.
    workers
        Threads that may prepare it.

    Raises
    ------
    GstError
        If the file is of another format, or its metadata are incomplete.
    """

    #: ``gst.format`` of the files it serves.
    format: ClassVar[str]
    #: Whether a ``*`` at the end is a residue and an empty sequence is named too.
    reads_as_original: ClassVar[bool]
    #: Whether the device does the work, so that one batch at a time keeps it busy.
    works_on_device: ClassVar[bool] = True
    #: Proteins of one run at most.
    batch_size: ClassVar[int] = 32
    #: Whether it can say which reference speaks for a symbol.
    gives_evidence: ClassVar[bool] = False
    #: Residues of a protein that are looked at; ``None``: all.
    longest: ClassVar[int | None] = None
    #: What to do about a file that is not what it should be.
    remedy: ClassVar[str]
    #: What a user should know of how it runs here; mostly nothing.
    warning: str = ""

    def __init__(self, session: ort.InferenceSession, provider: str, workers: int = 1) -> None:
        self._session = session
        self._provider = provider
        self._workers = workers
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

    def _run(self, outputs: Sequence[str], feed: dict[str, Any]) -> list[Any]:
        """Run the graph; GstError where the runtime cannot."""
        try:
            found: list[Any] = self._session.run(list(outputs), feed)
        except Exception as error:  # ONNX Runtime has no common class for what it raises
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise GstError(f"the model cannot be run: {first}", hint=self.remedy) from error
        return found

    def _top(self, feed: dict[str, Any]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Run a network that gives the best symbols itself, which must be in the vocabulary."""
        probabilities, indices = self._run(("probabilities", "indices"), feed)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self._vocabulary):
            raise GstError("the model gives symbols that it has no names for", hint=self.remedy)
        return probabilities, indices

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

    def clade_of(self, taxon_id: int) -> str | None:
        """Name of the model's own clade category for an NCBI taxon; None: it runs without one."""
        clade = resolve(taxon_id).clade
        return clade if clade in self._clades else None

    @abstractmethod
    def cost(self, length: int) -> int:
        """Relative cost (time and memory) of a protein of `length` residues in a batch."""

    @abstractmethod
    def predict(
        self,
        sequences: Sequence[bytes],
        clade: str | None,
        top_k: int,
        evidence: bool = False,
        genus: str | None = None,
    ) -> Prediction:
        """Name a batch of proteins; the result of one never depends on the others.

        Parameters
        ----------
        sequences
            Clean upper-case residues, as :mod:`gst_core.sequences` yields them.
        clade
            One of the model's clade categories, or ``None`` where unknown.
        top_k
            How many symbols for each.
        evidence
            Also say what speaks for the best; for models that can, see `gives_evidence`.
        genus
            Of the species, where known: some symbols are given in it alone.

        Raises
        ------
        GstError
            If the clade is not one of the model's.
        """

    @property
    def core_genes(self) -> dict[str, str]:
        """The core gene that each symbol speaks for, by its case-folded form; often empty."""
        return {}

    def alignment_for(
        self, sequence: bytes, clade: str | None, symbol: str, genus: str | None = None
    ) -> str:
        """Draw the alignment with the reference that speaks for a symbol; empty where none does.

        Parameters
        ----------
        sequence, clade, genus
            As for :meth:`predict`.
        symbol
            Of one of its candidates, in any case.
        """
        del sequence, clade, symbol, genus
        return ""

    def evidence_for(
        self, sequence: bytes, clade: str | None, symbol: Symbol, genus: str | None = None
    ) -> Evidence | None:
        """Say which reference speaks for a symbol of one protein; None where none does.

        Parameters
        ----------
        sequence, clade, genus
            As for :meth:`predict`.
        symbol
            One of its candidates.
        """
        del sequence, clade, symbol, genus
        return None
