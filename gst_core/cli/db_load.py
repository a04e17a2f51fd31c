"""``gst db load``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import click

from gst_core import __version__
from gst_core.cli._database import (
    address_options,
    convert_to_innodb_option,
    lock_timeout_option,
)
from gst_core.cli._paths import InputFile, OutputFile, Probability, check_paths
from gst_core.cli._species import species_options
from gst_core.ensembl.assignment_table import AssignedSymbol, read_assignments
from gst_core.ensembl.connect import Address, open_database, parse_address
from gst_core.ensembl.failures import database_failures
from gst_core.ensembl.load import load_symbols
from gst_core.ensembl.plan import Duplicates, Outcome, Plan, make_plan
from gst_core.ensembl.plan_table import summarise, write_plan
from gst_core.ensembl.source_map import Accessions
from gst_core.ensembl.species import choose_species
from gst_core.ensembl.transaction import write_transaction
from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.vocabulary import Vocabulary


@click.command()
@click.option(
    "--symbol_assignments",
    required=True,
    type=InputFile(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Table of symbols as gst_assign writes it; - is standard input.",
)
@address_options
@species_options
@click.option(
    "--primary_ids_file",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="Accessions: symbol, db_name of external_db and accession, tab-separated.",
)
@click.option(
    "--model",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="Model whose vocabulary knows the accessions. The embedded one is asked where neither "
    "--primary_ids_file nor the table gives any.",
)
@click.option(
    "--threshold",
    type=Probability(),
    default=0.7,
    show_default=True,
    help="Load symbols from this probability on.",
)
@click.option(
    "--duplicates",
    type=click.Choice(get_args(Duplicates)),
    default="keep",
    show_default=True,
    help="Where several genes would bear one symbol: load it for all of them, for the most "
    "probable alone (a gene that bears it already is), or for none.",
)
@click.option("--strict", is_flag=True, help="Write nothing if something is amiss with a row.")
@click.option("--dry_run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option(
    "--plan",
    "plan_file",
    type=OutputFile(dir_okay=False, path_type=Path),
    help="Write the table that --dry_run prints to this file.",
)
@click.option(
    "--program_version",
    default=__version__,
    show_default=True,
    help="Version to enter with the analysis, if it is made now.",
)
@lock_timeout_option
@convert_to_innodb_option
@click.option("--quiet", is_flag=True, help="No summary.")
def load(
    symbol_assignments: Path,
    primary_ids_file: Path | None,
    model: Path | None,
    species: str | None,
    species_id: int | None,
    threshold: float,
    duplicates: Duplicates,
    strict: bool,
    dry_run: bool,
    plan_file: Path | None,
    program_version: str,
    lock_timeout: int,
    convert_to_innodb: bool,
    quiet: bool,
    **where: Any,
) -> None:
    """Load assigned symbols into genes that have none, in one transaction.

    Nothing is written if a datacheck would fail that passes now. Loading the
    same table twice changes nothing.
    """
    address = parse_address(**where)
    check_paths()
    table = _read(symbol_assignments)
    if not table:
        raise GstError(
            "there is no row in it, so nothing can be loaded",
            where=str(symbol_assignments),
            hint="look whether the step before went well",
        )
    accessions = Accessions()
    if primary_ids_file is not None:
        accessions.add_file(primary_ids_file)
    if model is not None or not (primary_ids_file or any(row.accession for row in table)):
        accessions.add_vocabulary(_vocabulary(model))

    def plan_load(connection: Any, lock: bool) -> tuple[int, Plan]:
        chosen = choose_species(connection, species_id, species)
        plan = make_plan(
            connection,
            table,
            accessions,
            species_id=chosen,
            threshold=threshold,
            duplicates=duplicates,
            lock=lock,
        )
        return chosen, plan

    # No rollback converts tables back: look first whether anything is to be written.
    if dry_run or convert_to_innodb:
        with database_failures(address), open_database(address).connect() as connection:
            _, plan = plan_load(connection, lock=False)
        if dry_run and plan_file is None:
            write_plan(plan, sys.stdout)
        if dry_run or not plan.to_load or (strict and plan.problems):
            _report(plan, plan_file, quiet)
            _stop_if_strict(plan, strict, address)
            _stop_if_nothing_fits(plan, address)
            if not dry_run and not quiet:
                click.echo("0 symbols loaded", err=True)
            return
    with write_transaction(
        address, lock_timeout=lock_timeout, convert_to_innodb=convert_to_innodb
    ) as connection:
        chosen, plan = plan_load(connection, lock=True)
        _report(plan, plan_file, quiet)
        _stop_if_strict(plan, strict, address)
        _stop_if_nothing_fits(plan, address)
        load_symbols(connection, plan, species_id=chosen, program_version=program_version)
    if not quiet:
        click.echo(f"{len(plan.to_load)} symbols loaded", err=True)


def _read(path: Path) -> list[AssignedSymbol]:
    if str(path) == "-":
        return list(read_assignments(sys.stdin, "standard input"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(read_assignments(file, str(path)))


def _vocabulary(model: Path | None) -> Vocabulary:
    # Only here: databases can be loaded where no model can be run.
    from gst_core.inference.session import default_model, read_vocabulary

    return read_vocabulary(model or default_model())


def _report(plan: Plan, plan_file: Path | None, quiet: bool) -> None:
    if plan_file is not None:
        with atomic_write(plan_file) as file:
            write_plan(plan, file)
    if not quiet:
        for line in summarise(plan):
            click.echo(line, err=True)


def _stop_if_strict(plan: Plan, strict: bool, address: Address) -> None:
    if strict and plan.problems:
        raise GstError(
            f"something is amiss with {len(plan.problems)} rows, and --strict is given",
            where=str(address),
            hint="nothing was changed; mend the rows listed, or leave --strict out",
        )


def _stop_if_nothing_fits(plan: Plan, address: Address) -> None:
    """Make an error of a table that nothing can be done with."""
    if not plan.rows or len(plan.problems) < len(plan.rows):
        return
    unknown = [row for row in plan.rows if row.outcome is Outcome.UNKNOWN_GENE]
    if len(unknown) < len(plan.rows):
        raise GstError(
            f"something is amiss with all {len(plan.rows)} rows, so nothing was loaded",
            where=str(address),
            hint="mend the rows listed",
        )
    kinds = Counter(row.feature.kind for row in unknown if row.feature)
    found = " and ".join(f"{number} are those of {kind}s" for kind, number in kinds.items())
    raise GstError(
        f"none of the {len(unknown)} stable ids is that of a gene of this species"
        + (f"; {found}" if found else ""),
        where=str(address),
        hint="name the proteins that gst db dump writes, one a gene"
        if found
        else "check that the table and the database are of one genome",
    )
