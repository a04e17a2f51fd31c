"""Options of commands that read what nomenclature committees say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--hgnc``, ``--mgi`` and ``--zfin``, whose values ``read_tables`` takes."""
    for option in (
        click.option(
            "--zfin", type=FILE, help="ZFIN's human_orthos.txt: zebrafish genes and orthologues."
        ),
        click.option(
            "--mgi",
            multiple=True,
            type=FILE,
            help="MGI's HOM_MouseHumanSequence.rpt or HGNC_AllianceHomology.rpt: mouse genes and "
            "orthologues. May be repeated.",
        ),
        click.option("--hgnc", type=FILE, help="HGNC's complete set of human genes."),
    ):
        command = option(command)
    return command


symbols_option = click.option(
    "--symbols",
    type=FILE,
    help="Table of gst symbols: proteins get the symbols that their labels stand for.",
)
