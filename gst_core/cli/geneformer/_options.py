"""Options that several commands of ``geneformer`` have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
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


def filter_option(which: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the option that says which cells are taken, for :func:`parse_filters`."""
    return click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="COLUMN=VALUE[,VALUE...]",
        help=f"{which}; may be repeated, and all must fit.",
    )


def parse_filters(texts: tuple[str, ...]) -> dict[str, list[str]]:
    """Give the values that are taken of each column."""
    filters: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not (name and equals and values):
            raise click.BadParameter(f"{text!r} is not COLUMN=VALUE", param_hint="--filter")
        if name in filters:
            raise click.BadParameter(f"{name} is there twice", param_hint="--filter")
        filters[name] = values.split(",")
    return filters


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


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """What the options of :func:`network_options` say.

    Attributes
    ----------
    device, threads
        Where the network runs.
    model_version, resources
        Its dictionary.
    counts_layer, gene_column
        Where counts have what it reads.
    """

    device: str
    threads: int | None
    model_version: str | None
    resources: Path | None
    counts_layer: str | None
    gene_column: str | None

    @property
    def counts(self) -> dict[str, str | None]:
        """Where counts have what the network reads, as arguments of what reads them."""
        return {"counts_layer": self.counts_layer, "gene_column": self.gene_column}

    def of_version(self, model_version: str) -> NetworkChoice:
        """Take a dictionary, unless one was named."""
        return replace(self, model_version=self.model_version or model_version)

    def load(self, checkpoint: Path, *, quiet: bool, bf16: bool = False) -> Geneformer:
        """Load a network, and say which it is."""
        from gst_core.geneformer.api import Geneformer

        model = Geneformer.load(
            checkpoint,
            device=cast(Any, self.device),
            threads=self.threads,
            model_version=cast(Any, self.model_version),
            resources=self.resources,
            bf16=bf16,
        )
        if not quiet:
            click.echo(f"geneformer: {model!r}", err=True)
        return model


bf16_option = click.option(
    "--bf16",
    is_flag=True,
    help="Compute matrix products in bfloat16: faster on a GPU, and less exact.",
)


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of all that run a network over a dataset or counts.

    They come as one argument, `network`, a :class:`NetworkChoice`.
    """

    @functools.wraps(command)
    def run(
        *,
        device: str,
        threads: int | None,
        model_version: str | None,
        resources: Path | None,
        counts_layer: str | None,
        gene_column: str | None,
        **more: Any,
    ) -> Any:
        chosen = (device, threads, model_version, resources, counts_layer, gene_column)
        return command(network=NetworkChoice(*chosen), **more)

    for option in reversed(_NETWORK_OPTIONS):
        run = option(run)
    return run
