"""``geneformer demo``: bundled cells to tokens, embeddings and a picture; and cells of mouse."""

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
    """Take bundled cells through check, tokenize, embed and compare, and mouse's through bridge.

    The cells are real; the small network learnt from a few hundred others. It demonstrates the
    program and not Geneformer, whose networks learnt from 30 million cells and more.
    """
    check_paths()
    from gst_core.cli.assign import assign
    from gst_core.cli.geneformer.main import geneformer
    from gst_core.geneformer import demo as room

    began = time.perf_counter()
    known = room.copy_demo(output)
    click.echo(
        f"{known.shown_cells} real cells, and a network of {known.weights:,} weights that learnt "
        f"from {known.training_cells} others.\n"
        "This demonstrates the program and not Geneformer, whose networks learnt from 30 million "
        "cells and more."
    )
    for command in room.demo_commands(output):
        _run(geneformer, "geneformer", command)
    click.echo(
        f"\nA gene that is hidden in these cells surprises the network by {known.loss:.2f} nats; "
        f"by the genes' frequencies alone it would be {known.unigram:.2f}, by those of the genes "
        f"that the cell does not show {known.unseen:.2f}.\n"
        f"cells with their embedding: {output}/embedded.h5ad\n"
        f"picture: {output}/cells.png\n\n"
        "Cells of another species: GST names mouse proteins by their sequences alone, and the "
        "names lead the counts to human genes."
    )
    _run(assign, "gst_assign", room.naming_command(output))
    for command in room.bridge_commands(output):
        _run(geneformer, "geneformer", command)
    click.echo(
        f"mouse cells with their embedding: {output}/mouse/embedded.h5ad\n"
        f"All of it took {time.perf_counter() - began:.0f} s."
    )


def _run(program: click.Command, name: str, arguments: list[str]) -> None:
    from gst_core.errors import GstError

    click.echo(f"\n$ {name} {shlex.join(arguments)}")
    if status := program.main(arguments, name, standalone_mode=False):
        raise GstError(
            f"{name} ended with status {status}: {shlex.join(arguments)}",
            hint="see what it said above",
        )
