"""``gst import``: a checkpoint of the original to one ``.onnx`` file."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._common import say
from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.legacy.importing import convert


@click.command()
@click.argument("checkpoint", type=InputFile(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=OutputFile(path_type=Path, dir_okay=False),
    help="Model to write.  [default: the checkpoint's name, ending in .onnx]",
)
def import_checkpoint(checkpoint: Path, output: Path | None) -> None:
    """Write CHECKPOINT, a .ckpt of the original program, as an .onnx model.

    Nothing in the checkpoint is run. gst_assign also takes the checkpoint
    itself and then does this on first use; the model file is smaller and needs
    no cache folder.
    """
    target = output or checkpoint.with_suffix(".onnx")
    check_paths([] if output else [target])
    convert(checkpoint, target)
    say(f"{checkpoint}: written as {target}")
