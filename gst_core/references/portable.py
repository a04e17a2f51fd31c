"""Looking up references in numpy and Biopython, for machines without the compiled one.

Words are looked up to the same numbers. Alignments are of whole matrices: a score is never lower,
and seldom higher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gst_core.references import lookup, postings
from gst_core.references.alignment import KAPPA, LAMBDA, Query, score_by_chance, self_score
from gst_core.references.identical import Identical
from gst_core.references.lookup import Alignment, Hidden, LookedUp, Proteins
from gst_core.references.portable_index import PortableIndex, own_words
from gst_core.references.store import References

Found = tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A protein, what was found for it, the scores, and what cannot have a good one."""

    codes: NDArray[np.uint8]
    asked: Query
    found: NDArray[np.int32]
    scores: NDArray[np.float64]
    unlikely: NDArray[np.bool_]


class PortableLookUp:
    """A :class:`~gst_core.references.lookup.LookUp` in numpy and Biopython.

    Parameters
    ----------
    references
        The references.
    workers
        Threads that build the index.
    """

    def __init__(self, references: References, workers: int) -> None:
        self._index = PortableIndex(references, workers)
        self.totals, self.self_scores = self._index.totals, self._index.self_scores
        self._references, self._lengths = references, references.lengths
        self._identical = Identical(references.codes, references.starts)

    def look_up(self, proteins: Proteins, hidden: Hidden | None = None) -> LookedUp:
        """Find references; see :class:`~gst_core.references.lookup.LookUp`."""
        own = np.zeros(len(proteins))
        parts: list[Found] = [(np.empty(0, dtype=np.int32), np.empty(0), np.empty(0))]
        for row, codes in enumerate(proteins):
            found, own[row] = self._look_up(codes, None if hidden is None else hidden[row])
            parts.append(found)
        numbers = np.array([len(found) for found, *_ in parts[1:]], dtype=np.int64)
        references, shared, scores = (np.concatenate(p) for p in zip(*parts, strict=True))
        return LookedUp(numbers, own, references, shared, scores)

    def count_matches(
        self, proteins: Proteins, rows: NDArray[np.int64], references: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches; see :class:`~gst_core.references.lookup.LookUp`."""
        shown = [
            self.show(proteins[row], reference)
            for row, reference in zip(rows.tolist(), references.tolist(), strict=True)
        ]
        counts = [(alignment.matches, alignment.columns) for alignment in shown]
        return np.array(counts, dtype=np.int64).reshape(-1, 2)

    def show(self, protein: NDArray[np.uint8], reference: int) -> Alignment:
        """Show an alignment; see :class:`~gst_core.references.lookup.LookUp`."""
        return Query(protein).align(self._references[reference])

    def _look_up(
        self, codes: NDArray[np.uint8], hidden: NDArray[np.bool_] | None
    ) -> tuple[Found, float]:
        found, shared, own = self._index.search(codes, lookup.FOUND, hidden)
        whole, scores = self_score(codes), np.zeros(len(found))
        if not len(codes):
            return (found, shared, scores), own
        asked = Query(codes)
        words = shared / np.sqrt(np.maximum(self._lengths[found], postings.SHORT))
        worth = words >= lookup.WORTH_ALIGNING * words.max(initial=0)
        worth[lookup.SEARCHED :] = False
        symbols = self._references.classes[found]
        if (symbols[worth] == symbols[:1]).all():
            worth[1:] = False
        # References with the very sequence are aligned, which words may rank low.
        identical = self._identical.find(codes, hidden)
        new = identical[~np.isin(identical, found)]
        found, shared = np.append(found, new), np.append(shared, np.full(len(new), own))
        symbols, scores = self._references.classes[found], np.zeros(len(found))
        for place in np.flatnonzero(np.isin(found, identical)).tolist():
            scores[place] = asked.score(self._references[int(found[place])])
        work = _Work(codes, asked, found, scores, np.zeros(len(found), dtype=np.bool_))
        self._align(work, np.flatnonzero(worth))
        if scores.max(initial=0) < lookup.DOUBTFUL * whole:
            rivals = np.sort(np.unique(symbols, return_index=True)[1])[: lookup.RIVALS]
            self._align(work, rivals)
        if scores.max(initial=0) < lookup.WEAK * whole:
            similar = self._index.search_similar(codes, lookup.SIMILAR, hidden)
            new = similar[~np.isin(similar, found)]
            wanted = np.append(np.isin(found, similar), np.ones(len(new), dtype=np.bool_))
            found = np.concatenate([found, new])
            nothing = np.zeros(len(new))
            shared, scores = np.append(shared, nothing), np.append(scores, nothing)
            unlikely = np.append(work.unlikely, nothing > 0)
            work = _Work(codes, asked, found, scores, unlikely)
            for place in np.flatnonzero(wanted & (scores == 0)).tolist():
                scores[place] = asked.score(self._references[int(found[place])])
            wanted[: min(lookup.SURE, len(wanted) - len(new))] = True
            self._align(work, np.flatnonzero(wanted))
        # Of genes with the same protein the first by name comes first: RSPH10B before RSPH10B2.
        ties = np.where(scores > 0, self._references.classes[found], 0)
        order = np.lexsort((ties, -scores))
        return (found[order], shared[order], scores[order]), own

    def _align(self, work: _Work, places: NDArray[np.intp]) -> None:
        """Score the first references of each symbol among those at some places, in place."""
        symbols, scores = self._references.classes[work.found], work.scores
        chance = score_by_chance(len(work.codes), len(self._references.codes), LAMBDA, KAPPA)
        tried = int((scores > 0).sum())
        seen: dict[int, int] = {}
        for place in places.tolist():
            symbol, number = int(symbols[place]), work.found[place : place + 1]
            times = seen.get(symbol, 0)
            seen[symbol] = times + 1
            if scores[place] or work.unlikely[place] or times >= lookup.ALIGNED:
                continue
            if tried >= lookup.TRIED and scores.max() < chance:
                rows = own_words(work.codes)
                segment = int(self._index.score_segments(work.codes, rows, number)[0])
                work.unlikely[place] = segment < self._index.chance_segment(len(work.codes))
                if work.unlikely[place]:
                    continue
            scores[place] = work.asked.score(self._references[int(number[0])])
            tried += 1
