"""Options and displays that the commands on core databases share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gst_core.ensembl.connect import LOCK_TIMEOUT

Command = TypeVar("Command", bound=Callable[..., Any])

_ADDRESS = (
    click.option("--url", help="mysql://user@host:port/database, or sqlite:///core.db."),
    click.option("--host", help="Database server, instead of --url."),
    click.option("--port", type=click.IntRange(1, 65535), help="The server's port."),
    click.option("--user", help="Database user."),
    click.option("--database", help="Name of the core database."),
    click.option(
        "--password_file",
        type=click.Path(path_type=Path),
        help="File with the password; else the environment variable GST_DB_PASSWORD, "
        "else ~/.my.cnf.",
    ),
)
_SPECIES = (
    click.option("--species", help="Production name, in a database of several species."),
    click.option("--species_id", type=click.IntRange(min=1), help="The same by its number."),
)

lock_timeout_option = click.option(
    "--lock_timeout",
    type=click.IntRange(min=1),
    default=LOCK_TIMEOUT,
    show_default=True,
    help="Seconds to wait for another program's locks.",
)

convert_to_innodb_option = click.option(
    "--convert_to_innodb",
    is_flag=True,
    help="Convert the tables to be written, where they know no transactions.",
)


def address_options(command: Command) -> Command:
    """Add the options that say which database."""
    return _add(command, _ADDRESS)


def species_options(command: Command) -> Command:
    """Add the options that say which species of it."""
    return _add(command, _SPECIES)


def _add(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
