"""Known species simulated: training proteins named by references chosen from them too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.evidence import Evidence, EvidenceFinder
from gst_core.references.features import features
from gst_core.training.proteins import LabelledProtein, clade_indices
from gst_core.training.simulation import (
    BATCH,
    UNTOLD,
    Labelled,
    Simulated,
    in_batches,
    untell,
)

#: What becomes of a protein: nothing; `CHANGED` of its residues are replaced, as between
#: haplotypes, strains and sister species; a piece of it is asked; or it gives its composition to
#: a random peptide, which has no name. With what share of the proteins.
CHANGES: Final = {"nothing": 0.28, "residues": 0.32, "piece": 0.1, "peptide": 0.3}
#: Share of the residues that are replaced, from and to.
CHANGED: Final = (0.001, 0.02)
#: Residues of pieces, from and to, and of random peptides: what is shorter names nothing.
PIECES: Final = (20, 80)
PEPTIDES: Final = (4, 50)

_COMMON: Final = 20


class Known:
    """Proteins that the references were chosen from, and the names that are right for them.

    Parameters
    ----------
    labelled
        All training proteins.
    finder
        Of the finished references.
    workers
        Threads.
    """

    def __init__(
        self,
        labelled: Labelled,
        finder: EvidenceFinder,
        workers: int = 1,
    ) -> None:
        proteins, classes = labelled.proteins, labelled.classes
        self._labelled, self._finder = labelled, finder
        self._proteins, self._classes = proteins, classes
        self._symbols = dict(zip((p.key for p in proteins), classes.tolist(), strict=True))
        self._workers = workers
        self._clades = clade_indices(proteins)
        twins: defaultdict[bytes, set[int]] = defaultdict(set)
        for protein, symbol in zip(proteins, classes.tolist(), strict=True):
            twins[protein.codes.tobytes()].add(symbol)
        self._twins = [sorted(twins[protein.codes.tobytes()]) for protein in proteins]

    def run(self, rows: NDArray[np.int64], seed: int = 1) -> Iterator[Simulated]:
        """Name proteins, some of them changed.

        Parameters
        ----------
        rows
            Which proteins.
        seed
            Of the changes.

        Yields
        ------
        part
            In the order of `rows`.
        """
        return in_batches(self._batch, rows, CHANGES, seed, self._workers)

    def _batch(self, rows: NDArray[np.int64], ways: NDArray[np.str_], seed: int) -> Simulated:
        rng = np.random.default_rng(seed)
        proteins = [
            changed(self._proteins[row].codes, str(way), rng)
            for row, way in zip(rows.tolist(), ways, strict=True)
        ]
        given = self._labelled.given(rows)
        evidence = self._finder.find(proteins, self._clades[rows], given=given)
        untell(evidence, rng.random(len(rows)) < UNTOLD)
        answers = np.zeros(len(rows), dtype=np.int64)
        of_gene = np.zeros(evidence.present.shape, dtype=np.bool_)
        for at, (row, way) in enumerate(zip(rows.tolist(), ways, strict=True)):
            right = self._right(evidence, at, row, str(way))
            of_gene[at, right] = True
            if len(right):
                # Where several symbols have the very same protein, each is right as often.
                answers[at] = rng.choice(right) + 1
        genera = np.array([self._proteins[row].taxon.genus or "" for row in rows.tolist()])
        return _simulated(evidence, answers, genera, of_gene)

    def strangers(self, proteins: Sequence[LabelledProtein]) -> Iterator[Simulated]:
        """Name proteins that are none of the training proteins, by their symbols' own names.

        Parameters
        ----------
        proteins
            Of species far from all others, say: no candidate is right where none has their symbol.

        Yields
        ------
        part
            In their order.
        """
        parts = [proteins[start : start + BATCH] for start in range(0, len(proteins), BATCH)]
        with ThreadPoolExecutor(self._workers) as pool:
            yield from pool.map(self._strange_batch, parts)

    def _strange_batch(self, proteins: Sequence[LabelledProtein]) -> Simulated:
        given = [self._labelled.scopes.given(p.taxon.clade, p.taxon.genus) for p in proteins]
        clades = clade_indices(proteins)
        evidence = self._finder.find([p.codes for p in proteins], clades, given=given)
        # -2 is no class and no missing candidate.
        truth = np.array([self._symbols.get(p.key, -2) for p in proteins])[:, None]
        exact = evidence.classes == truth
        answers = np.where(exact.any(1), exact.argmax(1) + 1, 0)
        genera = np.array([p.taxon.genus or "" for p in proteins])
        return _simulated(evidence, answers, genera, exact)

    def _right(self, evidence: Evidence, at: int, row: int, way: str) -> NDArray[np.int64]:
        """Places of the candidates that are right; of a piece those that have it as it is."""
        if way == "peptide":
            return np.zeros(0, dtype=np.int64)
        symbols = evidence.classes[at]
        if way != "piece":
            return np.flatnonzero(np.isin(symbols, self._twins[row]))
        own = symbols == self._classes[row]
        whole = evidence.numbers[at, :, 3] >= evidence.queries[at, 2]
        return np.flatnonzero(own | whole if (own & whole).any() else own)


def _simulated(
    evidence: Evidence,
    answers: NDArray[np.int64],
    genera: NDArray[np.str_],
    of_gene: NDArray[np.bool_],
) -> Simulated:
    """Put together what is no new species."""
    as_new = np.zeros(len(answers), dtype=np.bool_)
    return Simulated(
        features(evidence), evidence.present, answers, genera, as_new, evidence.classes, of_gene
    )


def changed(codes: NDArray[np.uint8], way: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change a protein in one of the ways of :data:`CHANGES`.

    Parameters
    ----------
    codes
        Residue codes, at least one.
    way
        A key of :data:`CHANGES`.
    rng
        Of the change.
    """
    if way == "residues":
        return substituted(codes, rng.uniform(*CHANGED), rng)
    if way == "nothing":
        return codes
    # Short ones are more: there the border lies between what has a name and what has none.
    lower, upper = np.log(PEPTIDES if way == "peptide" else PIECES)
    size = min(round(float(np.exp(rng.uniform(lower, upper)))), len(codes))
    if way == "peptide":
        return rng.choice(codes, size)
    start = int(rng.integers(len(codes) - size + 1))
    return codes[start : start + size]


def substituted(
    codes: NDArray[np.uint8], share: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Replace a share of the residues by others of the common ones, at least one residue.

    Parameters
    ----------
    codes
        Residue codes, at least one.
    share
        0 to 1.
    rng
        Of places and residues.
    """
    places = rng.choice(len(codes), max(round(share * len(codes)), 1), replace=False)
    other = codes.copy()
    other[places] = (codes[places] + rng.integers(1, _COMMON, len(places))) % _COMMON
    return other
