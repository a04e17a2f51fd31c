"""Words of four residues with a gap."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import residue_groups

#: Residues of a word that count, as offsets from its first: one in the middle may be anything,
#: which finds distant relatives that words without a gap miss (Ma, Tromp and Li 2002).
OFFSETS: Final = (0, 1, 3, 4)
#: Residues from the first to the last, both included.
SPAN: Final = OFFSETS[-1] + 1
#: Letters of the alphabet: the 20 common residues.
LETTERS: Final = 20
#: Different words.
WORDS: Final = LETTERS ** len(OFFSETS)

#: Number of each plain residue's letter; -1 for X.
GROUPS: Final = np.array(residue_groups(tuple(ALPHABET[:LETTERS]), ALPHABET), dtype=np.int8)


def word_numbers(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the numbers of the words of a sequence.

    Parameters
    ----------
    codes
        Plain residue codes.

    Returns
    -------
    numbers
        One a residue but for the last four, ``max(len(codes) - 4, 0)``: the letters
        read as digits, the first most significant; -1 where one of them is an X.
    """
    letters = GROUPS[codes].astype(np.int32)
    places = max(len(codes) - SPAN + 1, 0)
    numbers = np.zeros(places, dtype=np.int32)
    lowest = np.zeros(places, dtype=np.int32)
    for offset in OFFSETS:
        letter = letters[offset : offset + places]
        numbers *= LETTERS
        numbers += letter
        np.minimum(lowest, letter, out=lowest)
    numbers[lowest < 0] = -1
    return numbers


def distinct_words(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the distinct words of one sequence, ascending."""
    numbers = np.sort(word_numbers(codes))
    if not len(numbers):
        return numbers
    new = np.empty(len(numbers), dtype=np.bool_)
    new[0] = numbers[0] >= 0
    np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
    return numbers[new]
