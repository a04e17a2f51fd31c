"""``gst dataset refseq``: proteins of RefSeq."""

from __future__ import annotations

from pathlib import Path

import click

from gst_core.cli._dataset import make_from_entries, making_options, naming_of, summary
from gst_core.cli._log import Log
from gst_core.cli._nomenclature import FILE
from gst_core.cli._paths import check_paths
from gst_core.dataset.entry import LeftOut
from gst_core.dataset.making import Selection
from gst_core.dataset.manifest import Manifest, SourceFile
from gst_core.dataset.refseq import read_refseq


@click.command()
@click.option(
    "--proteins",
    "fastas",
    multiple=True,
    required=True,
    type=FILE,
    help="Protein FASTA of RefSeq, as human.1.protein.faa.gz or GCF_..._protein.faa.gz. May be "
    "repeated.",
)
@click.option("--gene_info", required=True, type=FILE, help="NCBI's gene_info, or a part of it.")
@click.option(
    "--gene2refseq",
    type=FILE,
    help="NCBI's gene2refseq or gene2accession: whose gene a protein is of, where its header "
    "does not say so. Without it the protein's name has to tell.",
)
@click.option("--release", default="", help="Release of RefSeq to note, as 230.")
@making_options
def refseq(
    fastas: tuple[Path, ...],
    gene_info: Path,
    gene2refseq: Path | None,
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
    """Make a dataset of RefSeq's proteins, one a gene.

    The longest curated protein (NP_) stands for its gene, else the longest model (XP_): RefSeq's
    FASTA says of none that it is canonical.

    \b
    gst dataset refseq --proteins human.1.protein.faa.gz \\
        --gene_info Homo_sapiens.gene_info.gz --gene2refseq gene2refseq.gz --output refseq
    """  # noqa: D301
    check_paths()
    log = Log("gst dataset refseq", quiet)
    naming = naming_of(hgnc, mgi, zfin, symbols)
    left_out = LeftOut()
    files = [*fastas, gene_info, *([gene2refseq] if gene2refseq else [])]
    manifest = Manifest("RefSeq", release, files=[SourceFile.of(path) for path in files])
    manifest.options = {"min_count": min_count, "clades": sorted(clades)}
    manifest.notes.append(
        "the protein of a gene is its longest curated one (NP_), else its longest model (XP_)"
    )
    made = make_from_entries(
        read_refseq(fastas, gene_info, gene2refseq, left_out),
        output,
        manifest,
        left_out,
        naming,
        Selection(min_count, frozenset(clades)),
        log,
    )
    click.echo(summary(made, output))
