"""``gst db check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gst_core.cli._database import address_options
from gst_core.cli._species import species_options
from gst_core.ensembl.check_report import failed_as_before, read_baseline, to_json, to_tap
from gst_core.ensembl.checks import DATACHECKS
from gst_core.ensembl.connect import open_database, parse_address
from gst_core.ensembl.datacheck import Scope, run_datacheck
from gst_core.ensembl.failures import database_failures
from gst_core.ensembl.species import choose_species
from gst_core.errors import GstError


@click.command()
@address_options
@species_options
@click.option(
    "--datacheck",
    "names",
    multiple=True,
    type=click.Choice([datacheck.name for datacheck in DATACHECKS]),
    help="Run this one; may be given more than once. Without it, all are run.",
)
@click.option(
    "--format", "form", type=click.Choice(["tap", "json"]), default="tap", show_default=True
)
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A report that --format json made before a load: what failed then, in as many rows, "
    "is reported and no failure.",
)
@click.option(
    "--allow_failures",
    is_flag=True,
    help="Exit with 0 though datachecks fail; the document tells which.",
)
def check(
    names: tuple[str, ...],
    form: str,
    baseline: Path | None,
    allow_failures: bool,
    species: str | None,
    species_id: int | None,
    **where: Any,
) -> None:
    """Run the datachecks that Ensembl runs on databases with assigned symbols.

    The exit status is 1 if a critical one fails; advisory ones are reported.
    """
    address = parse_address(**where)
    before = read_baseline(baseline) if baseline else {}
    wanted = [datacheck for datacheck in DATACHECKS if not names or datacheck.name in names]
    with database_failures(address), open_database(address).connect() as connection:
        chosen = choose_species(connection, species_id, species)
        scope = Scope.of(connection, chosen)
        results = [run_datacheck(connection, datacheck, scope) for datacheck in wanted]
    known = {result.datacheck.name for result in results if failed_as_before(result, before)}
    if form == "json":
        click.echo(to_json(results, str(address), chosen, known))
    else:
        click.echo("\n".join(to_tap(results, known)))
    failed = [
        result.datacheck.name
        for result in results
        if result.is_critical_failure and result.datacheck.name not in known
    ]
    if failed and not allow_failures:
        sys.stdout.flush()
        raise GstError(
            f"{len(failed)} critical datachecks fail ({', '.join(failed)})", where=str(address)
        )
