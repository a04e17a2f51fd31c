"""``gst dataset uniprot``: proteins of UniProt."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import click

from gst_core.annotation.lines import numbered_lines
from gst_core.cli._dataset import make_from_entries, making_options, naming_of, summary
from gst_core.cli._log import Log
from gst_core.cli._nomenclature import FILE
from gst_core.cli._paths import check_paths
from gst_core.dataset.entry import Entry, LeftOut
from gst_core.dataset.making import Selection
from gst_core.dataset.manifest import Manifest, SourceFile
from gst_core.dataset.uniprot import read_fasta, read_flat


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--release", default="", help="Release of UniProt to note, as 2025_03.")
@making_options
def uniprot(
    files: tuple[Path, ...],
    release: str,
    output: Path,
    min_count: int,
    clades: tuple[str, ...],
    hgnc: Path | None,
    mgi: tuple[Path, ...],
    zfin: Path | None,
    symbols: Path | None,
    quiet: bool,
) -> None:
    """Make a dataset of UniProt's proteins.

    FILE is FASTA or UniProt's flat file (.dat), plain or compressed; which one is told by its
    content. Isoforms other than the canonical one are left out, and proteins without a gene
    name. The flat file also says which committee gave the name.

    \b
    gst dataset uniprot uniprot_sprot_vertebrates.dat.gz --output sprot
    gst dataset uniprot swissprot.fasta.gz --hgnc hgnc_complete_set.txt --output sprot
    """  # noqa: D301
    check_paths()
    log = Log("gst dataset uniprot", quiet)
    naming = naming_of(hgnc, mgi, zfin, symbols)
    left_out = LeftOut()
    manifest = Manifest("UniProtKB", release, files=[SourceFile.of(path) for path in files])
    manifest.options = {"min_count": min_count, "clades": sorted(clades)}
    entries = itertools.chain.from_iterable(_entries(path, left_out) for path in files)
    made = make_from_entries(
        _once(entries, left_out),
        output,
        manifest,
        left_out,
        naming,
        Selection(min_count, frozenset(clades)),
        log,
    )
    click.echo(summary(made, output))


def _entries(path: Path, left_out: LeftOut) -> Iterator[Entry]:
    """Read a file of either kind."""
    first = next((line for _, line in numbered_lines(path) if line.strip()), b"")
    return (read_flat if first.startswith(b"ID ") else read_fasta)(path, left_out)


def _once(entries: Iterator[Entry], left_out: LeftOut) -> Iterator[Entry]:
    """Leave out what is in a file again, or in another file."""
    seen: set[str] = set()
    for entry in entries:
        if entry.stable_id in seen:
            left_out.add("accession that is there twice", entry.taxon.scientific_name)
            continue
        seen.add(entry.stable_id)
        yield entry
