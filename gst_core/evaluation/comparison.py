"""Assigned symbols against known ones, the way the original compares them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.results.table import Row, format_line, format_probability
from gst_core.stable_ids import match_ids

#: Thresholds of the per-threshold table.
THRESHOLDS = (*(step / 20 for step in range(20)), 0.99)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One assignment beside the symbol its protein is known by.

    Attributes
    ----------
    stable_id
        As in the result table.
    known, assigned
        The two symbols.
    probability
        Of the assigned one.
    in_vocabulary
        Whether the model could have given the known symbol; None where unknown.
    """

    stable_id: str
    known: str
    assigned: str
    probability: float
    in_vocabulary: bool | None = None

    @property
    def exact(self) -> bool:
        """The symbols are equal but for case."""
        return self.known.lower() == self.assigned.lower()

    @property
    def fuzzy(self) -> bool:
        """One symbol is a part of the other, ignoring case, and they are not equal."""
        known, assigned = self.known.lower(), self.assigned.lower()
        # The empty symbol, of a protein without residues, is a part of any other.
        return known != assigned and bool(assigned) and (known in assigned or assigned in known)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of a set of comparisons; percentages are of all of them.

    Attributes
    ----------
    assignments, exact, fuzzy
        Comparisons, and those that match in either way.
    unknown
        Known symbols that the model could not have given; None where its
        vocabulary was not at hand.
    """

    assignments: int
    exact: int
    fuzzy: int
    unknown: int | None = None

    @property
    def total(self) -> int:
        """Exact and fuzzy matches."""
        return self.exact + self.fuzzy

    def percentage(self, count: int) -> float:
        """Share of the assignments, 0 to 100; 0 where there are none."""
        return 100 * count / self.assignments if self.assignments else 0.0

    def __add__(self, other: Statistics) -> Statistics:
        """Pool two sets; percentages of the sum are the averages weighted by size."""
        known = self.unknown is not None and other.unknown is not None
        return Statistics(
            self.assignments + other.assignments,
            self.exact + other.exact,
            self.fuzzy + other.fuzzy,
            (self.unknown or 0) + (other.unknown or 0) if known else None,
        )

    def __str__(self) -> str:
        """One line, in the original's words."""
        return (
            f"{self.assignments} assignments, "
            f"{self.exact} exact matches ({self.percentage(self.exact):.2f}%), "
            f"{self.fuzzy} fuzzy matches ({self.percentage(self.fuzzy):.2f}%), "
            f"{self.total} total matches ({self.percentage(self.total):.2f}%)"
        )


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """What is left at one probability threshold, and how right it is.

    Attributes
    ----------
    threshold
        Lowest probability kept.
    statistics
        Of the assignments that are left.
    compared
        All assignments that have a known symbol.
    """

    threshold: float
    statistics: Statistics
    compared: int

    @property
    def precision(self) -> float:
        """Exact matches among the assignments that are left; 1 where none is."""
        left = self.statistics.assignments
        return self.statistics.exact / left if left else 1.0

    @property
    def recall(self) -> float:
        """Exact matches that are left among all that were compared."""
        return self.statistics.exact / self.compared if self.compared else 0.0


def read_known_symbols(path: Path) -> dict[str, str]:
    """Read known symbols: tab-separated, a header, then translation id and symbol.

    The first symbol of an id counts, as for the original. Rows without a symbol
    are passed over.

    Raises
    ------
    GstError
        If a row has fewer than two columns, or the file is not UTF-8 text.
    """
    known: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter="\t")
            next(rows, None)
            for row in rows:
                if len(row) < 2:
                    raise GstError(
                        "expected a translation id and a symbol, separated by a tab",
                        where=f"{path}, line {rows.line_num}",
                    )
                if row[1]:
                    known.setdefault(row[0], row[1])
    except (UnicodeDecodeError, csv.Error) as error:
        raise GstError(
            f"is not a table of known symbols: {error}",
            where=str(path),
            hint="give tab-separated text with the columns translation.stable_id and Xref_symbol",
        ) from error
    return known


def compare(
    rows: Iterable[Row], known: Mapping[str, str], vocabulary: Set[str] | None = None
) -> Iterator[Comparison]:
    """Pair assignments with the known symbols of their proteins.

    Parameters
    ----------
    rows
        A result table. Proteins without a known symbol are left out.
    known
        Translation id to symbol. Ids match but for versions, as
        :func:`gst_core.stable_ids.match_ids` tells.
    vocabulary
        Lower-case symbols of the model, where they are known.
    """
    table = list(rows)
    matches = match_ids([row.stable_id for row in table], known)
    for row in table:
        if row.stable_id in matches:
            symbol = known[matches[row.stable_id]]
            possible = None if vocabulary is None else symbol.lower() in vocabulary
            yield Comparison(row.stable_id, symbol, row.symbol, row.probability, possible)


def statistics(comparisons: Iterable[Comparison], *, with_vocabulary: bool = False) -> Statistics:
    """Count matches and, where the model's symbols were at hand, unknown symbols."""
    exact = fuzzy = count = unknown = 0
    for comparison in comparisons:
        count += 1
        exact += comparison.exact
        fuzzy += comparison.fuzzy
        unknown += comparison.in_vocabulary is False
    return Statistics(count, exact, fuzzy, unknown if with_vocabulary else None)


def by_threshold(
    comparisons: list[Comparison],
    thresholds: Iterable[float] = THRESHOLDS,
    *,
    with_vocabulary: bool = False,
) -> list[ThresholdRow]:
    """Count what is left and right at each probability threshold."""
    return [
        ThresholdRow(
            threshold,
            statistics(
                (c for c in comparisons if c.probability >= threshold),
                with_vocabulary=with_vocabulary,
            ),
            len(comparisons),
        )
        for threshold in thresholds
    ]


def _as_read(probability: float) -> str:
    """Write a probability as it was in the result table: four decimals, or all it has."""
    text = format_probability(probability)
    return text if float(text) == probability else str(probability)


def write_comparisons(
    path: Path, comparisons: Iterable[Comparison], *, with_vocabulary: bool
) -> None:
    """Write the original's comparison table.

    Parameters
    ----------
    path
        The table.
    comparisons
        Its rows.
    with_vocabulary
        Whether the model's symbols were at hand: adds the column ``known_symbol``
        (can the model give the known symbol?), even to a table without rows.
    """
    columns = ["csv_stable_id", "xref_symbol", "classifier_symbol", "probability"]
    columns += ["exact_match", "fuzzy_match"]
    with atomic_write(path) as file:
        file.write(format_line([*columns, *(["known_symbol"] if with_vocabulary else [])]))
        for row in comparisons:
            fields = [row.stable_id, row.known, row.assigned, _as_read(row.probability)]
            fields.append("exact_match" if row.exact else "no_exact_match")
            fields.append("fuzzy_match" if row.fuzzy else "no_fuzzy_match")
            if with_vocabulary:
                fields.append("known" if row.in_vocabulary else "unknown")
            file.write(format_line(fields))
