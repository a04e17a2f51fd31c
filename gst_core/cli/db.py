"""The ``gst db`` command group."""

from __future__ import annotations

import click

from gst_core.cli._common import LazyGroup

#: name -> (module, attribute, short help); one file a command
COMMANDS: dict[str, tuple[str, str, str]] = {
    "check": ("gst_core.cli.db_check", "check", "Run Ensembl's datachecks of gene symbols."),
    "create": ("gst_core.cli.db_create", "create", "Make a core database from table files."),
    "dump": ("gst_core.cli.db_dump", "dump", "Write the proteins of protein-coding genes."),
    "load": ("gst_core.cli.db_load", "load", "Load assigned symbols, in one transaction."),
    "unload": ("gst_core.cli.db_unload", "unload", "Take loaded symbols back out."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def db() -> None:
    """Ensembl core databases: proteins out, gene symbols in, datachecks."""
