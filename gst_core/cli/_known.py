"""Known symbols of a genome, from a table or from an Ensembl core database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gst_core.cli._paths import InputFile
from gst_core.errors import GstError
from gst_core.evaluation.comparison import read_known_symbols
from gst_core.evaluation.genomes import Assembly, is_database

password_file_option = click.option(
    "--password_file",
    type=InputFile(path_type=Path),
    help="File with the password of databases; else the environment variable GST_DB_PASSWORD, "
    "else ~/.my.cnf.",
)


class TableOrDatabase(InputFile):
    """A file, or a database's URL as text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Leave URLs as they are."""
        if isinstance(value, str) and is_database(value):
            return value
        return super().convert(value, param, ctx)


def known_symbols(
    assembly: Assembly,
    *,
    where: str,
    password_file: Path | None = None,
    species_id: int | None = None,
) -> dict[str, str]:
    """Read the known symbols of a genome; of a database, say on stderr how many there are.

    Parameters
    ----------
    assembly
        The genome; its ``species`` chooses one of a database of several.
    where
        The option or the place in a file that names the database, for errors.
    password_file
        File with the database's password.
    species_id
        The species by its number in the database.

    Raises
    ------
    GstError
        If the table or the address is wrong, or the database cannot be read or has no symbol.
    """
    if isinstance(assembly.known_symbols, Path):
        return read_known_symbols(assembly.known_symbols)
    from gst_core.ensembl.connect import open_database, parse_address
    from gst_core.ensembl.failures import database_failures
    from gst_core.ensembl.known_symbols import read_known_symbols as read_database
    from gst_core.ensembl.species import choose_species

    try:
        address = parse_address(assembly.known_symbols, password_file=password_file)
    except GstError as error:
        raise GstError(error.what, where=where, hint=error.hint) from None
    with database_failures(address), open_database(address).connect() as connection:
        chosen = choose_species(connection, species_id, assembly.species or None)
        found = read_database(connection, chosen)
    if not found.symbols:
        raise GstError(
            "no protein-coding gene has a symbol to compare with",
            where=str(address),
            hint=f"{found.assigned} were assigned by this program or its predecessor"
            if found.assigned
            else "name a database whose genes have names",
        )
    said = f"{found.genes} genes with known symbols"
    if found.assigned:
        said += f"; {found.assigned} with assigned ones are left out"
    click.echo(f"{address}: {said}", err=True)
    return found.symbols
