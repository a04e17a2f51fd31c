"""``geneformer statistics``: which perturbations did something."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._paths import OutputFile, check_paths
from gst_core.files import atomic_write

MODES = (
    "goal_state_shift",
    "vs_null",
    "mixture_model",
    "aggregate_data",
    "aggregate_gene_shifts",
    "cooperation",
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--output", required=True, type=OutputFile(path_type=Path), help="CSV to write.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="[default: vs_null with --null; goal_state_shift of states; cooperation of pairs; "
    "mixture_model of all genes; else aggregate_data]",
)
@click.option(
    "--null",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the same perturbation of other cells, such as random ones, to compare with.",
)
@click.option("--plot", type=OutputFile(path_type=Path), help="Picture to draw: .png, .svg, .pdf.")
@click.option("--html", type=OutputFile(path_type=Path), help="Page with pictures and tables.")
@click.option("--title", help="Of picture and page.  [default: the folder's name]")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def statistics(
    folder: Path,
    output: Path,
    mode: str | None,
    null: Path | None,
    plot: Path | None,
    html: Path | None,
    title: str | None,
    quiet: bool,
) -> None:
    """Tell which perturbations did something, from a FOLDER of geneformer perturb.

    A row a perturbation, in columns named as the reference names them. goal_state_shift: which
    move cells towards the goal more than others do. vs_null: which move these cells otherwise
    than --null. mixture_model: which have an impact, by a mixture of two normals. aggregate_data:
    means. aggregate_gene_shifts: of each affected gene. cooperation: pairs beside the sum of
    their singles.

    \b
    geneformer statistics deleted --output deleted.csv --html deleted.html
    """  # noqa: D301
    from gst_core.geneformer.perturbation_report import statistics_of

    if null is not None and mode not in (None, "vs_null"):
        raise click.UsageError(f"--null is for --mode vs_null, not {mode}")
    if mode == "vs_null" and null is None:
        raise click.UsageError("--mode vs_null needs --null")
    if null is not None and null.resolve() == folder.resolve():
        raise click.UsageError(f"--null is {folder} itself: give the folder of other cells")
    check_paths()
    found = statistics_of(folder, mode, null)
    if plot is not None:
        found.check_picture(plot)
    with atomic_write(output) as file:
        found.table.to_csv(file, index=False)
    title = title if title is not None else folder.resolve().name
    if plot is not None:
        found.draw(plot, title)
    if html is not None:
        from gst_core.geneformer.perturbation_page import write_page

        write_page(html, found.table, found.mode, found.description, title)
    if not quiet:
        effect = ""
        for name in ("Sig", "Impact_component"):
            if name in found.table:
                effect = f", {int(found.table[name].sum()):,} with effect"
        rows = f"{len(found.table):,} rows"
        click.echo(f"geneformer: {found.mode}: {rows}{effect} -> {output}", err=True)
