"""``geneformer bridge``: counts of a species that GST has named to counts of human genes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gst_core import __version__
from gst_core.cli._paths import InputFile, OutputFile, check_paths
from gst_core.cli.geneformer._options import model_version_option, resources_option
from gst_core.files import atomic_write

if TYPE_CHECKING:
    from gst_core.geneformer.bridge import Bridge
    from gst_core.geneformer.bridge_report import BridgeReport
    from gst_core.geneformer.resources import Resources

_GENE_COLUMNS = (
    "gene",
    "counts",
    "outcome",
    "human_gene",
    "human_symbol",
    "symbol",
    "probability",
    "protein",
)
_FILE = InputFile(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--assignments", required=True, type=_FILE, help="Result table of gst_assign.")
@click.option(
    "--counts",
    required=True,
    type=InputFile(path_type=Path),
    help="Raw counts of the species: .h5ad, .zarr, .loom, a 10x .h5, or a folder with matrix.mtx.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFile(path_type=Path),
    help=".h5ad of human genes to write.",
)
@click.option(
    "--threshold",
    default=0.7,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Lowest probability of a symbol that is believed.",
)
@click.option(
    "--gene_map",
    type=_FILE,
    help="Table, protein and gene: which gene of the counts a protein is of.  [default: the "
    "protein's id is the gene's]",
)
@click.option(
    "--proteins_fasta",
    type=_FILE,
    help="The same from the headers of the proteins that were named (gene:..., as Ensembl has it).",
)
@click.option(
    "--orthologues",
    type=_FILE,
    help="Table of orthologues with man, as BioMart writes it; one-to-one pairs are preferred to "
    "symbols.",
)
@click.option("--species", default="", help="Name of the species, to be noted in the output.")
@click.option("--layer", help="Layer with the raw counts, or raw.  [default: X]")
@click.option(
    "--gene_column",
    help="Column of var with the genes, or index.  [default: the one that fits the assignments]",
)
@model_version_option
@resources_option
@click.option("--report", type=OutputFile(path_type=Path), help="JSON document to write.")
@click.option(
    "--genes",
    "gene_table",
    type=OutputFile(path_type=Path),
    help="Table to write: what became of each gene, and why.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def bridge(
    assignments: Path,
    counts: Path,
    output: Path,
    threshold: float,
    gene_map: Path | None,
    proteins_fasta: Path | None,
    orthologues: Path | None,
    species: str,
    layer: str | None,
    gene_column: str | None,
    model_version: str,
    resources: Path | None,
    report: Path | None,
    gene_table: Path | None,
    quiet: bool,
) -> None:
    """Lead the genes of a newly named species to Geneformer's.

    \b
    gst_assign --sequences_fasta proteins.fa --output symbols.csv
    geneformer bridge --assignments symbols.csv --proteins_fasta proteins.fa \\
        --counts cells.h5ad --output human.h5ad
    geneformer tokenize human.h5ad --output cells.dataset
    """  # noqa: D301
    if gene_map and proteins_fasta:
        raise click.UsageError("--gene_map and --proteins_fasta say the same: give one")
    check_paths()
    from gst_core.geneformer import bridge as room
    from gst_core.geneformer.bridge_report import report_on
    from gst_core.geneformer.bridged_counts import write_bridged
    from gst_core.geneformer.counts import open_counts
    from gst_core.geneformer.kinds import require_raw
    from gst_core.geneformer.orthologues import read_orthologues
    from gst_core.geneformer.resources import Resources
    from gst_core.sequences import read_proteins
    from gst_core.sequences.genes import read_gene_map

    dictionary = Resources.load(model_version, resources)
    gene_of = read_gene_map(gene_map) if gene_map else None
    if proteins_fasta:
        gene_of = {protein.stable_id: protein.gene for protein in read_proteins(proteins_fasta)}
    namings = room.read_namings(assignments, gene_of)
    opened = open_counts(counts, layer)
    try:
        require_raw(opened)
        genes, column = room.find_genes(opened.var, namings, gene_column)
        pairs = read_orthologues(orthologues, genes, dictionary) if orthologues else None
        built = room.build_bridge(
            genes, column, namings, dictionary, threshold=threshold, orthologues=pairs
        )
        provenance = {
            "program": f"geneformer bridge {__version__}",
            "species": species,
            "counts": counts.name,
            "assignments": assignments.name,
            "gene_map": (gene_map or proteins_fasta or Path()).name,
            "orthologues": orthologues.name if orthologues else "",
            "threshold": threshold,
            "gene_column": column,
            "model_version": model_version,
        }
        totals = write_bridged(opened, built, dictionary, output, provenance)
    finally:
        opened.close()
    summary = report_on(built, totals, dictionary)
    if report:
        with atomic_write(report) as file:
            file.write(json.dumps({**provenance, **summary.to_json()}, indent=2) + "\n")
    if gene_table:
        _write_genes(gene_table, built, totals.tolist(), dictionary)
    if quiet:
        return
    _show(summary)
    click.echo(f"geneformer: {opened.n_cells:,} cells -> {output}", err=True)


def _write_genes(path: Path, built: Bridge, totals: list[float], dictionary: Resources) -> None:
    from gst_core.results.table import format_line, format_probability

    with atomic_write(path) as file:
        file.write(format_line(_GENE_COLUMNS))
        for gene, count, outcome, position, naming in zip(
            built.genes, totals, built.outcomes, built.positions, built.namings, strict=True
        ):
            human = ["", ""]
            if position >= 0:
                human = [str(dictionary.gene_ids[position]), dictionary.symbol_of(int(position))]
            named = ["", "", ""]
            if naming is not None:
                named = [naming.symbol, format_probability(naming.probability), naming.protein]
            file.write(format_line([str(gene), f"{count:g}", str(outcome), *human, *named]))


def _show(summary: BridgeReport) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from gst_core.geneformer.bridge import MAPPED, OUTCOMES

    console = Console(highlight=False, soft_wrap=True)
    style = box.SIMPLE_HEAD if console.is_terminal else None
    genes, counts = sum(summary.genes.values()), sum(summary.umis.values())
    table = Table(box=style)
    for heading in ("", "genes", "of all", "counts", "of all"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_column("", justify="left")

    def add(name: str, n: int, umis: float) -> None:
        shares = f"{n / max(1, genes):.1%}", f"{umis / max(1e-9, counts):.1%}"
        table.add_row(name, f"{n:,}", shares[0], f"{umis:,.0f}", shares[1], OUTCOMES.get(name, ""))

    for name in OUTCOMES:
        if summary.genes[name]:
            add(name, summary.genes[name], summary.umis[name])
    add(
        "with a token",
        sum(summary.genes[name] for name in MAPPED),
        sum(summary.umis[name] for name in MAPPED),
    )
    console.print(table)
    console.print(
        f"\n{summary.targets:,} of {summary.vocabulary:,} human genes with a token and a median "
        f"are reached, {summary.with_counts:,} with counts; {summary.merged:,} of them stand for "
        "several genes, whose counts are summed"
    )
    if summary.unmapped:
        console.print("\nmost counts without a token:")
        lost = Table(box=style)
        for heading in ("gene", "counts", "why", "symbol"):
            lost.add_column(heading, justify="right" if heading == "counts" else "left")
        for gene, umis, outcome, symbol in summary.unmapped:
            lost.add_row(gene, f"{umis:,.0f}", outcome, symbol)
        console.print(lost)
