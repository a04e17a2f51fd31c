"""What references name wrongly becomes a reference: condensed nearest neighbours (Hart 1968)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.evidence import CANDIDATES, NUMBERS, SELF_SCORE, EvidenceFinder
from gst_core.training.proteins import clade_indices
from gst_core.training.references import gather
from gst_core.training.simulation import Labelled

#: A protein becomes a reference unless those of its own symbol lead those of any other by this
#: share of what it would lead by if it were a reference itself. Less would do for the protein
#: alone; those that differ from it a little, as another strain's do, need the rest.
LEAD: Final = 0.8
#: Rounds at most: each asks again about what has new neighbours, and few are left after three.
ROUNDS: Final = 4
#: Proteins looked up together.
BATCH: Final = 64

_SCORE: Final = NUMBERS.index("score")


@dataclass(frozen=True, slots=True, eq=False)
class _Named:
    """Of proteins: candidates and their scores, ``(N, K)``, and the score against itself."""

    symbols: NDArray[np.int32]
    scores: NDArray[np.float32]
    itself: NDArray[np.float32]


def condense(
    labelled: Labelled,
    chosen: NDArray[np.int64],
    most: int,
    workers: int = 1,
    on_round: Callable[[int], None] = lambda _: None,
) -> NDArray[np.int64]:
    """Add to references the proteins that they would name wrongly, or nearly so.

    Parameters
    ----------
    labelled
        Training proteins.
    chosen
        Positions of the references to begin with, ascending.
    most
        References that there may be; where more are wanted, those that lead least are taken.
    workers
        Threads.
    on_round
        Told of every round, from 1.

    Returns
    -------
    chosen
        Ascending.
    """
    proteins, classes = labelled.proteins, labelled.classes
    asked = np.arange(len(proteins))
    symbols = np.full((len(proteins), CANDIDATES), -1, dtype=np.int32)
    leads = np.full(len(proteins), np.inf)
    for turn in range(1, ROUNDS + 1):
        on_round(turn)
        finder = EvidenceFinder(
            gather(proteins, classes, chosen), np.bincount(classes).astype(np.int64), workers
        )
        named = _named(finder, labelled, asked, workers)
        symbols[asked] = named.symbols
        leads[asked] = _leads(named, classes[asked])
        wanted = np.setdiff1d(np.flatnonzero(leads < LEAD), chosen)
        wanted = wanted[np.argsort(leads[wanted], kind="stable")][: most - len(chosen)]
        if not len(wanted):
            break
        chosen = np.union1d(chosen, wanted)
        # Only those are named otherwise now that have a new reference's symbol near.
        asked = np.flatnonzero(np.isin(symbols, classes[wanted]).any(1))
    return chosen


def _named(
    finder: EvidenceFinder, labelled: Labelled, rows: NDArray[np.int64], workers: int
) -> _Named:
    def batch(start: int) -> _Named:
        own = rows[start : start + BATCH]
        proteins = [labelled.proteins[row] for row in own.tolist()]
        codes = [protein.codes for protein in proteins]
        evidence = finder.find(codes, clade_indices(proteins), given=labelled.given(own))
        scores, selves = evidence.numbers[:, :, _SCORE], evidence.queries[:, SELF_SCORE]
        return _Named(evidence.classes, scores, selves)

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(batch, range(0, len(rows), BATCH)))
    return _Named(
        np.concatenate([p.symbols for p in parts]),
        np.concatenate([p.scores for p in parts]),
        np.concatenate([p.itself for p in parts]),
    )


def _leads(named: _Named, classes: NDArray[np.int32]) -> NDArray[np.float64]:
    """How far the own symbol leads, as a share of what the protein itself would lead by.

    0 and less where another symbol is as good or better; infinite where the protein itself would
    lead no more, as where another symbol has the very same sequence.
    """
    own = named.symbols == classes[:, None]
    best = np.where(own, named.scores, 0).max(1).astype(np.float64)
    other = np.where(own, 0, named.scores).max(1).astype(np.float64)
    possible = named.itself - other
    lead = (best - other) / np.maximum(possible, 1)
    # Even one that is there already may have a competitor with the same score.
    return np.where((best >= named.itself), np.inf, lead)
