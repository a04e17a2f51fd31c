"""New species simulated: training proteins named as if their relatives were not known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.evidence import (
    COUNT,
    COVERAGE,
    KIN,
    LINEAGES,
    UNKNOWN,
    Evidence,
    EvidenceFinder,
)
from gst_core.references.features import features
from gst_core.references.scopes import Scopes
from gst_core.training.proteins import LabelledProtein, clade_indices
from gst_core.training.references import choose, gather

#: What a protein may not know of beside all genera of its fold: nothing more; its whole
#: lineage, all mammals from a mouse; its own symbol, which nobody can know then. With what
#: share of the proteins.
HIDING: Final = {"nothing": 0.65, "lineage": 0.32, "symbol": 0.03}
#: Parts that the genera are divided into. Those of one part are named by references chosen from
#: the others: from references chosen with them, hiding the nearest would leave only distant ones,
#: for what resembled the nearest was not chosen.
FOLDS: Final = 6
#: Share of the proteins whose symbol no other genus has: as new genomes have genes of their own.
UNNAMEABLE: Final = 0.05
#: Share of the proteins whose residues are shuffled: no symbol is right for them.
SHUFFLED: Final = 0.02
#: Share of the proteins of which no species is told.
UNTOLD: Final = 0.3
#: Proteins whose symbol other lineages have as well are named again with a thin lineage, of which
#: some genera are left, as of a fish's among mammals: once, those of all lineages but the largest
#: so many times, in each fold at most such a share of what a fold has on average.
TURNS: Final = 3
THIN: Final = 0.2

#: Proteins of one part.
BATCH: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Proteins with the evidence for their candidates, and which candidate is right.

    Attributes
    ----------
    features
        ``(N, K, F)`` float32.
    present
        ``(N, K)`` bool.
    answers
        ``(N,)`` int64: 0 where no candidate is right, else its place from 1.
    genera
        Of each protein.
    as_new
        ``(N,)`` bool: nothing but genera was hidden, as with a new species among known ones.
    classes
        ``(N, K)`` int32: class index of each candidate's symbol, -1 where there is none.
    of_gene
        ``(N, K)`` bool: candidates that name the right gene, by its own symbol or a copy's.
    """

    features: NDArray[np.float32]
    present: NDArray[np.bool_]
    answers: NDArray[np.int64]
    genera: NDArray[np.str_]
    as_new: NDArray[np.bool_]
    classes: NDArray[np.int32]
    of_gene: NDArray[np.bool_]

    def __getitem__(self, rows: NDArray[np.bool_]) -> Simulated:
        return Simulated(
            self.features[rows],
            self.present[rows],
            self.answers[rows],
            self.genera[rows],
            self.as_new[rows],
            self.classes[rows],
            self.of_gene[rows],
        )


def folds(proteins: Sequence[LabelledProtein], seed: int = 1) -> NDArray[np.int64]:
    """Divide proteins by genus into parts of about equal size.

    Parameters
    ----------
    proteins
        Labelled proteins of two genera at least.
    seed
        Of the order in which genera of equal size come.

    Returns
    -------
    fold
        ``(N,)``, of each protein.
    """
    genera, of = np.unique([p.taxon.genus or "" for p in proteins], return_inverse=True)
    sizes = np.bincount(of)
    drawn = np.random.default_rng(seed).permutation(len(genera))
    fold_of = np.zeros(len(genera), dtype=np.int64)
    filled = np.zeros(min(FOLDS, len(genera)), dtype=np.int64)
    for genus in drawn[np.argsort(-sizes[drawn], kind="stable")].tolist():
        fold_of[genus] = filled.argmin()
        filled[filled.argmin()] += sizes[genus]
    return fold_of[of]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Training proteins and their symbols.

    Attributes
    ----------
    proteins
        All of them.
    classes
        ``(N,)``: class index of each one's symbol.
    families
        ``(C,)``: symbols of one family are copies of one gene.
    scopes
        In which species symbols are given.
    """

    proteins: Sequence[LabelledProtein]
    classes: NDArray[np.int32]
    families: NDArray[np.int64]
    scopes: Scopes

    def given(self, rows: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        """For each of some proteins the symbols that are given in its species."""
        taxa = (self.proteins[row].taxon for row in rows.tolist())
        return [self.scopes.given(taxon.clade, taxon.genus) for taxon in taxa]


class Simulation:
    """Proteins of some genera, and references chosen from the others.

    Parameters
    ----------
    labelled
        All training proteins. Where one's own symbol is not known, that of another copy of the
        gene is right.
    asked
        ``(N,)`` bool: which proteins are named; of the others all is known.
    workers
        Threads.
    condensed
        Proteins that are references beside those chosen, unless they are asked: what
        :func:`~gst_core.training.condensing.condense` adds.
    most
        References to choose at most, without those.
    """

    def __init__(
        self,
        labelled: Labelled,
        asked: NDArray[np.bool_],
        workers: int = 1,
        condensed: NDArray[np.int64] | None = None,
        most: int | None = None,
    ) -> None:
        proteins, classes, families = labelled.proteins, labelled.classes, labelled.families
        self._labelled = labelled
        self._proteins, self._classes, self._families = proteins, classes, families
        self._asked = np.flatnonzero(asked)
        self._workers = workers
        known = np.flatnonzero(~asked)
        of_known = [proteins[i] for i in known.tolist()]
        chosen = known[choose(of_known, classes[known], most=most)]
        if condensed is not None:
            chosen = np.union1d(chosen, condensed[~asked[condensed]])
        counts = np.bincount(classes[known], minlength=len(families))
        self._counts = counts
        self._finder = EvidenceFinder(gather(proteins, classes, chosen), counts, workers)
        self._genera = np.array([p.taxon.genus or "" for p in proteins])
        self._clades = clade_indices(proteins)
        self._lineages = LINEAGES[self._clades]
        # Genera by number, those of one lineage; and of each symbol the genera of what is known.
        names, self._genus = np.unique(
            np.stack([self._lineages.astype(np.str_), self._genera]), axis=1, return_inverse=True
        )
        self._lineage_of_genus = names[0].astype(np.int64)
        self._of_references = self._genus[chosen]
        self._sizes = np.bincount(self._of_references, minlength=len(self._lineage_of_genus))
        order = known[np.argsort(classes[known], kind="stable")]
        self._of_symbols = np.split(self._genus[order], np.cumsum(counts)[:-1])

    def sample(self, most: int | None = None, seed: int = 1) -> NDArray[np.int64]:
        """Draw proteins to name: of those that cannot be named, :data:`UNNAMEABLE`.

        Parameters
        ----------
        most
            How many at most; all that the share allows without it.
        seed
            Of the draw.
        """
        rng = np.random.default_rng(seed)
        nameable = self._counts[self._classes[self._asked]] > 0
        named, unnamed = self._asked[nameable], self._asked[~nameable]
        share = int(len(named) * UNNAMEABLE / (1 - UNNAMEABLE))
        rows = np.concatenate([named, rng.permutation(unnamed)[:share]])
        return np.sort(rng.permutation(rows)[:most])

    def run(self, rows: NDArray[np.int64], seed: int = 1) -> Iterator[Simulated]:
        """Name proteins without what is hidden from each.

        Parameters
        ----------
        rows
            Which proteins.
        seed
            Of what is hidden.

        Yields
        ------
        part
            In the order of `rows`.
        """
        return in_batches(self._batch, rows, HIDING, seed, self._workers)

    def again(self, rows: NDArray[np.int64], most: int, seed: int = 1) -> NDArray[np.int64]:
        """Draw proteins to name once more with a thin lineage.

        Parameters
        ----------
        rows
            Proteins that are named.
        most
            How many at most.
        seed
            Of the draw.

        Returns
        -------
        rows
            Ascending; one that is drawn several times comes several times.
        """
        told = self._lineages[rows] >= 0
        able = np.array([row for row in rows[told].tolist() if self._has_others(row)], np.int64)
        largest = np.bincount(self._lineages[self._lineages >= 0], minlength=1).argmax()
        times = np.where(self._lineages[able] == largest, 1, TURNS)
        drawn = np.random.default_rng(seed).permutation(np.repeat(able, times))[:most]
        return np.sort(drawn)

    def run_thin(self, rows: NDArray[np.int64], seed: int = 1) -> Iterator[Simulated]:
        """Name proteins of which only some genera of their lineage are known; as :meth:`run`."""
        return in_batches(self._batch, rows, {"thin": 1.0}, seed, self._workers)

    def _batch(self, rows: NDArray[np.int64], hiding: NDArray[np.str_], seed: int) -> Simulated:
        rng = np.random.default_rng(seed)
        ways = [self._way(int(row), str(way)) for row, way in zip(rows, hiding, strict=True)]
        gone = [self._gone(int(row), way, rng) for row, way in zip(rows, ways, strict=True)]
        hidden = [genera[self._of_references] for genera in gone]
        for at in np.flatnonzero(np.array(ways) == "symbol").tolist():
            hidden[at] |= self._finder.references.classes == self._classes[rows[at]]
        proteins = [self._proteins[row].codes for row in rows.tolist()]
        shuffled = rng.random(len(rows)) < SHUFFLED
        for at in np.flatnonzero(shuffled).tolist():
            proteins[at] = rng.permutation(proteins[at])
        given = self._labelled.given(rows)
        evidence = self._finder.find(proteins, self._clades[rows], hidden, given)
        for at, genera in enumerate(gone):
            there = evidence.classes[at][evidence.present[at]]
            evidence.numbers[at, : len(there), COUNT] = self._visible(genera, there)
        untell(evidence, rng.random(len(rows)) < UNTOLD)
        truth = self._classes[rows][:, None]
        exact = evidence.classes == truth
        copies = (self._families[evidence.classes] == self._families[truth]) & evidence.present
        right = np.where(exact.any(1, keepdims=True), exact, copies)
        right &= ~shuffled[:, None]
        answers = np.where(right.any(1), right.argmax(1) + 1, 0)
        as_new = (np.array(ways) == "nothing") & ~shuffled
        return Simulated(
            features(evidence),
            evidence.present,
            answers,
            self._genera[rows],
            as_new,
            evidence.classes,
            (exact | copies) & evidence.present & ~shuffled[:, None],
        )

    def _way(self, row: int, way: str) -> str:
        """Hide a lineage only where it leaves a protein of the symbol: most would have none."""
        return way if way not in ("lineage", "thin") or self._has_others(row) else "nothing"

    def _has_others(self, row: int) -> bool:
        """Whether other lineages than a protein's own have its symbol."""
        genera = self._of_symbols[self._classes[row]]
        return bool((self._lineage_of_genus[genera] != self._lineages[row]).any())

    def _gone(self, row: int, way: str, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Say which genera a protein may not know of."""
        gone: NDArray[np.bool_] = self._lineage_of_genus == self._lineages[row]
        if way not in ("lineage", "thin"):
            return np.zeros_like(gone)
        if way == "thin":
            # As many references stay as chance gives, from none to all, a few as likely as many.
            most = np.expm1(rng.uniform(0, np.log1p(self._sizes[gone].sum())))
            genera = rng.permutation(np.flatnonzero(gone & (self._sizes <= most)))
            gone[genera[np.cumsum(self._sizes[genera]) <= most]] = False
        return gone

    def _visible(self, gone: NDArray[np.bool_], symbols: NDArray[np.int32]) -> NDArray[np.int64]:
        """Known proteins of symbols, without those of genera that are hidden."""
        counts = self._counts[symbols]
        if gone.any():
            counts = counts - [gone[self._of_symbols[s]].sum() for s in symbols.tolist()]
        return np.maximum(counts, 1)


def untell(evidence: Evidence, rows: NDArray[np.bool_]) -> None:
    """Take what tells of their species from the evidence for some proteins, in place."""
    evidence.numbers[rows, :, KIN] = 0
    evidence.queries[rows, COVERAGE] = UNKNOWN


def in_batches(
    batch: Callable[[NDArray[np.int64], NDArray[np.str_], int], Simulated],
    rows: NDArray[np.int64],
    shares: Mapping[str, float],
    seed: int,
    workers: int,
) -> Iterator[Simulated]:
    """Name proteins in batches, several at once, each protein in a way that is drawn for it.

    Parameters
    ----------
    batch
        Names proteins: their rows, the way of each, and a seed of its own.
    rows
        Which proteins.
    shares
        Way to the share of the proteins that it is drawn for.
    seed
        Of ways and seeds.
    workers
        Threads.

    Yields
    ------
    part
        In the order of `rows`.
    """
    rng = np.random.default_rng(seed)
    ways = rng.choice(list(shares), len(rows), p=list(shares.values()))
    parts = [slice(start, start + BATCH) for start in range(0, len(rows), BATCH)]
    seeds = rng.integers(1 << 32, size=len(parts))
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda part, own: batch(rows[part], ways[part], int(own)), parts, seeds)


def joined(parts: Sequence[Simulated]) -> Simulated:
    """Put parts one after the other."""
    return Simulated(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.present for p in parts]),
        np.concatenate([p.answers for p in parts]),
        np.concatenate([p.genera for p in parts]),
        np.concatenate([p.as_new for p in parts]),
        np.concatenate([p.classes for p in parts]),
        np.concatenate([p.of_gene for p in parts]),
    )
