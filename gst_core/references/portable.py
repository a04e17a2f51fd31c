"""The look-up in numpy and Biopython, for machines without the compiled one.

The searches find the same targets. Alignments are of whole matrices: a score is never lower, and
seldom higher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gst_core.references import index, lookup
from gst_core.references.diagonals import best_diagonals
from gst_core.references.gapped import Query, self_score
from gst_core.references.identical import Identical
from gst_core.references.lookup import Alignment, Hidden, LookedUp, Queries
from gst_core.references.prefilter import prefilter
from gst_core.references.seeds import seed_table
from gst_core.references.sensitive import search_sensitively
from gst_core.references.store import References
from gst_core.references.ungapped import extend_ungapped, ungapped_cutoff

Found = tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A query and its seeds, what was found for it, the scores, and what cannot have a good one."""

    codes: NDArray[np.uint8]
    seeds: NDArray[np.int32]
    query: Query
    found: NDArray[np.int32]
    scores: NDArray[np.float64]
    unlikely: NDArray[np.bool_]


class PortableLookUp:
    """A :class:`~gst_core.references.lookup.LookUp` in numpy and Biopython.

    Parameters
    ----------
    references
        The targets.
    workers
        Threads that build the index.
    """

    def __init__(self, references: References, workers: int) -> None:
        self._index = index.build(references, workers)
        self.totals = (self._index.totals / index.PARTS).astype(np.float32)
        self.self_scores = self._index.self_scores
        self._references, self._lengths = references, references.lengths
        self._identical = Identical(references.codes, references.starts)

    def look_up(self, queries: Queries, hidden: Hidden | None = None) -> LookedUp:
        """Find targets; see :class:`~gst_core.references.lookup.LookUp`."""
        own = np.zeros(len(queries))
        parts: list[Found] = [(np.empty(0, dtype=np.int32), np.empty(0), np.empty(0))]
        for row, codes in enumerate(queries):
            found, own[row] = self._look_up(codes, None if hidden is None else hidden[row])
            parts.append(found)
        numbers = np.array([len(found) for found, *_ in parts[1:]], dtype=np.int64)
        targets, shared, scores = (np.concatenate(p) for p in zip(*parts, strict=True))
        return LookedUp(numbers, own, targets, shared, scores)

    def count_matches(
        self, queries: Queries, rows: NDArray[np.int64], targets: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches; see :class:`~gst_core.references.lookup.LookUp`."""
        shown = [
            self.show(queries[row], target)
            for row, target in zip(rows.tolist(), targets.tolist(), strict=True)
        ]
        counts = [(alignment.matches, alignment.columns) for alignment in shown]
        return np.array(counts, dtype=np.int64).reshape(-1, 2)

    def show(self, query: NDArray[np.uint8], target: int) -> Alignment:
        """Show an alignment; see :class:`~gst_core.references.lookup.LookUp`."""
        return Query(query).align(self._references[target])

    def _look_up(
        self, codes: NDArray[np.uint8], hidden: NDArray[np.bool_] | None
    ) -> tuple[Found, float]:
        found, shared, own = prefilter(self._index, codes, lookup.FOUND, hidden)
        whole, scores = self_score(codes), np.zeros(len(found))
        if not len(codes):
            return (found, shared, scores), own
        query, seeds = Query(codes), seed_table(codes)
        by_seeds = shared / np.sqrt(np.maximum(self._lengths[found], index.SHORT))
        worth = by_seeds >= lookup.WORTH_ALIGNING * by_seeds.max(initial=0)
        worth[lookup.SEARCHED :] = False
        symbols = self._references.classes[found]
        if (symbols[worth] == symbols[:1]).all():
            worth[1:] = False
        # Targets with the very sequence are aligned, which the prefilter may rank low.
        identical = self._identical.find(codes, hidden)
        new = identical[~np.isin(identical, found)]
        found, shared = np.append(found, new), np.append(shared, np.full(len(new), own))
        symbols, scores = self._references.classes[found], np.zeros(len(found))
        for at in np.flatnonzero(np.isin(found, identical)).tolist():
            scores[at] = query.score(self._references[int(found[at])])
        work = _Work(codes, seeds, query, found, scores, np.zeros(len(found), dtype=np.bool_))
        self._align(work, np.flatnonzero(worth))
        if scores.max(initial=0) < lookup.DOUBTFUL * whole:
            competing = np.sort(np.unique(symbols, return_index=True)[1])[: lookup.COMPETING]
            self._align(work, competing)
        if scores.max(initial=0) < lookup.WEAK * whole:
            hits = search_sensitively(
                self._index, self._references, codes, lookup.SENSITIVE, hidden
            )
            new = hits[~np.isin(hits, found)]
            to_align = np.append(np.isin(found, hits), np.ones(len(new), dtype=np.bool_))
            found = np.concatenate([found, new])
            nothing = np.zeros(len(new))
            shared, scores = np.append(shared, nothing), np.append(scores, nothing)
            unlikely = np.append(work.unlikely, nothing > 0)
            work = _Work(codes, seeds, query, found, scores, unlikely)
            for at in np.flatnonzero(to_align & (scores == 0)).tolist():
                scores[at] = query.score(self._references[int(found[at])])
            to_align[: min(lookup.BEST_BY_SEEDS, len(to_align) - len(new))] = True
            self._align(work, np.flatnonzero(to_align))
        # Of genes with the same protein the first by name comes first: RSPH10B before RSPH10B2.
        ties = np.where(scores > 0, self._references.classes[found], 0)
        order = np.lexsort((ties, -scores))
        return (found[order], shared[order], scores[order]), own

    def _align(self, work: _Work, candidates: NDArray[np.intp]) -> None:
        """Score the first targets of each symbol among some candidates, in place.

        Those alone of which an ungapped segment stands out from chance.
        """
        symbols, scores = self._references.classes[work.found], work.scores
        cutoff = ungapped_cutoff(self._references, len(work.codes))
        seen: dict[int, int] = {}
        for at in candidates.tolist():
            symbol, number = int(symbols[at]), work.found[at : at + 1]
            times = seen.get(symbol, 0)
            seen[symbol] = times + 1
            if scores[at] or work.unlikely[at] or times >= lookup.ALIGNED:
                continue
            work.unlikely[at] = self._segment_score(work, number) < cutoff
            if work.unlikely[at]:
                continue
            scores[at] = work.query.score(self._references[int(number[0])])

    def _segment_score(self, work: _Work, number: NDArray[np.int32]) -> int:
        """Score the best segment of a target on its best diagonal by seeds."""
        codes = work.codes
        sums, diagonals = best_diagonals(self._references, work.seeds, len(codes), number)
        if not sums[0]:
            return 0
        return int(extend_ungapped(self._references, codes, number, diagonals)[0])
