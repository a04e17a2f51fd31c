"""``geneformer embed``: cells or genes to vectors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import click

from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli.geneformer._options import NetworkChoice, bf16_option, network_options
from gst_core.cli.geneformer._progress import bar


@click.command()
@click.argument("source", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model (config.json, model.safetensors), or an .onnx file of "
    "geneformer export.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFile(path_type=Path),
    help=".h5ad: in obsm['X_geneformer']; .parquet: a row a cell.",
)
@click.option(
    "--embedding",
    type=click.Choice(["cell", "cls", "gene"]),
    default="cell",
    show_default=True,
    help="Mean of a cell's genes; its <cls> (V2); or the mean of each gene over the cells.",
)
@click.option(
    "--layer",
    type=click.Choice(["-1", "0"]),
    default="-1",
    show_default=True,
    help="0: the network's last layer; -1: the second to last.",
)
@network_options
@bf16_option
@click.option("--plot", type=OutputFile(path_type=Path), help="Picture to draw: a UMAP, as .png.")
@click.option("--color", help="Column that colours the picture.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def embed(
    source: Path,
    checkpoint: Path,
    output: Path,
    embedding: str,
    layer: str,
    network: NetworkChoice,
    bf16: bool,
    plot: Path | None,
    color: str | None,
    quiet: bool,
) -> None:
    """Embed cells or genes with a Geneformer network, on any device.

    A run that was killed goes on where it was when it is started again.

    \b
    geneformer embed cells.h5ad --checkpoint gf-12L-104M-i4096 --output embedded.h5ad
    geneformer embed cells.dataset --checkpoint model.onnx --output cells.parquet --embedding cls
    """  # noqa: D301
    if color and not plot:
        raise click.UsageError("--color colours --plot, which is not given")
    if plot and embedding == "gene":
        raise click.UsageError("--plot draws cells")
    from gst_core.geneformer.embedding_files import embed_file

    check_paths()
    model = network.load(checkpoint, quiet=quiet, bf16=bf16)
    began = time.perf_counter()
    with bar("embed", "cells", quiet) as progress:
        rows = embed_file(
            model,
            source,
            output,
            checkpoint=checkpoint,
            mode=cast(Any, embedding),
            layer=cast(Any, int(layer)),
            **network.counts,
            progress=progress,
        )
    if not quiet:
        seconds = time.perf_counter() - began
        what = "genes" if embedding == "gene" else "cells"
        click.echo(f"geneformer: {rows:,} {what} in {seconds:.1f} s -> {output}", err=True)
    if plot:
        from gst_core.geneformer.embedded_output import read_embedded
        from gst_core.geneformer.plotting import plot_cells

        vectors, labels = read_embedded(output, color)
        plot_cells(vectors, labels, plot, title=output.name, label_name=color or "")
        if not quiet:
            click.echo(f"geneformer: picture -> {plot}", err=True)
