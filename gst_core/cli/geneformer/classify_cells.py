"""``geneformer classify cells``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gst_core.cli._paths import InputFile, check_paths
from gst_core.cli.geneformer._options import NetworkChoice, filter_option, parse_filters
from gst_core.cli.geneformer._training import SIZE, config_of, train_and_test, training_options


@click.command()
@click.argument("source", metavar="DATASET_OR_COUNTS", type=InputFile(path_type=Path))
@click.option(
    "--label",
    "labels",
    required=True,
    multiple=True,
    help="Column with what cells are. Given more than once, one network learns all.",
)
@click.option("--donor", help="Column with individuals: none is on both sides of the test.")
@click.option(
    "--folds",
    default=1,
    show_default=True,
    type=SIZE,
    help="Rounds of cross-validation; 1 tests once and keeps the classifier that was tested.",
)
@click.option(
    "--test",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.01, 0.9),
    help="Share of the cells to test with one fold.",
)
@click.option(
    "--validation",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 0.5),
    help="Share of the cells to stop and calibrate by.",
)
@click.option(
    "--min_cells", default=5, show_default=True, type=SIZE, help="Rarer labels are left out."
)
@click.option(
    "--embedding",
    type=click.Choice(["cell", "cls"]),
    default="cell",
    show_default=True,
    help="What the classifier reads: the mean of a cell's genes, or its <cls> (V2).",
)
@filter_option("Cells to read")
@training_options
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def cells(
    source: Path,
    labels: tuple[str, ...],
    donor: str | None,
    folds: int,
    test: float,
    validation: float,
    min_cells: int,
    filters: tuple[str, ...],
    embedding: str,
    checkpoint: Path,
    output: Path,
    network: NetworkChoice,
    quiet: bool,
    trials: int,
    **course: Any,
) -> None:
    """Train and test a classifier of cells: types, states, diseases.

    A logistic regression on the counts is trained and tested on the same cells.

    \b
    geneformer classify cells cells.h5ad --checkpoint DIR --label cell_type --donor patient \\
      --output classifier
    geneformer classify predict new.h5ad --model classifier --output predicted.csv
    """  # noqa: D301
    from gst_core.errors import GstError
    from gst_core.geneformer.examples import examples_of_cells
    from gst_core.geneformer.labelled_cells import read_labelled_cells
    from gst_core.geneformer.splits import plan_cells

    config, chosen = config_of(course), parse_filters(filters)
    if len(set(labels)) < len(labels):
        raise click.UsageError("the same --label twice")
    check_paths()
    model = network.load(checkpoint, quiet=quiet)
    if embedding == "cls" and model.resources.cls_token is None:
        raise GstError("cells of V1 have no <cls>", where="--embedding cls")
    read = read_labelled_cells(model, source, **network.counts).only(chosen)
    examples, notes = examples_of_cells(read, labels, min_cells)
    rows = examples.rows
    donors = None if donor is None else read.donors(donor, rows)
    plan = plan_cells(
        examples.labels[0, rows],
        list(examples.classes[0]),
        None if donors is None else donors[rows],
        folds=folds,
        test=test,
        validation=validation,
        seed=config.seed,
    )
    train_and_test(
        model,
        examples,
        plan,
        config,
        output,
        checkpoint=checkpoint,
        trials=trials,
        quiet=quiet,
        facts={"donor": donor},
        names=read.obs.index.astype(str).to_numpy(),
        donors=donors,
        pooling="cls" if embedding == "cls" else "cell",
        notes=notes,
    )
