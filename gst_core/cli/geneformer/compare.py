"""``geneformer compare``: an embedding beside simple baselines, on the user's own cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.files import atomic_write

if TYPE_CHECKING:
    from gst_core.geneformer.comparison import Comparison


@click.command()
@click.argument("counts", type=InputFile(path_type=Path, exists=True, dir_okay=False))
@click.option("--label", required=True, help="Column of obs with what cells are, as cell_type.")
@click.option("--batch", help="Column of obs with donor, sample or batch.")
@click.option(
    "--embedding",
    "embeddings",
    multiple=True,
    help="Key of obsm, or a Parquet file of geneformer embed. May be repeated.  "
    "[default: X_geneformer]",
)
@click.option("--layer", help="Layer with the raw counts.  [default: X]")
@click.option(
    "--cell_column",
    help="Column of the Parquet files with the names of the cells.  [default: they are in order]",
)
@click.option("--neighbours", default=15, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--max_cells",
    default=20_000,
    show_default=True,
    type=click.IntRange(min=20),
    help="Draw so many cells where there are more.",
)
@click.option("--seed", default=0, show_default=True, help="Of every random draw.")
@click.option("-o", "--output", type=OutputFile(path_type=Path), help="JSON document to write.")
def compare(
    counts: Path,
    label: str,
    batch: str | None,
    embeddings: tuple[str, ...],
    layer: str | None,
    cell_column: str | None,
    neighbours: int,
    max_cells: int,
    seed: int,
    output: Path | None,
) -> None:
    """Is the embedding worth it? Compare it with PCA of the counts, by labels and batches.

    COUNTS is an .h5ad with raw counts and labels. Baselines are PCA of log-normalised counts,
    of all genes and of the 2,000 most variable ones. Of every metric more is better.
    """
    check_paths(inputs=[path for path in embeddings if path.endswith(".parquet")])
    from gst_core.geneformer import comparison as room
    from gst_core.geneformer.embedded_cells import read_embedded_cells

    data = read_embedded_cells(
        counts,
        list(embeddings),
        label,
        batch,
        layer=layer,
        cell_column=cell_column,
        max_cells=max_cells,
        seed=seed,
    )
    if data.left_out:
        click.echo(
            f"geneformer compare: {data.left_out} cells without a label, batch or embedding "
            "are left out",
            err=True,
        )
    simple = room.baselines(data.cells, data.batches)
    result = room.compare(
        {**data.embeddings, **simple},
        data.labels,
        data.batches,
        neighbours=neighbours,
        seed=seed,
    )
    for note in result.notes:
        click.echo(f"geneformer compare: {note}", err=True)
    if output:
        with atomic_write(output) as file:
            json.dump(result.document(), file, indent=2)
            file.write("\n")
    _show(result, list(data.embeddings))


def _show(result: Comparison, embeddings: list[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from gst_core.geneformer.comparison import METRICS

    console = Console(highlight=False, soft_wrap=True)
    names = list(next(iter(result.scores.values())))
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None)
    table.add_column("metric")
    for name in [*names, "chance"]:
        table.add_column(name, justify="right")
    for metric, scores in result.scores.items():
        chance = result.chance.get(metric)
        cells = [f"{scores[name].mean:.3f}" if name in scores else "-" for name in names]
        table.add_row(metric, *cells, "-" if chance is None else f"{chance:.3f}")
    console.print(table)
    batches = f", {result.batches} batches" if result.batches else ""
    console.print(f"\n{result.cells} cells, {result.labels} labels{batches}; more is better")
    for metric in result.scores:
        best, ties = result.best(metric)
        tied = f", no better than {', '.join(ties)} beyond chance" if ties else ""
        console.print(f"{metric} ({METRICS[metric]}): best {best}{tied}")
    console.print()
    for name in embeddings:
        console.print(result.verdict(name))
