"""From spliced exons to a protein, by the rules of the Ensembl API.

What is followed here is what ``Bio::EnsEMBL::Transcript::translate`` and
``Bio::EnsEMBL::Translation::modify_translation`` do: sequence edits on the
transcript, the coding part cut out and padded to the start phase, translation
with the region's codon table, edits on the protein.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from Bio.Data import CodonTable, IUPACData

from gst_core.errors import GstError

_COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVNacgturyswkmbdhvn", "TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn")
#: two residues that one letter stands for
_AMBIGUOUS_RESIDUES = {frozenset("DN"): "B", frozenset("EQ"): "Z"}


@dataclass(frozen=True, slots=True)
class SeqEdit:
    """Replacement of a stretch of sequence, as Ensembl's attributes hold it.

    Attributes
    ----------
    start, end
        The stretch replaced, 1-based and inclusive; ``end`` is ``start - 1``
        for an insertion.
    replacement
        What comes in its place; empty for a deletion.
    """

    start: int
    end: int
    replacement: str

    @classmethod
    def parse(cls, value: str, where: str) -> SeqEdit:
        """Read an attribute's value: start, end and, unless it is a deletion, the replacement."""
        parts = value.split()
        try:
            edit = cls(int(parts[0]), int(parts[1]), parts[2] if len(parts) > 2 else "")
        except (IndexError, ValueError):
            edit = cls(0, 0, "")
        if edit.start < 1 or edit.start > edit.end + 1:
            raise GstError(
                f"'{value}' is not a sequence edit",
                where=where,
                hint="an edit is a start, an end and the sequence between them",
            )
        return edit

    @property
    def growth(self) -> int:
        """How much longer the edit makes the sequence."""
        return len(self.replacement) - (self.end - self.start + 1)


@dataclass(frozen=True, slots=True)
class CodingRegion:
    """Which part of a spliced transcript is translated.

    Attributes
    ----------
    start, end
        First and last coding base in the spliced transcript before any edit,
        1-based.
    start_phase
        Phase of the exon that translation starts in; above 0 where the coding
        sequence is incomplete at its start.
    edited_start, edited_end
        The same after the transcript's edits, where ``_transl_start`` and
        ``_transl_end`` say so.
    """

    start: int
    end: int
    start_phase: int = 0
    edited_start: int | None = None
    edited_end: int | None = None


def reverse_complement(sequence: str) -> str:
    """Read the other strand; IUPAC letters, either case."""
    return sequence.translate(_COMPLEMENT)[::-1]


def apply_edits(sequence: str, edits: Iterable[SeqEdit]) -> str:
    """Apply edits from the last to the first, so that none moves another's place."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        sequence = sequence[: edit.start - 1] + edit.replacement + sequence[edit.end :]
    return sequence


def coding_sequence(spliced: str, coding: CodingRegion, rna_edits: Sequence[SeqEdit] = ()) -> str:
    """Cut the coding part out of a spliced transcript.

    Parameters
    ----------
    spliced
        The exons' sequence in order of rank, on the transcript's strand.
    coding
        The part that is translated.
    rna_edits
        The transcript's ``_rna_edit`` attributes.

    Returns
    -------
    sequence
        The coding sequence, with one N a base that is missing in front.
    """
    start, end = coding.start, coding.end
    if rna_edits:
        spliced = apply_edits(spliced, rna_edits)
        for edit in sorted(rna_edits, key=lambda edit: edit.start, reverse=True):
            # An insertion right behind the last coding base is still coding.
            start += edit.growth if edit.start < start else 0
            end += edit.growth if edit.start <= end + 1 else 0
        start = coding.edited_start or start
        end = coding.edited_end or end
    if start < 1 or end < 1:
        return ""
    return "N" * max(coding.start_phase, 0) + spliced[start - 1 : end]


def translate(
    sequence: str, codon_table: int, edits: Iterable[SeqEdit] = (), *, starts: bool = True
) -> str:
    """Translate a coding sequence.

    A base or two too many at the end are ignored, a stop codon at the end is
    left out, stops within stay as ``*``, and a first codon that can start a
    translation gives ``M``.

    Parameters
    ----------
    sequence
        Coding sequence; its first base is a codon's first.
    codon_table
        NCBI's number of the genetic code.
    edits
        Edits on the protein (``initial_met``, ``_selenocysteine``,
        ``amino_acid_sub``, ``_stop_codon_rt``).
    starts
        Whether translation starts at the first codon; else it is read as any other.

    Returns
    -------
    protein
        Empty if there is not one whole codon.
    """
    code = genetic_code(codon_table)
    sequence = sequence.upper().replace("U", "T")
    codons = [sequence[i : i + 3] for i in range(0, len(sequence) - 2, 3)]
    if not codons:
        return ""
    protein = "".join(map(code.__getitem__, codons))
    if protein.endswith("*"):
        protein = protein[:-1]
    if starts and codons[0] in code.starts and not protein.startswith("M"):
        protein = "M" + protein[1:]
    return apply_edits(protein, edits)


class GeneticCode(dict[str, str]):
    """Codons to residues; those with ambiguous bases are found when they are asked for.

    A codon whose bases leave the residue open is X. Some codes read a codon
    both as a residue and as a stop; within a coding sequence it is the residue.

    Parameters
    ----------
    table
        The code as Biopython has it.
    """

    def __init__(self, table: CodonTable.CodonTable) -> None:
        super().__init__(dict.fromkeys(table.stop_codons, "*") | table.forward_table)
        self.starts = frozenset(table.start_codons)

    def __missing__(self, codon: str) -> str:
        bases = (IUPACData.ambiguous_dna_values.get(base, "ACGT") for base in codon)
        residues = frozenset(self["".join(c)] for c in itertools.product(*bases))
        if len(residues) == 1:
            residue = next(iter(residues))
        else:
            residue = _AMBIGUOUS_RESIDUES.get(residues, "X")
        self[codon] = residue
        return residue


@functools.cache
def genetic_code(number: int) -> GeneticCode:
    """Return one of NCBI's genetic codes.

    Raises
    ------
    GstError
        If there is none with this number.
    """
    try:
        return GeneticCode(CodonTable.unambiguous_dna_by_id[number])
    except KeyError:
        raise GstError(
            f"there is no genetic code {number}",
            where="codon_table or transl_table",
            hint="use a number of NCBI's list of genetic codes",
        ) from None
