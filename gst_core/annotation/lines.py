"""The lines of GFF3 and GTF: what stands in them, and how their last column is changed.

Lines stay bytes as they are in the file. Only what is asked for is decoded, so that
whatever else a file holds, in whatever encoding, goes back as it came.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

from gst_core.errors import GstError, display
from gst_core.sequences.streams import Source, name_of, open_blocks

Dialect = Literal["gff3", "gtf"]

#: Where the sequences begin that a GFF3 file may hold after its features.
FASTA: Final = b"##FASTA"
#: Lines looked at to tell the dialect.
_LOOKED_AT: Final = 2_000
_GTF_PAIR: Final = re.compile(rb'^\s*[\w.-]+ +"')
_GFF3_PAIR: Final = re.compile(rb"^\s*[^=;\s\"]+=")
#: ``key "value"`` or ``key value``; a quoted value may hold semicolons.
_GTF_PAIRS: Final = re.compile(rb'\s*([^\s;"]+)(?:\s+(?:"([^"]*)"|([^;]*?)))?\s*(?:;|$)')
#: What GFF3 wants escaped in a value of the ninth column: separators, ``%`` and control characters.
_ESCAPED: Final = re.compile(r"[\x00-\x1f\x7f%;=&,]")


@dataclass(frozen=True, slots=True)
class Feature:
    """One line of an annotation.

    Attributes
    ----------
    line
        Its number, from 1.
    region, kind
        Its first and third column: where it is, and what.
    start, end
        First and last base, 1-based; more than the region's length where a feature crosses the
        origin of a circular one.
    strand
        ``+``, ``-``, ``.`` or ``?``.
    phase
        Bases to take off before the first whole codon, 0 to 2; ``None`` where none is given.
    attributes
        The ninth column as it stands.
    """

    line: int
    region: str
    kind: str
    start: int
    end: int
    strand: str
    phase: int | None
    attributes: bytes


def numbered_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    r"""Read a file's lines with their ends (``\n`` or ``\r\n``), decompressed, from number 1."""
    held = b""
    number = 0
    with open_blocks(source, name_of(source)) as blocks:
        for block in blocks:
            lines = (held + block).splitlines(keepends=True)
            # splitlines on bytes cuts at \r alone too: a lone one before a block's end waits
            held = lines.pop() if lines else b""
            for line in lines:
                number += 1
                yield number, line
    if held:
        yield number + 1, held


def without_mark(number: int, line: bytes) -> bytes:
    """Give a line without the byte order mark that editors on Windows put before the first."""
    return line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def parse(line: bytes, number: int, name: str) -> Feature:
    """Read one feature.

    Raises
    ------
    GstError
        If it has not nine columns, or one of them is not what it must be.
    """
    columns = line.rstrip(b"\r\n").split(b"\t")
    where = f"{name}, line {number:,}"
    if len(columns) == 8:  # GTF's last column may be left out
        columns.append(b"")
    if len(columns) != 9:
        raise GstError(
            f"{len(columns)} column{'s' * (len(columns) > 1)} where an annotation has 9",
            where=where,
            hint="columns are separated by tabs, not by spaces; is the file cut short?",
        )
    try:
        start, end = int(columns[3]), int(columns[4])
    except ValueError:
        start = end = 0
    if not 1 <= start <= end:
        place = display(b" to ".join(columns[3:5]).decode("utf-8", "replace"))
        raise GstError(
            f"'{place}' is not a stretch of a sequence",
            where=where,
            hint="columns 4 and 5 are its first and its last base, counted from 1",
        )
    strand = columns[6].decode("ascii", "replace")
    if strand not in {"+", "-", ".", "?"}:
        raise GstError(f"'{display(strand)}' is not a strand", where=where, hint="use +, - or .")
    phase = columns[7]
    if phase not in {b"0", b"1", b"2", b".", b""}:
        text = display(phase.decode("utf-8", "replace"))
        raise GstError(f"'{text}' is not a phase", where=where, hint="use 0, 1, 2 or .")
    return Feature(
        number,
        unescaped(columns[0]),
        columns[2].decode("utf-8", "replace"),
        start,
        end,
        strand,
        int(phase) if phase.isdigit() else None,
        columns[8],
    )


def dialect_of(source: Source) -> Dialect:
    """Tell GFF3 from GTF by how most of the first features write their attributes.

    Raises
    ------
    GstError
        If there is no feature, or attributes are of neither kind.
    """
    votes = {"gff3": 0, "gtf": 0}
    first = b""
    for number, raw in numbered_lines(source):
        line = without_mark(number, raw)
        if line.startswith(FASTA) or number > _LOOKED_AT:
            break
        if line.startswith(b"#") or not line.strip():
            continue
        first = first or line
        attributes = line.rstrip(b"\r\n").split(b"\t")[-1]
        votes["gtf"] += bool(_GTF_PAIR.match(attributes))
        votes["gff3"] += bool(_GFF3_PAIR.match(attributes))
    if not first:
        raise GstError(
            "there is no feature in it", where=name_of(source), hint="give a GFF3 or a GTF file"
        )
    if not any(votes.values()):
        raise GstError(
            f"is neither GFF3 nor GTF: {_lack_of(first)}",
            where=name_of(source),
            hint="give nine columns with tabs between them; in the last, GFF3 has ID=gene1;... and "
            'GTF gene_id "gene1"; ...',
        )
    return "gff3" if votes["gff3"] >= votes["gtf"] else "gtf"


def _lack_of(line: bytes) -> str:
    """Say what a line lacks that is no feature."""
    columns = line.count(b"\t") + 1
    if line.startswith(b">"):
        return "it begins as FASTA does"
    if columns == 1 and len(line.split()) > 8:
        return "spaces, and no tabs, stand between its columns"
    if columns < 9:
        return f"it has {columns} column{'s' * (columns > 1)}"
    return "the last column has no attributes"


def attributes_of(text: bytes, dialect: Dialect) -> dict[str, list[str]]:
    """Read the ninth column: values by key, without their escapes.

    AUGUSTUS and BRAKER write the bare id of genes and transcripts in GTF; it has the key ``""``.
    """
    found: dict[str, list[str]] = {}
    if dialect == "gff3":
        for part in text.split(b";"):
            key, equals, value = part.partition(b"=")
            if equals:
                found.setdefault(unescaped(key.strip()), []).extend(
                    unescaped(v.strip()) for v in value.split(b",")
                )
        return found
    for match in _GTF_PAIRS.finditer(text):
        key, quoted, bare = match.groups()
        value = quoted if quoted is not None else bare
        if value is None:
            found.setdefault("", []).append(key.decode("utf-8", "replace"))
        else:
            found.setdefault(key.decode("utf-8", "replace"), []).append(
                value.strip().decode("utf-8", "replace")
            )
    return found


def with_attributes(
    line: bytes, dialect: Dialect, added: Mapping[str, str], replaced: Mapping[str, str]
) -> bytes:
    """Change attributes of a line, and nothing else of it.

    Parameters
    ----------
    line
        The line with its end.
    dialect
        Of the file.
    added
        Values to add: to those that a key has in GFF3 (as the ``Note`` of a gene may have
        several), as a further pair in GTF.
    replaced
        Values to put in the place of those that a key has; it is added where it has none.
    """
    body = line.rstrip(b"\r\n")
    end = line[len(body) :]
    columns = body.split(b"\t")
    columns += [b""] * (9 - len(columns))
    change = _in_gff3 if dialect == "gff3" else _in_gtf
    columns[8] = change(columns[8], added, replaced)
    return b"\t".join(columns) + end


def _in_gff3(text: bytes, added: Mapping[str, str], replaced: Mapping[str, str]) -> bytes:
    closed = text.rstrip().endswith(b";")
    parts = [part for part in text.rstrip().rstrip(b";").split(b";") if part not in {b"", b"."}]
    keys = [unescaped(part.partition(b"=")[0].strip()) for part in parts]
    for key, value in replaced.items():
        pair = f"{key}={escaped(value)}".encode()
        if key in keys:
            parts[keys.index(key)] = pair
        else:
            parts.append(pair)
            keys.append(key)
    for key, value in added.items():
        if key in keys:
            parts[keys.index(key)] += b"," + escaped(value).encode()
        else:
            parts.append(f"{key}={escaped(value)}".encode())
            keys.append(key)
    return b";".join(parts) + (b";" if closed else b"")


def _in_gtf(text: bytes, added: Mapping[str, str], replaced: Mapping[str, str]) -> bytes:
    for key, value in replaced.items():
        old = re.compile(rb'((?:^|;)\s*%s\s+)(?:"[^"]*"|[^;\s]*)' % re.escape(key.encode()))
        pair = _quoted(value)
        text, found = old.subn(lambda m, pair=pair: m[1] + pair, text, count=1)  # type: ignore[misc]
        if not found:
            text = _appended(text, key, pair)
    for key, value in added.items():
        text = _appended(text, key, _quoted(value))
    return text


def _appended(text: bytes, key: str, pair: bytes) -> bytes:
    kept = text.rstrip()
    separator = b"" if not kept else b" " if kept.endswith(b";") else b"; "
    return kept + separator + key.encode() + b" " + pair + b";"


def _quoted(value: str) -> bytes:
    # GTF has no escape: what would end the value becomes the nearest that does not
    plain = re.sub(r"[\x00-\x1f\x7f]", " ", value).replace('"', "'").replace(";", ",")
    return f'"{plain}"'.encode()


def escaped(value: str) -> str:
    """Escape a value as the GFF3 specification has it, by percent and two hexadecimal digits."""
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", value)


def unescaped(value: bytes) -> str:
    """Decode a column or value of GFF3."""
    return (unquote_to_bytes(value) if b"%" in value else value).decode("utf-8", "replace")
