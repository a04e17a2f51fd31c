"""``gst demo``: name the bundled sample, then say how many, how many right, how fast."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gst_core.cli._paths import OutputFolder, check_paths
from gst_core.evaluation.demo import Demonstration, assign_sample, copy_sample, summarise_sample
from gst_core.results.summary import CONFIDENT, THRESHOLDS, Summary


@click.command()
@click.option(
    "--output",
    default="gst_demo",
    show_default=True,
    type=OutputFolder(path_type=Path, file_okay=False),
    help="Folder for the sample, its result tables and the report.",
)
def demo(output: Path) -> None:
    """Name the bundled sample of real proteins and sum up the results.

    The sample, 340 proteins of ten vertebrates with known symbols, is copied
    to the output folder; gst_assign then names it there.
    """
    check_paths()
    copy_sample(output)
    click.echo(
        f"$ gst_assign --manifest {output}/samplesheet.csv --report {output}/report.html", err=True
    )
    _show(summarise_sample(output, assign_sample(output)), output)


def _show(result: Demonstration, folder: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    # lines and colours where someone looks, bare columns where a program reads
    style = box.SIMPLE_HEAD if console.is_terminal else None
    total = result.total

    by_threshold = Table(box=style)
    for heading in ("threshold", "named", "of all", "right", "of those named"):
        by_threshold.add_column(heading, justify="right")
    for threshold in THRESHOLDS:
        by_threshold.add_row(f"{threshold:g}", *_named_and_right(total, threshold))

    by_species = Table(box=style)
    by_species.add_column("species")
    by_species.add_column("proteins", justify="right")
    for heading in (f"named at {CONFIDENT:g}", "of all", "right", "of those named"):
        by_species.add_column(heading, justify="right")
    for species, summary in result.genomes.items():
        by_species.add_row(
            Text(species, style="italic"),
            str(summary.sequences),
            *_named_and_right(summary, CONFIDENT),
        )

    console.print(by_threshold)
    console.print()
    console.print(by_species)
    console.print()
    console.print(
        f"{total.sequences} proteins of {len(result.genomes)} species in {result.seconds:.1f} s, "
        f"start-up included: {total.sequences / result.seconds:.0f} proteins/s"
    )
    console.print(
        "right: the gene name of Swiss-Prot, letter for letter but for case; "
        "other names of the same gene count as wrong"
    )
    console.print(
        "the embedded model was trained on these very proteins: the accuracy to expect of a new "
        "genus is in docs/model_card.md"
    )
    console.print(f"tables: {folder}/*_symbols.csv")
    console.print(f"report: {folder}/report.html")


def _named_and_right(summary: Summary, threshold: float) -> tuple[str, str, str, str]:
    named, right = summary.named_at(threshold), summary.correct_at(threshold)
    return (
        str(named),
        _percent(named, summary.sequences),
        str(right),
        _percent(right, summary.known_at(threshold)),
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"
