"""What results were made with and for: the model, the genome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model behind a set of results, as its metadata tell it.

    Attributes
    ----------
    name, version
        Of the model, not of this program.
    held_out
        Group (a clade, a genus) to the share, 0 to 1, of its proteins that a
        model trained without that group names right; empty where unknown.
    training_data
        The data it was trained on, with their licences, in one sentence.
    """

    name: str
    version: str
    held_out: Mapping[str, float] = field(default_factory=dict)
    training_data: str = ""


@dataclass(frozen=True, slots=True)
class Genome:
    """One input: the proteins of one genome.

    Attributes
    ----------
    id
        A short name: the manifest's ``id`` or the stem of the FASTA file.
    scientific_name
        As the user gave it; empty where not given.
    taxon_id
        NCBI taxon id, ``None`` where unknown.
    clade
        The model's clade category that served, ``None`` where it ran without one.
    """

    id: str
    scientific_name: str = ""
    taxon_id: int | None = None
    clade: str | None = None
