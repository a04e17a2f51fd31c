"""Golden files of the original program."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gst_core.inference.legacy import LegacyEngine
from gst_core.legacy.checkpoint import LegacyCheckpoint
from gst_core.sequences import read_proteins

#: The original's short names and the checkpoints they stand for.
CHECKPOINTS = {
    "transformer": "gst_transformer",
    "mlp": "mlp_10_min_frequency",
    "variant": "gst_variant",
}


@dataclass(frozen=True)
class Golden:
    """One checkpoint, imported, and where its golden files are."""

    name: str
    folder: Path
    checkpoint: LegacyCheckpoint
    model: bytes
    engine: LegacyEngine

    def expected(self, name: str) -> dict[str, np.ndarray]:
        with np.load(self.folder / "expected" / f"{self.name}_{name}.npz") as arrays:
            return dict(arrays)


def read_fasta(path: Path) -> list[tuple[str, bytes]]:
    """Identifiers and residues, read as for a checkpoint of the original."""
    return [(protein.stable_id, protein.residues) for protein in read_proteins(path, original=True)]


def assert_same_table(found: str, expected: str) -> None:
    """The same text but for the last decimal of a probability.

    Two rows of the original's lie on a rounding boundary that moves with the
    version of torch, and its earlier versions wrote all digits of a float32.
    """
    found_lines, expected_lines = found.split("\n"), expected.split("\n")
    assert len(found_lines) == len(expected_lines)
    assert found_lines[0] == expected_lines[0]
    for ours, theirs in zip(found_lines[1:], expected_lines[1:], strict=True):
        if ours == theirs:
            continue
        ours_row, theirs_row = (next(csv.reader([line], delimiter="\t")) for line in (ours, theirs))
        # One unit of the last place of four decimals, and half a unit of rounding.
        difference = abs(float(ours_row[2]) - float(theirs_row[2]))
        assert difference <= (1.0001e-4 if len(theirs_row[2]) == 6 else 0.5001e-4), (ours, theirs)
        # Everything around the probability is equal to the letter, quotes included.
        assert ours.split(ours_row[2]) == theirs.split(theirs_row[2])
