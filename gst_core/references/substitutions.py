"""What replacing one residue by another scores: BLOSUM62 (Henikoff and Henikoff 1992)."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gst_core.references.words import LETTERS
from gst_core.sequences import ALPHABET


@cache
def substitution_scores() -> NDArray[np.int8]:
    """Give the scores of the 20 common residues, ``(20, 20)``, in the order of their codes."""
    # Only here: most proteins are named without it, and the import takes a tenth of the start.
    from Bio.Align import substitution_matrices

    table = substitution_matrices.load("BLOSUM62")  # type: ignore[no-untyped-call]
    letters = ALPHABET[:LETTERS]
    return np.array([[table[a][b] for b in letters] for a in letters], dtype=np.int8)
