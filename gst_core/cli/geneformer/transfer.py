"""``geneformer transfer``: labels from a reference to new cells; no network is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click

from gst_core.cli._common import say
from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli.geneformer._options import NetworkChoice, network_options
from gst_core.cli.geneformer._progress import bar
from gst_core.cli.geneformer._training import tell_metrics


@click.command()
@click.argument("query", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--reference",
    required=True,
    type=InputFile(path_type=Path),
    help="Dataset or counts of cells with labels.",
)
@click.option("--label", required=True, help="Column of the reference with what cells are.")
@click.option("--donor", help="Column of the reference: methods are tested on donors left out.")
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model, or an .onnx file of geneformer export.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFile(path_type=Path, dir_okay=False),
    help="Table to write, .csv: a row a cell.",
)
@click.option(
    "--method",
    type=click.Choice(["knn", "logistic", "prototypes"]),
    default="logistic",
    show_default=True,
    help="Nearest neighbours, a logistic regression, or the nearest mean; all are tested.",
)
@click.option("--neighbours", default=15, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--unknown_below",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Say nothing of cells of which the label is less probable.",
)
@click.option(
    "--folds", default=5, show_default=True, type=click.IntRange(min=2), help="Of the test."
)
@click.option(
    "--min_cells",
    default=5,
    show_default=True,
    type=click.IntRange(min=1),
    help="Rarer labels are left out.",
)
@click.option("--embedding", type=click.Choice(["cell", "cls"]), default="cell", show_default=True)
@click.option(
    "--layer",
    type=click.Choice(["-1", "0"]),
    default="-1",
    show_default=True,
    help="0: the network's last layer; -1: the second to last.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option(
    "--report",
    type=OutputFile(path_type=Path, dir_okay=False),
    help="Figures of the test to write, .json.",
)
@network_options
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def transfer(
    query: Path,
    reference: Path,
    label: str,
    donor: str | None,
    checkpoint: Path,
    output: Path,
    method: str,
    neighbours: int,
    unknown_below: float,
    folds: int,
    min_cells: int,
    embedding: str,
    layer: str,
    seed: int,
    report: Path | None,
    network: NetworkChoice,
    quiet: bool,
) -> None:
    """Give cells the labels of a reference, by embeddings of a network that is left as it is.

    All methods, and a logistic regression on the counts, are tested on parts of the reference
    that were left out. Every cell has a row, in its order.

    \b
    geneformer transfer new.h5ad --reference atlas.h5ad --label cell_type --donor donor \\
      --checkpoint DIR --output labels.csv
    """  # noqa: D301
    import json

    from gst_core.files import atomic_write
    from gst_core.geneformer.embedding_files import check_output
    from gst_core.geneformer.labelled_cells import read_labelled_cells
    from gst_core.geneformer.predicting import write_table
    from gst_core.geneformer.transferring import transfer_labels
    from gst_core.geneformer.weights import fingerprint, weight_file

    check_paths()
    check_output(output, query, ".csv")
    if report is not None:
        check_output(report, query, ".json")
    model = network.load(checkpoint, quiet=quiet)
    known, new = (read_labelled_cells(model, path, **network.counts) for path in (reference, query))
    with bar("transfer", "cells", quiet) as progress:
        table, found = transfer_labels(
            model,
            known,
            new,
            label,
            method=cast(Any, method),
            donor=donor,
            mode=cast(Any, embedding),
            layer=cast(Any, int(layer)),
            neighbours=neighbours,
            unknown_below=unknown_below,
            folds=folds,
            min_cells=min_cells,
            seed=seed,
            work=output.with_name(f".{output.name}"),
            network=fingerprint(weight_file(checkpoint) if checkpoint.is_dir() else checkpoint),
            progress=progress,
        )
    write_table(table, output)
    if report is not None:
        with atomic_write(report) as file:
            file.write(json.dumps(found, indent=2) + "\n")
    if not quiet:
        for text in [*found["notes"], *found["warnings"]]:
            say(f"geneformer: {text}")
        say(
            f"geneformer: {label}: {found['tested']:,} cells of the reference tested, by "
            f"{found['divided_by']}; the most frequent label has {found['most_frequent']:.3f}"
        )
        tell_metrics(found["methods"])
        if found["query"]:
            say("geneformer: the new cells have the column too; of those with labels in both:")
            tell_metrics(found["query"])
        say(f"geneformer: {len(table):,} cells, by {method} -> {output}")
