"""Which training proteins a model carries as references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.seeds import SEEDS, distinct_seeds
from gst_core.references.store import References, plain
from gst_core.training.proteins import LabelledProtein, clade_indices

#: A protein is left out where one of its symbol shares this much of the larger one's seeds.
SIMILAR: Final = 0.6
#: Proteins shorter than this share of the median of their symbol are fragments. One is kept where
#: no reference of its symbol has the share `NOVEL` of its seeds, if it is not very short.
FRAGMENT: Final = 0.5
NOVEL: Final = 0.9
SHORTEST: Final = 40
#: References of one symbol.
MOST_OF_A_SYMBOL: Final = 24


def choose(
    proteins: Sequence[LabelledProtein],
    classes: NDArray[np.int32],
    similar: float = SIMILAR,
    most: int | None = None,
) -> NDArray[np.int64]:
    """Choose the proteins that stand for each symbol.

    First the one most like the others of its symbol, then always the one least like those
    chosen (Gonzalez 1985), until every other shares `similar` of its seeds with one of them.
    Then fragments that are something new.

    Parameters
    ----------
    proteins
        Labelled proteins.
    classes
        ``(N,)``: class index of each one's symbol.
    similar
        Share of the larger set of seeds.
    most
        References that there may be: where there are more, each symbol has as many as fit, the
        first that were chosen, and one at least.

    Returns
    -------
    chosen
        Their positions, ascending.
    """
    order = np.argsort(classes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(classes[order])) + 1)
    marked = np.zeros(SEEDS, dtype=np.bool_)
    chosen: list[NDArray[np.int64]] = []
    lengths = np.array([len(protein.codes) for protein in proteins])
    for every in groups:
        whole = lengths[every] >= FRAGMENT * np.median(lengths[every])
        seeds = [distinct_seeds(plain(proteins[i].codes)) for i in every.tolist()]
        numbers = np.flatnonzero(whole)
        spread = numbers[_spread([seeds[i] for i in numbers], marked, similar)].tolist()
        fragments = np.flatnonzero(~whole & (lengths[every] >= SHORTEST))
        chosen.append(every[spread + _novel(seeds, spread, fragments)])
    if most is not None:
        fitting = _fitting(np.array([len(own) for own in chosen]), most)
        chosen = [own[:fitting] for own in chosen]
    return np.sort(np.concatenate(chosen))


def _fitting(numbers: NDArray[np.int64], most: int) -> int:
    """Find how many of each symbol's references may be kept, so that there are `most` in all."""
    for each in range(MOST_OF_A_SYMBOL, 1, -1):
        if np.minimum(numbers, each).sum() <= most:
            return each
    return 1


def _spread(seeds: list[NDArray[np.int32]], marked: NDArray[np.bool_], similar: float) -> list[int]:
    """Choose among the proteins of one symbol; `marked` is all false, before and after."""
    if len(seeds) == 1:
        return [0]
    sizes = np.array([len(s) for s in seeds])
    every = np.concatenate(seeds)
    owners = np.repeat(np.arange(len(seeds)), sizes)

    def likeness(number: int) -> NDArray[np.float64]:
        marked[seeds[number]] = True
        shared = np.bincount(owners, marked[every], len(seeds))
        marked[seeds[number]] = False
        share: NDArray[np.float64] = shared / np.maximum(np.maximum(sizes, sizes[number]), 1)
        return share

    # Looking at a few is enough to find one in the middle, and large families are common.
    few = np.unique(np.linspace(0, len(seeds) - 1, 32).astype(int))
    first = int(np.sum([likeness(int(n)) for n in few], axis=0).argmax())
    chosen = [first]
    nearest = likeness(first)
    while len(chosen) < MOST_OF_A_SYMBOL:
        nearest[chosen] = np.inf
        farthest = int(nearest.argmin())
        if nearest[farthest] >= similar:
            break
        chosen.append(farthest)
        nearest = np.maximum(nearest, likeness(farthest))
    return chosen


def _novel(
    seeds: list[NDArray[np.int32]], known: list[int], fragments: NDArray[np.int64]
) -> list[int]:
    """Choose fragments whose seeds are in none of the known proteins, the longest first."""
    chosen: list[int] = []
    for fragment in sorted(fragments.tolist(), key=lambda number: (-len(seeds[number]), number)):
        own = seeds[fragment]
        if len(known) + len(chosen) == MOST_OF_A_SYMBOL or not len(own):
            break
        shares = (np.isin(own, seeds[other]).mean() for other in (*known, *chosen))
        if max(shares) < NOVEL:
            chosen.append(fragment)
    return chosen


def gather(
    proteins: Sequence[LabelledProtein], classes: NDArray[np.int32], chosen: NDArray[np.int64]
) -> References:
    """Lay chosen proteins out as references."""
    kept = [proteins[i] for i in chosen.tolist()]
    lengths = np.array([len(p.codes) for p in kept])
    return References(
        plain(np.concatenate([p.codes for p in kept])),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        classes[chosen].astype(np.int32),
        clade_indices(kept).astype(np.uint8),
        [p.accession for p in kept],
    )
