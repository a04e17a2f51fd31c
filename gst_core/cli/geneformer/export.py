"""``geneformer export``: a checkpoint as one ONNX file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of a Geneformer model: config.json and weights.",
)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The .onnx file.")
def export(checkpoint: Path, output: Path) -> None:
    """Write a checkpoint as one .onnx file, for geneformer embed without torch."""
    from gst_core.geneformer.export import export as write

    size = write(checkpoint, output)
    click.echo(f"geneformer: {size / 1e6:,.1f} MB -> {output}", err=True)
