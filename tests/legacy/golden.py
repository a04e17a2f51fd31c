"""Golden files of the original program."""

from __future__ import annotations

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

#: Each result table of the original: checkpoint, table, clade.
TABLES = [
    ("transformer", "transformer_humans", "humans"),
    ("transformer", "transformer_teleostei", "teleostei"),
    ("mlp", "mlp_humans", "humans"),
    ("mlp", "mlp_teleostei", "teleostei"),
    ("variant", "variant", None),
]


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
