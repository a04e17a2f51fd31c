"""How alike proteins are, by the short words they share.

No alignment: a table of every word's proteins answers for a protein and all symbols at once
in milliseconds, and telling relatives from strangers needs no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import MURPHY_15, residue_groups

_WORD: Final = 5
_WORDS: Final = len(MURPHY_15) ** _WORD
#: A peptide with fewer words is weighed as if it had these: three in common say little.
_LEAST: Final = 30

#: Number of each residue's letter; -1 where it is unknown.
_LETTER: Final = np.array(residue_groups(MURPHY_15, ALPHABET), dtype=np.int64)


def words_of(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Give the different words of a protein, sorted.

    Parameters
    ----------
    codes
        Residue codes, ``(length,)``; words with an unknown residue do not count.
    """
    letters = _LETTER[codes]
    number = len(letters) - _WORD + 1
    if number <= 0:
        return np.empty(0, dtype=np.int64)
    words = np.zeros(number, dtype=np.int64)
    known = np.ones(number, dtype=bool)
    for offset in range(_WORD):
        letter = letters[offset : offset + number]
        words = words * len(MURPHY_15) + letter
        known &= letter >= 0
    return np.unique(words[known])


class Similarities:
    """Likeness of proteins to the proteins of symbols.

    The likeness of two proteins is the share of the shorter one's words that the longer one
    has too, less the share that chance would give it: a protein as long as titin has most
    words. It is 1 for equal proteins, near 0 for unrelated ones.

    Parameters
    ----------
    proteins
        Residue codes of each protein.
    symbols
        ``(proteins,)``: number of each protein's symbol, from 0 without a gap.
    """

    def __init__(self, proteins: Sequence[NDArray[np.uint8]], symbols: NDArray[np.int64]) -> None:
        self._proteins = proteins
        self._symbols = symbols
        words = [words_of(codes).astype(np.int32) for codes in proteins]
        self._sizes = np.array([len(own) for own in words], dtype=np.int64)
        owners = np.repeat(np.arange(len(words), dtype=np.int32), self._sizes)
        flat = np.concatenate([np.empty(0, np.int32), *words])
        counts = np.bincount(flat, minlength=_WORDS)
        self._owners = owners[np.argsort(flat, kind="stable")]
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        # Less the one that a protein adds itself: among few proteins it would be no chance.
        self._rates = np.maximum(counts - 1, 0) / max(1, len(flat))
        self._order = np.argsort(symbols, kind="stable")
        self._firsts = np.searchsorted(symbols[self._order], np.arange(symbols.max(initial=-1) + 1))

    def to_symbols(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Give a protein's likeness to each symbol: that of the symbol's most alike protein.

        Parameters
        ----------
        codes
            Residue codes, ``(length,)``.

        Returns
        -------
        likeness
            ``(symbols,)``.
        """
        likeness: NDArray[np.float64] = np.maximum.reduceat(
            self._to_proteins(codes)[self._order], self._firsts
        )
        return likeness

    def of_group(self, rows: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the likeness of a group of proteins to each symbol.

        Returns
        -------
        half, best
            What at least half of the group have, and what the most alike has.
        """
        each = np.sort([self.to_symbols(self._proteins[row]) for row in rows], axis=0)
        return each[(len(rows) - 1) // 2], each[-1]

    def closest(self, rows: Sequence[int], symbols: Sequence[int]) -> int:
        """Find the protein of some symbols that is most alike to any of a group."""
        candidates = np.flatnonzero(np.isin(self._symbols, symbols))
        each = [self._to_proteins(self._proteins[row])[candidates] for row in rows]
        return int(candidates[np.max(each, axis=0).argmax()])

    def chance(self, share: float = 0.999, samples: int = 200, seed: int = 1) -> float:
        """Measure the likeness that is reached by chance.

        Proteins read backwards have the composition and the repeats of real ones, and no
        relatives.

        Parameters
        ----------
        share
            Of pairs of a backward protein and a symbol that stay below the result.
        samples
            Proteins to read backwards.
        seed
            Of the draw.
        """
        drawn = np.random.default_rng(seed).permutation(len(self._proteins))[:samples]
        backwards = [self.to_symbols(self._proteins[row][::-1]) for row in sorted(drawn)]
        return float(np.quantile(np.concatenate(backwards), share))

    def _to_proteins(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        words = words_of(codes)
        starts, ends = self._starts[words], self._starts[words + 1]
        found = [self._owners[start:end] for start, end in zip(starts, ends, strict=True)]
        owners = np.concatenate([np.empty(0, np.int32), *found])
        shared = np.bincount(owners, minlength=len(self._sizes))
        expected = self._rates[words].sum() * self._sizes
        least = np.maximum(np.minimum(self._sizes, len(words)), _LEAST)
        likeness: NDArray[np.float64] = (shared - expected) / least
        return likeness
