"""The index of words in numpy, for machines without the compiled one; to the same numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references import postings
from gst_core.references.postings import Postings
from gst_core.references.store import References
from gst_core.references.substitutions import substitution_scores
from gst_core.references.words import (
    GROUPS,
    LETTERS,
    OFFSETS,
    SPAN,
    WORDS,
    distinct_words,
    word_numbers,
)

#: Words that begin with the same letter; their numbers without it fit 16 bits.
_SLAB: Final = WORDS // LETTERS
#: Residues looked at together: what is only needed for a moment stays small.
_PIECE: Final = 1 << 20


def build(references: References, workers: int) -> Postings:
    """Index references; see :class:`~gst_core.references.index.WordIndex`."""
    size = len(references)
    slabs = _slabs(references, workers)
    counts = np.concatenate([count for _, count in slabs]).astype(np.int32)
    owners = np.concatenate([of_words for of_words, _ in slabs])
    del slabs
    starts, weights = postings.starts_and_weights(counts, size)
    totals = np.zeros(size, dtype=np.int64)
    for first in range(0, WORDS, _SLAB // 5):
        last = first + _SLAB // 5
        each = np.repeat(weights[first:last], counts[first:last])
        totals += np.bincount(owners[starts[first] : starts[last]], each, size).astype(np.int64)
    return Postings(starts, owners, weights, totals, postings.inverse_root(references))


class PortableSearch:
    """Looks up the words of proteins.

    Parameters
    ----------
    index
        What :func:`build` gave.
    references
        What it gave it for.
    """

    def __init__(self, index: Postings, references: References) -> None:
        self._index = index
        self._references = references

    def __call__(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], int, int]:
        """Find references.

        Returns
        -------
        references, shared
            As :meth:`~gst_core.references.index.WordIndex.search` gives them, but weights
            as :class:`~gst_core.references.postings.Postings` has them, of words looked up.
        own, used
            Sum of the weights of the protein's words, and of those looked up.
        """
        index = self._index
        words = distinct_words(codes)
        first = index.starts[words]
        counts = index.starts[words + 1] - first
        weights = index.weights[words]
        rare = _rarest(counts)
        own, used = int(weights.sum()), int(weights[rare].sum())
        first, counts, weights = first[rare], counts[rare], weights[rare]
        owners = index.references[_ranges(first, counts)]
        shared = np.bincount(owners, np.repeat(weights, counts), len(index.inverse_root))
        if hidden is not None:
            shared[hidden] = 0
        scores = shared.astype(np.float32)
        scores *= index.inverse_root
        least = np.float32(postings.LEAST) * scores.max(initial=0)
        found = np.flatnonzero(scores > least)
        found = found[np.argsort(-scores[found], kind="stable")][:most]
        return found.astype(np.int32), shared[found].astype(np.int32), own, used

    def similar_words(self, codes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """List words like a protein's; see :func:`similar_words`."""
        return similar_words(codes)

    def tally_similar(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
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
        owners = index.references[_ranges(first, counts)]
        tally = np.bincount(owners, np.repeat(weights, counts), len(index.inverse_root))
        return tally.astype(np.int32)

    def score_diagonals(
        self, rows: NDArray[np.int32], length: int, wanted: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Score references by the best of their diagonals with a protein.

        Relatives have many similar words at the same distance from each other as the protein has
        them: what a pair of them scores is added up for each difference of their places, and
        for that before and after it.

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
        scores
            Of each, 0 where it has no similar word.
        """
        scores = np.zeros(len(wanted), dtype=np.int32)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        rows_of = np.bincount(rows[:, 0], minlength=WORDS)
        first_of = np.cumsum(rows_of) - rows_of
        parts = [word_numbers(self._references[number]) for number in wanted.tolist()]
        sizes = np.array([len(part) for part in parts], dtype=np.int64)
        words = np.concatenate([np.empty(0, dtype=np.int32), *parts])
        known = (words >= 0) & (rows_of[words] > 0)
        owners = np.repeat(np.arange(len(wanted)), sizes)[known]
        places = _ranges(np.zeros_like(sizes), sizes)[known]
        counts = rows_of[words[known]]
        at = _ranges(first_of[words[known]], counts)
        # The diagonals of all references in one row of numbers, with room between those of two.
        room = sizes + length + 2
        begins = np.cumsum(room) - room
        diagonals = np.repeat(begins[owners] + places + length, counts) - rows[at, 1]
        diagonals, which = np.unique(diagonals, return_inverse=True)
        sums = np.bincount(which, rows[at, 2], len(diagonals))
        next_to = np.flatnonzero(np.diff(diagonals) == 1)
        beside = sums.copy()
        beside[next_to] += sums[next_to + 1]
        beside[next_to + 1] += sums[next_to]
        owners = np.searchsorted(begins, diagonals, side="right") - 1
        np.maximum.at(scores, owners, beside.astype(np.int32))
        return scores


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
        their four substitutions, :data:`~gst_core.references.postings.ALIKE` at least.
    """
    scores, letters = substitution_scores().astype(np.int32), GROUPS[codes]
    parts = [np.empty((0, 3), dtype=np.int32)]
    for place in range(len(codes) - SPAN + 1):
        word = [int(letters[place + offset]) for offset in OFFSETS]
        if min(word) < 0:
            continue
        left, right = ((scores[a][:, None] + scores[b]).ravel() for a, b in (word[:2], word[2:]))
        # Few pairs score enough with the best of the others; only these are combined.
        heads = np.flatnonzero(left >= postings.ALIKE - right.max())
        tails = np.flatnonzero(right >= postings.ALIKE - left.max())
        score = left[heads][:, None] + right[tails]
        first, last = np.nonzero(score >= postings.ALIKE)
        words = heads[first] * LETTERS**2 + tails[last]
        parts.append(np.stack([words, np.full_like(words, place), score[first, last]], axis=1))
    return np.concatenate(parts).astype(np.int32)


def _ranges(first: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Count up from each of some numbers, so many times, one range after the other."""
    ranges: NDArray[Any] = np.repeat(first - (np.cumsum(counts) - counts), counts)
    ranges += np.arange(len(ranges), dtype=ranges.dtype)
    return ranges


def _rarest(counts: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Choose words, those in fewest references first, within the budget; equal ones alike."""
    known = int(np.count_nonzero(counts))
    budget = max(postings.BUDGET, postings.BUDGET_PER_WORD * known)
    if int(counts.sum()) <= budget:
        return counts > 0
    of_size = np.cumsum(np.bincount(counts, counts))
    return (counts > 0) & (counts < np.searchsorted(of_size, budget, side="right"))


def _slabs(
    references: References, workers: int
) -> list[tuple[NDArray[np.uint16], NDArray[np.int64]]]:
    """Index the words of each first letter; what only this needs is gone when it returns."""
    groups = GROUPS[references.codes]
    owners = np.repeat(np.arange(len(references), dtype=np.uint16), references.lengths)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda first: _slab(groups, owners, first), range(LETTERS)))


def _slab(
    groups: NDArray[np.int8], owners: NDArray[np.uint16], first: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Find the references of each word that begins with one letter, and count them."""
    parts = [
        _keys(
            groups[start : start + _PIECE + SPAN - 1],
            owners[start : start + _PIECE + SPAN - 1],
            first,
        )
        for start in range(0, len(groups), _PIECE)
    ]
    keys = np.concatenate([np.empty(0, np.uint32), *parts])
    del parts
    keys.sort()
    new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    owners_of_words = keys.astype(np.uint16)  # the lower half
    keys >>= np.uint32(16)
    words = keys.astype(np.uint16)
    counts = np.zeros(_SLAB, dtype=np.int64)
    for start in range(0, len(words), _PIECE):
        counts += np.bincount(words[start : start + _PIECE], minlength=_SLAB)
    counts[counts > postings.COMMON] = 0
    return owners_of_words[(counts > 0)[words]], counts


def _keys(groups: NDArray[np.int8], owners: NDArray[np.uint16], first: int) -> NDArray[np.uint32]:
    """Word without its first letter and reference in one number, unordered.

    Sorting numbers of 32 bits is what numpy does fastest.
    """
    ends = max(len(groups) - SPAN + 1, 0)
    places = np.flatnonzero(groups[:ends] == first)
    places = places[owners[places] == owners[places + SPAN - 1]]
    keys = np.zeros(len(places), dtype=np.uint32)
    lowest = np.zeros(len(places), dtype=np.int8)
    for offset in OFFSETS[1:]:
        group = groups[places + offset]
        keys *= np.uint32(LETTERS)
        keys += group.astype(np.uint32)
        np.minimum(lowest, group, out=lowest)
    keys <<= np.uint32(16)
    keys |= owners[places]
    return keys[lowest >= 0]
