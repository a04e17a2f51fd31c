"""Protocol buffers, field by field, of messages that are known."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class DamagedError(ValueError):
    """The file is not what it should be; the message says in which way."""


class Kind(Enum):
    """What a field holds."""

    NUMBER = "a whole number"
    NUMBERS = "whole numbers, each on its own or packed into bytes"
    FLOAT = "a number of 32 bits"
    BYTES = "bytes, text or a message"
    MANY = "several of these"


#: How fields are written: their wire types.
_NUMBER, _BYTES, _FLOAT = 0, 2, 5
_WIRES: Final = {
    Kind.NUMBER: (_NUMBER,),
    Kind.NUMBERS: (_NUMBER, _BYTES),
    Kind.FLOAT: (_FLOAT,),
    Kind.BYTES: (_BYTES,),
    Kind.MANY: (_BYTES,),
}
_REPEATED: Final = (Kind.NUMBERS, Kind.MANY)

#: Fields of one message: more than any of ours has.
_MOST_FIELDS: Final = 100_000

Fields = dict[int, list[int | memoryview]]


def read_fields(message: memoryview, known: Mapping[int, Kind]) -> Fields:
    """Read the fields of a message.

    Parameters
    ----------
    message
        The message.
    known
        The fields that it may have. One that is not there several times by its kind is there once:
        decoders join what is there twice, each in its way.

    Returns
    -------
    fields
        The contents of each field by its number: numbers without their sign, and bytes.

    Raises
    ------
    DamagedError
        If it has other fields, or is torn.
    """
    fields: Fields = {number: [] for number in known}
    at, end, count = 0, len(message), 0
    while at < end:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        kind = known.get(number)
        if kind is None or wire not in _WIRES[kind]:
            raise DamagedError(f"it has a field {number} where none is known")
        values = fields[number]
        if values and kind not in _REPEATED:
            raise DamagedError(f"it has two fields {number} in place of one")
        if wire == _NUMBER:
            value, at = _varint(message, at)
            values.append(value)
        else:
            size, at = _varint(message, at) if wire == _BYTES else (4, at)
            if size > end - at:
                raise DamagedError("it is torn")
            if kind is Kind.NUMBERS:
                values += _packed(message[at : at + size])
            else:
                values.append(message[at : at + size])
            at += size
        count += 1
        if count > _MOST_FIELDS or len(values) > _MOST_FIELDS:
            raise DamagedError(f"it has a message of more than {_MOST_FIELDS:,} fields")
    return fields


def _packed(part: memoryview) -> list[int]:
    """Read numbers that lie in bytes, one after the other."""
    if len(part) > _MOST_FIELDS:
        raise DamagedError(f"it has a list of more than {_MOST_FIELDS:,} bytes")
    found, at = [], 0
    while at < len(part):
        value, at = _varint(part, at)
        found.append(value)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise DamagedError("it is torn")


def numbers(fields: Fields, which: int) -> list[int]:
    """Read a field of whole numbers; negative ones were written as two's complement."""
    values = (content for content in fields[which] if isinstance(content, int))
    return [value - 2**64 if value >= 2**63 else value for value in values]


def number(fields: Fields, which: int, default: int = 0) -> int:
    """Read a field that is a whole number."""
    values = numbers(fields, which)
    return values[0] if values else default


def contents(fields: Fields, which: int) -> list[memoryview]:
    """Read a field of bytes, once for each time that it is there."""
    return [content for content in fields[which] if isinstance(content, memoryview)]


def texts(fields: Fields, which: int) -> list[str]:
    """Read a field of text, once for each time that it is there."""
    try:
        return [str(content, "utf-8") for content in contents(fields, which)]
    except UnicodeDecodeError as error:
        raise DamagedError("it has a text that is not UTF-8") from error


def text(fields: Fields, which: int) -> str:
    """Read a field that is text; empty where it is not there."""
    found = texts(fields, which)
    return found[0] if found else ""
