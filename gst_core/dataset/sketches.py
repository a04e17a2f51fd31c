"""Which proteins may be nearly identical: those that share one of their words of lowest hash.

As Linclust does it (Steinegger and Soeding 2018): of each protein the words with the lowest hashes
are kept, and of all proteins that have a word, each is compared with the longest. Work and memory
grow with the number of proteins, not with its square. Beyond a number of words, all those are kept
whose hash is low enough: so a fragment shares words with its protein, however long that is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Words kept of each protein.
_KEPT: Final = 20
#: Of longer proteins, one word in so many.
_ONE_IN: Final = 12
#: So many times as many words as are kept are looked at where a protein has more.
_ENOUGH: Final = 4
#: Residues sketched at a time.
_PIECE: Final = 1 << 20
_BITS: Final = 5  # a residue's
#: Multipliers of splitmix64 (Steele, Lea and Flood 2014), which spread bits evenly.
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_LOW: Final = np.uint64((1 << 64) // _ONE_IN)


def word_length(identity: float) -> int:
    """Length of words of which proteins of an identity share some, and strangers hardly any."""
    if identity >= 0.9:
        return 8
    return 7 if identity >= 0.7 else 6


def sketch(
    codes: NDArray[np.uint8], starts: NDArray[np.int64], length: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
    """Keep the words of lowest hash of each protein.

    Parameters
    ----------
    codes
        ``(R,)``: residue codes of all proteins, one after the other.
    starts
        ``(N + 1,)``: where each begins, and where the last ends.
    length
        Residues of a word.

    Returns
    -------
    hashes, owners, places
        ``(W,)`` each: the words' hashes, the protein, and where in it the word begins.
    """
    found = [
        _sketched(codes, starts[first : last + 1], first, length) for first, last in _pieces(starts)
    ]
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int32)
    hashes, owners, places = zip(*found, strict=True)
    return np.concatenate(hashes), np.concatenate(owners), np.concatenate(places)


def _pieces(starts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    first, number = 0, len(starts) - 1
    while first < number:
        last = int(np.searchsorted(starts, starts[first] + _PIECE, side="right")) - 1
        last = min(max(last, first + 1), number)
        yield first, last
        first = last


def _sketched(
    codes: NDArray[np.uint8], starts: NDArray[np.int64], first: int, length: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
    own = codes[starts[0] : starts[-1]]
    words = len(own) - length + 1
    if words <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int32)
    packed = np.zeros(words, np.uint64)
    for place in range(length):
        packed = (packed << np.uint64(_BITS)) | own[place : place + words].astype(np.uint64)
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    inside = owner[:words] == owner[length - 1 :]
    places = np.flatnonzero(inside)
    hashes, owners = _mixed(packed[places]), owner[places]
    # Few words have low hashes: to sort these alone is enough for all but the most repetitive.
    share = np.maximum(_ENOUGH * _KEPT / np.maximum(np.diff(starts), 1), 1.0 / _ONE_IN)
    share = np.minimum(share, 1.0)
    low = hashes < (share * float(1 << 63)).astype(np.uint64)[owners] * np.uint64(2)
    low |= (np.bincount(owners[low], minlength=len(share)) < _KEPT)[owners] | (share >= 1)[owners]
    hashes, owners, places = hashes[low], owners[low], places[low]
    order = np.lexsort((places, hashes, owners))
    hashes, owners, places = hashes[order], owners[order], places[order]
    # of a word that a protein has many times, the first
    distinct = np.ones(len(order), np.bool_)
    distinct[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    hashes, owners, places = hashes[distinct], owners[distinct], places[distinct]
    begins = np.searchsorted(owners, owners)
    kept = (np.arange(len(owners)) - begins < _KEPT) | (hashes < _LOW)
    hashes, owners, places = hashes[kept], owners[kept], places[kept]
    offsets = (places - (starts[owners] - starts[0])).astype(np.int32)
    return hashes, owners + first, offsets


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = (words ^ (words >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result


def candidates(
    hashes: NDArray[np.uint64],
    owners: NDArray[np.int64],
    places: NDArray[np.int32],
    lengths: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pair proteins that share a word: each with the longest that has it, and with the next one.

    Parameters
    ----------
    hashes, owners, places
        As :func:`sketch` gives them.
    lengths
        ``(N,)``: of the proteins.

    Returns
    -------
    longer, shorter, diagonals
        ``(P,)`` each, every pair once: the proteins, and how much further along the longer one
        their first common word is.
    """
    order = np.lexsort((owners, -lengths[owners], hashes))
    hashes, owners, places = hashes[order], owners[order], places[order]
    begins = np.searchsorted(hashes, hashes)
    rows = np.arange(len(hashes))
    pairs = [(begins, rows), (np.maximum(rows - 1, begins), rows)]
    first = np.concatenate([a for a, _ in pairs])
    second = np.concatenate([b for _, b in pairs])
    apart = owners[first] != owners[second]
    first, second = first[apart], second[apart]
    longer, shorter = owners[first], owners[second]
    diagonals = places[first].astype(np.int64) - places[second]
    keys = longer * np.int64(len(lengths)) + shorter
    _, once = np.unique(keys, return_index=True)
    return longer[once], shorter[once], diagonals[once]
