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

#: Numbers of references; see :func:`gst_core.references.postings.number_type`.
Numbers = NDArray[np.unsignedinteger[Any]]

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


def _slabs(references: References, workers: int) -> list[tuple[Numbers, NDArray[np.int64]]]:
    """Index the words of each first letter; what only this needs is gone when it returns."""
    groups = GROUPS[references.codes]
    size = len(references)
    owners = np.repeat(np.arange(size, dtype=postings.number_type(size)), references.lengths)
    common = postings.common(size)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda first: _slab(groups, owners, first, common), range(LETTERS)))


def _slab(
    groups: NDArray[np.int8], owners: Numbers, first: int, common: int
) -> tuple[Numbers, NDArray[np.int64]]:
    """Find the references of each word that begins with one letter, and count them."""
    parts = [
        _keys(
            groups[start : start + _PIECE + SPAN - 1],
            owners[start : start + _PIECE + SPAN - 1],
            first,
        )
        for start in range(0, len(groups), _PIECE)
    ]
    bits = 8 * owners.itemsize
    keys = np.concatenate([np.empty(0, _key_type(owners)), *parts])
    del parts
    keys.sort()
    new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    owners_of_words = keys.astype(owners.dtype)  # the lower half
    keys >>= keys.dtype.type(bits)
    words = keys.astype(np.uint16)
    counts = np.zeros(_SLAB, dtype=np.int64)
    for start in range(0, len(words), _PIECE):
        counts += np.bincount(words[start : start + _PIECE], minlength=_SLAB)
    counts[counts > common] = 0
    return owners_of_words[(counts > 0)[words]], counts


def _key_type(owners: Numbers) -> type[np.uint32 | np.uint64]:
    """Word and reference in one number: sorting those of 32 bits is what numpy does fastest."""
    return np.uint32 if owners.dtype == np.uint16 else np.uint64


def _keys(groups: NDArray[np.int8], owners: Numbers, first: int) -> NDArray[Any]:
    """Word without its first letter and reference in one number, unordered."""
    type_ = _key_type(owners)
    ends = max(len(groups) - SPAN + 1, 0)
    places = np.flatnonzero(groups[:ends] == first)
    places = places[owners[places] == owners[places + SPAN - 1]]
    keys = np.zeros(len(places), dtype=type_)
    lowest = np.zeros(len(places), dtype=np.int8)
    for offset in OFFSETS[1:]:
        group = groups[places + offset]
        keys *= type_(LETTERS)
        keys += group.astype(type_)
        np.minimum(lowest, group, out=lowest)
    keys <<= type_(8 * owners.itemsize)
    keys |= owners[places]
    return keys[lowest >= 0]
