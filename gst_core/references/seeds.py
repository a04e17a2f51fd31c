"""Spaced seeds: four residues with a gap.

``native/seeds.c`` does the same in C.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import residue_groups

#: Residues of a seed that count, as offsets from its first: one in the middle may be anything,
#: which finds distant relatives that seeds without a gap miss (Ma, Tromp and Li 2002).
OFFSETS: Final = (0, 1, 3, 4)
#: Residues from the first to the last, both included.
SPAN: Final = OFFSETS[-1] + 1
#: Letters of the alphabet: the 20 common residues.
LETTERS: Final = 20
#: Different seeds.
SEEDS: Final = LETTERS ** len(OFFSETS)

#: Number of each plain residue's letter; -1 for X.
GROUPS: Final = np.array(residue_groups(tuple(ALPHABET[:LETTERS]), ALPHABET), dtype=np.int8)

#: What a match of a seed adds to its diagonal: about what its four residues score.
SEED_SCORE: Final = 24
#: Positions of a query at which one seed is looked for, the first ones, and about how many of all
#: seeds: of W's alone each is like each, and a record of them would take gigabytes. Of the
#: proteins of Swiss-Prot none has more than 449 of one (MLRR1_PLAF7), and titin has 500,000.
POSITIONS_OF_SEED: Final = 512
POSITIONS_OF_ALL: Final = 1 << 20


def seed_numbers(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the numbers of the seeds of a sequence.

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
    positions = max(len(codes) - SPAN + 1, 0)
    numbers = np.zeros(positions, dtype=np.int32)
    lowest = np.zeros(positions, dtype=np.int32)
    for offset in OFFSETS:
        letter = letters[offset : offset + positions]
        numbers *= LETTERS
        numbers += letter
        np.minimum(lowest, letter, out=lowest)
    numbers[lowest < 0] = -1
    return numbers


def distinct_seeds(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the distinct seeds of one sequence, ascending."""
    numbers = np.sort(seed_numbers(codes))
    if not len(numbers):
        return numbers
    new = np.empty(len(numbers), dtype=np.bool_)
    new[0] = numbers[0] >= 0
    np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
    return numbers[new]


def seed_table(codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """List the seeds of a query with their positions.

    Parameters
    ----------
    codes
        Plain residue codes.

    Returns
    -------
    table
        ``(N, 3)``: a seed, its position in the query, and :data:`SEED_SCORE`; of one seed no more
        than :data:`POSITIONS_OF_SEED`.
    """
    numbers = seed_numbers(codes)
    positions = np.flatnonzero(numbers >= 0)
    order = positions[np.argsort(numbers[positions], kind="stable")]
    first = np.searchsorted(numbers[order], numbers[order])
    kept = order[np.arange(len(order)) - first < POSITIONS_OF_SEED]
    scores = np.full(len(kept), SEED_SCORE)
    return np.stack([numbers[kept], kept, scores], axis=1).astype(np.int32)
