"""What speaks for each candidate symbol of a protein, as numbers that a network can weigh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.clades import LINEAGE_OF_CLADE
from gst_core.references.alignment import Query, query, self_score, self_scores
from gst_core.references.index import WordIndex
from gst_core.references.postings import SHORT
from gst_core.references.store import References, plain

#: Candidate symbols of a protein.
CANDIDATES: Final = 12
#: References that the index is asked for.
FOUND: Final = 160
#: References of one symbol that are aligned.
ALIGNED: Final = 3
#: A reference is aligned where its words score at least this share of the best one's,
#: and at most so many references of one protein.
WORTH_ALIGNING: Final = 0.5
SEARCHED: Final = 40
#: Where no alignment reaches this share of the protein's score against itself, words may mislead:
#: a reference of each of the first `RIVALS` symbols is aligned, whatever its words.
DOUBTFUL: Final = 0.45
RIVALS: Final = 6
#: Where none reaches this share, words may have missed the relatives: the best `SURE` references by
#: their words are aligned, and the best `SIMILAR` by words that are only alike.
WEAK: Final = 0.25
SURE: Final = 10
SIMILAR: Final = 30
#: Identical residues are counted where another symbol reaches this share of the best score.
CLOSE: Final = 0.9

#: Numbers a candidate.
FEATURES: Final = 21
#: Training proteins beyond this make a symbol no more likely.
_ENOUGH: Final = 8

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for a batch of B proteins, K candidates each.

    Candidates that were aligned come first, by their scores, the others after them, by their words.

    Attributes
    ----------
    classes
        ``(B, K)``: class index of each candidate's symbol; -1 where there are fewer candidates.
    references
        ``(B, K)``: the reference of the symbol that aligns best, by its words where none was
        aligned; -1 where there are fewer candidates.
    numbers
        ``(B, K, 11)``: what :data:`NUMBERS` says of each candidate.
    queries
        ``(B, 3)``: sum of the weights of the protein's words, its residues, and its score
        against itself.
    """

    classes: NDArray[np.int32]
    references: NDArray[np.int32]
    numbers: Array
    queries: Array

    @property
    def present(self) -> NDArray[np.bool_]:
        """``(B, K)``: whether there is such a candidate."""
        return self.classes >= 0


#: What :attr:`Evidence.numbers` holds: the weight of the words shared with that reference of the
#: symbol which has most in common, and of all its words; the symbol's references that were found;
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

#: Lineage of each clade index; -1 where it is not known, as for the number of clades.
LINEAGES: Final = np.array([*LINEAGE_OF_CLADE, -1])


class EvidenceFinder:
    """Finds candidates and what speaks for them.

    Parameters
    ----------
    references
        Proteins whose symbols are known.
    counts
        ``(C,)``: training proteins of each symbol.
    workers
        Threads that build the index.
    """

    def __init__(self, references: References, counts: NDArray[np.int64], workers: int = 1) -> None:
        self.references = references
        self._index = WordIndex(references, workers)
        self._self_scores = self_scores(references.codes, references.starts)
        self._lengths = references.lengths
        self._counts = counts
        self._lineages = LINEAGES[references.clades]

    def find(
        self,
        proteins: Sequence[NDArray[np.uint8]],
        clades: NDArray[np.int64],
        hidden: Sequence[NDArray[np.bool_]] | None = None,
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

        Returns
        -------
        evidence
            Of proteins without a word that is like one of a reference, no candidates.
        """
        looked_up = [
            self._look_up(plain(codes), None if hidden is None else hidden[row])
            for row, codes in enumerate(proteins)
        ]
        evidence = self._by_symbol(looked_up)
        classes, references = evidence.classes, evidence.references
        lineage, own = self._lineages[references], LINEAGES[clades][:, None]
        known = (lineage >= 0) & (own >= 0) & evidence.present
        evidence.numbers[:, :, COUNT] = np.where(evidence.present, self._counts[classes], 0)
        evidence.numbers[:, :, KIN] = np.where(known, np.where(lineage == own, 1, -1), 0)
        return evidence

    def _look_up(self, codes: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> _LookedUp:
        found, shared, own = self._index.search(codes, FOUND, hidden)
        whole, scores = self_score(codes), np.zeros(len(found))
        if not len(codes):
            return _LookedUp(0, own, whole, found, shared, scores, None)
        asked = query(codes)
        words = shared / np.sqrt(np.maximum(self._lengths[found], SHORT))
        worth = words >= WORTH_ALIGNING * words.max(initial=0)
        worth[SEARCHED:] = False
        symbols = self.references.classes[found]
        if (symbols[worth] == symbols[:1]).all():
            worth[1:] = False  # nothing to compare with: one alignment shows how near they are
        self._align(asked, found, np.flatnonzero(worth), scores, near=True)
        if scores.max(initial=0) < DOUBTFUL * whole:
            rivals = np.sort(np.unique(symbols, return_index=True)[1])[:RIVALS]
            self._align(asked, found, rivals, scores, near=True)
        if scores.max(initial=0) < WEAK * whole:
            similar = self._index.search_similar(codes, SIMILAR, hidden)
            new = similar[~np.isin(similar, found)]
            found = np.concatenate([found, new])
            shared, scores = (
                np.append(numbers, np.zeros(len(new))) for numbers in (shared, scores)
            )
            wanted = np.isin(found, similar)
            wanted[:SURE] = True
            self._align(asked, found, np.flatnonzero(wanted), scores, near=False)
        # Of genes with the same protein the first by name comes first: RSPH10B before RSPH10B2.
        ties = np.where(scores > 0, self.references.classes[found], 0)
        order = np.lexsort((ties, -scores))
        found, shared, scores = found[order], shared[order], scores[order]
        return _LookedUp(len(codes), own, whole, found, shared, scores, asked)

    def _align(
        self,
        asked: Query,
        found: NDArray[np.int32],
        places: NDArray[np.intp],
        scores: NDArray[np.float64],
        near: bool,
    ) -> None:
        """Score the first references of each symbol among those at some places, in place."""
        symbols = self.references.classes[found]
        seen: dict[int, int] = {}
        for place in places.tolist():
            symbol = int(symbols[place])
            times = seen.get(symbol, 0)
            if times < ALIGNED and not scores[place]:
                scores[place] = asked.score(self.references[int(found[place])], near)
            seen[symbol] = times + 1

    def _by_symbol(self, proteins: Sequence[_LookedUp]) -> Evidence:
        """Bring the references of each symbol together, those of all proteins at once."""
        size = len(proteins)
        evidence = Evidence(
            np.full((size, CANDIDATES), -1, dtype=np.int32),
            np.full((size, CANDIDATES), -1, dtype=np.int32),
            np.zeros((size, CANDIDATES, len(NUMBERS)), dtype=np.float32),
            np.array(
                [(p.own, p.residues, p.self_score) for p in proteins], dtype=np.float32
            ).reshape(size, 3),
        )
        sizes = [len(p.found) for p in proteins]
        if not sum(sizes):
            return evidence
        found, shared, scores = (
            np.concatenate(parts)
            for parts in zip(*((p.found, p.shared, p.scores) for p in proteins), strict=True)
        )
        rows = np.repeat(np.arange(size), sizes)
        symbols = self.references.classes[found]
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
        totals = self._index.totals[found]
        by_words = np.lexsort((-shared / np.sqrt(np.maximum(totals, 1)), group))
        likest = by_words[np.searchsorted(group[by_words], np.arange(len(order)))]
        row = rows[first]
        slot = np.arange(len(order)) - np.searchsorted(row, np.arange(size))[row]
        aligned = np.maximum(np.bincount(group, scores > 0), 1)
        numbers = (
            shared[likest],
            totals[likest],
            np.bincount(group),
            scores[first],
            np.bincount(group, scores) / aligned,
            self._lengths[found[first]],
            self._self_scores[found[first]],
        )
        kept = slot < CANDIDATES
        at = row[kept], slot[kept]
        evidence.classes[at] = symbols[first[kept]]
        evidence.references[at] = found[first[kept]]
        for place, column in zip((0, 1, 2, 3, 4, 7, 8), numbers, strict=True):
            evidence.numbers[*at, place] = column[kept]
        self._count_matches(proteins, evidence)
        return evidence

    def _count_matches(self, proteins: Sequence[_LookedUp], evidence: Evidence) -> None:
        """Count identical residues where scores say little, in place."""
        score = evidence.numbers[:, :, 3]
        highest = score.max(1, keepdims=True)
        close = (score >= CLOSE * highest) & (highest > 0)
        close[close.sum(1) < 2] = False
        for row, slot in zip(*(places.tolist() for places in np.nonzero(close)), strict=True):
            asked = proteins[row].asked
            assert asked is not None
            reference = self.references[int(evidence.references[row, slot])]
            evidence.numbers[row, slot, 5:7] = asked.matches(reference)


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """A protein, the references found for it, the best first, and their scores if aligned."""

    residues: int
    own: float
    self_score: int
    found: NDArray[np.int32]
    shared: NDArray[np.float64]
    scores: NDArray[np.float64]
    asked: Query | None


def features(evidence: Evidence) -> Array:
    """Turn evidence into what the network reads.

    Parameters
    ----------
    evidence
        Of B proteins with K candidates each.

    Returns
    -------
    features
        ``(B, K, 21)``; 0 where there is no candidate.
    """
    shared, total, found, score, mean, matches, columns, length, whole, count, kin = np.moveaxis(
        evidence.numbers, 2, 0
    )
    own, residues, itself = (np.maximum(column, 1e-6)[:, None] for column in evidence.queries.T)
    length, whole = np.maximum(length, 1), np.maximum(whole, 1)
    ranked = np.sort(score, axis=1)
    highest, second = ranked[:, -1:], ranked[:, -2:-1]
    rival = np.where(score == highest, second, highest)
    top = np.maximum(highest, 1)
    lead = (score - rival) / top
    cosine = shared / np.sqrt(own * np.maximum(total, 1e-6))
    shorter = np.minimum(length, residues)
    identity = matches / shorter
    columns_there = columns > 0
    result = np.stack(
        np.broadcast_arrays(
            cosine,
            cosine / np.maximum(cosine.max(1, keepdims=True), 1e-9),
            np.clip(np.log(residues / length), -3, 3),
            np.log1p(found),
            score / itself,
            score / whole,
            score / top,
            np.tanh(8 * lead),
            np.tanh(40 * lead),
            score / shorter / 5,
            identity,
            identity - identity.max(1, keepdims=True),
            matches / np.maximum(columns, 1),
            columns_there,
            columns / residues,
            columns / length,
            mean / top,
            np.log(residues) / 8,
            np.log1p(score) / 8,
            np.log1p(np.minimum(count, _ENOUGH)),
            kin,
        ),
        axis=-1,
    ).astype(np.float32)
    result[~evidence.present] = 0
    return result
