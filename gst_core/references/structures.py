"""What the C code is given: the structures of ``native/lookup.h``, and the limits of all stages."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from gst_core.references import (
    gapped,
    index,
    lookup,
    neighbourhood,
    prefilter,
    seeds,
    sensitive,
    ungapped,
)
from gst_core.references.identical import IDENTICAL

POINTER: Final = ctypes.c_void_p
LONG: Final = ctypes.c_int64
_INT: Final = ctypes.c_int32
_DOUBLE: Final = ctypes.c_double


class NativeIndex(ctypes.Structure):
    """``Index``: sizes, and addresses of arrays."""

    _fields_ = (
        ("size", LONG),
        ("wide", LONG),
        *(
            (name, POINTER)
            for name in (
                *("codes", "starts", "classes", "letters", "seed_starts", "postings"),
                *("weights", "inverse_root", "scores", "substitutions", "order"),
                *("keys", "by_key"),
            )
        ),
    )


def _fields(kind: Any, names: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, kind) for name in names.split())


class NativeLimits(ctypes.Structure):
    """``Limits``: what decides, by the constants of the stages' modules."""

    _fields_ = (
        *_fields(_INT, "common budget budget_per_seed parts shortest"),
        *_fields(ctypes.c_float, "least"),
        *_fields(_INT, "found aligned searched competing best_by_seeds sensitive identical"),
        *_fields(_DOUBLE, "worth doubtful weak chance lambda_ kappa"),
        *_fields(_INT, "neighbour_score tally_score tallied block next_block probed ranked"),
        *_fields(_INT, "positions_of_seed positions_of_all"),
        *_fields(_INT, "judged gap_open gap_extend bin_bits few margin wide_margin seed_score"),
    )


def limits_of(targets: int) -> NativeLimits:
    """Give the limits of a look-up among so many targets."""
    budget, per_seed = prefilter.budgets(targets)
    return NativeLimits(
        common=index.common(targets),
        budget=budget,
        budget_per_seed=per_seed,
        parts=index.PARTS,
        shortest=index.SHORT,
        least=prefilter.LEAST,
        found=lookup.FOUND,
        aligned=lookup.ALIGNED,
        searched=lookup.SEARCHED,
        competing=lookup.COMPETING,
        best_by_seeds=lookup.BEST_BY_SEEDS,
        sensitive=lookup.SENSITIVE,
        identical=IDENTICAL,
        worth=lookup.WORTH_ALIGNING,
        doubtful=lookup.DOUBTFUL,
        weak=lookup.WEAK,
        chance=ungapped.CHANCE,
        lambda_=ungapped.UNGAPPED_LAMBDA,
        kappa=ungapped.UNGAPPED_KAPPA,
        neighbour_score=neighbourhood.NEIGHBOUR_SCORE,
        tally_score=sensitive.TALLY_SCORE,
        tallied=sensitive.TALLIED,
        block=sensitive.BLOCK,
        next_block=sensitive.NEXT_BLOCK,
        probed=sensitive.PROBED,
        ranked=sensitive.RANKED,
        positions_of_seed=seeds.POSITIONS_OF_SEED,
        positions_of_all=seeds.POSITIONS_OF_ALL,
        judged=ungapped.SHORTEST_JUDGED,
        gap_open=gapped.GAP_OPEN,
        gap_extend=gapped.GAP_EXTEND,
        bin_bits=gapped.BIN_BITS,
        few=gapped.FEW,
        margin=gapped.MARGIN,
        wide_margin=gapped.WIDE_MARGIN,
        seed_score=seeds.SEED_SCORE,
    )
