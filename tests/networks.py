"""Small networks with every weight at work, for tests of the network and its export."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gst_core.model import GeneSymbolTransformer, ModelConfig
from gst_core.sequences import ALPHABET, encode
from gst_core.training.batches import TrainingSet

#: Patches of 8, at most 6: proteins beyond 48 residues already have longer ones.
TINY = ModelConfig(
    num_symbols=40,
    num_clades=20,
    width=32,
    dimension=24,
    layers=2,
    heads=3,
    feedforward=48,
    patch_length=8,
    max_patches=6,
)


def lively_network(config: ModelConfig = TINY, seed: int = 0) -> GeneSymbolTransformer:
    """Make a network without the zeros that a new one begins with."""
    torch.manual_seed(seed)
    network = GeneSymbolTransformer(config)
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if weights.abs().max() == 0 or name.endswith("bias"):
                weights.normal_(0, 0.01)
            elif "norm" in name:
                weights.normal_(1, 0.1)
    return network.eval()


def random_proteins(number: int, seed: int = 0, longest: int = 300) -> list[bytes]:
    """Make proteins of all letters, the rare ones rarer, of 1 to `longest` residues."""
    rng = np.random.default_rng(seed)
    chances = np.array([1.0] * 20 + [0.03] * 7)
    letters = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
    return [
        rng.choice(letters, rng.integers(1, longest + 1), p=chances / chances.sum()).tobytes()
        for _ in range(number)
    ]


def as_set(proteins: Sequence[bytes], num_clades: int = 20, seed: int = 0) -> TrainingSet:
    """Lay proteins into arrays, under random clades, unknown among them."""
    rng = np.random.default_rng(seed)
    return TrainingSet(
        encode(b"".join(proteins)),
        np.array([len(protein) for protein in proteins]),
        np.zeros(len(proteins), dtype=np.int64),
        rng.integers(0, num_clades + 1, len(proteins)),
    )
