"""``geneformer classify genes``."""

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
    "--labels",
    "table",
    type=InputFile(path_type=Path, exists=True, dir_okay=False),
    help="Table with a header, .csv or .tsv: a column of genes a class, or see --label.",
)
@click.option("--label", help="Column of --labels with each gene's label.")
@click.option(
    "--genes",
    "lists",
    multiple=True,
    metavar="CLASS=FILE",
    help="List of genes of a class, a line each. In place of --labels, twice or more.",
)
@click.option(
    "--folds", default=5, show_default=True, type=SIZE, help="Rounds of cross-validation by genes."
)
@click.option(
    "--validation",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 0.5),
    help="Share of the genes to stop and calibrate by.",
)
@click.option(
    "--max_cells", default=1000, show_default=True, type=SIZE, help="Draw so many cells to read."
)
@click.option(
    "--min_cells",
    default=1,
    show_default=True,
    type=SIZE,
    help="Genes that fewer cells have are left out.",
)
@filter_option("Cells to read")
@training_options
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def genes(
    source: Path,
    table: Path | None,
    label: str | None,
    lists: tuple[str, ...],
    folds: int,
    validation: float,
    max_cells: int,
    min_cells: int,
    filters: tuple[str, ...],
    checkpoint: Path,
    output: Path,
    network: NetworkChoice,
    quiet: bool,
    trials: int,
    **course: Any,
) -> None:
    """Train and test a classifier of genes, each read in the cells that have it.

    Genes are tested in folds in which no cell has taught their labels; what is said of a gene is
    the mean over cells. A logistic regression on the counts of the same genes in the same cells
    stands beside it.

    \b
    geneformer classify genes cells.h5ad --labels dosage_sens_tf_labels.csv \\
      --checkpoint DIR --output dosage
    geneformer classify genes cells.h5ad --genes bivalent=bivalent.txt --genes lys4_only=lys4.txt \\
      --checkpoint DIR --output bivalent
    """  # noqa: D301
    from gst_core.geneformer.gene_labels import examples_of_genes, read_lists, read_table
    from gst_core.geneformer.labelled_cells import read_labelled_cells
    from gst_core.geneformer.splits import plan_genes

    if (table is None) == (not lists):
        raise click.UsageError("give either --labels or --genes")
    if label is not None and table is None:
        raise click.UsageError("--label is a column of --labels, which is not given")
    files = _files(lists)
    config, chosen = config_of(course), parse_filters(filters)
    check_paths()
    model = network.load(checkpoint, quiet=quiet)
    classes = read_table(table, label, model.resources) if table else read_lists(files)
    read = read_labelled_cells(model, source, **network.counts).only(chosen)
    examples, notes = examples_of_genes(
        read,
        classes,
        model.resources,
        task=label or " or ".join(sorted(classes)),
        max_cells=max_cells,
        min_cells=min_cells,
        seed=config.seed,
    )
    rows = examples.rows
    plan = plan_genes(
        examples.labels[0, rows],
        list(examples.classes[0]),
        folds=folds,
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
        names=model.names_of(_all_tokens(model.resources.vocabulary_size))[0],
        notes=notes,
    )


def _all_tokens(vocabulary: int) -> Any:
    import numpy as np

    return np.arange(vocabulary)


def _files(lists: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in lists:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in found:
            raise click.BadParameter(
                f"'{text}' is not CLASS=FILE, each class once", param_hint="--genes"
            )
        found[name] = Path(path)
    return found
