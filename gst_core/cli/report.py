"""``gst report``: result tables to one HTML page, for MultiQC and for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.results.html import write_html
from gst_core.results.lookup import read_lookup
from gst_core.results.multiqc import write_multiqc
from gst_core.results.provenance import Genome
from gst_core.results.report import Report, write_genome_table
from gst_core.results.summary import summarise_table

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("tables", nargs=-1, required=True, type=_FILE)
@click.option("--output", required=True, type=_FILE, help="HTML page to write.")
@click.option(
    "--multiqc",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the two *_mqc.json files that MultiQC picks up.",
)
@click.option("--genome_table", type=_FILE, help="Table to write, one line a genome.")
@click.option(
    "--samplesheet",
    type=_FILE,
    help="Table with the columns id and scientific_name, to name the species of genomes.",
)
@click.option(
    "--known_symbols",
    type=_FILE,
    help="Table with the columns stable_id and symbol, to count the right ones.",
)
@click.option("--title", default="Gene symbols", show_default=True, help="Heading of the page.")
def report(
    tables: tuple[Path, ...],
    output: Path,
    multiqc: Path | None,
    genome_table: Path | None,
    samplesheet: Path | None,
    known_symbols: Path | None,
    title: str,
) -> None:
    """Report on result TABLES of gst_assign, one a genome.

    A genome's id is the name of its table without the ending and without
    "_symbols".
    """
    species = read_lookup(samplesheet, "id", "scientific_name") if samplesheet else {}
    known = read_lookup(known_symbols, "stable_id", "symbol") if known_symbols else {}
    gathered = Report(title=title)
    for table in tables:
        genome = table.stem.removesuffix("_symbols")
        gathered.add(Genome(genome, species.get(genome, "")), summarise_table(table, known))
    write_html(gathered, output)
    if multiqc:
        write_multiqc(gathered, multiqc)
    if genome_table:
        write_genome_table(gathered, genome_table)
    click.echo(f"{len(tables):,} tables, {gathered.total.sequences:,} proteins: {output}", err=True)
