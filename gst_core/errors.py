"""The one error that users are meant to see.

Everything that can be wrong with what a user hands us is raised as a
:class:`GstError`: what is wrong, where, and what to do about it. The command
line prints it as one line and exits with status 1; anything else that escapes
is a defect of ours.
"""

from __future__ import annotations


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
        return shown(" ".join(text.split()))


def shown(text: str) -> str:
    """Make foreign text fit to be shown: what steers a terminal, or turns its text, is escaped.

    Parameters
    ----------
    text
        Any text, such as a name that a user's file holds.

    Returns
    -------
    text
        The same, control and format characters and lone surrogates written as Python does.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
