"""``geneformer tokenize``: raw counts to a dataset of rank value encoded cells."""

from __future__ import annotations

import time
from pathlib import Path

import click

from gst_core.cli._paths import FileOrFolder, InputFile, check_paths
from gst_core.cli.geneformer._options import model_version_option, resources_option
from gst_core.cli.geneformer._progress import bar


@click.command()
@click.argument("counts", type=InputFile(path_type=Path))
@click.option(
    "--output",
    required=True,
    type=FileOrFolder(path_type=Path),
    help="Dataset to write: a folder as Hugging Face's datasets have it, or a .parquet file.",
)
@model_version_option
@resources_option
@click.option(
    "--custom_attribute",
    "attributes",
    multiple=True,
    metavar="NAME[=NEW]",
    help="Column of obs to carry over (obs_names: names of the cells). May be repeated.",
)
@click.option(
    "--all_attributes",
    is_flag=True,
    help="Carry over every column of obs, and the names of the cells.",
)
@click.option("--filter_column", help="Take the cells where this column of obs is 1 or true.")
@click.option("--layer", help="Layer with the raw counts, or raw.  [default: X]")
@click.option(
    "--gene_column",
    help="Column of var with Ensembl ids or symbols, or index.  [default: ensembl_id, else the one "
    "that leads to most genes]",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def tokenize(
    counts: Path,
    output: Path,
    model_version: str,
    resources: Path | None,
    attributes: tuple[str, ...],
    all_attributes: bool,
    filter_column: str | None,
    layer: str | None,
    gene_column: str | None,
    quiet: bool,
) -> None:
    """Encode each cell of COUNTS as its genes, the most telling first.

    COUNTS has raw counts: .h5ad, .zarr, .loom, a 10x .h5, or a folder with matrix.mtx. What is
    wrong with a file, geneformer check tells.

    \b
    geneformer tokenize cells.h5ad --output cells.dataset --custom_attribute cell_type
    geneformer tokenize filtered_feature_bc_matrix --output cells.parquet --model_version V1
    """  # noqa: D301
    # a dataset that is there is a folder, which the writer looks at
    check_paths([] if output.is_dir() else [output])
    from gst_core.geneformer.resources import Resources
    from gst_core.geneformer.tokenizing import tokenize_file

    renamed = {}
    for attribute in attributes:
        name, _, new = attribute.partition("=")
        renamed[name] = new or name
    began = time.perf_counter()
    with bar("tokenize", "cells", quiet) as progress:
        opened, statistics, written = tokenize_file(
            counts,
            output,
            Resources.load(model_version, resources),
            attributes=renamed,
            all_attributes=all_attributes,
            layer=layer,
            column=gene_column,
            filter_column=filter_column,
            progress=progress,
        )
    if quiet:
        return
    tokenizer = opened.tokenizer
    say = _say
    for warning in opened.warnings:
        say(f"warning: {warning}")
    where = "the index of var" if opened.column == "index" else f"var['{opened.column}']"
    share = statistics.mapped_umis / statistics.umis if statistics.umis else 0.0
    say(
        f"genes by {where}: {tokenizer.mapped:,} of {len(tokenizer.genes):,} have a token, "
        f"with {share:.1%} of the counts"
    )
    if statistics.empty:
        say(f"warning: {statistics.empty:,} cells without any gene of the vocabulary are left out")
    if statistics.cut:
        say(f"{statistics.cut:,} cells have more genes than fit; their last ranks are cut")
    seconds = time.perf_counter() - began
    say(f"{written:,} cells in {seconds:.1f} s ({written / seconds:,.0f}/s) -> {output}")


def _say(message: str) -> None:
    click.echo(f"geneformer: {message}", err=True)
