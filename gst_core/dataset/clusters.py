"""Clusters of nearly identical proteins, so that a split leaves none of them on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.dataset.sketches import candidates, sketch, word_length
from gst_core.references.compiled import LIBRARY
from gst_core.references.compiled_lookup import CompiledLookUp
from gst_core.references.lookup import LookUp
from gst_core.references.portable import PortableLookUp
from gst_core.references.store import References, plain
from gst_core.sequences import encode

#: Residues that are compared at a time.
_PIECE: Final = 1 << 23
#: Length of the words by which it is told whether an alignment is worth making.
_Q: Final = 3
#: Gaps take words from both sides: so much less than the lemma says is asked for.
_SLACK: Final = 0.9
#: Pairs that are aligned at a time.
_ALIGNED: Final = 20_000


class Sets:
    """Disjoint sets of numbers, joined one pair at a time (union by size, path halving)."""

    def __init__(self, number: int) -> None:
        self._parents = list(range(number))
        self._sizes = [1] * number

    def find(self, own: int) -> int:
        """Give the number that stands for a set."""
        parents = self._parents
        while parents[own] != own:
            parents[own] = own = parents[parents[own]]
        return own

    def join(self, first: int, second: int) -> None:
        """Make two sets one."""
        first, second = self.find(first), self.find(second)
        if first == second:
            return
        if self._sizes[first] < self._sizes[second]:
            first, second = second, first
        self._parents[second] = first
        self._sizes[first] += self._sizes[second]


def cluster(
    sequences: Iterable[str], identity: float, say: Callable[[str], None] = lambda _: None
) -> NDArray[np.int64]:
    """Find which proteins are nearly identical, directly or by way of others.

    Two are nearly identical where as many of the shorter one's residues as `identity` says are
    the same in an alignment with the longer one: so is a fragment of a protein to the protein.
    Pairs are found by words of low hash (:mod:`gst_core.dataset.sketches`), and each is verified,
    without gaps first, and where that does not show it, by an alignment with gaps.

    Parameters
    ----------
    sequences
        Proteins.
    identity
        Share of the shorter one's residues, 0.5 to 1.
    say
        Called with a sentence for each step.

    Returns
    -------
    clusters
        ``(N,)``: for each protein the number of the first of its cluster.
    """
    firsts: dict[str, int] = {}
    same = np.array([firsts.setdefault(own, len(firsts)) for own in sequences], dtype=np.int64)
    distinct = list(firsts)
    codes = np.concatenate(
        [np.empty(0, np.uint8), *(encode(own.encode("ascii", "replace")) for own in distinct)]
    )
    lengths = np.array([len(own) for own in distinct], dtype=np.int64)
    del firsts, distinct
    starts = np.concatenate([[0], np.cumsum(lengths)])
    say(f"{len(lengths):,} different sequences of {len(same):,}")
    pairs = candidates(*sketch(codes, starts, word_length(identity)), lengths)
    say(f"comparing {len(pairs[0]):,} pairs")
    sets = _joined(codes, starts, pairs, identity)
    roots = np.array([sets.find(own) for own in range(len(lengths))], dtype=np.int64)
    of_each = roots[same]
    _, first, numbers = np.unique(of_each, return_index=True, return_inverse=True)
    result: NDArray[np.int64] = first[numbers]
    return result


def _joined(
    codes: NDArray[np.uint8],
    starts: NDArray[np.int64],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    identity: float,
) -> Sets:
    longer, shorter, diagonals = pairs
    lengths = np.diff(starts)
    sets = Sets(len(lengths))
    alike = np.zeros(len(longer), np.bool_)
    for piece in _pieces(lengths[shorter]):
        matches = _matches(codes, starts, longer[piece], shorter[piece], diagonals[piece])
        alike[piece] = matches >= identity * lengths[shorter[piece]]
    for row in np.flatnonzero(alike).tolist():
        sets.join(int(longer[row]), int(shorter[row]))
    gapped = _Gapped(codes, starts, identity)
    left = np.flatnonzero(~alike)
    for part in range(0, len(left), _ALIGNED):
        # who is in one cluster already need not be compared
        rows = [
            row
            for row in left[part : part + _ALIGNED].tolist()
            if sets.find(int(longer[row])) != sets.find(int(shorter[row]))
            and gapped.may_be_alike(int(longer[row]), int(shorter[row]))
        ]
        for row, same in zip(rows, gapped.alike(longer[rows], shorter[rows]), strict=True):
            if same:
                sets.join(int(longer[row]), int(shorter[row]))
    return sets


def _pieces(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Divide pairs so that each part has not too many residues."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        before = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, before + _PIECE, side="right")), first + 1)
        yield slice(first, last)
        first = last


def _matches(
    codes: NDArray[np.uint8],
    starts: NDArray[np.int64],
    longer: NDArray[np.int64],
    shorter: NDArray[np.int64],
    diagonals: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Count equal residues of pairs on their diagonals, ``(P,)``."""
    lengths = np.diff(starts)
    begin = np.maximum(-diagonals, 0)
    end = np.minimum(lengths[shorter], lengths[longer] - diagonals)
    size = end - begin
    ends = np.cumsum(size)
    within = np.arange(int(ends[-1])) - np.repeat(ends - size, size)
    of_shorter = np.repeat(starts[shorter] + begin, size) + within
    of_longer = np.repeat(starts[longer] + begin + diagonals, size) + within
    equal = codes[of_shorter] == codes[of_longer]
    # each has its common word, and so is not empty
    counts: NDArray[np.int64] = np.add.reduceat(equal, ends - size, dtype=np.int64)
    return counts


class _Gapped:
    """Comparison of proteins with gaps: an index of the longer ones aligns the shorter ones."""

    def __init__(
        self, codes: NDArray[np.uint8], starts: NDArray[np.int64], identity: float
    ) -> None:
        self._codes, self._starts, self._identity = codes, starts, identity
        self._there = np.zeros(1 << (5 * _Q), np.bool_)

    def _protein(self, own: int) -> NDArray[np.uint8]:
        return self._codes[self._starts[own] : self._starts[own + 1]]

    def may_be_alike(self, longer: int, shorter: int) -> bool:
        """Whether the words in common suffice: a residue that differs takes three at most.

        The q-gram lemma (Jokinen and Ukkonen 1991).
        """
        first, second = self._protein(longer), self._protein(shorter)
        if len(second) < _Q:
            return False
        words, others = _words(second), _words(first)
        self._there[others] = True
        common = int(self._there[words].sum())
        self._there[others] = False
        fewest = len(words) - _Q * (1 - self._identity) * len(second)
        return common >= _SLACK * fewest

    def alike(self, longer: NDArray[np.int64], shorter: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the residues that are the same in alignments suffice, ``(P,)``."""
        if not len(longer):
            return np.empty(0, np.bool_)
        targets, place = np.unique(longer, return_inverse=True)
        sequences = [plain(self._protein(own)) for own in targets.tolist()]
        references = References(
            np.concatenate(sequences),
            np.cumsum([0, *map(len, sequences)], dtype=np.int64),
            np.zeros(len(targets), np.int32),
            np.zeros(len(targets), np.uint8),
            [""] * len(targets),
        )
        look_up = _opened(references)
        queries = [plain(self._protein(own)) for own in shorter.tolist()]
        rows = np.arange(len(queries), dtype=np.int64)
        counts = look_up.count_matches(queries, rows, place.astype(np.int32))
        lengths = np.diff(self._starts)[shorter]
        result: NDArray[np.bool_] = counts[:, 0] >= self._identity * lengths
        return result


def _opened(references: References) -> LookUp:
    if LIBRARY is None:
        return PortableLookUp(references, 1)
    return CompiledLookUp(references, 1, LIBRARY)


def _words(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    wide = codes.astype(np.int64)
    words: NDArray[np.int64] = (wide[:-2] << 10) | (wide[1:-1] << 5) | wide[2:]
    return words
