"""What the curator of one genome asks first: which genes to look at, and where each one is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gst_core.assignment import Assignment
from gst_core.results.completeness import is_more, is_part
from gst_core.results.table import DECIMALS, SHARE_DECIMALS, read_table
from gst_core.sequences import Protein

#: Genes that a page holds; beyond, it says how many are left out.
MAX_ENTRIES: Final = 100_000
#: Symbols claimed more than once, and close calls, that a page lists.
MAX_LISTED: Final = 200
#: Candidates of a gene that a page shows.
CANDIDATES: Final = 3
#: Probability below which a symbol is a hint, not a name.
HINT: Final = 0.5
#: Probability from which a further candidate is shown.
SHOWN: Final = 0.005
#: Close calls whose alignments a page draws, and proteins kept for them: genes that are settled
#: together may become close calls, or cease to be, so that a little more is kept.
MAX_DRAWN: Final = 50
MAX_KEPT: Final = 5_000
MAYBE: Final = 0.3
SURE: Final = 0.98


@dataclass(frozen=True, slots=True)
class Entry:
    """One protein of a genome.

    Attributes
    ----------
    stable_id, gene
        Its id, and that of its gene.
    symbol, probability, description
        Of the best candidate.
    others
        Further candidates with their probabilities.
    reference, identity
        The protein that speaks for the symbol, and the share of equal residues; empty and
        ``None`` where not known.
    odd
        What is odd about its length beside the reference; empty where nothing is.
    """

    stable_id: str
    gene: str
    symbol: str
    probability: float
    description: str
    others: tuple[tuple[str, float], ...] = ()
    reference: str = ""
    identity: float | None = None
    odd: str = ""


@dataclass(slots=True)
class Curation:
    """The proteins of one genome, kept for its page.

    Attributes
    ----------
    entries
        The first :data:`MAX_ENTRIES`.
    left_out
        How many came after.
    alignments
        Of close calls: by stable id, the alignments with the references of the best candidates,
        as text.
    """

    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0
    alignments: dict[str, list[str]] = field(default_factory=dict)
    _residues: dict[str, bytes] = field(default_factory=dict)

    def observe(self, protein: Protein, assignment: Assignment) -> None:
        """Keep the residues of what may be a close call."""
        if MAYBE <= assignment.probability < SURE and len(self._residues) < MAX_KEPT:
            self._residues[protein.stable_id] = protein.residues

    def draw(self, threshold: float, draw: Callable[[bytes, str], str]) -> None:
        """Draw the alignments of the close calls that the page lists first.

        Parameters
        ----------
        threshold
            As for :meth:`close_calls`.
        draw
            Draws the alignment of a protein, its residues, with the reference of a symbol.
        """
        for entry in self.close_calls(threshold)[:MAX_DRAWN]:
            residues = self._residues.get(entry.stable_id)
            symbols = [entry.symbol, *(symbol for symbol, p in entry.others if p >= SHOWN)]
            if residues is not None:
                drawn = [draw(residues, symbol) for symbol in symbols[:2]]
                self.alignments[entry.stable_id] = [text for text in drawn if text]
        self._residues.clear()

    def passing(self, assignments: Iterable[Assignment]) -> Iterator[Assignment]:
        """Keep assignments while they pass."""
        for assignment in assignments:
            self._add(_entry(assignment))
            yield assignment

    @classmethod
    def of_table(cls, path: str | Path) -> Curation:
        """Read a result table; further candidates and references where it has such columns.

        Raises
        ------
        GstError
            If the table cannot be read or is damaged.
        """
        found = cls()
        for row in read_table(path):
            others = (
                (row.extra.get(f"symbol_{rank}", ""), row.extra.get(f"probability_{rank}", ""))
                for rank in range(2, CANDIDATES + 1)
            )
            share = row.extra.get("identity", "")
            found._add(
                Entry(
                    *(row.stable_id, row.stable_id, row.symbol, row.probability, row.description),
                    tuple((symbol, float(p)) for symbol, p in others if symbol and _is_number(p)),
                    row.extra.get("reference", ""),
                    float(share) if _is_number(share) else None,
                    _odd(row.extra.get("query_coverage"), row.extra.get("reference_coverage")),
                )
            )
        return found

    def _add(self, entry: Entry) -> None:
        if len(self.entries) < MAX_ENTRIES:
            self.entries.append(entry)
        else:
            self.left_out += 1

    def claimed_twice(self, threshold: float) -> list[tuple[str, list[Entry]]]:
        """Give symbols that several genes have at or above a threshold, most genes first.

        Proteins of one gene are one claim, that of the most probable.
        """
        claims: dict[str, dict[str, Entry]] = {}
        spelled: dict[str, str] = {}
        for entry in self.entries:
            if entry.symbol and entry.probability >= threshold:
                key = entry.symbol.casefold()
                spelled.setdefault(key, entry.symbol)
                held = claims.setdefault(key, {})
                before = held.get(entry.gene)
                if before is None or entry.probability > before.probability:
                    held[entry.gene] = entry
        found = [
            (spelled[key], sorted(genes.values(), key=lambda entry: -entry.probability))
            for key, genes in claims.items()
            if len(genes) > 1
        ]
        return sorted(found, key=lambda claim: (-len(claim[1]), claim[0].casefold()))

    def close_calls(self, threshold: float) -> list[Entry]:
        """Give the proteins between a hint and a threshold, the most probable first."""
        close = [e for e in self.entries if e.symbol and HINT <= e.probability < threshold]
        return sorted(close, key=lambda entry: -entry.probability)

    def odd_ones(self, threshold: float) -> list[Entry]:
        """Give the named proteins whose length does not fit their reference, in their order."""
        return [e for e in self.entries if e.odd and e.symbol and e.probability >= threshold]

    def to_json(self) -> str:
        """Write all entries for the page's table, in a form that no text can leave.

        Rows are lists: id, symbol, probability, description, reference, identity, candidates.
        """
        rows: list[list[Any]] = [
            [
                *(e.stable_id, e.symbol, round(e.probability, DECIMALS), e.description),
                *(e.reference, None if e.identity is None else round(e.identity, SHARE_DECIMALS)),
                " ".join(f"{symbol} {p:.2f}" for symbol, p in e.others if p >= SHOWN),
            ]
            for e in self.entries
        ]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        # within a script element, only these could end it or open a comment
        return (
            text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        )


def _entry(assignment: Assignment) -> Entry:
    best, evidence = assignment.best, assignment.evidence
    return Entry(
        assignment.stable_id,
        assignment.gene or assignment.stable_id,
        best.symbol,
        assignment.probability,
        best.description,
        tuple((symbol.symbol, p) for symbol, p in assignment.candidates[1:CANDIDATES]),
        evidence.reference if evidence else "",
        evidence.identity if evidence else None,
        _odd(evidence.query_coverage, evidence.reference_coverage) if evidence else "",
    )


def _odd(query: float | str | None, reference: float | str | None) -> str:
    """Say what is odd about a protein of which such shares of it and its reference align."""
    if query is None or reference is None or not (_is_number(query) and _is_number(reference)):
        return ""
    query, reference = float(query), float(reference)
    if is_part(query, reference):
        return f"{reference:.0%} of the reference"
    if is_more(query, reference):
        return f"{1 - query:.0%} of the protein beyond the reference"
    return ""


def _is_number(text: float | str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
