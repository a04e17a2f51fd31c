"""Which references share words with a protein: an inverted index, built when a model is opened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.store import MOST_REFERENCES, References
from gst_core.references.words import GROUPS, LETTERS, OFFSETS, SPAN, WORDS, distinct_words

#: Words in more references than this say too little for what they cost.
COMMON: Final = 600

#: Residues of the shortest reference that gains by its length: a single shared word must
#: not bring fragments to the top.
SHORT: Final = 100

#: References are found whose score is more than this share of the best one's.
LEAST: Final = 0.25

#: Words that begin with the same letter; their numbers without it fit 16 bits.
_SLAB: Final = WORDS // LETTERS
#: Residues looked at together: what is only needed for a moment stays small.
_PIECE: Final = 1 << 20


class WordIndex:
    """References by the words they contain.

    Parameters
    ----------
    references
        The references, 65,536 at most.
    workers
        Threads that build it.

    Attributes
    ----------
    weights
        ``(WORDS,)`` float32: the inverse document frequency of each word, in nats; 0 for
        words that are in no reference or in more than :data:`COMMON`.
    totals
        ``(R,)`` float32: sum of the weights of each reference's words.
    """

    def __init__(self, references: References, workers: int = 1) -> None:
        if len(references) > MOST_REFERENCES:
            raise ValueError(f"{len(references)} references, {MOST_REFERENCES} at most")
        self._size = len(references)
        self._inverse_root = (1 / np.sqrt(np.maximum(references.lengths, SHORT))).astype(np.float32)
        slabs = _slabs(references, workers)
        counts = np.concatenate([count for _, count in slabs])
        self._postings = np.concatenate([postings for postings, _ in slabs])
        del slabs
        self._starts = np.zeros(WORDS + 1, dtype=np.int32)
        np.cumsum(counts, out=self._starts[1:])
        frequency = np.maximum(counts, 1).astype(np.float32)
        self.weights = np.where(counts > 0, np.log(max(self._size, 2) / frequency), 0).astype(
            np.float32
        )
        self.totals = np.zeros(self._size, dtype=np.float32)
        for first in range(0, WORDS, _SLAB // 5):
            last = first + _SLAB // 5
            postings = self._postings[self._starts[first] : self._starts[last]]
            weights = np.repeat(self.weights[first:last], counts[first:last])
            self.totals += np.bincount(postings, weights, self._size)

    def search(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
        """Find the references that share the rarest words with a protein.

        A reference's score is the sum of the weights of shared words, each counted once,
        over the root of its length: long references share more by chance.

        Parameters
        ----------
        codes
            Residue codes of the protein.
        most
            References wanted.
        hidden
            ``(R,)``: references to leave out.

        Returns
        -------
        references
            Numbers of at most `most` references that score more than :data:`LEAST` of the
            best, the best first; of equally good ones the first stored comes first.
        shared
            Sum of the weights of the words shared with each.
        own
            Sum of the weights of the protein's words.
        """
        words = distinct_words(codes)
        first = self._starts[words]
        counts = self._starts[words + 1] - first
        weights = self.weights[words]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        places = np.repeat(first - (ends - counts), counts)
        places += np.arange(total, dtype=np.int32)
        shared = np.bincount(self._postings[places], np.repeat(weights, counts), self._size)
        if hidden is not None:
            shared[hidden] = 0
        scores = shared.astype(np.float32)
        scores *= self._inverse_root
        found = np.flatnonzero(scores > LEAST * scores.max(initial=0))
        found = found[np.argsort(-scores[found], kind="stable")][:most]
        return found, shared[found].astype(np.float64), float(weights.sum())


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
    counts[counts > COMMON] = 0
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
