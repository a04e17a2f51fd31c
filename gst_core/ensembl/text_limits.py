"""What text a database's columns can hold, asked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_LIMITS = text(
    "SELECT table_name, column_name, character_set_name, character_maximum_length, data_type "
    "FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name IN ('xref', 'gene') "
    "AND column_name IN ('dbprimary_acc', 'display_label', 'description', 'stable_id')"
)


@dataclass(frozen=True, slots=True)
class _Limit:
    character_set: str
    length: int
    in_bytes: bool


class TextLimits:
    """Character sets and lengths of the text columns that a load writes to, or asks for.

    MySQL in strict mode refuses what does not fit, but names neither the symbol
    nor the line; and old servers without strict mode store a part of it.
    """

    def __init__(self, limits: dict[tuple[str, str], _Limit]) -> None:
        self._limits = limits

    @classmethod
    def of(cls, connection: Connection) -> TextLimits:
        """Ask the database; SQLite holds any text."""
        if connection.dialect.name == "sqlite":
            return cls({})
        limits = {
            (table, column): _Limit(characters or "utf8mb4", length, "text" in kind)
            for table, column, characters, length, kind in connection.execute(_LIMITS)
        }
        return cls(limits)

    def can_be_asked(self, table: str, column: str, value: str) -> bool:
        """Whether a value can be compared with a column: MySQL refuses strange characters."""
        limit = self._limits.get((table, column))
        return limit is None or _stranger(limit.character_set, value) is None

    def problem(
        self, accession: str, label: str, description: str, gene_description: str
    ) -> str | None:
        """Say which of the texts cannot be stored; None if all can."""
        texts = {
            ("xref", "dbprimary_acc"): accession,
            ("xref", "display_label"): label,
            ("xref", "description"): description,
            ("gene", "description"): gene_description,
        }
        for place, value in texts.items():
            limit = self._limits.get(place)
            if limit is None:
                continue
            stranger = _stranger(limit.character_set, value)
            if stranger is not None:
                return f"{'.'.join(place)} ({limit.character_set}) cannot hold {stranger!a}"
            if (len(value.encode()) if limit.in_bytes else len(value)) > limit.length:
                return f"{'.'.join(place)} holds {limit.length} characters, this has {len(value)}"
        return None


def _stranger(character_set: str, value: str) -> str | None:
    if value.isascii():
        return None
    return next((c for c in value if not _has(character_set, c)), None)


def _has(character_set: str, character: str) -> bool:
    if character_set in ("utf8", "utf8mb3", "ucs2"):
        return ord(character) <= 0xFFFF
    if character_set == "ascii":
        return character.isascii()
    if character_set == "latin1":
        # MySQL's latin1 is Windows' code page 1252, with its holes filled.
        return ord(character) < 0x80 or _encodes(character, "cp1252")
    return True


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
