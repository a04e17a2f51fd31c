"""``geneformer demo``: bundled cells to tokens, embeddings and a picture."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import click

from gst_core.cli._paths import OutputFolder, check_paths


@click.command()
@click.option(
    "--output",
    default="geneformer_demo",
    show_default=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder for the cells, the network and what comes of them.",
)
def demo(output: Path) -> None:
    """Take bundled cells through check, tokenize, embed and compare.

    The cells are real; the small network learnt from a few hundred others. It demonstrates the
    program and not Geneformer, whose networks learnt from 30 million cells and more.
    """
    check_paths()
    from gst_core.errors import GstError
    from gst_core.geneformer.demo import copy_demo, demo_commands

    began = time.perf_counter()
    known = copy_demo(output)
    _say(
        f"{known.shown_cells} real cells, and a network of {known.weights:,} weights that learnt "
        f"from {known.training_cells} others."
    )
    _say(
        "This demonstrates the program and not Geneformer, whose networks learnt from 30 million "
        "cells and more."
    )
    from gst_core.cli.geneformer.main import geneformer

    for command in demo_commands(output):
        _say(f"\n$ geneformer {shlex.join(command)}")
        if status := geneformer.main(command, "geneformer", standalone_mode=False):
            raise GstError(
                f"geneformer {command[0]} ended with status {status}", hint="see what it said above"
            )
    _say(
        f"\nA gene that is hidden in these cells surprises the network by {known.loss:.2f} nats; "
        f"by the genes' frequencies alone it would be {known.unigram:.2f}, by those of the genes "
        f"that the cell does not show {known.unseen:.2f}."
    )
    _say(f"cells with their embedding: {output}/embedded.h5ad")
    _say(f"picture: {output}/cells.png")
    _say(f"All of it took {time.perf_counter() - began:.0f} s.")


def _say(text: str) -> None:
    click.echo(text)
