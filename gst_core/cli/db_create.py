"""``gst db create``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gst_core.cli._database import address_options
from gst_core.ensembl.connect import open_database, parse_address
from gst_core.ensembl.failures import database_failures
from gst_core.ensembl.table_files import create_database


@click.command()
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the table files (<table>.txt, plain or gzipped) of a core database.",
)
@address_options
@click.option(
    "--external_db",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table file of external_db, for the sources that the folder's lacks.",
)
@click.option("--quiet", is_flag=True, help="No messages.")
def create(folder: Path, external_db: Path | None, quiet: bool, **where: Any) -> None:
    """Make a core database in an empty one (or a new SQLite file) from table files."""
    address = parse_address(**where)

    def show(table: str, rows: int) -> None:
        if not quiet:
            click.echo(f"{table}: {rows} rows", err=True)

    with database_failures(address, "the database is empty again"):
        create_database(open_database(address, "create"), folder, external_db, show)
