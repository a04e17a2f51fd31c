"""``gst filter``: keep the assignments above a probability, or describe genes."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.results.filtering import beside, describe_table, filter_table

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("filter")
@click.option("--symbol_assignments", required=True, type=_FILE, help="Result table of gst_assign.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Lowest probability to keep, 0 to 1."
)
@click.option(
    "--output",
    type=_FILE,
    help="Table to write.  [default: <stem>_filtered.csv or <stem>_description.csv beside the "
    "result table]",
)
def filter_assignments(
    symbol_assignments: Path, threshold: float | None, output: Path | None
) -> None:
    """Keep the assignments of at least --threshold.

    Without a threshold every row is kept, and a column gene_description is
    added: the text that goes into a core database.
    """
    if threshold is None:
        output = output or beside(symbol_assignments, "description")
        count = describe_table(symbol_assignments, output)
    else:
        output = output or beside(symbol_assignments, "filtered")
        count = filter_table(symbol_assignments, threshold, output)
    click.echo(f"{count.kept:,} of {count.read:,} assignments: {output}", err=True)
