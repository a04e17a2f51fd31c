"""``gst report``: result tables to one HTML page, for MultiQC and for other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from gst_core.cli._common import counted, say
from gst_core.cli._paths import InputFile, OutputFile, OutputFolder, Probability, check_paths
from gst_core.errors import GstError, display
from gst_core.results.curation import Curation
from gst_core.results.html import write_html
from gst_core.results.lookup import read_lookup
from gst_core.results.multiqc import write_multiqc
from gst_core.results.provenance import Genome
from gst_core.results.report import Failure, Report, write_genome_table
from gst_core.results.summary import summarise_table
from gst_core.sheets import read_sheet
from gst_core.taxonomy import resolve

_INPUT = InputFile(path_type=Path, dir_okay=False)
_OUTPUT = OutputFile(path_type=Path)


@click.command()
@click.argument("tables", nargs=-1, type=_INPUT)
@click.option("--output", required=True, type=_OUTPUT, help="HTML page to write.")
@click.option(
    "--multiqc",
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder for the two *_mqc.json files that MultiQC picks up.",
)
@click.option("--genome_table", type=_OUTPUT, help="Table to write, one line a genome.")
@click.option(
    "--samplesheet",
    type=_INPUT,
    help="Table with the column id and any of scientific_name, taxon_id, clade, to name the "
    "species of genomes.",
)
@click.option(
    "--failures",
    type=_INPUT,
    help='JSON of genomes that have no table: [{"id": "x", "step": "assign", "error": "why"}].',
)
@click.option(
    "--known_symbols",
    type=_INPUT,
    help="Table with the columns stable_id and symbol, to count the right ones.",
)
@click.option(
    "--threshold",
    type=Probability(),
    help="Probability from which a symbol counts in the page's figures.  [default: 0.9]",
)
@click.option("--title", default="Gene symbols", show_default=True, help="Heading of the page.")
def report(
    tables: tuple[Path, ...],
    output: Path,
    multiqc: Path | None,
    genome_table: Path | None,
    samplesheet: Path | None,
    failures: Path | None,
    known_symbols: Path | None,
    threshold: float | None,
    title: str,
) -> None:
    """Report on result TABLES of gst_assign, one a genome.

    A genome's id is the name of its table without the ending, and of a table
    <stem>_symbols.csv without "_symbols".
    """
    if not tables and not failures:
        raise click.UsageError("Missing argument 'TABLES...'.")
    check_paths()
    ids = _ids(tables)
    genomes = _genomes(samplesheet) if samplesheet else {}
    known = read_lookup(known_symbols, "stable_id", "symbol") if known_symbols else {}
    gathered = Report(title=title, threshold=threshold)
    for table, id in zip(tables, ids, strict=True):
        summary = summarise_table(table, known, confident=gathered.confident)
        gathered.add(genomes.get(id, Genome(id)), summary)
    if len(tables) == 1:
        gathered.curation = Curation.of_table(tables[0])
    for failure in _failures(failures) if failures else []:
        if failure.id in ids:
            raise GstError(f"'{failure.id}' has a table and failed", where=str(failures))
        species = genomes[failure.id].scientific_name if failure.id in genomes else ""
        gathered.failures.append(replace(failure, scientific_name=species))
    write_html(gathered, output)
    if multiqc:
        write_multiqc(gathered, multiqc)
    if genome_table:
        write_genome_table(gathered, genome_table)
    failed = f", {counted(len(gathered.failures), 'genome')} failed" if gathered.failures else ""
    proteins = counted(gathered.total.sequences, "protein")
    say(f"{counted(len(tables), 'table')}, {proteins}{failed}: {output}")


def _ids(tables: tuple[Path, ...]) -> list[str]:
    """Ids of genomes by their tables, each once."""
    named: dict[str, Path] = {}
    for table in tables:
        id = display(table.name.removesuffix("_symbols.csv"))
        id = display(table.stem) if id == table.name else id
        if id in named:
            raise GstError(
                f"{named[id]} and {table} are both tables of a genome '{id}'",
                hint="give each genome's table once, under the genome's own name",
            )
        named[id] = table
    return list(named)


def _genomes(samplesheet: Path) -> dict[str, Genome]:
    """Genomes of a samplesheet by id, each with the clade of its species."""
    genomes: dict[str, Genome] = {}
    for row in read_sheet(
        samplesheet, ("id",), ("scientific_name", "taxon_id", "clade"), others=True
    ):
        id, name, taxon, clade = row.cells.values()
        if id in genomes:
            raise GstError(f"the id '{id}' is there twice", where=f"{samplesheet}, line {row.line}")
        number = int(taxon) if taxon.isascii() and taxon.isdigit() else None
        genomes[id] = Genome(id, name, number, clade or _clade(number or name))
    return genomes


def _clade(species: str | int) -> str | None:
    try:
        return resolve(species).clade if species else None
    except GstError:  # a report shows what there is
        return None


def _failures(path: Path) -> list[Failure]:
    """Genomes that failed; a step or an error may be missing."""
    form = 'expected [{"id": "x", "step": "assign", "error": "why"}]'
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [
            Failure(display(e["id"]), "", *(display(e.get(k) or "") for k in ("step", "error")))
            for e in entries
        ]
    except OSError as error:
        raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GstError("is no list of failures", where=str(path), hint=form) from error
