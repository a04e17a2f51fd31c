"""``gst_assign``: name proteins. The program that pipelines call."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from gst_core import __version__
from gst_core.cli._common import run
from gst_core.cli._log import log_format_option
from gst_core.cli._paths import FileOrFolder, InputFile, OutputFile, Probability, check_paths
from gst_core.files import is_folder, make_folder

if TYPE_CHECKING:
    from gst_core.annotation.naming import Duplicates
    from gst_core.styles import Style


@click.command(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "allow_extra_args": True,  # told below, with the option that they lack
    }
)
@click.version_option(__version__, message="%(version)s")
@click.option(
    "--sequences_fasta",
    "fastas",
    multiple=True,
    type=InputFile(allow_dash=True),
    metavar="FASTA",
    help="Proteins of a genome; plain, gzip, bgzip or zstd; '-' is standard input. "
    "May be repeated.",
)
@click.option(
    "--manifest",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="CSV of many genomes: id,fasta (or id,gff3,genome) and, optionally, scientific_name, "
    "taxon_id, clade.",
)
@click.option(
    "--gff3",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="Annotation whose genes are translated, named and written back with their names; GFF3 "
    "or GTF, plain or compressed.",
)
@click.option(
    "--genome",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="Genome of the annotation, as FASTA. Default: what follows ##FASTA in the annotation.",
)
@click.option(
    "--duplicates",
    type=click.Choice(["keep", "best", "none"]),
    default="keep",
    show_default=True,
    help="Where several genes of the annotation would bear one symbol: all of them do, the most "
    "probable alone (a gene that bears it already is), or none.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Name genes of the annotation that have names. Default: those that have none, or an id "
    "for a name, such as g123.",
)
@click.option("--scientific_name", help='Species of the proteins, as "Sus scrofa".')
@click.option("--taxon_id", type=click.IntRange(min=1), help="NCBI taxon id of the species.")
@click.option("--clade", help="Clade category of Ensembl Genebuild, in place of a species.")
@click.option(
    "--checkpoint",
    type=InputFile(path_type=Path),
    help="Model file: .onnx, or a .ckpt of the original program. Default: the embedded model.",
)
@click.option(
    "--output",
    type=FileOrFolder(allow_dash=True),
    help="Table to write, '-' for standard output, or a folder, which may end with a slash, for "
    "<id>.tsv files. Default: <stem>_symbols.csv beside each input. With --gff3, also the "
    "annotation to write: x.gff3.gz.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["tsv", "json"]),
    default="tsv",
    show_default=True,
    help="Format of the table.",
)
@click.option(
    "--top_k",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Candidate symbols per protein; those after the first in extra columns.",
)
@click.option(
    "--accession",
    is_flag=True,
    help="Add the accession in the source database, in an extra column.",
)
@click.option(
    "--evidence",
    is_flag=True,
    help="Add the reference that speaks for the symbol, and how the protein aligns with it.",
)
@click.option(
    "--one_to_one",
    is_flag=True,
    help="Name all genes of a genome together, so that each symbol has one gene (two where the "
    "genome was doubled); rows come at the end.",
)
@click.option(
    "--gene_map",
    type=InputFile(exists=True, dir_okay=False, path_type=Path),
    help="Table of protein and gene ids, for --one_to_one. Default: as the FASTA headers say.",
)
@click.option(
    "--symbol_style",
    type=click.Choice(["source", "species", "upper"]),
    default="source",
    show_default=True,
    help="Case of symbols: as the model has them, as the committee of the species' clade writes "
    "them (BRCA2, Brca2, brca2), or all capitals.",
)
@click.option(
    "--threshold",
    type=Probability(),
    help="Leave out proteins whose probability is lower. Default: one row a sequence.",
)
@click.option(
    "--name_threshold",
    type=Probability(),
    help="Least probability of a name in an annotation. Default: --threshold, else 0.7.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="'auto' takes a GPU for networks, where CUDA runs; 'cuda' fails where it cannot.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads. Default: all that machine, container and SLURM allow.",
)
@click.option("--report", type=OutputFile(path_type=Path), help="HTML report to write.")
@click.option(
    "--outcomes",
    type=OutputFile(path_type=Path),
    help="JSON file to write: each genome's table, or why it failed.",
)
@click.option(
    "--allow_failures",
    is_flag=True,
    help="Exit with 0 though genomes of a manifest failed; --outcomes tells which.",
)
@click.option("--strict", is_flag=True, help="Make an error of odd input that is otherwise mended.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@log_format_option
@click.option("--debug", is_flag=True, help="Show the Python traceback of an error.")
def assign(
    fastas: tuple[str, ...],
    manifest: Path | None,
    gff3: Path | None,
    genome: Path | None,
    duplicates: str,
    overwrite: bool,
    scientific_name: str | None,
    taxon_id: int | None,
    clade: str | None,
    checkpoint: Path | None,
    output: str | None,
    format_: str,
    top_k: int,
    accession: bool,
    evidence: bool,
    one_to_one: bool,
    gene_map: Path | None,
    symbol_style: str,
    threshold: float | None,
    name_threshold: float | None,
    device: str,
    threads: int | None,
    report: Path | None,
    outcomes: Path | None,
    allow_failures: bool,
    strict: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """Assign gene symbols to protein sequences.

    \b
    gst_assign --sequences_fasta proteins.fa --scientific_name "Sus scrofa"
    zcat proteins.fa.gz | gst_assign --sequences_fasta - --output - > symbols.tsv
    gst_assign --gff3 annotation.gff3 --genome genome.fa --output named.gff3
    gst_assign --manifest genomes.csv --report report.html
    """  # noqa: D301
    del debug  # read by gst_core.cli._common.run, before Click is in charge
    context = click.get_current_context()
    if context.args:
        first = context.args[0]
        raise click.UsageError(
            f"'{first}' stands without an option; each file of proteins has one before it: "
            f"--sequences_fasta {shlex.quote(first)}"
        )
    if sum(map(bool, (fastas, manifest, gff3))) != 1:
        raise click.UsageError("give one of --sequences_fasta, --gff3 and --manifest")
    for name in ("genome", "duplicates", "overwrite", "name_threshold"):
        if (
            not (gff3 or (manifest and name != "genome"))
            and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        ):
            raise click.UsageError(f"--{name} serves --gff3, which is not given")
    species = [scientific_name, taxon_id, clade]
    if sum(x is not None for x in species) > (0 if manifest else 1):
        where = "in the manifest's columns" if manifest else "once"
        raise click.UsageError(f"--scientific_name, --taxon_id, --clade: give the species {where}")
    if allow_failures and not (outcomes and manifest):
        raise click.UsageError("--allow_failures needs --manifest and --outcomes")

    if gene_map and not one_to_one:
        raise click.UsageError("--gene_map serves --one_to_one, which is not given")
    # What follows is slow to import; --help and --version must not wait for it.
    from gst_core.cli._naming import Options, name_genomes
    from gst_core.inference.jobs import plan, plan_annotation, read_manifest
    from gst_core.sequences.genes import read_gene_map

    if manifest:
        jobs = read_manifest(manifest, output, format_)
    else:
        told: Any = {"scientific_name": scientific_name, "taxon_id": taxon_id, "clade": clade}
        if gff3:
            jobs = [plan_annotation(gff3, genome, output, format_, **told)]
        else:
            jobs = plan(fastas, output, format_, **told)
    if output and is_folder(output):
        make_folder(output)
    outputs = [path for job in jobs for path in (job.output, job.annotated) if path]
    check_paths(outputs, [path for job in jobs for path in (job.fasta, job.genome) if path])
    options = Options(
        checkpoint=checkpoint,
        format=format_,
        top_k=top_k,
        accession=accession,
        evidence=evidence,
        one_to_one=one_to_one,
        gene_of=read_gene_map(gene_map) if gene_map else None,
        symbol_style=cast("Style", symbol_style),
        threshold=threshold,
        name_threshold=name_threshold,
        duplicates=cast("Duplicates", duplicates),
        overwrite=overwrite,
        device=device,
        threads=threads,
        strict=strict,
        quiet=quiet,
    )
    name_genomes(jobs, options, report, outcomes, allow_failures=allow_failures)


def main() -> None:
    """Entry point of ``gst_assign``."""
    # Numpy multiplies no matrices here, and its library's threads, one for each processor of the
    # machine, would take a sixth of the start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run(assign, "gst_assign")


if __name__ == "__main__":
    main()
