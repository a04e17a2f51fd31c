"""``geneformer classify predict``."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli.geneformer._options import NetworkChoice, network_options
from gst_core.cli.geneformer._progress import bar


@click.command()
@click.argument("source", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--model",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that geneformer classify wrote.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFile(path_type=Path, dir_okay=False),
    help="Table to write, .csv: a row a cell, or a row a gene.",
)
@network_options
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def predict(
    source: Path,
    folder: Path,
    output: Path,
    network: NetworkChoice,
    quiet: bool,
) -> None:
    """Classify new cells, or the genes in them, by a trained classifier.

    Every cell has a row, in its order; one without any gene that the network knows has no class.

    \b
    geneformer classify predict new.h5ad --model classifier --output predicted.csv
    """  # noqa: D301
    from gst_core.geneformer.backends import TorchEncoder
    from gst_core.geneformer.classifier_files import Description, load_classifier
    from gst_core.geneformer.embedding_files import check_output
    from gst_core.geneformer.labelled_cells import read_labelled_cells
    from gst_core.geneformer.predicting import predict_table, write_table

    check_paths()
    version = Description.load(folder).model_version
    check_output(output, source, ".csv")
    model = network.of_version(version).load(folder, quiet=quiet)
    assert isinstance(model.encoder, TorchEncoder)
    classifier, description = load_classifier(folder, model.encoder.encoder)
    cells = read_labelled_cells(model, source, **network.counts)
    with bar("predict", "cells", quiet) as progress:
        table = predict_table(model, classifier, description, cells, progress)
    write_table(table, output)
    if not quiet:
        click.echo(f"geneformer: {len(table):,} {description.kind} -> {output}", err=True)
