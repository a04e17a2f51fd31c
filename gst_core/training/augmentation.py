"""Simulated evolution: one sequence stands for the relatives that nobody has sequenced.

Substitutions follow BLOSUM62 (Henikoff and Henikoff 1992, PNAS 89:10915) at a
random distance, with rates that vary along the protein as those of domains and
linkers do; insertions and deletions grow with the distance; some proteins lose
an exon, their start, or all but a fragment. Everything works on a whole batch,
laid end to end in one array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gst_core.references.substitutions import BLOSUM62
from gst_core.sequences import ALPHABET

Codes = NDArray[np.uint8]

_STANDARD = "ACDEFGHIKLMNPQRSTVWY"
#: Amino acid frequencies of Robinson and Robinson (1991), PNAS 88:8880, in that order.
_BACKGROUND = np.array(
    [
        0.07805, 0.01925, 0.05364, 0.06295, 0.03856, 0.07377, 0.02199, 0.05142, 0.05744, 0.09019,
        0.02243, 0.04487, 0.05203, 0.04264, 0.05129, 0.07120, 0.05841, 0.06441, 0.01330, 0.03216,
    ]
)  # fmt: skip


def _exchanges() -> NDArray[np.float32]:
    """Cumulative probabilities, ``(28, 20)``, of what replaces a residue that is replaced."""
    table = np.zeros((len(ALPHABET) + 1, len(_STANDARD)))
    table[:] = _BACKGROUND  # what replaces X and the like
    for row, a in enumerate(_STANDARD):
        # Scores are half bits of log(p_ab / (p_a p_b)), so p(b | a) = p_b 2^(score / 2).
        table[row] = [
            0.0 if a == b else _BACKGROUND[column] * 2 ** (BLOSUM62[row, column] / 2)
            for column, b in enumerate(_STANDARD)
        ]
    return np.cumsum(table / table.sum(1, keepdims=True), axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Evolution:
    """How far and by which events training proteins are moved.

    Attributes
    ----------
    unchanged
        Share of proteins left as they are.
    distance
        Largest expected share of substituted residues; each protein draws its
        own between 0 and this.
    heterogeneity
        Standard deviation of the logarithm of the rate along a protein.
    indels
        Insertions and as many deletions, a residue, at distance 1.
    exon_loss, late_start, fragment
        Share of proteins that lose an inner segment of 20 to 80 residues, up to
        60 residues of their start, or up to half of their length.
    """

    unchanged: float = 0.1
    distance: float = 0.7
    heterogeneity: float = 1.0
    indels: float = 0.03
    exon_loss: float = 0.15
    late_start: float = 0.1
    fragment: float = 0.1

    def __call__(
        self, codes: Codes, lengths: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Codes, NDArray[np.int64]]:
        """Evolve a batch.

        Parameters
        ----------
        codes
            Residue codes of all proteins, end to end.
        lengths
            ``(B,)`` residues of each, at least 1.
        rng
            Source of chance.

        Returns
        -------
        codes, lengths
            The same for the evolved proteins, none of them empty.
        """
        owner = np.repeat(np.arange(len(lengths)), lengths)
        distance = rng.uniform(0, self.distance, len(lengths)).astype(np.float32)
        distance[rng.random(len(lengths)) < self.unchanged] = 0
        site = distance[owner] * self._rates(len(codes), rng)
        codes = _substitute(codes, rng.random(len(codes), dtype=np.float32) < site, rng)
        copies = self._copies(codes, lengths, distance[owner], rng)
        kept = np.add.reduceat(copies, np.cumsum(lengths) - lengths)
        # A protein that lost everything keeps everything instead.
        copies[np.isin(owner, np.flatnonzero(kept == 0))] = 1
        kept[kept == 0] = lengths[kept == 0]
        evolved = np.repeat(codes, copies)
        first = np.cumsum(copies) - copies
        inserted = np.ones(len(evolved), dtype=bool)
        inserted[first[copies > 0]] = False
        evolved[inserted] = rng.choice(
            len(_STANDARD), int(inserted.sum()), p=_BACKGROUND / _BACKGROUND.sum()
        )
        return evolved, kept

    def _rates(self, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Rates of mean 1, alike among neighbours (a window of nine) as in domains."""
        noise = np.convolve(
            rng.standard_normal(size + 8, dtype=np.float32), np.full(9, 1 / 3, np.float32), "valid"
        )
        s = self.heterogeneity
        rates: NDArray[np.float32] = np.exp(s * noise - s * s / 2).astype(np.float32)
        return rates

    def _copies(
        self,
        codes: Codes,
        lengths: NDArray[np.int64],
        distance: NDArray[np.float32],
        rng: np.random.Generator,
    ) -> NDArray[np.int64]:
        """How often each residue is in the result: 0 deleted, 1 kept, more before an insertion."""
        size = len(codes)
        chance = rng.random(size, dtype=np.float32)
        copies = np.ones(size, dtype=np.int64)
        inserted = np.flatnonzero(chance < self.indels * distance)
        copies[inserted] += rng.geometric(0.25, len(inserted))
        deleted = np.flatnonzero(chance > 1 - self.indels * distance)
        starts = np.cumsum(lengths) - lengths
        ends = starts + lengths
        segments = [(deleted, deleted + rng.geometric(0.25, len(deleted)))]

        lost = np.flatnonzero(rng.random(len(lengths)) < self.exon_loss)
        at = starts[lost] + (rng.random(len(lost)) * lengths[lost]).astype(np.int64)
        segments.append((at, np.minimum(at + rng.integers(20, 81, len(lost)), ends[lost])))

        late = np.flatnonzero(rng.random(len(lengths)) < self.late_start)
        cut = np.minimum(rng.integers(1, 61, len(late)), lengths[late] // 2)
        segments.append((starts[late], starts[late] + cut))

        broken = np.flatnonzero(rng.random(len(lengths)) < self.fragment)
        share = rng.uniform(0, 0.5, len(broken))
        head = (share * rng.random(len(broken)) * lengths[broken]).astype(np.int64)
        tail = (share * lengths[broken]).astype(np.int64) - head
        segments.append((starts[broken], starts[broken] + head))
        segments.append((ends[broken] - tail, ends[broken]))

        depth = np.zeros(size + 1, dtype=np.int64)
        for first, last in segments:
            np.add.at(depth, first, 1)
            np.add.at(depth, np.minimum(last, size), -1)
        copies[np.cumsum(depth[:-1]) > 0] = 0
        return copies


def _substitute(codes: Codes, where: NDArray[np.bool_], rng: np.random.Generator) -> Codes:
    """Replace the residues `where` by what BLOSUM62 finds likely instead."""
    result = codes.copy()
    chosen = codes[where]
    draw = rng.random(len(chosen), dtype=np.float32)
    replacement = (draw[:, None] > _EXCHANGES[chosen]).sum(1).clip(max=len(_STANDARD) - 1)
    result[where] = replacement.astype(np.uint8)
    return result


_EXCHANGES = _exchanges()
