"""Building the index of words in numpy, for machines without the compiled one; the same index."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references import postings
from gst_core.references.alignment import self_scores
from gst_core.references.postings import Postings
from gst_core.references.store import References
from gst_core.references.words import GROUPS, LETTERS, OFFSETS, SPAN, WORDS

#: Words that begin with the same letter; their numbers without it fit 16 bits.
_SLAB: Final = WORDS // LETTERS
#: Residues looked at together: what is only needed for a moment stays small.
_PIECE: Final = 1 << 20


def build(references: References, workers: int) -> Postings:
    """Index the words of references, with so many threads."""
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
    own = self_scores(references.codes, references.starts)
    return Postings(starts, owners, weights, totals, postings.inverse_root(references), own)


def ranges(first: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Count up from each of some numbers, so many times, one range after the other."""
    ranges: NDArray[Any] = np.repeat(first - (np.cumsum(counts) - counts), counts)
    ranges += np.arange(len(ranges), dtype=ranges.dtype)
    return ranges


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
