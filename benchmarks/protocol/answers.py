"""Queries and what methods said of them, as columns to count in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.files import Candidate, read_candidates, read_rows
from gst_core.evaluation.metrics import rank_of_known

#: The search whose first hit tells how near the nearest training sequence is.
REFERENCE: Final = "diamond_sensitive"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query set as columns, one element a protein.

    Attributes
    ----------
    symbols, kinds, clades, lengths
        Of the queries; symbols in the form in which they are compared.
    training_counts
        Training sequences with the known symbol; 0 where it is not in the vocabulary.
    identities
        Percent identity of :data:`REFERENCE`'s first hit; NaN without one.
    """

    symbols: list[str]
    kinds: NDArray[np.str_]
    clades: NDArray[np.str_]
    lengths: NDArray[np.int64]
    training_counts: NDArray[np.int64]
    identities: NDArray[np.float64]

    @property
    def nameable(self) -> NDArray[np.bool_]:
        """Whether the known symbol is in the vocabulary."""
        return np.greater(self.training_counts, 0)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a method said of a query set.

    Attributes
    ----------
    ranks
        Place of the known symbol among the candidates, from 1; 0 where it is not.
    scores, identities
        Of the first candidate; 0 without one.
    """

    ranks: NDArray[np.int64]
    scores: NDArray[np.float64]
    identities: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the first candidate is the known symbol."""
        return np.equal(self.ranks, 1)


@dataclass(frozen=True, slots=True)
class QuerySet:
    """A query set with the answers of all methods that were asked."""

    asked: Asked
    answers: dict[str, Answers]


def read_query_set(
    folder: Path, counts: Mapping[str, int], key: Callable[[str], str] = str.upper
) -> QuerySet:
    """Read a query set with all that methods said of it.

    Parameters
    ----------
    folder
        Of the set, in the work folder.
    counts
        Training sequences of each symbol, as `key` gives it.
    key
        The form in which symbols are compared. Candidates that it makes equal are one, at
        the place of the first.

    Raises
    ------
    GstError
        If the reference search has not run.
    """
    rows = list(read_rows(folder / "queries.tsv"))
    ids = [row["id"] for row in rows]
    symbols = [key(row["symbol"]) for row in rows]
    reference = read_candidates(folder / f"{REFERENCE}.tsv")
    asked = Asked(
        symbols=symbols,
        kinds=np.array([row["kind"] for row in rows]),
        clades=np.array([row["clade"] for row in rows]),
        lengths=np.array([int(row["length"]) for row in rows]),
        training_counts=np.array([counts.get(symbol, 0) for symbol in symbols]),
        identities=np.array([_identity(reference.get(i), np.nan) for i in ids]),
    )
    answers = {}
    for record in sorted(folder.glob("*.json")):
        found = read_candidates(record.with_suffix(".tsv"))
        given = [list(dict.fromkeys(key(c.symbol) for c in found.get(i, []))) for i in ids]
        answers[record.stem] = Answers(
            ranks=rank_of_known(given, symbols),
            scores=np.array([found[i][0].score if i in found else 0.0 for i in ids]),
            identities=np.array([_identity(found.get(i), 0.0) for i in ids]),
        )
    return QuerySet(asked, answers)


def _identity(candidates: Sequence[Candidate] | None, missing: float) -> float:
    if not candidates or candidates[0].identity is None:
        return missing
    return candidates[0].identity


def pooled(sets: Sequence[QuerySet]) -> QuerySet:
    """Put sets one after the other; only methods that were asked of all of them stay."""
    asked = [s.asked for s in sets]
    methods = set.intersection(*(set(s.answers) for s in sets))
    return QuerySet(
        Asked(
            symbols=[symbol for a in asked for symbol in a.symbols],
            kinds=np.concatenate([a.kinds for a in asked]),
            clades=np.concatenate([a.clades for a in asked]),
            lengths=np.concatenate([a.lengths for a in asked]),
            training_counts=np.concatenate([a.training_counts for a in asked]),
            identities=np.concatenate([a.identities for a in asked]),
        ),
        {
            method: Answers(
                ranks=np.concatenate([s.answers[method].ranks for s in sets]),
                scores=np.concatenate([s.answers[method].scores for s in sets]),
                identities=np.concatenate([s.answers[method].identities for s in sets]),
            )
            for method in sorted(methods)
        },
    )
