"""``gst dataset split``: sides to train on and to test with."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._columns import aligned
from gst_core.cli._log import Log
from gst_core.cli._nomenclature import FILE_OR_FOLDER
from gst_core.cli._paths import OutputFolder, check_paths
from gst_core.dataset.splits import By, Split, split_dataset
from gst_core.errors import GstError


@click.command()
@click.argument("dataset", type=FILE_OR_FOLDER)
@click.option(
    "--by",
    type=click.Choice(["random", "genus", "clade", "cluster"]),
    required=True,
    help="What stays together: single proteins, genera, clades, or nearly identical sequences.",
)
@click.option(
    "--test",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=Split("random").test,
    show_default=True,
    help="Share of the proteins to test with, at most.",
)
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of the proteins to watch while training, at most.",
)
@click.option(
    "--hold_out",
    multiple=True,
    help="Genus or clade to test with, in place of a share. May be repeated.",
)
@click.option(
    "--identity",
    type=click.FloatRange(0.5, 1),
    default=Split("cluster").identity,
    show_default=True,
    help="Of clusters: share of the shorter sequence's residues that are the same.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the draw.")
@click.option(
    "--output",
    required=True,
    type=OutputFolder(file_okay=False, path_type=Path),
    help="Folder of the sides: train, test, and validation where it is asked for.",
)
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
def split(
    dataset: Path,
    by: By,
    test: float,
    validation: float,
    hold_out: tuple[str, ...],
    identity: float,
    seed: int,
    output: Path,
    quiet: bool,
) -> None:
    """Divide DATASET into sides, each a dataset of its own.

    \b
    gst dataset split sprot --by genus --hold_out Danio --output split
    gst dataset split sprot --by cluster --test 0.1 --output split
    gst build --proteins split/train --hgnc hgnc_complete_set.txt --output mine.onnx
    gst dataset fasta split/test --output test.fa --known_symbols known.tsv
    """  # noqa: D301
    check_paths()
    if hold_out and by not in ("genus", "clade"):
        raise click.UsageError("--hold_out names genera or clades: give --by genus or --by clade.")
    if test + validation >= 1:
        raise click.UsageError("--test and --validation leave nothing to train on.")
    if output.resolve() == dataset.resolve():
        raise GstError("would lie in the dataset itself", where=str(output), hint="name another")
    log = Log("gst dataset split", quiet)
    sides = split_dataset(
        dataset,
        output,
        Split(by, test, validation, hold_out, seed, identity),
        log.say,
    )
    groups = {"random": "proteins", "genus": "genera", "clade": "clades", "cluster": "clusters"}
    lines = [["side", "proteins", "symbols", groups[by], "symbol in train"]]
    lines += [
        [
            side.name,
            f"{side.proteins:,}",
            f"{side.symbols:,}",
            f"{side.groups:,}",
            f"{side.learnable / side.proteins:.1%}",
        ]
        for side in sides
    ]
    click.echo(aligned(lines))
