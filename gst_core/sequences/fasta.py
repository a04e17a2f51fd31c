"""Protein FASTA as a stream, and proteins that are already in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from numbers import Number
from typing import Any, Final

from gst_core.errors import GstError
from gst_core.sequences.protein import MAX_RESIDUES, Cleaner, Protein, ReadStatistics
from gst_core.sequences.recognition import NucleotideGuard, begins_otherwise, not_fasta
from gst_core.sequences.streams import Source, name_of, open_blocks

#: Bytes of one record that are read before it is given up; a residue a line would be two each.
_MAX_WAITING: Final = 4 * MAX_RESIDUES
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_proteins(
    source: Source,
    *,
    strict: bool = False,
    name: str | None = None,
    statistics: ReadStatistics | None = None,
    original: bool = False,
) -> Iterator[Protein]:
    """Read proteins one by one, in the order of the input, in memory that does not grow.

    Parameters
    ----------
    source
        A path, ``-`` for standard input, or a binary file object. Plain text, gzip, bgzip
        and zstd are told apart by their content.
    strict
        Raise an error where the input would otherwise be mended and counted.
    name
        What messages call the input; the path where not given.
    statistics
        Counts of what was read and mended, filled in while reading.
    original
        Read as the original program does where its answers depend on it, for its
        checkpoints: a stop at the end is a residue, and an id goes up to the first space,
        tabs included, and may be empty.

    Yields
    ------
    protein
        One for each record, those without residues included.

    Raises
    ------
    GstError
        If the input is missing, empty, damaged or not protein FASTA, has a record without
        id or a ``>`` inside a sequence, and in strict mode for anything that is mended.
    """
    name = name_of(source) if name is None else name
    counts = statistics if statistics is not None else ReadStatistics()
    cleaner = Cleaner(name, strict, counts, original)
    with open_blocks(source, name) as blocks:
        text = _with_unix_line_ends(blocks)
        first, line = _from_first_header(next(text, b""), name, cleaner)
        for records in _whole_records(itertools.chain([first], text), NucleotideGuard(name)):
            if records is None:
                raise cleaner.next_is_giant(line)
            for record in records.split(b"\n>"):
                header, _, body = record.partition(b"\n")
                yield cleaner.protein(header, body, line)
                line += record.count(b"\n") + 1


def proteins_from(
    records: Iterable[Any],
    *,
    strict: bool = False,
    name: str = "input",
    statistics: ReadStatistics | None = None,
    original: bool = False,
) -> Iterator[Protein]:
    """Clean and check proteins in memory as :func:`read_proteins` does those of a file.

    Parameters
    ----------
    records
        Pairs of id and sequence, or objects with ``id`` and ``seq``, as Biopython's
        ``SeqRecord``; a mapping of ids to sequences; one such object alone. An id ends at its
        first space, as in FASTA.
    strict, name, statistics, original
        As for :func:`read_proteins`.

    Yields
    ------
    protein
        One for each record; its line is 0.

    Raises
    ------
    GstError
        As for :func:`read_proteins`, and for a record that is none of these; no records at all
        are no error.
    """
    counts = statistics if statistics is not None else ReadStatistics()
    cleaner = Cleaner(name, strict, counts, original)
    guard = NucleotideGuard(name)
    if hasattr(records, "seq"):
        records = [records]
    elif isinstance(records, Mapping):
        records = records.items()
    for number, record in enumerate(records, 1):
        stable_id, body = _id_and_residues(record, f"{name}, record {number:,}")
        guard.check(body)
        yield cleaner.protein(str(stable_id).encode("utf-8", "replace"), body, 0)


def _id_and_residues(record: Any, where: str) -> tuple[object, bytes]:
    """Take a record in memory apart."""
    if hasattr(record, "seq"):
        stable_id, sequence = record.id, record.seq
    # a text has letters to take for a pair too
    elif isinstance(record, str | bytes) or not hasattr(record, "__getitem__") or len(record) < 2:
        raise GstError(
            f"is no protein but {type(record).__name__}",
            where=where,
            hint="give pairs of id and sequence, or Biopython's records",
        )
    else:
        stable_id, sequence = record[0], record[1]
    sequence = getattr(sequence, "seq", sequence)
    if isinstance(sequence, bytes | bytearray):
        return stable_id, bytes(sequence)
    if sequence is None or isinstance(sequence, Number):
        raise GstError(
            f"its sequence is {sequence!r}, no text",
            where=f"{where} ({stable_id})",
            hint="give the residues as letters, and an empty text where there are none",
        )
    return stable_id, str(sequence).encode("ascii", "replace")


def _with_unix_line_ends(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Turn CR LF and CR into LF; no block but the last ends with a line end.

    So neither a CR LF nor a line end with the ``>`` after it is ever cut in two.
    """
    held = b""
    for block in blocks:
        text = held + block
        held = next((end for end in (b"\r\n", b"\n", b"\r") if text.endswith(end)), b"")
        text = text[: len(text) - len(held)]
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield text


def _from_first_header(text: bytes, name: str, cleaner: Cleaner) -> tuple[bytes, int]:
    """Skip blank lines and comments before the first header; give its line number too."""
    comments: list[int] = []
    text = text.removeprefix(_BYTE_ORDER_MARK)
    start, line = 0, 1
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        content = text[start:end].strip()
        header = text.startswith(b">", start)
        if header and b"\0" not in text[start : start + 4096]:
            for number in comments:
                cleaner.comment(number)
            return text[start:], line
        if content.startswith(b"#") and not begins_otherwise(text[start : start + 100]):
            comments.append(line)
        elif header or (content and not content.startswith(b";")):
            raise not_fasta(text[start:], name, line)
        start, line = end + 1, line + 1
    raise GstError(
        "holds no sequences" if text else "is empty",
        where=name,
        hint="check the step that wrote it",
    )


def _whole_records(blocks: Iterator[bytes], guard: NucleotideGuard) -> Iterator[bytes | None]:
    """Cut text before its last header, so that each piece holds whole records.

    The ``>`` at the beginning of a piece is left out, as that of every record is when the
    piece is split at them. A record that spans many blocks is joined once, at its end; None
    stands for one that is too long for a protein, however it is written.
    """
    pending: list[bytes] = []
    waiting = 0
    for number, block in enumerate(blocks):
        guard.check(block)
        text = block[1:] if number == 0 else block
        cut = text.rfind(b"\n>")
        if cut < 0:
            pending.append(text)
            waiting += len(text)
        else:
            yield b"".join([*pending, text[:cut]])
            pending = [text[cut + 2 :]]
            waiting = len(pending[0])
        if waiting > _MAX_WAITING:
            yield None
    yield b"".join(pending)
