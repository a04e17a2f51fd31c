"""What an input is that is not the protein FASTA it should be."""

from __future__ import annotations

import re
from typing import Final

from gst_core.errors import GstError

_HEADER_LINE: Final = re.compile(rb"^>[^\n]*", re.MULTILINE)
_BEGINNINGS: Final = (
    (b"@", "FASTQ"),
    (b"LOCUS ", "a GenBank file"),
    (b"ID   ", "an EMBL or UniProt text file"),
    (b"##gff", "a GFF3 file"),
    (b"##fileformat=VCF", "a VCF file"),
    (b"CLUSTAL", "an alignment"),
    (b"# STOCKHOLM", "an alignment"),
    (b"%PDF", "a PDF file"),
    (b"{\\rtf", "an RTF document"),
    (b"{", "JSON"),
    (b"<", "HTML or XML"),
)


def begins_otherwise(text: bytes) -> bool:
    """Whether text begins as a format of its own does."""
    return any(text.startswith(start) for start, _ in _BEGINNINGS)


def not_fasta(text: bytes, name: str, line: int) -> GstError:
    """Make the error for an input that does not begin with ``>``, saying what it looks like.

    Parameters
    ----------
    text
        The input from its first line that is neither blank nor a comment.
    name
        The input, for the message.
    line
        The number of that line.
    """
    first_line = text[:1000].partition(b"\n")[0]
    if text[257:262] == b"ustar":
        kind = "a tar archive"
    elif b"\0" in text[:4096] or text.startswith((b"\xff\xfe", b"\xfe\xff")):
        kind = "binary data or UTF-16 text"
    elif kinds := [kind for start, kind in _BEGINNINGS if text.startswith(start)]:
        kind = kinds[0]
    elif b"\t" in first_line:
        kind = "a table"
    else:
        kind = "text without a header"
    return GstError(
        f"is not FASTA but looks like {kind}",
        where=f"{name}, line {line:,}",
        hint="give proteins in FASTA format: a line with '>' and the id, then the residues",
    )


class NucleotideGuard:
    """Recognises DNA or RNA that was given in place of proteins.

    The letters A, C, G, T, U and N make up less than a third of a usual protein and nearly
    all of a nucleotide sequence. There are proteins of almost nothing but alanine and
    threonine, so that each of the four bases must be frequent too.
    """

    LETTERS: Final = 200
    SHARE: Final = 0.95
    SHARE_OF_EACH_BASE: Final = 0.04

    def __init__(self, name: str) -> None:
        self._name = name
        self._bases = [0, 0, 0, 0]
        self._letters = 0
        self._open = True

    def check(self, text: bytes) -> None:
        """Look at text of the input until it has enough letters for a verdict.

        Parameters
        ----------
        text
            FASTA, headers included, or residues alone.

        Raises
        ------
        GstError
            If they are nucleotides.
        """
        if not self._open:
            return
        sequence = _HEADER_LINE.sub(b"", text).upper().translate(None, b" \t\r\n-.*")
        count = sequence.count
        bases = (count(b"A"), count(b"C"), count(b"G"), count(b"T") + count(b"U"))
        self._bases = [sum(pair) for pair in zip(self._bases, bases, strict=True)]
        # Long runs of N begin many chromosomes and tell nothing.
        self._letters += len(sequence) - count(b"N")
        if self._letters < self.LETTERS:
            return
        self._open = False
        if (
            sum(self._bases) >= self.SHARE * self._letters
            and min(self._bases) >= self.SHARE_OF_EACH_BASE * self._letters
        ):
            raise GstError(
                "holds nucleotide sequences, not proteins",
                where=self._name,
                hint="translate the coding sequences first, for example with "
                "'seqkit translate' or EMBOSS transeq",
            )
