"""What speaks for each candidate symbol of a protein: its best targets, brought together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.clades import LINEAGE_OF_CLADE
from gst_core.references.compiled import LIBRARY, Library
from gst_core.references.compiled_lookup import CompiledLookUp
from gst_core.references.gapped import self_score
from gst_core.references.lookup import WEAK, Alignment, Hidden, LookedUp, LookUp, Queries
from gst_core.references.portable import PortableLookUp
from gst_core.references.store import MOST_REFERENCES, MOST_RESIDUES, References, plain

#: Candidate symbols of a protein.
CANDIDATES: Final = 12
#: Identical residues are counted where another symbol reaches this share of the best score, and
#: that :data:`~gst_core.references.lookup.WEAK` of the query's own: of distant relatives they say
#: nothing.
CLOSE: Final = 0.9

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for a batch of B proteins, K candidates each.

    Candidates that were aligned come first, by their scores, the others after them, as the
    prefilter ranks them.

    Attributes
    ----------
    classes
        ``(B, K)``: class index of each candidate's symbol; -1 where there are fewer candidates.
    references
        ``(B, K)``: the reference of the symbol that aligns best, by its seeds where none was
        aligned; -1 where there are fewer candidates.
    numbers
        ``(B, K, 11)``: what :data:`NUMBERS` says of each candidate.
    queries
        ``(B, 5)``: sum of the weights of the protein's seeds, its residues, its score
        against itself, the residues of all references, and its coverage: the references of its
        lineage that it may know of, :data:`UNKNOWN` where no lineage is told.
    """

    classes: NDArray[np.int32]
    references: NDArray[np.int32]
    numbers: Array
    queries: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """``(B, K)``: whether there is such a candidate."""
        return self.classes >= 0


#: What :attr:`Evidence.numbers` holds: the weight of the seeds shared with that reference of the
#: symbol which has most in common, and of all its seeds; the symbol's references that were found;
#: best and mean score of its alignments; identical residues and columns of the best (0 where not
#: counted); the best one's residues and score against itself; training proteins of the
#: symbol; and whether the reference is of the protein's lineage (1), of another (-1), or that
#: is not known (0).
NUMBERS: Final = (
    "shared",
    "total",
    "found",
    "score",
    "mean",
    "matches",
    "columns",
    "length",
    "self",
    "count",
    "kin",
)
COUNT: Final = NUMBERS.index("count")
KIN: Final = NUMBERS.index("kin")
#: Of what :attr:`Evidence.queries` holds the score against itself.
SELF_SCORE: Final = 2
#: And the number of references of the protein's lineage; what stands there where that lineage is
#: not known.
COVERAGE: Final = 4
UNKNOWN: Final = -1

#: Lineage of each clade index; -1 where it is not known, as for the number of clades.
LINEAGES: Final = np.array([*LINEAGE_OF_CLADE, -1])


class EvidenceFinder:
    """Finds candidates and what speaks for them.

    Parameters
    ----------
    references
        Queries whose symbols are known.
    counts
        ``(C,)``: training proteins of each symbol.
    workers
        Threads that build the index.
    library
        The compiled implementation; without it numpy and Biopython do its work.

    Raises
    ------
    ValueError
        If there are more references, or residues of them, than a model may have.
    """

    def __init__(
        self,
        references: References,
        counts: NDArray[np.int64],
        workers: int = 1,
        library: Library | None = LIBRARY,
    ) -> None:
        if len(references) > MOST_REFERENCES:
            raise ValueError(f"{len(references)} references, {MOST_REFERENCES} at most")
        if len(references.codes) > MOST_RESIDUES:
            raise ValueError(f"{len(references.codes)} residues, {MOST_RESIDUES} at most")
        self.references = references
        self.look_up: LookUp = (
            PortableLookUp(references, workers)
            if library is None
            else CompiledLookUp(references, workers, library)
        )
        self._lengths = references.lengths
        self._counts = counts
        self._lineages = LINEAGES[references.clades]
        self._of_lineage = np.bincount(self._lineages + 1, minlength=LINEAGES.max() + 2)[1:]

    def find(
        self,
        proteins: Queries,
        clades: NDArray[np.int64],
        hidden: Hidden | None = None,
        given: Sequence[NDArray[np.int32]] | None = None,
    ) -> Evidence:
        """Gather the evidence for a batch of proteins.

        Parameters
        ----------
        proteins
            Residue codes of each.
        clades
            ``(B,)`` clade indices; the number of clades where unknown.
        hidden
            ``(R,)`` for each protein: references that it shall not know of.
        given
            ``(C,)`` for each protein: the class that those of each class speak for, as
            :class:`~gst_core.references.scopes.Scopes` says it; without it their own.

        Returns
        -------
        evidence
            Of proteins without a seed that is like one of a reference, no candidates.
        """
        proteins = [plain(codes) for codes in proteins]
        looked_up = self.look_up.look_up(proteins, hidden)
        evidence = self._by_symbol(proteins, looked_up, given)
        self._count_matches(proteins, evidence)
        classes, references = evidence.classes, evidence.references
        lineage, own = self._lineages[references], LINEAGES[clades][:, None]
        known = (lineage >= 0) & (own >= 0) & evidence.present
        evidence.numbers[:, :, COUNT] = np.where(evidence.present, self._counts[classes], 0)
        evidence.numbers[:, :, KIN] = np.where(known, np.where(lineage == own, 1, -1), 0)
        evidence.queries[:, COVERAGE] = self._coverage(own[:, 0], hidden)
        return evidence

    def _coverage(self, own: NDArray[np.int64], hidden: Hidden | None) -> NDArray[np.int64]:
        """Count the references of each protein's lineage that are not hidden from it."""
        numbers = np.where(own >= 0, self._of_lineage[own], UNKNOWN)
        if hidden is not None:
            for lineage in np.unique(own[own >= 0]).tolist():
                there = self._lineages == lineage
                for row in np.flatnonzero(own == lineage).tolist():
                    numbers[row] -= np.count_nonzero(hidden[row] & there)
        return numbers

    def show(self, protein: NDArray[np.uint8], reference: int) -> Alignment:
        """Show how a protein, residue codes, aligns with a reference."""
        return self.look_up.show(plain(protein), reference)

    def _by_symbol(
        self,
        proteins: Queries,
        looked_up: LookedUp,
        given: Sequence[NDArray[np.int32]] | None,
    ) -> Evidence:
        """Bring the references of each symbol together, those of all proteins at once."""
        size = len(proteins)
        evidence = Evidence(
            np.full((size, CANDIDATES), -1, dtype=np.int32),
            np.full((size, CANDIDATES), -1, dtype=np.int32),
            np.zeros((size, CANDIDATES, len(NUMBERS)), dtype=np.float32),
            np.zeros((size, 5), dtype=np.float32),
        )
        evidence.queries[:, 0] = looked_up.own
        evidence.queries[:, 1] = [len(codes) for codes in proteins]
        evidence.queries[:, SELF_SCORE] = [self_score(codes) for codes in proteins]
        evidence.queries[:, 3] = len(self.references.codes)
        found, shared, scores = looked_up.targets, looked_up.shared, looked_up.scores
        rows = np.repeat(np.arange(size), looked_up.numbers)
        symbols = self.references.classes[found]
        if given is not None:
            symbols = _as_given(symbols, looked_up.numbers, given)
            kept = symbols >= 0
            rows, symbols = rows[kept], symbols[kept]
            found, shared, scores = found[kept], shared[kept], scores[kept]
        if not len(found):
            return evidence
        # A group: the references of one symbol that were found for one protein, numbered in the
        # order in which their first ones come.
        _, first, inverse = np.unique(
            rows * len(self._counts) + symbols, return_index=True, return_inverse=True
        )
        order = np.argsort(first)
        first, rank = first[order], np.empty_like(order)
        rank[order] = np.arange(len(order))
        group = rank[inverse]
        # Each protein's references are sorted by score: the first of a symbol is its best one.
        totals = self.look_up.totals[found]
        by_seeds = np.lexsort((-shared / np.sqrt(np.maximum(totals, 1)), group))
        likest = by_seeds[np.searchsorted(group[by_seeds], np.arange(len(order)))]
        row = rows[first]
        slot = np.arange(len(order)) - np.searchsorted(row, np.arange(size))[row]
        aligned = np.maximum(np.bincount(group, scores > 0), 1)
        numbers: tuple[NDArray[Any], ...] = (
            shared[likest],
            totals[likest],
            np.bincount(group),
            scores[first],
            np.bincount(group, scores) / aligned,
            self._lengths[found[first]],
            self.look_up.self_scores[found[first]],
        )
        few = slot < CANDIDATES
        at = row[few], slot[few]
        evidence.classes[at] = symbols[first[few]]
        evidence.references[at] = found[first[few]]
        for place, column in zip((0, 1, 2, 3, 4, 7, 8), numbers, strict=True):
            evidence.numbers[*at, place] = column[few]
        return evidence

    def _count_matches(self, proteins: Queries, evidence: Evidence) -> None:
        """Count identical residues where scores say little, in place."""
        score = evidence.numbers[:, :, 3]
        highest = score.max(1, keepdims=True)
        near = (highest > 0) & (highest >= WEAK * evidence.queries[:, SELF_SCORE, None])
        close = (score >= CLOSE * highest) & near
        close[close.sum(1) < 2] = False
        rows, slots = np.nonzero(close)
        references = evidence.references[rows, slots]
        evidence.numbers[rows, slots, 5:7] = self.look_up.count_matches(proteins, rows, references)


def _as_given(
    symbols: NDArray[np.int32], numbers: NDArray[np.int64], given: Sequence[NDArray[np.int32]]
) -> NDArray[np.int32]:
    """Classes that references speak for, those of one protein after those of another."""
    ends = np.cumsum(numbers)
    result = np.empty_like(symbols)
    start = 0
    while start < len(given):
        # Queries of one species mostly come together.
        stop = start + 1
        while stop < len(given) and given[stop] is given[start]:
            stop += 1
        part = slice(int(ends[start] - numbers[start]), int(ends[stop - 1]))
        result[part] = given[start][symbols[part]]
        start = stop
    return result
