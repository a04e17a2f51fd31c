"""Reference proteins as arrays, and the packed form in which a model file carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import ALIASES

#: References a model may have: the compiled index has 20 bits for a number while it is built, and
#: one stands for none.
MOST_REFERENCES: Final = (1 << 20) - 1
#: Residues of them all: postings of seeds are counted in 31 bits.
MOST_RESIDUES: Final = (1 << 31) - 1

#: What a model file carries beside its network, as outputs of the graph that are constants:
#: the references, how many training proteins each symbol has, and of which one it is a copy.
STORED: Final = ("packed", "lengths", "classes", "clades", "counts", "originals")

#: Letters of a packed residue: the 20 common ones in the order of their codes, B, and X.
BASE: Final = 22
#: Residues in 32 bits: 22 ** 7 < 2 ** 32.
PER_WORD: Final = 7
_UNKNOWN: Final = ALPHABET.index("X")
#: Packed numbers unpacked together: what is only needed for a moment stays small.
_PIECE: Final = 1 << 17

#: Rare and ambiguous residues become the common one they most resemble, a stop an X.
_PLAIN: Final = np.array(
    [
        ALPHABET.index(ALIASES[letter]) if letter in ALIASES else min(code, _UNKNOWN)
        for code, letter in enumerate(ALPHABET)
    ],
    dtype=np.uint8,
)


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Proteins whose symbols are known.

    Attributes
    ----------
    codes
        Residue codes of all, one after the other, uint8.
    starts
        ``(R + 1,)`` int64: where each begins in `codes`, and where the last ends.
    classes
        ``(R,)`` int32: class index of each one's symbol.
    clades
        ``(R,)`` uint8: clade index of each one's species; the number of clades where it has none.
    accessions
        Of each in its database.
    """

    codes: NDArray[np.uint8]
    starts: NDArray[np.int64]
    classes: NDArray[np.int32]
    clades: NDArray[np.uint8]
    accessions: Sequence[str]

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        """Residue codes of one reference."""
        return self.codes[self.starts[number] : self.starts[number + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Residues of each, ``(R,)``."""
        return np.diff(self.starts)


def plain(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace rare and ambiguous residues by those that scoring tables and seeds know."""
    return _PLAIN[codes]


def pack(codes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Store residues in 32/7 bits each.

    Parameters
    ----------
    codes
        Plain residue codes.

    Returns
    -------
    packed
        Seven residues a number, the first most significant, base 22; the last filled up with 0.
    """
    padded = np.zeros(-(-len(codes) // PER_WORD) * PER_WORD, dtype=np.uint8)
    padded[: len(codes)] = codes
    columns = padded.reshape(-1, PER_WORD)
    packed = np.zeros(len(columns), dtype=np.uint32)
    for place in range(PER_WORD):
        packed *= np.uint32(BASE)
        packed += columns[:, place]
    return packed


def unpack(packed: NDArray[np.uint32], length: int) -> NDArray[np.uint8]:
    """Read what :func:`pack` wrote.

    Parameters
    ----------
    packed
        Packed residues.
    length
        How many there are.

    Raises
    ------
    ValueError
        If there are not as many, or a number is none that :func:`pack` writes.
    """
    if not 0 <= len(packed) * PER_WORD - length < PER_WORD:
        raise ValueError(f"{len(packed)} packed numbers do not hold {length} residues")
    if packed.max(initial=0) >= BASE**PER_WORD:
        raise ValueError("packed numbers beyond those of seven residues")
    columns = np.empty((len(packed), PER_WORD), dtype=np.uint8)
    for start in range(0, len(packed), _PIECE):
        rest = packed[start : start + _PIECE]
        for place in reversed(range(PER_WORD)):
            quotient = rest // np.uint32(BASE)
            columns[start : start + _PIECE, place] = rest - quotient * np.uint32(BASE)
            rest = quotient
    return columns.reshape(-1)[:length]
