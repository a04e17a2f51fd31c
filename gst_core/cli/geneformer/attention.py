"""``geneformer attention``: what a network attends to, by layer and head."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import click

from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli.geneformer._options import NetworkChoice, network_options
from gst_core.cli.geneformer._progress import bar


@click.command()
@click.argument("source", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model: config.json, model.safetensors.",
)
@click.option(
    "--output", required=True, type=OutputFile(path_type=Path), help="Table to write, as .parquet."
)
@click.option(
    "--by",
    type=click.Choice(["gene", "cell"]),
    default="gene",
    show_default=True,
    help="gene: a row a gene, the mean over its cells; cell: a row for each gene of each cell.",
)
@click.option(
    "--from",
    "queries",
    type=click.Choice(["all", "cls"]),
    default="all",
    show_default=True,
    help="Whose attention: of all tokens of the cell, or of its <cls> alone (V2).",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    type=click.IntRange(min=0),
    help="Layer, counted from 0. May be repeated.  [default: all]",
)
@network_options
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def attention(
    source: Path,
    checkpoint: Path,
    output: Path,
    by: str,
    queries: str,
    layers: tuple[int, ...],
    network: NetworkChoice,
    quiet: bool,
) -> None:
    """Write how much attention each gene receives, by layer and head.

    The number is the sum of the weights that the tokens of a cell give to a gene: 1 on average
    over the cell, so that cells of any length compare.

    \b
    geneformer attention cells.h5ad --checkpoint gf-12L-104M-i4096 --output genes.parquet
    geneformer attention cells.dataset --checkpoint gf-6L-10M-i2048 --by cell --layer 5 \\
        --output cells.parquet
    """  # noqa: D301
    from gst_core.geneformer.attention_files import write_attention

    check_paths()
    model = network.load(checkpoint, quiet=quiet)
    began = time.perf_counter()
    with bar("attention", "cells", quiet) as progress:
        rows = write_attention(
            model,
            source,
            output,
            by=cast(Any, by),
            layers=layers or None,
            source=cast(Any, queries),
            **network.counts,
            progress=progress,
        )
    if not quiet:
        seconds = time.perf_counter() - began
        click.echo(f"geneformer: {rows:,} rows in {seconds:.1f} s -> {output}", err=True)
