"""Messages of a run on standard error: for people, or a JSON object a line for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

import click

from gst_core.errors import display

Level = Literal["info", "warning", "error"]
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

FORMATS: Final = ("text", "json")
_chosen = {"format": "text"}


def _choose(context: click.Context, parameter: click.Parameter, value: str) -> str:
    del context, parameter
    _chosen["format"] = value
    return value


def log_format_option(command: _Decorated) -> _Decorated:
    """Add ``--log_format``, which holds from when the command line is read."""
    return click.option(
        "--log_format",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="Messages on standard error: lines of text, or a JSON object a line.",
    )(command)


def as_json() -> bool:
    """Whether messages are for programs."""
    return _chosen["format"] == "json"


def emit(program: str, message: str, level: Level = "info", genome: str | None = None) -> None:
    """Print one message; foreign text in it does nothing.

    Parameters
    ----------
    program
        Who says it.
    message
        One sentence.
    level
        What it means.
    genome
        The genome that it is about.
    """
    if as_json():
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level}
        entry |= {"program": program} | ({"genome": genome} if genome else {})
        click.echo(json.dumps({**entry, "message": display(message)}), err=True)
        return
    about = f"{genome}: " if genome else ""
    mark = "" if level == "info" else f"{level}: "
    # an error names its program first, as those do that end it
    text = f"{mark}{about}" if level == "error" else f"{about}{mark}"
    click.echo(display(f"{program}: {text}{message}"), err=True)


class Log:
    """The messages of a run over genomes.

    Parameters
    ----------
    program
        Who says them.
    quiet
        Say nothing but errors.
    """

    def __init__(self, program: str, quiet: bool) -> None:
        self._program = program
        self.quiet = quiet
        stream = sys.stderr
        self.terminal = not quiet and not as_json() and stream is not None and stream.isatty()

    def say(self, message: str, genome: str | None = None) -> None:
        """Say how it goes."""
        if not self.quiet:
            emit(self._program, message, "info", genome)

    def warn(self, message: str, genome: str | None = None) -> None:
        """Say that something is odd."""
        if not self.quiet:
            emit(self._program, message, "warning", genome)

    def error(self, message: str, genome: str | None = None) -> None:
        """Say what failed."""
        emit(self._program, message, "error", genome)
