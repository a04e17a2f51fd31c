"""The index of words in numpy, for machines without the compiled one; to the same numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gst_core.references import alignment, postings
from gst_core.references.portable_postings import build, ranges
from gst_core.references.postings import PARTS
from gst_core.references.store import References
from gst_core.references.substitutions import BLOSUM62, BLOSUM90
from gst_core.references.words import (
    GROUPS,
    LETTERS,
    OFFSETS,
    SPAN,
    WORDS,
    distinct_words,
    word_numbers,
)


class PortableIndex:
    """References by the words they contain.

    Parameters
    ----------
    references
        The references.
    workers
        Threads that build it.

    Attributes
    ----------
    totals, self_scores
        As :class:`~gst_core.references.lookup.LookUp` has them.
    """

    def __init__(self, references: References, workers: int) -> None:
        self._index = build(references, workers)
        self.totals = (self._index.totals / PARTS).astype(np.float32)
        self.self_scores = self._index.self_scores
        self._references, self._lengths = references, references.lengths

    def search(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
        """Find the references that share the rarest words with a protein.

        A reference's score is the sum of the weights of shared words, each counted once,
        over the root of its length: long references share more by chance.

        Parameters
        ----------
        codes
            Plain residue codes of the protein.
        most
            References wanted.
        hidden
            ``(R,)``: references to leave out.

        Returns
        -------
        references
            Numbers of at most `most` references that score more than
            :data:`~gst_core.references.postings.LEAST` of the best, the best first; of
            equally good ones the first stored comes first.
        shared
            Sum of the weights of the words shared with each, in nats, as if those not looked
            up were shared as often as the others.
        own
            Sum of the weights of the protein's words, in nats.
        """
        index = self._index
        words = distinct_words(codes)
        first = index.starts[words]
        counts = index.starts[words + 1] - first
        weights = index.weights[words]
        rare = _rarest(counts, len(index.inverse_root))
        own, used = int(weights.sum()), int(weights[rare].sum())
        first, counts, weights = first[rare], counts[rare], weights[rare]
        owners = index.references[ranges(first, counts)]
        shared = np.bincount(owners, np.repeat(weights, counts), len(index.inverse_root))
        if hidden is not None:
            shared[hidden] = 0
        scores = shared.astype(np.float32)
        scores *= index.inverse_root
        least = np.float32(postings.LEAST) * scores.max(initial=0)
        found = np.flatnonzero(scores > least)
        found = found[np.argsort(-scores[found], kind="stable")][:most]
        nats = shared[found].astype(np.float64) * (own / max(used, 1) / PARTS)
        return found.astype(np.int32), nats, own / PARTS

    def search_similar(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Find the references that have many words like those of a protein, one behind the other.

        Finds relatives that share hardly any word with it, and takes many times longer. The
        references that exceed most what is to be expected of their length
        (:data:`~gst_core.references.postings.TALLIED` of them) are gone through in blocks. Those of
        a block are ranked by their best diagonal, with that before and after it, and the first of
        these (:data:`~gst_core.references.postings.PROBED`, and where one of them stands out
        :data:`~gst_core.references.postings.RANKED`) by the best part of their best diagonals.
        After a block in which none stands out from chance there is no other.

        Parameters
        ----------
        codes
            Plain residue codes of the protein.
        most
            References wanted.
        hidden
            ``(R,)``: references to leave out.

        Returns
        -------
        references
            Numbers of at most `most` references that stand out, the best first; of equally good
            ones the first stored comes first.
        """
        rows = similar_words(codes)
        tally = self._tally(rows)
        expected = np.float32(int(tally.sum(dtype=np.int64)) / int(self._lengths.sum()))
        excess = tally.astype(np.float32) - expected * self._lengths.astype(np.float32)
        tallied = excess * self._index.inverse_root
        if hidden is not None:
            tallied[hidden] = 0
        highest = np.argsort(-tallied, kind="stable")[: postings.TALLIED]
        highest = highest[tallied[highest] > 0]
        kept: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)]
        scores: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
        chance = self.chance_segment(len(codes))
        for first in range(0, len(highest), postings.BLOCK):
            block = np.sort(highest[first : first + postings.BLOCK]).astype(np.int32)
            owners, diagonals, sums = self._add_diagonals(rows, len(codes), block)
            best = np.zeros(len(block), dtype=np.int64)
            next_to = np.flatnonzero((np.diff(diagonals) == 1) & (np.diff(owners) == 0))
            beside = sums.copy()
            beside[next_to] += sums[next_to + 1]
            beside[next_to + 1] += sums[next_to]
            np.maximum.at(best, owners, beside)
            ranked: NDArray[np.int32] = block[np.argsort(-best, kind="stable")[: postings.RANKED]]
            segments = self.score_segments(codes, rows, ranked[: postings.PROBED])
            stands_out = segments.max(initial=0) >= chance
            if stands_out:
                others = self.score_segments(codes, rows, ranked[postings.PROBED :])
                segments = np.append(segments, others)
            kept.append(ranked[: len(segments)])
            scores.append(segments)
            if not stands_out:
                break
        found, segments = np.concatenate(kept), np.concatenate(scores)
        found = found[np.lexsort((found, -segments))]
        return found[: min(most, int((segments >= chance).sum()))]

    def chance_segment(self, length: int) -> float:
        """Score of the best segment of a protein and any reference by chance."""
        return alignment.score_by_chance(
            length, len(self._references.codes), postings.UNGAPPED_LAMBDA, postings.UNGAPPED_KAPPA
        )

    def score_segments(
        self, codes: NDArray[np.uint8], rows: NDArray[np.int32], wanted: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Score the best part of the best diagonals of references.

        Parameters
        ----------
        codes
            Plain residue codes of the protein.
        rows
            Of :func:`similar_words` or :func:`own_words`: they say which diagonals.
        wanted
            Numbers of references.
        """
        owners, diagonals, sums = self._add_diagonals(rows, len(codes), wanted)
        scores = np.zeros(len(wanted), dtype=np.int64)
        for place, number in enumerate(wanted.tolist()):
            own = slice(*np.searchsorted(owners, [place, place + 1]).tolist())
            best = np.lexsort((diagonals[own], -sums[own]))[: postings.DIAGONALS]
            for diagonal in diagonals[own][best].tolist():
                part = _best_part(codes, self._references[number], diagonal)
                scores[place] = max(scores[place], part)
        return scores

    def _tally(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Tally references by words like those of a protein.

        Parameters
        ----------
        rows
            Of :func:`similar_words`.

        Returns
        -------
        tally
            ``(R,)``: sum of the weights of a reference's words, the more the more alike they are,
            for each place of the protein.
        """
        index = self._index
        words, _, scores = rows[rows[:, 2] >= postings.MORE_ALIKE].T
        weights = index.weights[words] * (scores - postings.MORE_ALIKE + 2) // 16
        first = index.starts[words]
        counts = index.starts[words + 1] - first
        owners = index.references[ranges(first, counts)]
        tally = np.bincount(owners, np.repeat(weights, counts), len(index.inverse_root))
        return tally.astype(np.int32)

    def _add_diagonals(
        self, rows: NDArray[np.int32], length: int, wanted: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Add up, for each diagonal of references, what it has in common with a protein.

        Relatives have many similar words at the same distance from each other as the protein has
        them: what a pair of them scores is added up for each difference of their places.

        Parameters
        ----------
        rows
            Of :func:`similar_words`.
        length
            Of the protein.
        wanted
            Numbers of references.

        Returns
        -------
        owners
            Places in `wanted`, ascending.
        diagonals
            Places in the reference less those in the protein, ascending for each reference.
        sums
            Of each.
        """
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        rows_of = np.bincount(rows[:, 0], minlength=WORDS)
        first_of = np.cumsum(rows_of) - rows_of
        parts = [word_numbers(self._references[number]) for number in wanted.tolist()]
        sizes = np.array([len(part) for part in parts], dtype=np.int64)
        words = np.concatenate([np.empty(0, dtype=np.int32), *parts])
        known = (words >= 0) & (rows_of[words] > 0)
        owners = np.repeat(np.arange(len(wanted)), sizes)[known]
        places = ranges(np.zeros_like(sizes), sizes)[known]
        counts = rows_of[words[known]]
        at = ranges(first_of[words[known]], counts)
        # The diagonals of all references in one row of numbers.
        room = sizes + length
        begins = np.cumsum(room) - room
        keys = np.repeat(begins[owners] + places + length, counts) - rows[at, 1]
        keys, which = np.unique(keys, return_inverse=True)
        sums = np.bincount(which, rows[at, 2], len(keys)).astype(np.int64)
        owners = np.searchsorted(begins, keys, side="right") - 1
        return owners, keys - begins[owners] - length, sums


def _best_part(codes: NDArray[np.uint8], reference: NDArray[np.uint8], diagonal: int) -> int:
    """Score the best part of a diagonal, without gaps."""
    first, last = max(0, -diagonal), min(len(codes), len(reference) - diagonal)
    scores = BLOSUM90[codes[first:last], reference[first + diagonal : last + diagonal]]
    sums = np.concatenate([[0], np.cumsum(scores, dtype=np.int64)])
    return int((sums - np.minimum.accumulate(sums)).max())


def own_words(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """List the words of a protein, as :func:`similar_words` does those like them."""
    numbers = word_numbers(codes)
    places = np.flatnonzero(numbers >= 0)
    order = places[np.argsort(numbers[places], kind="stable")]
    first = np.searchsorted(numbers[order], numbers[order])
    kept = order[np.arange(len(order)) - first < postings.PLACES_OF_WORD]
    worth = np.full(len(kept), alignment.WORD_WORTH)
    return np.stack([numbers[kept], kept, worth], axis=1).astype(np.int32)


def similar_words(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """List words like those of a protein: its neighbourhood (Altschul et al. 1990).

    Parameters
    ----------
    codes
        Plain residue codes.

    Returns
    -------
    rows
        ``(N, 3)``: a word, the place in the protein of one that it is like, and the score of
        their four substitutions, :data:`~gst_core.references.postings.ALIKE` at least; of a word
        and in all no more than :data:`~gst_core.references.postings.PLACES_OF_WORD` and
        :data:`~gst_core.references.postings.PLACES_OF_ALL` allow.
    """
    scores, letters = BLOSUM62.astype(np.int32), GROUPS[codes]
    parts = [np.empty((0, 3), dtype=np.int32)]
    places_of = np.zeros(WORDS, dtype=np.int32)
    number = 0
    for place in range(len(codes) - SPAN + 1):
        if number >= postings.PLACES_OF_ALL:
            break
        word = [int(letters[place + offset]) for offset in OFFSETS]
        if min(word) < 0:
            continue
        left, right = ((scores[a][:, None] + scores[b]).ravel() for a, b in (word[:2], word[2:]))
        # Few pairs score enough with the best of the others; only these are combined.
        heads = np.flatnonzero(left >= postings.ALIKE - right.max())
        tails = np.flatnonzero(right >= postings.ALIKE - left.max())
        score = left[heads][:, None] + right[tails]
        first, last = np.nonzero(score >= postings.ALIKE)
        words, own = heads[first] * LETTERS**2 + tails[last], score[first, last]
        wanted = places_of[words] < postings.PLACES_OF_WORD
        words, own = words[wanted], own[wanted]
        places_of[words] += 1
        number += len(words)
        parts.append(np.stack([words, np.full_like(words, place), own], axis=1))
    return np.concatenate(parts).astype(np.int32)


def _rarest(counts: NDArray[np.int32], references: int) -> NDArray[np.bool_]:
    """Choose words, those in fewest references first, within the budget; equal ones alike."""
    known = int(np.count_nonzero(counts))
    budget, per_word = postings.budgets(references)
    budget = max(budget, per_word * known)
    if int(counts.sum()) <= budget:
        return counts > 0
    of_size = np.cumsum(np.bincount(counts, counts))
    return (counts > 0) & (counts < np.searchsorted(of_size, budget, side="right"))
