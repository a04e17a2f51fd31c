"""``gst import``: a checkpoint of the original to one ``.onnx`` file."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._common import say
from gst_core.files import check_outputs
from gst_core.legacy.importing import convert


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Model to write.  [default: the checkpoint's name, ending in .onnx]",
)
def import_checkpoint(checkpoint: Path, output: Path | None) -> None:
    """Write CHECKPOINT, a .ckpt of the original program, as an .onnx model.

    Nothing in the checkpoint is run. gst_assign also takes the checkpoint
    itself and then does this on first use; the model file is smaller and needs
    no cache folder.
    """
    output = output or checkpoint.with_suffix(".onnx")
    check_outputs([output], [checkpoint])
    convert(checkpoint, output)
    say(f"{checkpoint}: written as {output}")
