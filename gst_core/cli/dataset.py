"""The ``gst dataset`` command group."""

from __future__ import annotations

import click

from gst_core.cli._common import LazyGroup

#: name -> (module, attribute, short help); one file a command
COMMANDS: dict[str, tuple[str, str, str]] = {
    "ensembl": (
        "gst_core.cli.dataset_ensembl",
        "ensembl",
        "From a release of Ensembl, downloaded.",
    ),
    "fasta": ("gst_core.cli.dataset_fasta", "fasta", "Write the proteins of a dataset as FASTA."),
    "refseq": (
        "gst_core.cli.dataset_refseq",
        "refseq",
        "From RefSeq: protein FASTA and gene_info.",
    ),
    "split": (
        "gst_core.cli.dataset_split",
        "split",
        "Divide a dataset into sides to train on and to test with.",
    ),
    "uniprot": ("gst_core.cli.dataset_uniprot", "uniprot", "From UniProt: FASTA or flat file."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def dataset() -> None:
    """Training sets: proteins with symbols and species, as one Parquet table and a manifest.

    \b
    gst dataset uniprot uniprot_sprot.dat.gz --output sprot
    gst build --proteins sprot --hgnc hgnc_complete_set.txt --output mine.onnx
    """  # noqa: D301
