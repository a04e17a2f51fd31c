"""One protein, how raw text becomes one, and what was noticed on the way."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from gst_core.errors import GstError
from gst_core.sequences.alphabet import ALPHABET
from gst_core.sequences.genes import gene_of


@dataclass(frozen=True, slots=True)
class Protein:
    """A protein as it was read.

    Attributes
    ----------
    stable_id
        The header up to its first space or tab (for checkpoints of the original: space).
    residues
        Upper-case letters of the alphabet; empty where the record has none.
    record
        Number of the record in its input, from 1.
    line
        Line of the header, from 1; 0 where the input has no lines.
    gene
        The gene that the header names; `stable_id` where it names none.
    """

    stable_id: str
    residues: bytes
    record: int
    line: int
    gene: str = field(default="", compare=False)


@dataclass(slots=True)
class ReadStatistics:
    """Counts of one input, complete when it has been read to its end.

    Attributes
    ----------
    records, residues
        Proteins read, and their residues.
    replaced
        For each letter that is not in the alphabet, how often it was replaced by ``X``.
    first_replaced
        Where that was for the first time.
    empty_sequences, duplicate_ids, altered_ids
        Records without a residue, with an id that came before, and with an id that was
        not UTF-8 or not printable.
    first_empty, first_duplicate, first_altered
        Where that was for the first time.
    internal_stops
        Proteins with a stop, ``*`` or ``.``, before their end.
    comments
        Lines that begin with ``#``.
    first_comment
        The first of them.
    cut, first_cut, cut_at
        Proteins of which a model looks at the first residues alone, where that was for the first
        time, and how many residues those are.
    """

    records: int = 0
    residues: int = 0
    replaced: Counter[str] = field(default_factory=Counter)
    first_replaced: str = ""
    empty_sequences: int = 0
    first_empty: str = ""
    duplicate_ids: int = 0
    first_duplicate: str = ""
    altered_ids: int = 0
    first_altered: str = ""
    internal_stops: int = 0
    cut: int = 0
    first_cut: str = ""
    cut_at: int = 0
    comments: int = 0
    first_comment: str = ""

    def warnings(self) -> list[str]:
        """One sentence for each kind of irregularity that was met; none for clean input."""
        found = []
        if self.replaced:
            letters = ", ".join(
                f"{_shown(letter)} {number:,} x" for letter, number in self.replaced.most_common(8)
            )
            more = ", ..." if len(self.replaced) > 8 else ""
            found.append(
                f"{self.replaced.total():,} letters that no protein has ({letters}{more}) were "
                f"replaced by X, first at {self.first_replaced}"
            )
        if self.empty_sequences:
            found.append(
                f"{_records(self.empty_sequences)} no sequence, first at {self.first_empty}"
            )
        if self.duplicate_ids:
            found.append(
                f"{_records(self.duplicate_ids)} an id that came before, "
                f"first at {self.first_duplicate}"
            )
        if self.altered_ids:
            found.append(
                f"{_records(self.altered_ids)} an id that is not printable UTF-8, "
                f"first at {self.first_altered}; other bytes were read as Latin-1"
            )
        if self.internal_stops:
            found.append(f"{_records(self.internal_stops)} a stop (* or .) inside the sequence")
        if self.comments:
            lines = "1 line was" if self.comments == 1 else f"{self.comments:,} lines were"
            found.append(f"{lines} taken for comments (#), first {self.first_comment}")
        if self.cut:
            found.append(
                f"{_records(self.cut)} more than {self.cut_at:,} residues, "
                f"first {self.first_cut}; what lies beyond was not searched"
            )
        return found


def _records(number: int) -> str:
    return "1 record has" if number == 1 else f"{number:,} records have"


def _shown(letter: str) -> str:
    return f"'{letter}'" if letter.isprintable() else f"byte 0x{ord(letter):02x}"


_WHITESPACE: Final = b" \t\r\n"
_STOP: Final = ord("*")
_BAD: Final = 0
#: Upper case; what is not a letter of the alphabet becomes a zero, which is quickly found.
_CLEAN: Final = bytes(
    ord(chr(byte).upper()) if byte < 128 and chr(byte).upper() in ALPHABET else _BAD
    for byte in range(256)
)
#: The same where ``.`` is a stop, as gffread writes it.
_CLEAN_STOPS: Final = bytes(_STOP if byte == ord(".") else _CLEAN[byte] for byte in range(256))
#: The longest id: what a cell of a spreadsheet takes. Readers of tables have limits too.
MAX_ID: Final = 32_767
#: The longest protein; the longest that is known has some 45,000 residues.
MAX_RESIDUES: Final = 1_000_000
#: Ids that are remembered to find duplicates, and the slots of the table that holds them.
_REMEMBERED: Final = 1_500_000
_SLOTS: Final = 1 << 21


class Cleaner:
    """Turns the raw parts of a record into a :class:`Protein` and counts what it mends.

    Parameters
    ----------
    name
        The input, for messages.
    strict
        Raise an error where the text would otherwise be mended and counted.
    statistics
        Where to count.
    original
        Keep what the original program's answers depend on: a stop at the end is a residue,
        and an id goes up to the first space, tabs included, and may be empty.
    """

    def __init__(
        self, name: str, strict: bool, statistics: ReadStatistics, original: bool = False
    ) -> None:
        self._name = name
        self._strict = strict
        self._original = original
        self._statistics = statistics
        self._clean = _CLEAN if original else _CLEAN_STOPS
        # Hashes of ids by open addressing. Its size is fixed, so that memory does not grow with
        # the input.
        self._seen = array("q", (0,)) * _SLOTS
        self._remembered = 0

    def protein(self, header: bytes, body: bytes, line: int) -> Protein:
        """Make the next protein of the input.

        Parameters
        ----------
        header
            The header line without ``>``.
        body
            The sequence lines.
        line
            Line of the header.

        Raises
        ------
        GstError
            If the record has no id or too long a one, is too long for a protein or holds
            binary data, if a ``>`` is inside its sequence, and in strict mode for anything
            that would need mending.
        """
        statistics = self._statistics
        statistics.records += 1
        stable_id = self._stable_id(header, line)
        if b"\0" in header:
            raise self._binary(self._where(line, stable_id))
        residues = body.translate(self._clean, _WHITESPACE)
        if _BAD in residues:
            residues = self._replaced(body, stable_id, line)
        if _STOP in residues:
            ended = residues.rstrip(b"*")
            statistics.internal_stops += _STOP in ended
            residues = residues if self._original else ended
        if not residues:
            where = self._where(line, stable_id)
            if self._strict:
                raise GstError("the record has no sequence", where=f"{self._name}, {where}")
            statistics.first_empty = statistics.first_empty or where
            statistics.empty_sequences += 1
        if len(residues) > MAX_RESIDUES:
            raise self._giant(self._where(line, stable_id))
        statistics.residues += len(residues)
        gene = gene_of(header, stable_id)
        return Protein(stable_id, residues, statistics.records, line, gene)

    def comment(self, line: int) -> None:
        """Count a line that begins with ``#``."""
        where = f"line {line:,}" if line else f"in record {self._statistics.records:,}"
        if self._strict:
            raise GstError(
                "a line begins with '#', which FASTA does not know",
                where=f"{self._name}, {where}",
                hint="take comments out, or leave strict mode to have them passed over",
            )
        self._statistics.first_comment = self._statistics.first_comment or where
        self._statistics.comments += 1

    def next_is_giant(self, line: int) -> GstError:
        """Make the error for a record that is not read to its end, for it has none in sight."""
        self._statistics.records += 1
        return self._giant(self._where(line))

    def _giant(self, where: str) -> GstError:
        return GstError(
            f"a record of more than {MAX_RESIDUES:,} letters is no protein",
            where=f"{self._name}, {where}",
            hint="is this a genome, or are headers missing?",
        )

    def _binary(self, where: str) -> GstError:
        return GstError(
            "binary data (a zero byte)",
            where=f"{self._name}, {where}",
            hint="give the FASTA file itself, not an archive of it, nor UTF-16 text",
        )

    def _where(self, line: int, stable_id: str = "") -> str:
        record = f"record {self._statistics.records:,}" + (f" ({stable_id})" if stable_id else "")
        return f"{record}, line {line:,}" if line else record

    def _stable_id(self, header: bytes, line: int) -> str:
        if self._original:
            word = header.split(b" ", 1)[0]
        elif words := header.split(None, 1):
            word = words[0]
        else:
            raise GstError(
                "the record has no id",
                where=f"{self._name}, {self._where(line)}",
                hint="write the id after '>'",
            )
        if len(word) > MAX_ID:
            raise GstError(
                f"the id has {len(word):,} characters",
                where=f"{self._name}, {self._where(line)}",
                hint=f"it ends at the first space, and has at most {MAX_ID:,}",
            )
        try:
            stable_id = word.decode("utf-8")
            altered = not stable_id.replace("\t", " ").isprintable()
        except UnicodeDecodeError:
            stable_id = word.decode("latin-1")
            altered = True
        statistics = self._statistics
        if altered:
            stable_id = "".join(c if c.isprintable() else "\ufffd" for c in stable_id)
            where = self._where(line, stable_id)
            if self._strict:
                raise GstError("the id is not printable UTF-8", where=f"{self._name}, {where}")
            statistics.first_altered = statistics.first_altered or where
            statistics.altered_ids += 1
        if self._is_duplicate(stable_id):
            where = self._where(line, stable_id)
            if self._strict:
                raise GstError("the id came before", where=f"{self._name}, {where}")
            statistics.first_duplicate = statistics.first_duplicate or where
            statistics.duplicate_ids += 1
        return stable_id

    def _is_duplicate(self, stable_id: str) -> bool:
        seen = self._seen
        value = hash(stable_id) or 1
        slot = value % _SLOTS
        while (other := seen[slot]) != 0:
            if other == value:
                return True
            slot = (slot + 1) % _SLOTS
        if self._remembered < _REMEMBERED:
            seen[slot] = value
            self._remembered += 1
        return False

    def _replaced(self, body: bytes, stable_id: str, line: int) -> bytes:
        """Clean a sequence that has comments or other letters than the alphabet's."""
        cleaned = []
        for number, text in enumerate(body.split(b"\n"), line + 1):
            if text.startswith(b";"):
                continue
            if text.startswith(b"#") and not self._original:
                self.comment(number if line else 0)
                continue
            residues = text.translate(self._clean, _WHITESPACE)
            if _BAD in residues:
                self._count(text, number if line else 0, stable_id)
                residues = residues.replace(bytes([_BAD]), b"X")
            cleaned.append(residues)
        return b"".join(cleaned)

    def _count(self, text: bytes, line: int, stable_id: str) -> None:
        known = ALPHABET + ALPHABET.lower() + ("" if self._original else ".")
        letters = text.translate(None, _WHITESPACE + known.encode())
        where = self._where(line, stable_id)
        if b"\0" in letters:
            raise self._binary(where)
        if b">" in letters:
            raise GstError(
                "'>' inside a sequence: a line break is missing before it",
                where=f"{self._name}, {where}",
                hint="files joined without a final line break look like this; add it",
            )
        if self._strict:
            raise GstError(
                f"{_shown(chr(letters[0]))} is not a letter of a protein",
                where=f"{self._name}, {where}",
                hint="correct it, or leave strict mode to have it replaced by X",
            )
        statistics = self._statistics
        statistics.first_replaced = statistics.first_replaced or where
        statistics.replaced.update(letters.decode("latin-1"))
