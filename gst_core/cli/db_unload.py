"""``gst db unload``."""

from __future__ import annotations

from typing import Any

import click

from gst_core.cli._database import (
    address_options,
    convert_to_innodb_option,
    lock_timeout_option,
)
from gst_core.cli._species import species_options
from gst_core.ensembl.connect import parse_address
from gst_core.ensembl.species import choose_species
from gst_core.ensembl.transaction import write_transaction
from gst_core.ensembl.unload import unload_symbols


@click.command()
@address_options
@species_options
@lock_timeout_option
@convert_to_innodb_option
@click.option("--quiet", is_flag=True, help="No summary.")
def unload(
    lock_timeout: int,
    convert_to_innodb: bool,
    quiet: bool,
    species: str | None,
    species_id: int | None,
    **where: Any,
) -> None:
    """Take the symbols that gst db load wrote back out, in one transaction."""
    address = parse_address(**where)
    with write_transaction(
        address, lock_timeout=lock_timeout, convert_to_innodb=convert_to_innodb
    ) as connection:
        chosen = choose_species(connection, species_id, species)
        unloaded = unload_symbols(connection, chosen)
    if not quiet:
        click.echo(
            f"{unloaded.genes} genes have their symbols taken back, "
            f"{unloaded.xrefs} xrefs are deleted",
            err=True,
        )
