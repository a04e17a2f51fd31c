"""Gapped extension: local alignments with affine gaps (Smith and Waterman 1981, Gotoh 1982).

They score by BLOSUM90, and gaps cost 10 and 1. ``native/gapped.c`` makes them, in a band around the
diagonals that have seeds in common; where it was not compiled Biopython makes them, of whole
matrices and many times slower.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references.lookup import Alignment
from gst_core.references.store import plain
from gst_core.references.substitutions import BLOSUM90
from gst_core.sequences import ALPHABET

#: What the first residue of a gap costs, and each further one: BLAST's for this matrix.
GAP_OPEN: Final = 10
GAP_EXTEND: Final = 1

#: Of the scores that alignments of strangers have (Karlin and Altschul 1990), for BLOSUM90 with
#: gaps of 10 and 1, as NCBI's BLAST has it: a gap's first residue costs 9 and 1 there.
LAMBDA: Final = 0.265
KAPPA: Final = 0.044
#: Seed matches are added up for bins of 2 ** `BIN_BITS` diagonals. The band has the highest bin,
#: each other one that is worth more than the gap that leads there, and a margin on both sides.
BIN_BITS: Final = 3
MARGIN: Final = 24
#: Where no bin has so many seeds, neighbouring words take their place, and the margin is wider.
FEW: Final = 40
WIDE_MARGIN: Final = 96

#: Cells of the matrix of an alignment that is drawn, at most.
MOST_CELLS: Final = 10_000_000

_LETTERS: Final = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_SELF: Final = BLOSUM90.diagonal().astype(np.int16)


class Query:
    """A query to be aligned with several targets, by Biopython.

    Parameters
    ----------
    codes
        Plain residue codes, at least one.
    """

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        # Only here: the import takes a tenth of the start.
        from Bio.Align import PairwiseAligner, substitution_matrices

        self._text = text(codes)
        self._aligner: Any = PairwiseAligner(  # type: ignore[no-untyped-call]
            mode="local",
            open_gap_score=-GAP_OPEN,
            extend_gap_score=-GAP_EXTEND,
            substitution_matrix=substitution_matrices.Array(  # type: ignore[no-untyped-call]
                ALPHABET[: len(BLOSUM90)], dims=2, data=BLOSUM90.astype(np.float64)
            ),
        )

    def score(self, target: NDArray[np.uint8]) -> int:
        """Score of the best local alignment with a target."""
        return int(self._aligner.score(self._text, text(target)))

    def best(self, target: NDArray[np.uint8]) -> Any:
        """Give Biopython's best local alignment with a target; None where nothing aligns."""
        if self.score(target) <= 0:
            return None
        return self._aligner.align(self._text, text(target))[0]

    def align(self, target: NDArray[np.uint8]) -> Alignment:
        """Show the best local alignment with a target."""
        other = text(target)
        best = self.best(target)
        if best is None:
            return Alignment(0, 0, 0.0, 0.0)
        (first, last), (start, end) = best.coordinates[:, [0, -1]]
        matches = sum(
            self._text[i] == other[j]
            for block, partner in zip(*best.aligned, strict=True)
            for i, j in zip(range(*block), range(*partner), strict=True)
        )
        return Alignment(
            matches,
            int(best.length),
            float(last - first) / len(self._text),
            float(end - start) / len(other),
        )


def draw(query: NDArray[np.uint8], target: NDArray[np.uint8], name: str) -> str:
    """Draw the best local alignment of two proteins, in lines of 60 columns.

    Parameters
    ----------
    query, target
        Residue codes.
    name
        Of the target.

    Returns
    -------
    text
        Pairs of lines, as Biopython draws them; empty where nothing aligns, or where the two are
        so long that it would take more than a moment (:data:`MOST_CELLS`).
    """
    if len(query) * len(target) > MOST_CELLS:
        return ""
    from Bio.Align import Alignment as Drawn
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    codes = plain(query), plain(target)
    aligner = Query(codes[0])
    best = aligner.best(codes[1])
    if best is None:
        return ""
    sequences = [
        SeqRecord(Seq(text(own)), id=label)
        for own, label in zip(codes, ("protein", name), strict=True)
    ]
    return str(Drawn(sequences, best.coordinates)).rstrip("\n")  # type: ignore[no-untyped-call]


def text(codes: NDArray[np.uint8]) -> str:
    """Residue codes as letters."""
    return _LETTERS[codes].tobytes().decode("ascii")


def self_score(codes: NDArray[np.uint8]) -> int:
    """Score of a sequence of plain residues against itself, at least 1."""
    return max(int(_SELF[codes].sum(dtype=np.int64)), 1)


def self_scores(codes: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Score each of several sequences against itself, at least 1.

    Parameters
    ----------
    codes
        Plain residue codes of all, one sequence after the other.
    starts
        Where each begins, and where the last ends; none is empty.
    """
    scores = [
        np.add.reduceat(
            _SELF[codes[starts[a] : starts[b]]], starts[a:b] - starts[a], dtype=np.int64
        )
        for a, b in itertools.pairwise([*range(0, len(starts) - 1, 1024), len(starts) - 1])
    ]
    total: NDArray[np.int64] = np.maximum(np.concatenate(scores), 1)
    return total
