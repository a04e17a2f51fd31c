"""Options and displays that the commands on core databases share."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._paths import InputFile
from gst_core.cli._species import Command, add_options
from gst_core.ensembl.connect import LOCK_TIMEOUT

_ADDRESS = (
    click.option("--url", help="mysql://user@host:port/database, or sqlite:///core.db."),
    click.option("--host", help="Database server, instead of --url."),
    click.option("--port", type=click.IntRange(1, 65535), help="The server's port."),
    click.option("--user", help="Database user."),
    click.option("--database", help="Name of the core database."),
    click.option(
        "--password_file",
        type=InputFile(path_type=Path),
        help="File with the password; else the environment variable GST_DB_PASSWORD, "
        "else ~/.my.cnf.",
    ),
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
    return add_options(command, _ADDRESS)
