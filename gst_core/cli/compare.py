"""``gst compare``: one genome's assignments against known symbols."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._columns import aligned
from gst_core.cli._known import TableOrDatabase, known_symbols, password_file_option
from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli._quality import quality
from gst_core.cli._species import species_options
from gst_core.evaluation.comparison import by_threshold, write_comparisons
from gst_core.evaluation.genomes import (
    STATISTICS_COLUMNS,
    Assembly,
    clade_of,
    evaluate,
    statistics_fields,
    threshold_table,
    write_json,
    write_table,
)
from gst_core.results.filtering import beside

_INPUT = InputFile(path_type=Path, dir_okay=False)
_OUTPUT = OutputFile(path_type=Path)


@click.command()
@click.option("--assignments_csv", required=True, type=_INPUT, help="Result table of gst_assign.")
@click.option(
    "--known_symbols",
    "known",
    required=True,
    type=TableOrDatabase(path_type=Path, dir_okay=False),
    help="Tab-separated table with a header: translation id, known symbol. Or an Ensembl core "
    "database: mysql://user@host:port/database, or sqlite:///core.db.",
)
@password_file_option
@species_options
@click.option("--scientific_name", default="", help="Species, for the statistics.")
@click.option(
    "--checkpoint", type=_INPUT, help="Model that named them: adds whether it has the known symbol."
)
@click.option("--output", type=_OUTPUT, help="Table to write.  [default: <stem>_compare.csv]")
@click.option("--thresholds", type=_OUTPUT, help="Table to write: counts at each threshold.")
@click.option("--json", "json_", type=_OUTPUT, help="JSON document to write.")
@click.option(
    "--plot",
    type=_OUTPUT,
    help="Precision-recall curve and reliability diagram to write: .png, .svg, .pdf.",
)
def compare(
    assignments_csv: Path,
    known: Path | str,
    password_file: Path | None,
    species: str | None,
    species_id: int | None,
    scientific_name: str,
    checkpoint: Path | None,
    output: Path | None,
    thresholds: Path | None,
    json_: Path | None,
    plot: Path | None,
) -> None:
    """Compare assigned symbols with known ones: exact, fuzzy (one in the other), neither.

    Translation ids that are not known as they are match without their version. In a database
    genes are known by their displayed names, under the ids of gene, canonical transcript and its
    translation; names that were assigned as GST's are left out.
    The statistics go to standard output, with the ten most confused symbols and families.
    """
    written = output or beside(assignments_csv, "compare")
    check_paths([] if output else [written], [known] if isinstance(known, Path) else [])
    if isinstance(known, Path) and (password_file or species or species_id):
        raise click.UsageError(
            "--password_file, --species and --species_id are for --known_symbols in a database."
        )
    vocabulary = None
    if checkpoint:
        from gst_core.evaluation.symbols import model_symbols

        vocabulary = model_symbols(checkpoint)
    clade = clade_of(scientific_name) if scientific_name else ""
    genome = Assembly(scientific_name, clade, assignments_csv, known, species or "")
    symbols = known_symbols(
        genome, where="--known_symbols", password_file=password_file, species_id=species_id
    )
    evaluation = evaluate(genome, symbols, vocabulary)
    possible = evaluation.with_vocabulary
    table = threshold_table(by_threshold(evaluation.comparisons, with_vocabulary=possible))
    write_comparisons(written, evaluation.comparisons, with_vocabulary=possible)
    if thresholds:
        write_table(thresholds, table)
    if json_:
        write_json(json_, [evaluation])
    if plot:
        from gst_core.evaluation.precision_recall import plot as draw

        draw([evaluation], plot)
    click.echo(str(evaluation.statistics))
    header = ["clade", "scientific_name", *STATISTICS_COLUMNS]
    fields = [clade, scientific_name, *statistics_fields(evaluation.statistics)]
    click.echo(f"comparison statistics:\n{aligned([header, fields])}\n\n{aligned(table)}")
    if said := quality(evaluation.comparisons):
        click.echo(f"\n{said}")
