"""The letters of a protein and their codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: The letters in the order of their codes, 0 to 26; the original's order.
ALPHABET: Final = "ACDEFGHIKLMNPQRSTVWYBXZJUO*"
#: The code of a position after the end of a protein.
PADDING: Final = 27

_UNKNOWN: Final = ALPHABET.index("X")
_CODES: Final = bytes(
    ALPHABET.index(chr(byte)) if chr(byte) in ALPHABET else _UNKNOWN for byte in range(256)
)


def encode(residues: bytes) -> NDArray[np.uint8]:
    """Give each residue its code, the index in :data:`ALPHABET`.

    Parameters
    ----------
    residues
        Upper-case letters, as in :attr:`Protein.residues`; what is not in the alphabet
        counts as ``X``.

    Returns
    -------
    codes
        Of shape ``(length,)``, read-only.
    """
    # only here: sequences are also read where there is no numpy, as in a browser
    import numpy as np

    return np.frombuffer(residues.translate(_CODES), dtype=np.uint8)
