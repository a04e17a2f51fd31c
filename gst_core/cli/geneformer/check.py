"""``geneformer check``: what is wrong with a file of counts."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gst_core.cli.geneformer._options import model_version_option, resources_option


@click.command()
@click.argument("counts", type=click.Path(path_type=Path))
@model_version_option
@resources_option
@click.option("--layer", help="Layer to look at, or raw.  [default: X]")
@click.option("--gene_column", help="Column of var with the genes, or index.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--allow_failures",
    is_flag=True,
    help="Exit with status 0 also where tokens would be wrong: for pipelines.",
)
def check(
    counts: Path,
    model_version: str,
    resources: Path | None,
    layer: str | None,
    gene_column: str | None,
    format_: str,
    allow_failures: bool,
) -> None:
    """Tell whether COUNTS can be tokenised as they are, and what to do if not.

    The exit status is 1 where tokens would be wrong.
    """
    from gst_core.geneformer.checking import check_file
    from gst_core.geneformer.resources import Resources

    report = check_file(
        counts, Resources.load(model_version, resources), layer=layer, column=gene_column
    )
    if format_ == "json":
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        colours = {"good": "green", "note": "yellow", "bad": "red"}
        table = Table(title=f"{counts.name} for Geneformer {model_version}", title_justify="left")
        for heading in ("", "what", "found", "what to do"):
            table.add_column(heading, overflow="fold")
        for finding in report.findings:
            table.add_row(
                Text(finding.state, style=colours[finding.state]),
                *(Text(part) for part in (finding.what, finding.value, finding.advice)),
            )
        Console(soft_wrap=False).print(table)
    if not (report.good or allow_failures):
        raise click.exceptions.Exit(1)
