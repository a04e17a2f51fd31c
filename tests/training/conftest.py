"""Small families of made-up proteins, alike within a family as those of real relatives are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gst_core.sequences import ALPHABET

SPECIES = {
    "Homo sapiens": 9606,
    "Mus musculus": 10090,
    "Gallus gallus": 9031,
    "Salmo salar": 8030,
}
FAMILIES = 12


def relatives(seed: int = 0) -> dict[tuple[str, str], str]:
    """Sequence by species and symbol: a tenth of the residues differ from the ancestor's."""
    rng = np.random.default_rng(seed)
    letters = np.array(list(ALPHABET[:20]))
    found = {}
    for family in range(FAMILIES):
        ancestor = rng.choice(letters, rng.integers(60, 300))
        for species in SPECIES:
            changed = rng.random(len(ancestor)) < 0.1
            sequence = np.where(changed, rng.choice(letters, len(ancestor)), ancestor)
            found[species, f"FAM{family}"] = "".join(sequence)
    return found


@pytest.fixture(scope="session")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FASTA of all families in all species."""
    path = tmp_path_factory.mktemp("families") / "families.fasta"
    with path.open("w") as file:
        for number, ((species, symbol), sequence) in enumerate(relatives().items()):
            taxon = SPECIES[species]
            file.write(f">sp|T{number:04}|X OS={species} OX={taxon} GN={symbol}\n{sequence}\n")
    return path


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that learns in seconds."""
    path = tmp_path_factory.mktemp("config") / "tiny.json"
    model = {"width": 32, "dimension": 12, "layers": 1, "heads": 2, "feedforward": 24}
    training = {"checkpoint_every": 5, "validate_every": 10, "batch_size": 8}
    path.write_text(json.dumps({"model": model, "training": training}))
    return path
