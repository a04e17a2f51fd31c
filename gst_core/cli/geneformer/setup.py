"""``geneformer setup``: the official dictionaries, verified, as one compact file each."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from gst_core.cli.geneformer._options import resources_option
from gst_core.errors import GstError
from gst_core.geneformer.official import download as download_files
from gst_core.geneformer.official import set_up
from gst_core.geneformer.resources import MAX_LENGTH, Resources


@click.command()
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that holds the official files of V1, V2 or both, at any depth.",
)
@click.option(
    "--download",
    is_flag=True,
    help="Download the official files; with --from, into that folder.",
)
@click.option(
    "--model_version",
    type=click.Choice(sorted(MAX_LENGTH)),
    multiple=True,
    help="What to download.  [default: both]",
)
@click.option(
    "--unverified",
    is_flag=True,
    help="Take files of an official name whose checksum is unknown, such as your own.",
)
@resources_option
def setup(
    source: Path | None,
    download: bool,
    model_version: tuple[str, ...],
    unverified: bool,
    resources: Path | None,
) -> None:
    """Make Geneformer's dictionaries ready for use.

    They are published by its authors, and not part of this package: download
    huggingface.co/ctheodoris/Geneformer, or let --download do it. What is made
    goes into --resources, else into the folder that GENEFORMER_DATA names, else
    into the user's data folder.
    """
    if source is None and not download:
        raise click.UsageError("give --from DIR, or --download")
    if model_version and not download:
        raise click.UsageError("--model_version says what to --download")
    with tempfile.TemporaryDirectory() as scratch:
        place = source or Path(scratch)
        if download:
            if not place.is_dir():
                raise GstError("there is no such folder", where=str(place), hint="make it first")
            download_files(model_version or tuple(MAX_LENGTH), place)
        for path in set_up(place, resources, unverified=unverified):
            made = Resources.read(path)
            click.echo(
                f"Geneformer {made.model_version}: {len(made.gene_ids):,} genes with a token, "
                f"{len(made.names):,} names: {path}",
                err=True,
            )
