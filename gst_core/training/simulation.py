"""New species simulated: training proteins named as if their relatives were not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.clades import CLADES, LINEAGE_OF_CLADE
from gst_core.references.evidence import COUNT, KIN, EvidenceFinder, features
from gst_core.training.proteins import LabelledProtein

#: How much is hidden from a protein: references of its genus; of its clade; of its whole
#: lineage, all mammals from a mouse; of its genus and of its own symbol, which nobody can
#: know then. With what share of the proteins.
HIDING: Final = {"genus": 0.6, "clade": 0.05, "lineage": 0.32, "symbol": 0.03}
#: Share of the proteins whose symbol no other genus has: as new genomes have genes of their own.
UNNAMEABLE: Final = 0.05
#: Share of the proteins whose residues are shuffled: no symbol is right for them.
SHUFFLED: Final = 0.02
#: Share of the proteins of which no species is told.
UNTOLD: Final = 0.3

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
        ``(N,)`` bool: nothing but its genus was hidden, as with a new species among known
        ones.
    """

    features: NDArray[np.float32]
    present: NDArray[np.bool_]
    answers: NDArray[np.int64]
    genera: NDArray[np.str_]
    as_new: NDArray[np.bool_]

    def __getitem__(self, rows: NDArray[np.bool_]) -> Simulated:
        return Simulated(
            self.features[rows],
            self.present[rows],
            self.answers[rows],
            self.genera[rows],
            self.as_new[rows],
        )


class Simulation:
    """Training proteins, and which references each may know of.

    Parameters
    ----------
    finder
        With references chosen from the proteins.
    proteins
        The training proteins.
    classes
        ``(N,)``: class index of each one's symbol.
    chosen
        ``(R,)``: which proteins the references are.
    families
        ``(C,)``: symbols of one family are copies of one gene. Where a protein's own symbol is
        not known, that of another copy is right.
    """

    def __init__(
        self,
        finder: EvidenceFinder,
        proteins: Sequence[LabelledProtein],
        classes: NDArray[np.int32],
        chosen: NDArray[np.int64],
        families: NDArray[np.int64],
    ) -> None:
        self._finder = finder
        self._families = families
        self._proteins = proteins
        self._classes = classes
        self._clades = np.array(
            [CLADES.index(p.taxon.clade) if p.taxon.clade else len(CLADES) for p in proteins]
        )
        lineages = np.array([*LINEAGE_OF_CLADE, -1])[self._clades]
        self._genera = np.array([p.taxon.genus or "" for p in proteins])
        self._groups = {"genus": self._genera, "clade": self._clades, "lineage": lineages}
        self._of_references = {name: of[chosen] for name, of in self._groups.items()}
        self._counts = Counter(classes.tolist())
        self._grouped = {
            name: Counter(zip(classes.tolist(), of.tolist(), strict=True))
            for name, of in self._groups.items()
        }
        self._references = Counter(classes[chosen].tolist())
        self._references_of_lineage = Counter(
            zip(classes[chosen].tolist(), lineages[chosen].tolist(), strict=True)
        )

    def sample(self, most: int | None = None, seed: int = 1) -> NDArray[np.int64]:
        """Draw proteins to simulate: of those that cannot be named, :data:`UNNAMEABLE`.

        Parameters
        ----------
        most
            How many at most; all that the share allows without it.
        seed
            Of the draw.
        """
        rng = np.random.default_rng(seed)
        own = zip(self._classes.tolist(), self._groups["genus"].tolist(), strict=True)
        elsewhere = np.array([self._counts[s] > self._grouped["genus"][s, g] for s, g in own])
        named, unnamed = np.flatnonzero(elsewhere), np.flatnonzero(~elsewhere)
        share = int(len(named) * UNNAMEABLE / (1 - UNNAMEABLE))
        rows = np.concatenate([named, rng.permutation(unnamed)[:share]])
        return np.sort(rng.permutation(rows)[:most])

    def run(self, rows: NDArray[np.int64], seed: int = 1, workers: int = 1) -> Iterator[Simulated]:
        """Name proteins without what is hidden from each.

        Parameters
        ----------
        rows
            Which proteins.
        seed
            Of what is hidden.
        workers
            Threads.

        Yields
        ------
        part
            In the order of `rows`.
        """
        rng = np.random.default_rng(seed)
        hiding = rng.choice(list(HIDING), len(rows), p=list(HIDING.values()))
        parts = [slice(start, start + BATCH) for start in range(0, len(rows), BATCH)]
        seeds = rng.integers(1 << 32, size=len(parts))
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(
                lambda part, own: self._batch(rows[part], hiding[part], int(own)), parts, seeds
            )

    def _batch(self, rows: NDArray[np.int64], hiding: NDArray[np.str_], seed: int) -> Simulated:
        rng = np.random.default_rng(seed)
        ways = [self._way(int(row), str(way)) for row, way in zip(rows, hiding, strict=True)]
        hidden = [self._hidden(int(row), way) for row, way in zip(rows, ways, strict=True)]
        proteins = [self._proteins[row].codes for row in rows.tolist()]
        shuffled = rng.random(len(rows)) < SHUFFLED
        for at in np.flatnonzero(shuffled).tolist():
            proteins[at] = rng.permutation(proteins[at])
        evidence = self._finder.find(proteins, self._clades[rows], hidden)
        for at, (row, way) in enumerate(zip(rows.tolist(), ways, strict=True)):
            there = evidence.classes[at][evidence.present[at]]
            evidence.numbers[at, : len(there), COUNT] = self._visible(row, way, there)
        evidence.numbers[rng.random(len(rows)) < UNTOLD, :, KIN] = 0
        truth = self._classes[rows][:, None]
        exact = evidence.classes == truth
        copies = (self._families[evidence.classes] == self._families[truth]) & evidence.present
        right = np.where(exact.any(1, keepdims=True), exact, copies)
        right &= ~shuffled[:, None]
        answers = np.where(right.any(1), right.argmax(1) + 1, 0)
        as_new = (np.array(ways) == "genus") & ~shuffled
        return Simulated(features(evidence), evidence.present, answers, self._genera[rows], as_new)

    def _way(self, row: int, way: str) -> str:
        """Hide a lineage only where it leaves a reference of the symbol: most would have none."""
        symbol = int(self._classes[row])
        of_lineage = self._references_of_lineage[symbol, int(self._groups["lineage"][row])]
        return "genus" if way == "lineage" and of_lineage == self._references[symbol] else way

    def _hidden(self, row: int, way: str) -> NDArray[np.bool_]:
        hidden: NDArray[np.bool_] = self._of_references["genus"] == self._groups["genus"][row]
        if way == "symbol":
            hidden |= self._finder.references.classes == self._classes[row]
        else:
            hidden |= self._of_references[way] == self._groups[way][row]
        return hidden

    def _visible(self, row: int, way: str, symbols: NDArray[np.int32]) -> NDArray[np.int64]:
        """Training proteins of symbols, without those of the hidden species."""
        name = "genus" if way == "symbol" else way
        group = self._groups[name][row].item()
        grouped = self._grouped[name]
        return np.array(
            [max(self._counts[s] - grouped[s, group], 1) for s in symbols.tolist()], dtype=np.int64
        )


def joined(parts: Sequence[Simulated]) -> Simulated:
    """Put parts one after the other."""
    return Simulated(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.present for p in parts]),
        np.concatenate([p.answers for p in parts]),
        np.concatenate([p.genera for p in parts]),
        np.concatenate([p.as_new for p in parts]),
    )
