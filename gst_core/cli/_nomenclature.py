"""Options of commands that read labelled proteins, and what nomenclature committees say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gst_core.cli._paths import InputFile

FILE = InputFile(exists=True, dir_okay=False, path_type=Path)
FILE_OR_FOLDER = InputFile(exists=True, path_type=Path)


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

hold_out_option = click.option(
    "--hold_out_genus",
    "hold_out",
    multiple=True,
    help="Genus to leave out, with the symbols that it alone has. May be repeated.",
)


def _proteins_option(which: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--proteins",
        "fastas",
        multiple=True,
        required=True,
        type=FILE_OR_FOLDER,
        help=f"{which} May be repeated.",
    )


labelled_proteins_option = _proteins_option(
    "Labelled proteins of vertebrates: a dataset of gst dataset, or FASTA with OX= and GN= in "
    "the headers, as UniProt writes them."
)
same_proteins_option = _proteins_option("Labelled proteins, as for gst train.")
