"""Which scores stand out from chance (Karlin and Altschul 1990).

``native/evalue.c`` does the same in C.
"""

from __future__ import annotations

import math
from typing import Final

#: A score is no better than chance where strangers are expected to have as many as this (BLAST's
#: default as well).
EVALUE: Final = 10.0
#: Of queries with fewer residues each score is taken for better than that: what is right scores
#: hardly more than chance.
SHORTEST_JUDGED: Final = 60


def cutoff_score(length: int, residues: int, decay: float, kappa: float) -> float:
    """Give the score that strangers reach with an E-value of :data:`EVALUE`; 0 for short ones.

    Parameters
    ----------
    length, residues
        Of the query, and of all targets.
    decay, kappa
        Karlin and Altschul's lambda and K.
    """
    if length < SHORTEST_JUDGED:
        return 0
    return math.log(kappa * length * residues / EVALUE) / decay
