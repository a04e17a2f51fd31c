"""``gst filter``: keep the assignments above a probability, or describe genes."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._common import say
from gst_core.cli._paths import FileOrFolder, InputFile, Probability, check_paths
from gst_core.errors import GstError
from gst_core.files import is_folder, make_folder
from gst_core.results.filtering import beside, describe_table, filter_table


@click.command("filter")
@click.option(
    "--symbol_assignments",
    "tables",
    multiple=True,
    required=True,
    type=InputFile(path_type=Path, dir_okay=False),
    help="Result table of gst_assign. May be repeated.",
)
@click.option("--threshold", type=Probability(), help="Lowest probability to keep, 0 to 1.")
@click.option(
    "--output",
    type=FileOrFolder(),
    help="Table to write, or a folder, which may end with a slash, for <stem>_filtered.tsv or "
    "<stem>_description.tsv.  [default: <stem>_filtered.csv or <stem>_description.csv beside "
    "the result table]",
)
def filter_assignments(
    tables: tuple[Path, ...], threshold: float | None, output: str | None
) -> None:
    """Keep the assignments of at least --threshold.

    Without a threshold every row is kept, and a column gene_description is
    added: the text that goes into a core database.
    """
    outputs = _outputs(tables, output, "description" if threshold is None else "filtered")
    failed: list[Path] = []
    for table, target in zip(tables, outputs, strict=True):
        try:
            if threshold is None:
                count = describe_table(table, target)
            else:
                count = filter_table(table, threshold, target)
        except GstError as error:
            if len(tables) == 1:
                raise
            failed.append(table)
            say(f"gst filter: error: {error}")
            continue
        say(f"{count.kept:,} of {count.read:,} assignments: {target}")
        if count.dates:
            say(
                f"gst filter: warning: {table}: {count.dates:,} symbols look like dates that a "
                f"spreadsheet has made of them, first {count.first_date}; write the table again "
                "with gst_assign"
            )
    if failed:
        raise GstError(
            f"{len(failed)} of {len(tables)} tables failed: {', '.join(map(str, failed[:10]))}",
            hint="the others are written; see the errors above",
        )


def _outputs(tables: tuple[Path, ...], output: str | None, suffix: str) -> list[Path]:
    """Where each table goes, checked."""
    if output is None:
        outputs = [beside(table, suffix) for table in tables]
    elif is_folder(output):
        folder = make_folder(output)
        outputs = [folder / f"{table.stem}_{suffix}.tsv" for table in tables]
    elif len(tables) == 1:
        outputs = [Path(output)]
    else:
        raise click.UsageError(
            f"--output {output}: several tables need a folder; end its name with a slash"
        )
    names: dict[Path, Path] = {}
    for table, target in zip(tables, outputs, strict=True):
        if target in names:
            raise GstError(
                f"the results of {names[target]} and {table} would be the same file",
                where=str(target),
                hint="give them different names",
            )
        names[target] = table
    check_paths(outputs)
    return outputs
