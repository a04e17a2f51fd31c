"""Options that say which species of a core database; nothing here needs a database's packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_SPECIES = (
    click.option("--species", help="Production name, in a database of several species."),
    click.option("--species_id", type=click.IntRange(min=1), help="The same by its number."),
)


def species_options(command: Command) -> Command:
    """Add the options that say which species of a database."""
    return add_options(command, _SPECIES)


def add_options(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    """Add options, in their order on the screen."""
    for option in reversed(options):
        command = option(command)
    return command
