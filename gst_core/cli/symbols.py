"""``gst symbols``: which symbols the labels of training proteins stand for."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._nomenclature import same_proteins_option, table_options
from gst_core.cli._paths import OutputFile, check_paths
from gst_core.errors import GstError
from gst_core.nomenclature import canonicalise, read_tables, relabel, write_canonical
from gst_core.training.proteins import read_labelled
from gst_core.training.symbols import build_vocabulary


@click.command()
@same_proteins_option
@table_options
@click.option(
    "--output",
    required=True,
    type=OutputFile(dir_okay=False, path_type=Path),
    help="The table, tab-separated.",
)
def symbols(
    fastas: tuple[Path, ...],
    hgnc: Path | None,
    mgi: tuple[Path, ...],
    zfin: Path | None,
    output: Path,
) -> None:
    """Find the current symbol of each label, and write a table for gst train --symbols.

    \b
    gst symbols --proteins swissprot.fasta.gz --hgnc hgnc_complete_set.txt --output symbols.tsv
    gst train   --proteins swissprot.fasta.gz --hgnc hgnc_complete_set.txt \\
                --symbols symbols.tsv --output runs/first
    """  # noqa: D301
    check_paths()
    if hgnc is None:
        raise GstError("no table of approved symbols", hint="give --hgnc hgnc_complete_set.txt")
    tables = read_tables(hgnc, mgi, zfin)
    proteins = read_labelled(fastas)
    canonical = canonicalise(proteins, tables)
    write_canonical(output, canonical)

    click.echo(f"{'rule':12}{'labels':>8}{'proteins':>10}")
    for rule, (labels, number) in canonical.counts().items():
        click.echo(f"{rule:12}{labels:8,}{number:10,}")
    relabelled = relabel(proteins, canonical)
    vocabulary = build_vocabulary(relabelled, tables, canonical)
    whole = {s.symbol.upper() for s in vocabulary if s.description and s.source and s.accession}
    share = sum(protein.key in whole for protein in relabelled) / len(relabelled)
    click.echo(
        f"{len(vocabulary):,} symbols; {100 * share:.1f}% of the proteins have one with "
        "description, source and accession"
    )
    click.echo(f"likeness by chance: {canonical.chance:.3f}")
