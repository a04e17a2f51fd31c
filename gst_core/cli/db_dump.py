"""``gst db dump``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import track

from gst_core.cli._database import address_options
from gst_core.cli._paths import OutputFile, check_paths
from gst_core.cli._species import species_options
from gst_core.ensembl.connect import open_database, parse_address
from gst_core.ensembl.dump import DumpedProtein, count_genes, dump_proteins
from gst_core.ensembl.failures import database_failures
from gst_core.ensembl.species import choose_species
from gst_core.errors import GstError
from gst_core.files import atomic_write


@click.command()
@address_options
@species_options
@click.option(
    "--output",
    default="-",
    show_default=True,
    type=OutputFile(dir_okay=False, allow_dash=True),
    help="FASTA file; - is standard output.",
)
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
def dump(
    output: str, quiet: bool, species: str | None, species_id: int | None, **where: Any
) -> None:
    """Write a protein for each protein-coding gene.

    It is the translation of the gene's canonical transcript or, where that has
    none, of its first transcript that has one.
    """
    address = parse_address(**where)
    check_paths()
    engine = open_database(address)
    with database_failures(address), engine.connect() as stream, engine.connect() as lookup:
        chosen = choose_species(lookup, species_id, species)
        genes = count_genes(lookup, chosen)
        proteins = dump_proteins(stream, lookup, chosen)
        if not quiet:
            proteins = _with_progress(proteins, genes)
        with _open(output) as file:
            written, empty = _write(file, proteins)
            if not written:
                raise GstError(
                    f"none of its {genes} protein-coding genes has a translation, so there is "
                    "nothing to write",
                    where=str(address),
                    hint="check that genes are of the biotype protein_coding, and the species",
                )
    if not quiet:
        without = genes - written - empty
        click.echo(
            f"{written} proteins of {genes} protein-coding genes; "
            f"{without} without a translation, {empty} without a whole codon",
            err=True,
        )


def _open(output: str) -> AbstractContextManager[IO[str]]:
    return nullcontext(sys.stdout) if output == "-" else atomic_write(Path(output))


def _with_progress(proteins: Iterable[DumpedProtein], genes: int) -> Iterator[DumpedProtein]:
    console = Console(stderr=True)
    yield from track(proteins, "proteins", total=genes, console=console, transient=True)


def _write(file: IO[str], proteins: Iterable[DumpedProtein]) -> tuple[int, int]:
    written = empty = 0
    for protein in proteins:
        if protein.sequence:
            file.write(protein.to_fasta())
            written += 1
        else:
            empty += 1
    return written, empty
