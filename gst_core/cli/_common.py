"""What every command shares: lazy loading, errors as one line, exit codes."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from gst_core.errors import GstError


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
            if (error.name or "").startswith("gst_core"):
                raise
            raise missing_package(error) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their short help, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._lazy[name][2]) for name in sorted(self._lazy)])


def missing_package(error: ModuleNotFoundError) -> GstError:
    """Say which package is missing, and the extras that could bring it."""
    return GstError(
        f"this command needs the Python package '{error.name}', which is not installed",
        hint="install GST with the extra it belongs to ([train], [ensembl], [geneformer] or "
        "[cpu]), in a clone: .venv/bin/pip install -e '.[geneformer]'",
    )


def run(command: click.Command, program: str) -> None:
    """Run a command as a program: a :class:`GstError` becomes one line and exit status 1.

    ``--debug`` anywhere on the command line shows the traceback instead. A
    closed standard output (``gst_assign ... | head``) ends the program
    quietly, as it does for other Unix tools.
    """
    if "--debug" in sys.argv[1:]:
        command.main(prog_name=program)
    try:
        command.main(prog_name=program)
    except GstError as error:
        click.echo(f"{program}: error: {error}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        # Heavy packages are imported where they are used, in the midst of a command.
        if (error.name or "").startswith("gst_core"):
            raise
        click.echo(f"{program}: error: {missing_package(error)}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # Python would complain again when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"{program}: error: {where}{error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:
        first = (str(error).strip() or "no message").splitlines()[0]
        click.echo(
            f"{program}: internal error: {type(error).__name__}: {first}; "
            "run again with --debug and report the traceback",
            err=True,
        )
        sys.exit(1)


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
