"""What a model says of one protein."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gst_core.vocabulary import Symbol

#: Begins what is `settled` of a gene whose first choice another gene keeps; the symbol follows.
INSTEAD_OF: Final = "instead of "


@dataclass(frozen=True, slots=True)
class Evidence:
    """The reference that speaks for a symbol, and how a protein aligns with it.

    Attributes
    ----------
    reference
        Its accession in UniProt or RefSeq.
    identity
        Share of the columns of the best local alignment with the same residue on both
        sides, 0 to 1.
    query_coverage, reference_coverage
        Share of the residues of protein and reference between the ends of the alignment.
    equals
        Other symbols whose reference is the very same protein: nothing tells which is right.
    """

    reference: str
    identity: float
    query_coverage: float
    reference_coverage: float
    equals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Assignment:
    """The symbols assigned to one protein, best first.

    Attributes
    ----------
    stable_id
        The FASTA header up to its first white space.
    candidates
        ``(symbol, probability)`` pairs by falling probability, those of the protein's very
        sequence by what they have together; at least one.
    length
        Number of residues read.
    evidence
        Of the best symbol, where it was asked for and the model has any.
    gene
        The gene that the protein is of, as far as its header says; else the protein's own id.
    settled
        Where the genes of a genome were named together, what became of a symbol that several
        claim: ``instead of HBD`` where another gene keeps the first choice, ``one of 2 claims``
        where this one keeps it. Empty where there was nothing to settle.
    """

    stable_id: str
    candidates: tuple[tuple[Symbol, float], ...]
    length: int
    evidence: Evidence | None = None
    gene: str = ""
    settled: str = ""

    def __repr__(self) -> str:
        """Show the protein and its best symbol, short enough for a list of them."""
        more = len(self.candidates) - 1
        others = f" and {more} more" if more else ""
        reference = f", like {self.evidence.reference}" if self.evidence else ""
        return (
            f"Assignment({self.stable_id!r}: {self.symbol or 'no symbol'} "
            f"{self.probability:.4f}{others}, {self.length} residues{reference})"
        )

    @property
    def best(self) -> Symbol:
        """The most probable symbol."""
        return self.candidates[0][0]

    @property
    def symbol(self) -> str:
        """The most probable symbol's name."""
        return self.candidates[0][0].symbol

    @property
    def probability(self) -> float:
        """Probability of the most probable symbol, 0 to 1."""
        return self.candidates[0][1]
