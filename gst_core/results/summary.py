"""What a set of assignments looks like, counted while they stream by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gst_core.results.table import DECIMALS, read_table
from gst_core.stable_ids import match_ids

#: Thresholds that tables of results show.
THRESHOLDS: Final = (0.5, 0.7, 0.9, 0.95, 0.99)
#: Probability from which a symbol counts as confident in what is said of symbols.
CONFIDENT: Final = 0.9
#: Lower ends of the bands of probability from which example rows are kept.
BANDS: Final = (0.99, 0.95, 0.9, 0.7, 0.5, 0.0)
#: Example rows kept from each band.
EXAMPLES: Final = 3

_STEPS = 100
_UNITS = 10**DECIMALS


@dataclass(frozen=True, slots=True)
class Example:
    """A row kept for show."""

    stable_id: str
    symbol: str
    probability: float
    description: str


@dataclass(slots=True)
class Summary:
    """Counts over assignments; its size does not grow with their number.

    What grows is `symbols`, up to the size of the model's vocabulary.
    Probabilities count as they are written, with four decimals, so that a
    summary of assignments and one of their table are the same.

    Attributes
    ----------
    sequences
        Assignments seen.
    unnamed
        Of these, without a symbol: sequences without residues.
    histogram
        Named ones by whole hundredths of the probability, 0 to 100.
    known, correct
        The like, of those whose true symbol was given, and of those of them
        that got exactly it, ignoring case.
    confident
        Probability from which a symbol counts as confident.
    confident_named, confident_known, confident_correct
        Sequences named at it or above, those of them whose true symbol was given, and
        those of these that got it.
    symbols
        Confident symbol to the number of its sequences.
    residues, shortest, longest
        Lengths, where they were given.
    examples
        The first few rows of each band of probability, by the band's lower end.
    """

    sequences: int = 0
    unnamed: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))
    known: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))
    correct: list[int] = field(default_factory=lambda: [0] * (_STEPS + 1))
    confident: float = CONFIDENT
    confident_named: int = 0
    confident_known: int = 0
    confident_correct: int = 0
    symbols: Counter[str] = field(default_factory=Counter)
    residues: int = 0
    shortest: int | None = None
    longest: int | None = None
    examples: dict[float, list[Example]] = field(
        default_factory=lambda: {band: [] for band in BANDS}
    )

    def add(
        self,
        stable_id: str,
        symbol: str,
        probability: float,
        *,
        description: str = "",
        length: int | None = None,
        known_symbol: str = "",
    ) -> None:
        """Count one assignment.

        Parameters
        ----------
        stable_id, symbol, probability, description
            Of the best candidate; an empty `symbol` means none was given.
        length
            Number of residues, where known.
        known_symbol
            The true symbol, where known.
        """
        self.sequences += 1
        if length is not None:
            self.residues += length
            self.shortest = length if self.shortest is None else min(self.shortest, length)
            self.longest = length if self.longest is None else max(self.longest, length)
        # float() first: NumPy rounds its own float32 by another rule than it prints it
        written = round(float(probability), DECIMALS)
        bin_ = round(written * _UNITS) * _STEPS // _UNITS
        confident = written >= self.confident
        if known_symbol:
            correct = symbol.casefold() == known_symbol.casefold()
            self.known[bin_] += 1
            self.correct[bin_] += correct
            self.confident_known += confident
            self.confident_correct += confident and correct
        if not symbol:
            self.unnamed += 1
            return
        self.histogram[bin_] += 1
        if confident:
            self.confident_named += 1
            self.symbols[symbol] += 1
        kept = self.examples[next(band for band in BANDS if written >= band)]
        if len(kept) < EXAMPLES:
            kept.append(Example(stable_id, symbol, written, description))

    def merge(self, other: Summary) -> None:
        """Add another summary's counts to these; both have one idea of confident."""
        self.sequences += other.sequences
        self.unnamed += other.unnamed
        for mine, theirs in (
            (self.histogram, other.histogram),
            (self.known, other.known),
            (self.correct, other.correct),
        ):
            mine[:] = [a + b for a, b in zip(mine, theirs, strict=True)]
        self.confident_named += other.confident_named
        self.confident_known += other.confident_known
        self.confident_correct += other.confident_correct
        self.symbols.update(other.symbols)
        self.residues += other.residues
        lengths = [n for n in (self.shortest, other.shortest) if n is not None]
        self.shortest = min(lengths, default=None)
        lengths = [n for n in (self.longest, other.longest) if n is not None]
        self.longest = max(lengths, default=None)
        for band, kept in self.examples.items():
            kept.extend(other.examples[band][: EXAMPLES - len(kept)])

    def named_at(self, threshold: float) -> int:
        """Count the sequences named at or above `threshold`, a whole number of hundredths."""
        return sum(self.histogram[_bin(threshold) :])

    def known_at(self, threshold: float) -> int:
        """Count those at or above `threshold` whose true symbol is known."""
        return sum(self.known[_bin(threshold) :])

    def correct_at(self, threshold: float) -> int:
        """Count those at or above `threshold` that got their true symbol."""
        return sum(self.correct[_bin(threshold) :])

    def shares(self) -> list[float]:
        """Share of all sequences named at or above 0.00, 0.01, ... 1.00: 101 values, falling."""
        total = max(self.sequences, 1)
        shares, count = [], 0
        for named in reversed(self.histogram):
            count += named
            shares.append(count / total)
        return shares[::-1]


def summarise_table(
    path: str | Path,
    known_symbols: Mapping[str, str] | None = None,
    *,
    confident: float = CONFIDENT,
) -> Summary:
    """Summarise a result table.

    Parameters
    ----------
    path
        The table; it is read row by row.
    known_symbols
        Stable id to true symbol, where known; ids match but for versions.
    confident
        Probability from which a symbol counts as confident.

    Raises
    ------
    GstError
        If the table cannot be read or is damaged.
    """
    known_symbols = known_symbols or {}
    # a second reading, for a version is taken off where the id as it is is not known
    ids = [row.stable_id for row in read_table(path)] if known_symbols else []
    matches = match_ids(ids, known_symbols)
    summary = Summary(confident=confident)
    for row in read_table(path):
        summary.add(
            row.stable_id,
            row.symbol,
            row.probability,
            description=row.description,
            known_symbol=known_symbols.get(matches.get(row.stable_id, ""), ""),
        )
    return summary


def _bin(threshold: float) -> int:
    bin_ = round(threshold * _STEPS)
    if abs(bin_ - threshold * _STEPS) > 1e-9 or not 0 <= bin_ <= _STEPS:
        raise ValueError(f"threshold {threshold} is not a whole number of hundredths from 0 to 1")
    return bin_
