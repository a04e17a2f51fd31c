"""Options that several commands of ``geneformer`` have."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.geneformer.resources import MAX_LENGTH

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
