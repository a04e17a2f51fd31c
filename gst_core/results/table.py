r"""The result table: one row a protein, tab-separated.

Five columns, ``stable_id symbol probability description source``, then, only
when asked for, ``accession``, ``reference identity query_coverage
reference_coverage``, ``settled`` and the pairs ``symbol_2 probability_2`` to ``symbol_K
probability_K``. The probability has four decimals, a share of evidence three. A
field with a tab, a double quote or a line break stands in double quotes, quotes
inside it are doubled; lines end with ``\n``. No value is special: ``NA`` and
``nan`` are symbols like any other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from gst_core.assignment import Assignment, Evidence
from gst_core.errors import GstError

COLUMNS: Final = ("stable_id", "symbol", "probability", "description", "source")
#: What speaks for the best symbol, after the five and the accession.
EVIDENCE_COLUMNS: Final = (
    *("reference", "identity", "query_coverage", "reference_coverage"),
    "fits_equally",
)
#: What became of a symbol that several genes claim, after what speaks for it.
SETTLED_COLUMN: Final = "settled"
#: Decimals of a probability wherever results are written or compared.
DECIMALS: Final = 4
#: Decimals of identity and coverage: a residue of a protein of usual length can be told.
SHARE_DECIMALS: Final = 3

_REQUIRED = COLUMNS[:3]
_NEEDS_QUOTES = re.compile('[\t"\r\n]').search


def format_probability(probability: float) -> str:
    """Write a probability the way every result does: ``0.9950``."""
    return f"{probability:.{DECIMALS}f}"


def format_line(fields: Sequence[str]) -> str:
    r"""Join fields to one line of a table, ``\n`` included.

    The rule is that of :mod:`csv` with minimal quoting. The module itself does
    not serve: before Python 3.11.8 it left a bare carriage return unquoted,
    which its own reader then takes for the end of the line.
    """
    quoted = [f'"{f.replace(chr(34), 2 * chr(34))}"' if _NEEDS_QUOTES(f) else f for f in fields]
    return "\t".join(quoted) + "\n"


class TableWriter:
    r"""Write assignments as table rows to an open text stream.

    Parameters
    ----------
    stream
        Open for text, with ``\n`` line ends.
    top_k
        Candidates a row: the best one in the five columns, the others after them.
    accession
        Add the best symbol's accession in its source database.
    evidence
        Add what speaks for the best symbol; the cells are empty where nothing does.
    settled
        Add what became of a symbol that several genes of the genome claim.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        top_k: int = 1,
        accession: bool = False,
        evidence: bool = False,
        settled: bool = False,
    ) -> None:
        self._stream = stream
        self._top_k = top_k
        self._accession = accession
        self._evidence = evidence
        self._settled = settled
        header = [*COLUMNS, *(["accession"] if accession else [])]
        header += EVIDENCE_COLUMNS if evidence else []
        header += [SETTLED_COLUMN] if settled else []
        for rank in range(2, top_k + 1):
            header += [f"symbol_{rank}", f"probability_{rank}"]
        stream.write(format_line(header))

    def write(self, assignment: Assignment) -> None:
        """Add the row of one protein."""
        best = assignment.best
        fields = [
            assignment.stable_id,
            best.symbol,
            format_probability(assignment.probability),
            best.description,
            best.source,
        ]
        if self._accession:
            fields.append(best.accession)
        if self._evidence:
            fields += _evidence_fields(assignment.evidence)
        if self._settled:
            fields.append(assignment.settled)
        others = assignment.candidates[1 : self._top_k]
        for symbol, probability in others:
            fields += [symbol.symbol, format_probability(probability)]
        fields += ["", ""] * (self._top_k - 1 - len(others))
        self._stream.write(format_line(fields))


def _evidence_fields(evidence: Evidence | None) -> list[str]:
    if evidence is None:
        return [""] * len(EVIDENCE_COLUMNS)
    shares = (evidence.identity, evidence.query_coverage, evidence.reference_coverage)
    return [
        evidence.reference,
        *(f"{share:.{SHARE_DECIMALS}f}" for share in shares),
        ",".join(evidence.equals),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a result table.

    Attributes
    ----------
    stable_id, symbol, description, source
        As written; an empty `symbol` is a sequence without residues.
    probability
        0 to 1.
    line
        Number of the row's last line in its file, counted from 1.
    extra
        The columns beyond the five, by name.
    """

    stable_id: str
    symbol: str
    probability: float
    description: str = ""
    source: str = ""
    line: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)


def read_table(path: str | Path) -> Iterator[Row]:
    """Read a result table, row by row.

    Columns are found by their names, so that tables of the original program,
    filtered tables and tables with further columns all serve; ``description``
    and ``source`` may be missing. Windows line ends and a byte order mark are
    accepted, empty lines are skipped.

    Parameters
    ----------
    path
        A table that :class:`TableWriter` or the original program wrote.

    Yields
    ------
    row
        In the order of the file.

    Raises
    ------
    GstError
        If the file cannot be read, is no result table, or a row is damaged.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            yield from _read_rows(stream, str(path))
    except OSError as error:
        raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        with Path(path).open("rb") as start:
            compressed = start.read(2) == b"\x1f\x8b"
        if compressed:
            raise GstError(
                "is compressed with gzip", where=str(path), hint="unpack it first: gunzip --keep"
            ) from error
        raise GstError(
            "is not UTF-8 text", where=str(path), hint="give a result table of gst_assign"
        ) from error


def _read_rows(stream: TextIO, name: str) -> Iterator[Row]:
    # strict: a quote that never closes is an error, not a field that swallows the file
    lines = csv.reader(stream, delimiter="\t", strict=True)
    try:
        header = next(lines, [])
        missing = [column for column in _REQUIRED if column not in header]
        if missing:
            raise GstError(
                f"no column {', '.join(missing)}",
                where=f"{name}, line 1",
                hint="give a tab-separated result table of gst_assign with its header",
            )
        if len(set(header)) < len(header):
            raise GstError("a column name occurs twice", where=f"{name}, line 1")
        for fields in lines:
            if fields:
                yield _row(header, fields, name, lines.line_num)
    except csv.Error as error:
        raise GstError(
            f"broken quoting or field: {error}",
            where=f"{name}, line {lines.line_num}",
            hint="the table may be cut short; write it again",
        ) from error


def _row(header: list[str], fields: list[str], name: str, line: int) -> Row:
    where = f"{name}, line {line}"
    if len(fields) != len(header):
        raise GstError(
            f"{len(fields)} fields where the header has {len(header)}",
            where=where,
            hint="the table may be cut short; write it again",
        )
    values = dict(zip(header, fields, strict=True))
    text = values.pop("probability")
    try:
        probability = float(text)
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise GstError(f"'{text}' is not a probability", where=where, hint="expected 0 to 1")
    return Row(
        stable_id=values.pop("stable_id"),
        symbol=values.pop("symbol"),
        probability=probability,
        description=values.pop("description", ""),
        source=values.pop("source", ""),
        line=line,
        extra=values,
    )
