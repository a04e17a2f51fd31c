"""The shape of a network, and the words it reads."""

from __future__ import annotations

from dataclasses import dataclass

from gst_core.sequences.reduced import MURPHY_10, MURPHY_15


@dataclass(frozen=True, slots=True)
class WordPattern:
    """A kind of short word: which positions of a window count, over which residue groups.

    A word's number is the groups read as digits, first residue most
    significant, base ``len(groups)``; its row is ``offset + number % rows``.

    Attributes
    ----------
    groups
        The reduced alphabet.
    positions
        Offsets of the residues that count, ascending from 0.
    rows
        How many rows of the table these words share; a prime where words
        outnumber rows, so that the remainder mixes all digits.
    """

    groups: tuple[str, ...]
    positions: tuple[int, ...]
    rows: int

    @property
    def span(self) -> int:
        """Residues from the first to the last of the window, both included."""
        return self.positions[-1] + 1


#: The bag of words: four residues in a row, and four with a gap in the middle.
BAG_PATTERNS = (
    WordPattern(MURPHY_15, (0, 1, 2, 3), 22751),
    WordPattern(MURPHY_10, (0, 1, 3, 4), 10000),
)

#: What a patch is told of: residues, and pairs of them up to four apart.
PATCH_PATTERNS = (
    WordPattern(MURPHY_15, (0,), 15),
    *(WordPattern(MURPHY_15, (0, distance), 225) for distance in (1, 2, 3, 4)),
)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything that fixes the shape of a :class:`GeneSymbolTransformer`.

    Attributes
    ----------
    num_symbols
        Number of classes.
    num_clades
        Number of clade categories; index `num_clades` means unknown.
    width
        Width of the bag of words and of the space in which symbols are compared.
    dimension, layers, heads, feedforward
        The Transformer encoder over patches.
    patch_length
        Residues a patch, for proteins of at most ``patch_length * max_patches``.
    max_patches
        Longer proteins get longer patches instead of more of them, so that
        every residue is read at bounded cost.
    dropout
        Of the final representation; simulated evolution is what regularises the rest.
    scale
        Inverse temperature of the cosine softmax; fixed, since a learned one
        drifts and takes the probabilities with it.
    """

    num_symbols: int
    num_clades: int
    width: int = 640
    dimension: int = 192
    layers: int = 2
    heads: int = 3
    feedforward: int = 768
    patch_length: int = 32
    max_patches: int = 64
    dropout: float = 0.1
    scale: float = 32.0

    @property
    def bag_rows(self) -> int:
        """Rows of the table of words."""
        return sum(pattern.rows for pattern in BAG_PATTERNS)

    @property
    def patch_rows(self) -> int:
        """Rows of the table of patch words."""
        return sum(pattern.rows for pattern in PATCH_PATTERNS)
