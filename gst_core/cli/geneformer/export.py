"""``geneformer export``: a checkpoint as one ONNX file."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._paths import OutputFile, check_paths
from gst_core.cli.geneformer._options import resources_option
from gst_core.geneformer.resources import MAX_LENGTH


@click.command()
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model: config.json and weights.",
)
@click.option("--output", required=True, type=OutputFile(path_type=Path), help="The .onnx file.")
@click.option(
    "--model_version",
    type=click.Choice(sorted(MAX_LENGTH)),
    help="Of the dictionary.  [default: as the network's number of tokens says]",
)
@resources_option
def export(
    checkpoint: Path, output: Path, model_version: str | None, resources: Path | None
) -> None:
    """Write a checkpoint as one .onnx file, for geneformer embed without torch.

    The file says which dictionary its tokens are of, and is refused with another.
    """
    from gst_core.geneformer.config import NetworkConfig
    from gst_core.geneformer.export import export as write
    from gst_core.geneformer.resources import Resources

    check_paths()
    if model_version is None:
        dictionary = Resources.fitting(NetworkConfig.load(checkpoint).vocabulary, resources)
    else:
        dictionary = Resources.load(model_version, resources)
    size = write(checkpoint, output, dictionary)
    click.echo(f"geneformer: {size / 1e6:,.1f} MB -> {output}", err=True)
