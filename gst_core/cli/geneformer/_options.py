"""Options that several commands of ``geneformer`` have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from gst_core.geneformer.resources import MAX_LENGTH

if TYPE_CHECKING:
    from gst_core.geneformer.api import Geneformer

resources_option = click.option(
    "--resources",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the dictionaries that `geneformer setup` makes.  "
    "[default: GENEFORMER_DATA, else the user's data folder]",
)

model_version_option = click.option(
    "--model_version",
    type=click.Choice(sorted(MAX_LENGTH)),
    default="V2",
    show_default=True,
    help="Geneformer's dictionary: V1 of 30 million cells, V2 of 104 million.",
)

_NETWORK_OPTIONS = (
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda", "mps"]),
        default="auto",
        show_default=True,
    ),
    click.option("--threads", type=click.IntRange(min=1), help="CPU threads.  [default: all]"),
    click.option(
        "--model_version",
        type=click.Choice(sorted(MAX_LENGTH)),
        help="Of the dictionary.  [default: as the network's number of tokens says]",
    ),
    resources_option,
    click.option("--counts_layer", help="Layer with the raw counts, if COUNTS has them not in X."),
    click.option(
        "--gene_column", help="Column of var with the genes, as geneformer tokenize has it."
    ),
)


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of all that run a network over a dataset or counts."""
    for option in reversed(_NETWORK_OPTIONS):
        command = option(command)
    return command


def load_network(
    checkpoint: Path,
    device: str,
    threads: int | None,
    model_version: str | None,
    resources: Path | None,
    *,
    quiet: bool,
) -> Geneformer:
    """Load the network that these options name, and say which it is."""
    from gst_core.geneformer.api import Geneformer

    model = Geneformer.load(
        checkpoint,
        device=cast(Any, device),
        threads=threads,
        model_version=cast(Any, model_version),
        resources=resources,
    )
    if not quiet:
        click.echo(f"geneformer: {model!r}", err=True)
    return model
