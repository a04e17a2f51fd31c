"""What a model says of one protein."""

from __future__ import annotations

from dataclasses import dataclass

from gst_core.vocabulary import Symbol


@dataclass(frozen=True, slots=True)
class Assignment:
    """The symbols assigned to one protein, best first.

    Attributes
    ----------
    stable_id
        The FASTA header up to its first white space.
    candidates
        ``(symbol, probability)`` pairs by falling probability; at least one.
    length
        Number of residues read.
    """

    stable_id: str
    candidates: tuple[tuple[Symbol, float], ...]
    length: int

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
