"""Made-up proteins that are related as real ones are, for tests of models of references."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gst_core.clades import CLADES
from gst_core.references.store import References
from gst_core.sequences import ALPHABET
from gst_core.taxonomy import resolve
from gst_core.training.proteins import LabelledProtein

Codes = NDArray[np.uint8]

UNKNOWN = ALPHABET.index("X")


def random_protein(rng: np.random.Generator, length: int) -> Codes:
    """Make a protein of the common residues."""
    return rng.integers(0, 20, length, dtype=np.uint8)


def evolved(rng: np.random.Generator, codes: Codes, share: float) -> Codes:
    """Draw a share of the residues anew, and move some to another place's neighbour by a gap."""
    changed = np.where(rng.random(len(codes)) < share, random_protein(rng, len(codes)), codes)
    if len(codes) > 40 and share > 0.05:
        at = int(rng.integers(5, len(codes) - 5))
        changed = np.delete(changed, slice(at, at + 2))
    return changed.astype(np.uint8)


def references_of(
    proteins: Sequence[Codes], classes: Sequence[int], clades: Sequence[str | None] | None = None
) -> References:
    """Lay proteins out as references; of no clade without `clades`."""
    named = clades or [None] * len(proteins)
    return References(
        np.concatenate(proteins),
        np.cumsum([0, *map(len, proteins)]).astype(np.int64),
        np.array(classes, dtype=np.int32),
        np.array([CLADES.index(c) if c else len(CLADES) for c in named], dtype=np.uint8),
        [f"R{number}" for number in range(len(proteins))],
    )


def labelled(codes: Codes, symbol: str, species: str, accession: str = "") -> LabelledProtein:
    """Make a labelled protein."""
    return LabelledProtein(accession, codes, symbol, resolve(species))


def family_proteins(
    symbols: int, species: Sequence[str], seed: int = 0, share: float = 0.2
) -> list[LabelledProtein]:
    """Give every symbol a protein in every species, all evolved from an ancestor of its own."""
    rng = np.random.default_rng(seed)
    proteins = []
    for number in range(symbols):
        ancestor = random_protein(rng, int(rng.integers(80, 200)))
        for name in species:
            accession = f"{name[:3].upper()}{number}"
            codes = evolved(rng, ancestor, share)
            proteins.append(labelled(codes, f"FAM{number}", name, accession))
    return proteins


def letters(codes: Codes) -> str:
    """Write codes as letters."""
    return "".join(ALPHABET[code] for code in codes.tolist())
