"""Which cells or genes teach, which say when to stop, and which are asked at the end.

A test says how a classifier does on individuals it has never met only if no individual sits on
both sides. So cells are divided by donor where donors are known, and where the labels make that
impossible it is said, since a classifier may then tell donors apart rather than labels. Genes are
divided by gene: of a gene that is tested no cell has taught its label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError

Codes = NDArray[np.int64]
Rows = NDArray[np.intp]

#: Draws among which the division is taken that has most labels on both sides.
_DRAWS: Final = 20


@dataclass(frozen=True, slots=True)
class Split:
    """Three parts of the same cells or genes, as their numbers, rising; none is in two.

    Attributes
    ----------
    train, validation, test
        To learn from, to stop by, and to be asked about.
    """

    train: Rows
    validation: Rows
    test: Rows


@dataclass(frozen=True, slots=True)
class Plan:
    """How a classifier is tested.

    Attributes
    ----------
    folds
        One, or as many as there are rounds of cross-validation; then each cell or gene that can
        be tested is tested in one of them.
    by
        ``donor``, ``cell`` or ``gene``: what is whole on one side of each fold.
    warnings
        What the division cannot show.
    """

    folds: tuple[Split, ...]
    by: str
    warnings: tuple[str, ...] = ()


def plan_cells(
    labels: Codes,
    names: list[str],
    donors: NDArray[np.str_] | None,
    *,
    folds: int = 1,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int = 0,
) -> Plan:
    """Divide cells, by donor where that is possible.

    A donor who alone has a label always teaches: the label is learnt, and cannot be tested. Where
    fewer than two labels or donors are left to be tested, cells are divided whoever they are of.

    Parameters
    ----------
    labels
        ``(cells,)`` number of each one's label, -1 where it has none.
    names
        Of the labels.
    donors
        ``(cells,)``; cells are divided one by one without them.
    folds
        Rounds of cross-validation; with 1 a share is tested once.
    test, validation
        Shares of the cells, about; that of the test counts with one fold alone.
    seed
        Of the draw.

    Raises
    ------
    GstError
        If a label has fewer cells than there must be parts.
    """
    counts = np.bincount(labels[labels >= 0], minlength=len(names))
    parts = folds if folds > 1 else 2
    if len(names) < 2:
        raise GstError("cells must have two labels or more to be told apart")
    if counts.min() < parts:
        raise GstError(
            f"the label {names[int(counts.argmin())]} has {counts.min()} cells",
            hint=f"{parts} are needed at least to learn it and to test it: see --min_cells",
        )
    warnings: list[str] = []
    if donors is not None:
        fixed, alone = _sole_donors(labels, names, donors)
        free = np.setdiff1d(np.unique(donors), fixed)
        testable = np.unique(labels[np.isin(donors, free) & (labels >= 0)])
        if len(free) >= max(2 if folds > 1 else 1, 1) and len(testable) >= 2:
            if alone:
                warnings.append(f"of one donor alone, so learnt but not tested: {', '.join(alone)}")
            return _by_donor(
                labels, names, donors, free, folds, test, validation, seed, tuple(warnings)
            )
        warnings.append(
            "donors are on both sides of the test, since "
            + (
                f"{', '.join(alone)} come from one donor each"
                if alone
                else f"there are {len(np.unique(donors))} donors"
            )
            + ": who is told apart may be donors rather than labels, and new donors may fare worse"
        )
    else:
        warnings.append(
            "cells of one individual may be on both sides of the test: name its column by --donor"
        )
    outer = _stratified(labels, np.arange(len(labels)), folds if folds > 1 else _parts(test), seed)
    splits = [
        _with_validation(labels, None, np.setdiff1d(np.arange(len(labels)), part), part, draw)
        for part, draw in (
            (part, (validation, seed)) for part in outer[: folds if folds > 1 else 1]
        )
    ]
    return Plan(tuple(splits), "cell", tuple(warnings))


def plan_genes(
    labels: Codes, names: list[str], *, folds: int, validation: float, seed: int
) -> Plan:
    """Divide genes for cross-validation, each label in each part.

    Parameters
    ----------
    labels
        ``(genes,)`` number of each one's label.
    names
        Of the labels.
    folds, validation, seed
        As for :func:`plan_cells`; with one fold a fifth is tested.

    Raises
    ------
    GstError
        If a label has fewer genes than there are folds.
    """
    parts = folds if folds > 1 else 5
    counts = np.bincount(labels, minlength=len(names))
    if len(names) < 2 or counts.min() < parts:
        raise GstError(
            f"the label {names[int(counts.argmin())]} has {counts.min()} genes in these cells"
            if len(names) > 1
            else "genes must have two labels or more to be told apart",
            hint=f"{parts} folds need as many genes of each label: fewer --folds, or more genes",
        )
    rows = np.arange(len(labels))
    outer = _stratified(labels, rows, parts, seed)[: folds if folds > 1 else 1]
    splits = [
        _with_validation(labels, None, np.setdiff1d(rows, part), part, (validation, seed))
        for part in outer
    ]
    return Plan(tuple(splits), "gene")


def hold_out(
    labels: Codes, donors: NDArray[np.str_] | None, share: float, seed: int
) -> tuple[Rows, Rows]:
    """Divide all cells or genes in two, for a last training that tests nothing: train, validation.

    Donors are kept whole where each part then still has each label.
    """
    rows = np.arange(len(labels))
    split = _with_validation(labels, donors, rows, np.empty(0, np.intp), (share, seed))
    return split.train, split.validation


def _sole_donors(
    labels: Codes, names: list[str], donors: NDArray[np.str_]
) -> tuple[NDArray[np.str_], list[str]]:
    """Find the labels that one donor alone has, and these donors."""
    fixed, alone = [], []
    for code, name in enumerate(names):
        own = np.unique(donors[labels == code])
        if len(own) == 1:
            fixed.append(own[0])
            alone.append(name)
    return np.unique(np.array(fixed, dtype=donors.dtype)), alone


def _by_donor(
    labels: Codes,
    names: list[str],
    donors: NDArray[np.str_],
    free: NDArray[np.str_],
    folds: int,
    test: float,
    validation: float,
    seed: int,
    warnings: tuple[str, ...],
) -> Plan:
    rows = np.arange(len(labels))
    loose = rows[np.isin(donors, free)]
    parts = min(folds if folds > 1 else _parts(test * len(rows) / len(loose)), len(free))
    if parts < folds:
        warnings += (f"{parts} folds rather than {folds}: there are no more donors",)
    every = folds > 1
    outer = [loose] if parts == 1 else _grouped(labels, donors, loose, parts, seed, every=every)
    splits = []
    for part in outer[: parts if folds > 1 else 1]:
        rest = np.setdiff1d(rows, part)
        splits.append(_with_validation(labels, donors, rest, part, (validation, seed)))
    untaught = {
        names[code]
        for split in splits
        for code in np.setdiff1d(labels[split.test], [-1, *labels[split.train]])
    }
    if untaught:
        warnings += (
            "asked in a fold in which no cell taught it, so always missed there: "
            + ", ".join(sorted(untaught)),
        )
    return Plan(tuple(splits), "donor", warnings)


def _with_validation(
    labels: Codes,
    donors: NDArray[np.str_] | None,
    rest: Rows,
    test: Rows,
    draw: tuple[float, int],
) -> Split:
    """Take a share of what is not tested to stop by: of whole donors if no label is lost so."""
    share, seed = draw
    if share <= 0:
        return Split(rest, np.empty(0, np.intp), test)
    taught = set(labels[rest].tolist())
    if donors is not None and len(np.unique(donors[rest])) > 2:
        parts = min(_parts(share), len(np.unique(donors[rest])))
        for part in _grouped(labels, donors, rest, parts, seed + 1, every=False):
            train = np.setdiff1d(rest, part)
            if set(labels[train].tolist()) == taught and len(np.unique(labels[part])) > 1:
                return Split(train, np.sort(part), test)
    part = _stratified(labels, rest, _parts(share), seed + 1)[0]
    # The only one of a label teaches it.
    part = part[np.isin(labels[part], labels[np.setdiff1d(rest, part)])]
    return Split(np.setdiff1d(rest, part), part, test)


def _parts(share: float) -> int:
    return max(2, round(1 / max(share, 1e-6)))


def _stratified(labels: Codes, rows: Rows, parts: int, seed: int) -> list[Rows]:
    """Deal rows out to parts, label by label, so that no part lacks what it can have."""
    generator = np.random.default_rng([seed, 11])
    part_of = np.empty(len(rows), np.int64)
    dealt = 0
    for code in np.unique(labels[rows]):
        own = generator.permutation(np.flatnonzero(labels[rows] == code))
        part_of[own] = (dealt + np.arange(len(own))) % parts
        # A label that is rarer than the parts are many teaches first.
        dealt += len(own) if len(own) >= parts else 0
    return [np.sort(rows[part_of == part]) for part in range(parts)]


def _grouped(
    labels: Codes, donors: NDArray[np.str_], rows: Rows, parts: int, seed: int, *, every: bool
) -> list[Rows]:
    """Deal donors out to parts; of several draws the one in which fewest labels are lost."""
    from sklearn.model_selection import StratifiedGroupKFold

    best: list[Rows] = []
    least = None
    for draw in range(_DRAWS):
        folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed * 1_009 + draw)
        found = [
            np.sort(rows[part])
            for _, part in folds.split(np.zeros(len(rows)), labels[rows], donors[rows])
            if len(part)
        ]
        counted = found if every else found[:1]
        kinds = len(np.unique(labels[rows]))
        cost = sum(
            len(rows) * len(np.setdiff1d(labels[part], labels[np.setdiff1d(rows, part)]))
            + (kinds - len(np.unique(labels[part])))
            for part in counted
        ) + abs(len(counted[0]) * parts / len(rows) - 1)
        if least is None or cost < least:
            best, least = found, cost
    return best
