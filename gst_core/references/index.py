"""The inverted index: the targets, which are the references, of each seed.

``native/index.c`` builds the same, where there was a compiler on installation; :func:`build` is for
machines without.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.gapped import self_scores
from gst_core.references.seeds import GROUPS, LETTERS, OFFSETS, SEEDS, SPAN
from gst_core.references.store import References

#: Seeds in more targets than this say too little for what they cost.
COMMON: Final = 300
#: Numbers of so many targets fit 16 bits. `COMMON` and the budgets of the prefilter are for up to
#: as many: among more, each seed is in more.
NARROW: Final = 65_535

#: Residues of the shortest target that gains by its length: a single shared seed must
#: not bring fragments to the top.
SHORT: Final = 100

#: Weights are whole numbers of so many parts of a nat: sums do not depend on their order.
PARTS: Final = 64

#: Numbers of targets; see :func:`number_type`.
Numbers = NDArray[np.unsignedinteger[Any]]

#: Seeds that begin with the same letter; their numbers without it fit 16 bits.
_SLAB: Final = SEEDS // LETTERS
#: Residues looked at together: what is only needed for a moment stays small.
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The targets of each seed: its postings.

    Attributes
    ----------
    starts
        ``(SEEDS + 1,)`` int32: where the postings of each seed begin, and where the last's end.
    postings
        Numbers of targets, those of one seed ascending; of :func:`number_type`.
    weights
        ``(SEEDS,)`` int32: the inverse document frequency of each seed, in :data:`PARTS` of
        a nat; 0 for seeds that are in no target or in more than :data:`COMMON`.
    totals
        ``(R,)`` int64: sum of the weights of each target's seeds.
    inverse_root
        ``(R,)`` float32: 1 over the root of each target's length.
    self_scores
        ``(R,)`` int64: score of each target's alignment with itself, at least 1.
    """

    starts: NDArray[np.int32]
    postings: Numbers
    weights: NDArray[np.int32]
    totals: NDArray[np.int64]
    inverse_root: NDArray[np.float32]
    self_scores: NDArray[np.int64]

    def tally(self, seeds: NDArray[np.int32], weights: NDArray[np.int32]) -> NDArray[Any]:
        """Add a weight of each seed to each target that has it: whole numbers, ``(R,)``."""
        first = self.starts[seeds]
        counts = self.starts[seeds + 1] - first
        owners = self.postings[ranges(first, counts)]
        return np.bincount(owners, np.repeat(weights, counts), len(self.inverse_root))


def number_type(targets: int) -> type[np.unsignedinteger[Any]]:
    """Give the type of a target's number, where there are so many."""
    return np.uint16 if targets <= NARROW else np.uint32


def common(targets: int) -> int:
    """Give the number of targets beyond which a seed has no postings, among so many."""
    return scaled(COMMON, targets)


def scaled(number: int, targets: int) -> int:
    """Make a limit larger as targets are more than :data:`NARROW`."""
    return -(-number * max(targets, NARROW) // NARROW)


def starts_and_weights(
    counts: NDArray[np.int32], targets: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Lay out postings, and weigh seeds.

    Parameters
    ----------
    counts
        ``(SEEDS,)``: targets of each seed, 0 for those left out.
    targets
        How many there are.
    """
    starts = np.zeros(SEEDS + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    nats = np.log(max(targets, 2) / np.maximum(counts, 1))
    weights = np.where(counts > 0, np.rint(nats * PARTS), 0).astype(np.int32)
    return starts, weights


def inverse_root(references: References) -> NDArray[np.float32]:
    """One over the root of each target's length: long ones share more seeds by chance."""
    return (1 / np.sqrt(np.maximum(references.lengths, SHORT))).astype(np.float32)


def build(references: References, workers: int) -> Index:
    """Index the seeds of references, with so many threads."""
    size = len(references)
    slabs = _slabs(references, workers)
    counts = np.concatenate([count for _, count in slabs]).astype(np.int32)
    owners = np.concatenate([of_seeds for of_seeds, _ in slabs])
    del slabs
    starts, weights = starts_and_weights(counts, size)
    totals = np.zeros(size, dtype=np.int64)
    for first in range(0, SEEDS, _SLAB // 5):
        last = first + _SLAB // 5
        each = np.repeat(weights[first:last], counts[first:last])
        totals += np.bincount(owners[starts[first] : starts[last]], each, size).astype(np.int64)
    own = self_scores(references.codes, references.starts)
    return Index(starts, owners, weights, totals, inverse_root(references), own)


def ranges(first: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Count up from each of some numbers, so many times, one range after the other."""
    ranges: NDArray[Any] = np.repeat(first - (np.cumsum(counts) - counts), counts)
    ranges += np.arange(len(ranges), dtype=ranges.dtype)
    return ranges


def _slabs(references: References, workers: int) -> list[tuple[Numbers, NDArray[np.int64]]]:
    """Index the seeds of each first letter; what only this needs is gone when it returns."""
    groups = GROUPS[references.codes]
    size = len(references)
    owners = np.repeat(np.arange(size, dtype=number_type(size)), references.lengths)
    most = common(size)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda first: _slab(groups, owners, first, most), range(LETTERS)))


def _slab(
    groups: NDArray[np.int8], owners: Numbers, first: int, most: int
) -> tuple[Numbers, NDArray[np.int64]]:
    """Find the targets of each seed that begins with one letter, and count them."""
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
    owners_of_seeds = keys.astype(owners.dtype)  # the lower half
    keys >>= keys.dtype.type(bits)
    seeds = keys.astype(np.uint16)
    counts = np.zeros(_SLAB, dtype=np.int64)
    for start in range(0, len(seeds), _PIECE):
        counts += np.bincount(seeds[start : start + _PIECE], minlength=_SLAB)
    counts[counts > most] = 0
    return owners_of_seeds[(counts > 0)[seeds]], counts


def _key_type(owners: Numbers) -> type[np.uint32 | np.uint64]:
    """Seed and target in one number: sorting those of 32 bits is what numpy does fastest."""
    return np.uint32 if owners.dtype == np.uint16 else np.uint64


def _keys(groups: NDArray[np.int8], owners: Numbers, first: int) -> NDArray[Any]:
    """Seed without its first letter and target in one number, unordered."""
    type_ = _key_type(owners)
    ends = max(len(groups) - SPAN + 1, 0)
    positions = np.flatnonzero(groups[:ends] == first)
    positions = positions[owners[positions] == owners[positions + SPAN - 1]]
    keys = np.zeros(len(positions), dtype=type_)
    lowest = np.zeros(len(positions), dtype=np.int8)
    for offset in OFFSETS[1:]:
        group = groups[positions + offset]
        keys *= type_(LETTERS)
        keys += group.astype(type_)
        np.minimum(lowest, group, out=lowest)
    keys <<= type_(8 * owners.itemsize)
    keys |= owners[positions]
    return keys[lowest >= 0]
