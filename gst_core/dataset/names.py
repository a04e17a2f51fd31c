"""What a release calls its genes, whichever of its files says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

#: ``name [Source:HGNC Symbol;Acc:HGNC:5910]``
_SOURCED: Final = re.compile(r"(.*?)\s*\[Source:([^\]]*?);\s*Acc:([^\]]*)\]\s*", re.DOTALL)
#: What is written behind the description of a gene that a program has named.
_ASSIGNED: Final = re.compile(r"prediction with score", re.IGNORECASE)
_VERSION: Final = re.compile(r"\.\d+$")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class GeneName:
    """The name of a protein-coding gene.

    Attributes
    ----------
    label
        As the release has it; empty where it has none.
    description, source, accession
        What the gene is, who says so, and under which id; empty where nothing is known.
    assigned
        Whether a program like this one has given the name, from which nothing is to be learnt.
    """

    label: str
    description: str = ""
    source: str = ""
    accession: str = ""
    assigned: bool = False


@dataclass(slots=True)
class GeneNames:
    """The genes of a genome.

    Attributes
    ----------
    genes
        Protein-coding genes by their ids.
    canonical
        Ids of the transcripts or translations that stand for their genes.
    """

    genes: dict[str, GeneName] = field(default_factory=dict)
    canonical: set[str] = field(default_factory=set)

    def get(self, gene: str) -> GeneName | None:
        """Find a gene by its id, with its version or without."""
        return by_id(self.genes, gene)

    def is_canonical(self, transcript: str, translation: str) -> bool:
        """Whether a protein stands for its gene."""
        return any(
            own and (own in self.canonical or _VERSION.sub("", own) in self.canonical)
            for own in (transcript, translation)
        )


def by_id(found: Mapping[str, V], stable_id: str) -> V | None:
    """Find something by an id as it stands, else without its version.

    What follows a full stop is no version in all divisions: ``AT1G01010.1`` is a transcript.
    """
    value = found.get(stable_id)
    return value if value is not None else found.get(_VERSION.sub("", stable_id))


def named(label: str, description: str) -> GeneName:
    """Make a name of a label and a description that may end with its source."""
    found = _SOURCED.fullmatch(description)
    text, source, accession = (
        (found[1], found[2].strip(), found[3].strip()) if found else (description, "", "")
    )
    assigned = bool(_ASSIGNED.search(description))
    return GeneName(label.strip(), " ".join(text.split()), source, accession, assigned)
