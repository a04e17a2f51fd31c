"""``gst evaluate``: many genomes' assignments against known symbols, by genome and clade."""

from __future__ import annotations

from itertools import chain, count, groupby
from pathlib import Path

import click

from gst_core.cli._columns import aligned
from gst_core.cli._known import known_symbols, password_file_option
from gst_core.cli._paths import InputFile, OutputFolder, check_paths
from gst_core.cli._quality import quality
from gst_core.evaluation.comparison import by_threshold, write_comparisons
from gst_core.evaluation.confusion import (
    confused_families,
    confused_pairs,
    family_table,
    pair_table,
)
from gst_core.evaluation.genomes import (
    STATISTICS_COLUMNS,
    Evaluation,
    all_columns,
    all_fields,
    by_clade,
    evaluate,
    read_assemblies,
    statistics_fields,
    threshold_table,
    write_json,
    write_table,
)
from gst_core.evaluation.reliability_diagram import reliability_of, reliability_table


@click.command("evaluate")
@click.option(
    "--assemblies",
    required=True,
    type=InputFile(path_type=Path, dir_okay=False),
    help="Tab-separated table: scientific_name, assignments, known_symbols (a table, or the URL of "
    "an Ensembl core database), optionally clade, and species, in a database of several.",
)
@password_file_option
@click.option(
    "--checkpoint",
    type=InputFile(path_type=Path, dir_okay=False),
    help="Model that named them: adds whether it has the known symbols.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder for the tables, evaluation.json and the plot; made if missing.",
)
@click.option(
    "--plot",
    is_flag=True,
    help="Write precision_recall.png too, with a reliability diagram.",
)
def evaluate_genomes(
    assemblies: Path,
    password_file: Path | None,
    checkpoint: Path | None,
    output: Path,
    plot: bool,
) -> None:
    """Compare the assignments of many genomes with their known symbols.

    For each genome the comparison table <Scientific_name>_compare.csv, with _2,
    _3 after the name for further assemblies of one species; for all of them
    genomes.tsv, clades.tsv, thresholds.tsv, reliability.tsv, confused_symbols.tsv,
    confused_families.tsv and evaluation.json. Running it again writes them again.
    The statistics go to standard output, with the ten most confused symbols and
    families.
    """
    check_paths()
    vocabulary = None
    if checkpoint:
        from gst_core.evaluation.symbols import model_symbols

        vocabulary = model_symbols(checkpoint)
    evaluations = []
    for assembly in read_assemblies(assemblies):
        where = f"{assemblies}, {assembly.scientific_name}"
        known = known_symbols(assembly, where=where, password_file=password_file)
        evaluation = evaluate(assembly, known, vocabulary)
        evaluations.append(evaluation)
        what = str(evaluation.statistics)
        if not evaluation.comparisons:
            what = "no protein has a known symbol, nothing to compare"
        click.echo(f"{assembly.scientific_name}: {what}")
    _write(output, evaluations, plot, with_vocabulary=vocabulary is not None)
    click.echo(_summary(evaluations))
    everything = [row for evaluation in evaluations for row in evaluation.comparisons]
    if said := quality(everything):
        click.echo(f"\n{said}")


def _write(
    output: Path, evaluations: list[Evaluation], plot: bool, *, with_vocabulary: bool
) -> None:
    output.mkdir(parents=True, exist_ok=True)
    compared = [evaluation for evaluation in evaluations if evaluation.comparisons]
    for name, evaluation in zip(_names(compared), compared, strict=True):
        path = output / f"{name}_compare.csv"
        write_comparisons(path, evaluation.comparisons, with_vocabulary=with_vocabulary)
    columns = all_columns(with_vocabulary=with_vocabulary)
    genomes = [[e.clade, e.scientific_name, *all_fields(e.statistics)] for e in evaluations]
    write_table(output / "genomes.tsv", [["clade", "scientific_name", *columns], *genomes])
    clades = [[clade, *all_fields(counted)] for clade, counted in by_clade(evaluations).items()]
    write_table(output / "clades.tsv", [["clade", *columns], *clades])
    everything = [row for evaluation in evaluations for row in evaluation.comparisons]
    rows = by_threshold(everything, with_vocabulary=with_vocabulary)
    write_table(output / "thresholds.tsv", threshold_table(rows))
    write_table(output / "reliability.tsv", reliability_table(reliability_of(everything)))
    pairs = confused_pairs(everything)
    write_table(output / "confused_symbols.tsv", pair_table(pairs))
    write_table(output / "confused_families.tsv", family_table(confused_families(pairs)))
    write_json(output / "evaluation.json", evaluations)
    if plot:
        from gst_core.evaluation.precision_recall import plot as draw

        draw(evaluations, output / "precision_recall.png")


def _names(evaluations: list[Evaluation]) -> list[str]:
    """Name each genome's file: the species, numbered from the second assembly on."""
    names: list[str] = []
    for evaluation in evaluations:
        species = evaluation.scientific_name.replace(" ", "_").replace("/", "_")
        numbered = (f"{species}_{number}" for number in count(2))
        # The species alone where it is still free, else its first free number.
        names.append(next(name for name in chain([species], numbered) if name not in names))
    return names


def _genomes(evaluations: list[Evaluation]) -> list[list[str]]:
    """Tabulate genomes in the original's columns."""
    lines = [
        [evaluation.clade, evaluation.scientific_name, *statistics_fields(evaluation.statistics)]
        for evaluation in evaluations
    ]
    return [["clade", "scientific_name", *STATISTICS_COLUMNS], *lines]


def _summary(evaluations: list[Evaluation]) -> str:
    """Tables by clade, each followed by its averages, then the averages of all clades."""
    compared = [evaluation for evaluation in evaluations if evaluation.comparisons]
    pooled = by_clade(compared)
    parts = ["comparison statistics:"]
    for clade, group in groupby(sorted(compared, key=lambda e: e.clade), key=lambda e: e.clade):
        counted = pooled[clade]
        parts.append(aligned(_genomes(list(group))))
        parts.append(
            f"{clade} weighted averages: {counted.percentage(counted.exact):.2f}% exact matches, "
            f"{counted.percentage(counted.fuzzy):.2f}% fuzzy matches, "
            f"{counted.percentage(counted.total):.2f}% total matches\n"
        )
    lines = [["clade", "exact matches", "fuzzy matches", "total matches"]]
    for clade, counted in pooled.items():
        shares = (counted.exact, counted.fuzzy, counted.total)
        lines.append([clade, *(f"{counted.percentage(share):.2f}%" for share in shares)])
    return "\n".join([*parts, f"clade weighted averages:\n{aligned(lines)}"])
