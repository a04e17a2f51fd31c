"""Protein sequences in: read as a stream, checked, cleaned and encoded.

``docs/input.md`` says what happens to every kind of irregular input.
"""

from gst_core.sequences.alphabet import ALPHABET, PADDING, encode
from gst_core.sequences.fasta import proteins_from, read_proteins
from gst_core.sequences.protein import Protein, ReadStatistics

__all__ = [
    "ALPHABET",
    "PADDING",
    "Protein",
    "ReadStatistics",
    "encode",
    "proteins_from",
    "read_proteins",
]
