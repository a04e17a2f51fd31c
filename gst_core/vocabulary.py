"""The symbols a model can give, each with its description, source database and accession."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
#: ``2-Sep``, ``02-Sep-24``, ``Sep-02``, ``2024-09-02``, ``02/09/2024``, ``02.09.2024``
_DATE: Final = re.compile(
    rf"\d{{1,2}}[-. /]({_MONTHS})([-. /]\d{{2,4}})?|({_MONTHS})-\d{{2,4}}"
    r"|\d{4}-\d{1,2}-\d{1,2}( 00:00:00)?|\d{1,2}([./])\d{1,2}\5(\d{2}|\d{4})",
    re.IGNORECASE,
)


def looks_like_date(symbol: str) -> bool:
    """Whether a spreadsheet has made a date of a symbol, as ``2-Sep`` of ``SEPT2``."""
    return _DATE.fullmatch(symbol) is not None


@dataclass(frozen=True, slots=True, repr=False)
class Symbol:
    """One gene symbol as it is written to results and databases.

    Attributes
    ----------
    symbol
        The gene symbol, in the capitalisation of its source.
    description
        Full gene name; empty where unknown.
    source
        Name of the database that approved the symbol, as Ensembl displays it
        (``HGNC Symbol``, ``ZFIN``, ...); empty where unknown.
    accession
        Primary accession in that database (``HGNC:1100``); empty where unknown.
    """

    symbol: str
    description: str = ""
    source: str = ""
    accession: str = ""

    def __repr__(self) -> str:
        """Show the symbol, its name, and its accession or source."""
        known = [repr(self.symbol), self.description, self.accession or self.source]
        return f"Symbol({', '.join(filter(None, known))})"


class Vocabulary:
    """Symbols in the order of a model's output.

    Parameters
    ----------
    symbols
        The symbols; their position is their class index.
    """

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self._symbols = tuple(symbols)

    def __len__(self) -> int:
        return len(self._symbols)

    def __getitem__(self, index: int) -> Symbol:
        return self._symbols[index]

    def __iter__(self) -> Iterator[Symbol]:
        return iter(self._symbols)

    def to_json(self) -> str:
        """Serialise by columns: a list a field, all of one length."""
        columns = {
            field: [getattr(symbol, field) for symbol in self._symbols]
            for field in ("symbol", "description", "source", "accession")
        }
        return json.dumps(columns, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ValueError
            If the columns are missing, differ in length, or hold anything but text.
        """
        try:
            columns = json.loads(text)
            parts = [columns[f] for f in ("symbol", "description", "source", "accession")]
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(
                "a vocabulary has the columns symbol, description, source, accession"
            ) from error
        for part in parts:
            if not isinstance(part, list) or not all(isinstance(value, str) for value in part):
                raise ValueError("a column of a vocabulary is not a list of texts")
        return cls(Symbol(*row) for row in zip(*parts, strict=True))
