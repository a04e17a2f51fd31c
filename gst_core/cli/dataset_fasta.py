"""``gst dataset fasta``: the proteins of a dataset for programs that take FASTA."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._nomenclature import FILE_OR_FOLDER
from gst_core.cli._paths import OutputFile, check_paths
from gst_core.dataset.table import read_rows, table_of
from gst_core.errors import GstError
from gst_core.files import atomic_write

_COLUMNS = ("stable_id", "gene", "symbol", "species", "taxon_id", "sequence")


@click.command()
@click.argument("dataset", type=FILE_OR_FOLDER)
@click.option("--species", multiple=True, help="Scientific name; these alone. May be repeated.")
@click.option(
    "--output",
    required=True,
    type=OutputFile(dir_okay=False, path_type=Path),
    help="FASTA file, a sequence a line.",
)
@click.option(
    "--known_symbols",
    type=OutputFile(dir_okay=False, path_type=Path),
    help="Table of the proteins' symbols to write as well, for gst compare.",
)
def fasta(
    dataset: Path, species: tuple[str, ...], output: Path, known_symbols: Path | None
) -> None:
    """Write the proteins of DATASET as FASTA, with symbol and species in the headers.

    \b
    gst dataset fasta split/test --output test.fa --known_symbols known.tsv
    gst_assign --checkpoint mine.onnx --sequences_fasta test.fa --output test.tsv
    gst compare --assignments_csv test.tsv --known_symbols known.tsv
    """  # noqa: D301
    check_paths()
    wanted = {name.replace("_", " ").casefold() for name in species}
    known = ["stable_id\tsymbol\tspecies\n"]
    with atomic_write(output) as file:
        for row in read_rows(table_of(dataset), _COLUMNS):
            if wanted and row["species"].casefold() not in wanted:
                continue
            gene = f" gene:{row['gene']}" if row["gene"] else ""
            file.write(
                f">{row['stable_id']}{gene} OS={row['species']} OX={row['taxon_id']} "
                f"GN={row['symbol']}\n{row['sequence']}\n"
            )
            known.append(f"{row['stable_id']}\t{row['symbol']}\t{row['species']}\n")
        if len(known) == 1:
            raise GstError(
                "no protein is of this species" if wanted else "has no protein",
                where=str(dataset),
                hint="its manifest has the names of species" if wanted else None,
            )
    if known_symbols is not None:
        with atomic_write(known_symbols) as file:
            file.writelines(known)
