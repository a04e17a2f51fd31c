"""Which scores stand out from chance (Karlin and Altschul 1990).

``native/evalue.c`` does the same in C.
"""

from __future__ import annotations

import math
from typing import Final

#: An ungapped segment stands out from chance where strangers are expected to have at most so many
#: as good (BLAST's default as well).
CHANCE: Final = 10.0
#: An alignment is taken for a relative's where strangers are expected to have at most so many.
#: Until there is one, only targets are aligned of which a segment stands out.
RELATED: Final = 0.01
#: Of queries with fewer residues each score is taken for better than that: what is right scores
#: hardly more than chance.
SHORTEST_JUDGED: Final = 60


def cutoff_score(length: int, residues: int, evalue: float, decay: float, kappa: float) -> float:
    """Give the score that strangers reach with an E-value; 0 for short queries.

    Parameters
    ----------
    length, residues
        Of the query, and of all targets.
    evalue
        As many are expected to score so much.
    decay, kappa
        Karlin and Altschul's lambda and K.
    """
    if length < SHORTEST_JUDGED:
        return 0
    return math.log(kappa * length * residues / evalue) / decay
