"""Local alignments with affine gaps (Smith and Waterman 1981, Gotoh 1982), BLOSUM90, 10 and 1.

Parasail (Daily 2016) makes them; where it is not installed Biopython does, to the same
scores, some twenty times slower.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.sequences import ALPHABET

try:
    import parasail
except ModuleNotFoundError:  # not published for every processor
    parasail = None

#: For relatives as near as most vertebrates' are: it tells orthologues from paralogues better than
#: BLOSUM62, which searches begin with (``docs/experiments.md``, 33).
MATRIX: Final = "BLOSUM90"
#: What the first residue of a gap costs, and each further one: BLAST's for this matrix.
GAP_OPEN: Final = 10
GAP_EXTEND: Final = 1

_LETTERS: Final = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
#: The matrix's score of each plain residue code, ``ACDEFGHIKLMNPQRSTVWYBX``, against itself.
_SELF: Final = np.array(
    [5, 9, 7, 6, 7, 6, 8, 5, 6, 5, 7, 7, 8, 7, 6, 5, 6, 5, 11, 8, 4, -2], dtype=np.int16
)


@dataclass(frozen=True, slots=True)
class Alignment:
    """What an alignment shows.

    Attributes
    ----------
    matches, columns
        Columns with the same residue on both sides, and all columns.
    query_coverage, reference_coverage
        Share of the residues of each that lie between its ends.
    """

    matches: int
    columns: int
    query_coverage: float
    reference_coverage: float

    @property
    def identity(self) -> float:
        """Share of the columns with the same residue on both sides, 0 to 1."""
        return self.matches / max(self.columns, 1)


class Query(Protocol):
    """A protein to be aligned with several references; made by :func:`query`."""

    def score(self, reference: NDArray[np.uint8], near: bool = True) -> int:
        """Score of the best local alignment with a reference; `near`: likely a relative."""

    def matches(self, reference: NDArray[np.uint8]) -> tuple[int, int]:
        """Count matches and columns of the best local alignment with a reference."""

    def align(self, reference: NDArray[np.uint8]) -> Alignment:
        """Show the best local alignment with a reference."""


def query(codes: NDArray[np.uint8]) -> Query:
    """Prepare a protein for alignment.

    Parameters
    ----------
    codes
        Plain residue codes, at least one.
    """
    return BiopythonQuery(codes) if parasail is None else ParasailQuery(codes)


class ParasailQuery:
    """A :class:`Query` of Parasail."""

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._text = text(codes)
        self._profile: Any = parasail.profile_create_16(self._text, _matrix())
        self._wide: Any = None

    def score(self, reference: NDArray[np.uint8], near: bool = True) -> int:
        """As :class:`Query` says."""
        other = text(reference)
        # To the same scores: the one is faster with relatives, the other with all else.
        align = parasail.sw_scan_profile_16 if near else parasail.sw_striped_profile_16
        result = align(self._profile, other, GAP_OPEN, GAP_EXTEND)
        if result.saturated:  # beyond 32,767
            if self._wide is None:
                self._wide = parasail.profile_create_32(self._text, _matrix())
            result = parasail.sw_scan_profile_32(self._wide, other, GAP_OPEN, GAP_EXTEND)
        return int(result.score)

    def matches(self, reference: NDArray[np.uint8]) -> tuple[int, int]:
        """As :class:`Query` says."""
        result = self._align(self._text, text(reference))
        return int(result.matches), int(result.length)

    def align(self, reference: NDArray[np.uint8]) -> Alignment:
        """As :class:`Query` says."""
        other = text(reference)
        result = self._align(self._text, other)
        if result.score <= 0:
            return Alignment(0, 0, 0.0, 0.0)
        # Read backwards from where it ends, the alignment ends where it began.
        back = self._align(self._text[result.end_query :: -1], other[result.end_ref :: -1])
        return Alignment(
            int(result.matches),
            int(result.length),
            (back.end_query + 1) / len(self._text),
            (back.end_ref + 1) / len(other),
        )

    @staticmethod
    def _align(one: str, other: str) -> Any:
        return parasail.sw_stats_scan_sat(one, other, GAP_OPEN, GAP_EXTEND, _matrix())


class BiopythonQuery:
    """A :class:`Query` of Biopython."""

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        # Only here: most machines have Parasail, and the import takes a tenth of the start.
        from Bio.Align import PairwiseAligner, substitution_matrices

        self._text = text(codes)
        self._aligner: Any = PairwiseAligner(
            mode="local",
            open_gap_score=-GAP_OPEN,
            extend_gap_score=-GAP_EXTEND,
            substitution_matrix=substitution_matrices.load(MATRIX),  # type: ignore[no-untyped-call]
        )

    def score(self, reference: NDArray[np.uint8], near: bool = True) -> int:
        """As :class:`Query` says."""
        del near
        return int(self._aligner.score(self._text, text(reference)))

    def matches(self, reference: NDArray[np.uint8]) -> tuple[int, int]:
        """As :class:`Query` says."""
        alignment = self.align(reference)
        return alignment.matches, alignment.columns

    def align(self, reference: NDArray[np.uint8]) -> Alignment:
        """As :class:`Query` says."""
        other = text(reference)
        if self._aligner.score(self._text, other) <= 0:
            return Alignment(0, 0, 0.0, 0.0)
        best = self._aligner.align(self._text, other)[0]
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


def _matrix() -> Any:
    return getattr(parasail, MATRIX.lower())


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
