"""The one error that users are meant to see, and the one way to show foreign text.

Everything that can be wrong with what a user hands us is raised as a
:class:`GstError`: what is wrong, where, and what to do about it. The command
line prints it as one line and exits with status 1; anything else that escapes
is a defect of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: Passwords in addresses, between the user's name and the last @ or as a key of the query.
_PASSWORD: Final = re.compile(
    r"(?<=://)([^\s:/@]*):\S*@|([?&](?:password|passwd|pwd|ssl_key_password)=)[^&\s'\")]*", re.I
)
_HIDDEN: Final = "***"


def display(text: object) -> str:
    """Show foreign text as one line: white space as single spaces, the rest by :func:`shown`.

    Passwords that stand in addresses are hidden: whatever quotes an argument or a line of a file
    comes through here before anyone sees it.
    """
    return hide_passwords(shown(" ".join(str(text).split())))


def hide_passwords(text: str) -> str:
    """Put three asterisks for the password of each address in a text."""
    if "://" not in text and "=" not in text:
        return text
    return _PASSWORD.sub(
        lambda found: f"{found[2]}{_HIDDEN}" if found[2] else f"{found[1]}:{_HIDDEN}@", text
    )


def shown(text: str) -> str:
    r"""Make foreign text fit to be shown: what steers a terminal, or turns its text, is escaped.

    Parameters
    ----------
    text
        Any text, such as a name that a user's file holds, or the file's own.

    Returns
    -------
    text
        The same, with control and format characters as Python writes them, ``\x1b`` or
        ``\u202e``, and each byte of a file's name that is not UTF-8 as ``\xff``.
    """
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    # os.fsdecode makes U+DC80 to U+DCFF of the bytes 0x80 to 0xFF
    code = ord(character)
    return ascii(chr(code - 0xDC00) if 0xDC80 <= code <= 0xDCFF else character)[1:-1]


class GstError(Exception):
    """Something the user can mend.

    Parameters
    ----------
    what
        What is wrong, in words of the user's own data.
    where
        The file, record and line, or the option, that is meant.
    hint
        What to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """One line that can be shown, whatever was in the parts."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.hint:
            text = f"{text}; {self.hint}"
        return display(text)


def no_choice(given: object, option: str, choices: Iterable[str]) -> GstError:
    """Make the error of an option in Python that has none of its values."""
    return GstError(f"there is no {given!r}", where=option, hint=f"use one of {', '.join(choices)}")
