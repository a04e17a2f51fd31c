"""What every command shares: lazy loading, errors as one line, exit codes."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from gst_core.cli._examples import epilogue
from gst_core.cli._extras import is_ours, missing_package
from gst_core.cli._log import as_json, emit
from gst_core.cli._signals import Interrupted, die_of, raise_on_signals
from gst_core.errors import GstError, display, hide_passwords, shown


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called.

    Start-up matters: ``gst --help`` must not pay for torch or SQLAlchemy.

    Parameters
    ----------
    lazy
        Command name to ``(module, attribute, short help)``; the short help is
        repeated here so that the group's own ``--help`` imports nothing.
    """

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Command names in alphabetical order."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command at its first use."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = self._lazy[cmd_name]
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if is_ours(error):
                raise
            raise missing_package(error, f"{ctx.command_path} {cmd_name}") from error
        assert isinstance(command, click.Command)
        if command.epilog is None:
            command.epilog = epilogue(f"{ctx.command_path} {cmd_name}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that a command line begins with; of a misspelling, say what it means."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            said = f"{error.message} Did you mean '{near[0]}'?"
            raise click.UsageError(said, error.ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their short help, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name][2]) for name in sorted(self._lazy)])


def say(text: object) -> None:
    """Print one line for people, on standard error; foreign text in it does nothing."""
    click.echo(display(text), err=True)


def counted(number: int, noun: str) -> str:
    """Say how many of something there are: 1 protein, 2,000 proteins."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def run(command: click.Command, program: str) -> NoReturn:
    """Run a command as a program: a :class:`GstError` becomes one line and exit status 1.

    ``--debug`` anywhere on the command line shows the traceback instead. A
    closed standard output (``gst_assign ... | head``) ends the program
    quietly, as it does for other Unix tools. Signals end it as signals.
    """
    _open_standard_streams()
    raise_on_signals()
    debug = "--debug" in sys.argv[1:]
    try:
        status = command.main(prog_name=program, standalone_mode=False)
        # A group whose commands are chained returns a list of what each returned.
        sys.exit(status if isinstance(status, int) else 0)
    except Interrupted as signal:
        die_of(signal.number)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        if as_json():
            emit(program, error.format_message(), "error")
        else:
            lines = text.getvalue().splitlines()
            click.echo("\n".join(hide_passwords(shown(line)) for line in lines), err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, click.Abort) and isinstance(error.__cause__, Exception):
            error = error.__cause__  # click takes every end of a file for that of the terminal
        if not isinstance(error, BrokenPipeError):
            if isinstance(error, ModuleNotFoundError) and not is_ours(error):
                error = missing_package(error, program)
            emit(program, sentence(error), "error")
        _flush_or_discard()
        sys.exit(1)


def sentence(error: Exception) -> str:
    """Say in one line what an error is about."""
    if isinstance(error, GstError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return display(f"{where}{error.strerror or error}")
    first = (str(error).strip() or "no message").splitlines()[0]
    return display(
        f"internal error: {type(error).__name__}: {first}; "
        "run again with --debug and report the traceback"
    )


def _open_standard_streams() -> None:
    """Let no file take the number of a standard stream that was closed (``>&-``)."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # takes the lowest number that is free


def _flush_or_discard() -> None:
    """Drop what cannot be written: Python would complain again when it flushes at exit."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_facts(path: Path | None) -> dict[str, Any]:
    """Read a JSON object; nothing without a path.

    Raises
    ------
    GstError
        If the file holds anything else.
    """
    if path is None:
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GstError(f"not JSON: {error}", where=str(path)) from error
    if not isinstance(facts, dict):
        raise GstError("not a JSON object", where=str(path), hint='as {"training_data": "..."}')
    return facts
