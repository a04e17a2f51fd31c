"""``gst build``: a model of reference proteins and the network that decides among them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
import torch

from gst_core.clades import CLADES, DISTANT, VERTEBRATE_CLADES
from gst_core.cli._common import read_facts
from gst_core.cli._nomenclature import (
    FILE,
    hold_out_option,
    labelled_proteins_option,
    symbols_option,
    table_options,
)
from gst_core.cli._paths import OutputFile, check_paths
from gst_core.export.candidates import export
from gst_core.files import atomic_write
from gst_core.nomenclature import read_canonical, read_tables
from gst_core.processors import available_threads
from gst_core.references import compiled
from gst_core.references.index import NARROW
from gst_core.references.store import MOST_REFERENCES
from gst_core.training.building import build_model
from gst_core.training.deciding import DecidingConfig
from gst_core.training.proteins import is_vertebrate, read_labelled

#: Animals that are no vertebrates.
_STRANGERS = frozenset(("arthropods", "insects", "lepidoptera", "metazoa", DISTANT))


@click.command()
@labelled_proteins_option
@table_options
@symbols_option
@hold_out_option
@click.option(
    "--hold_out_clade",
    type=click.Choice(sorted({*VERTEBRATE_CLADES, DISTANT})),
    multiple=True,
    help="The same for a whole clade. May be repeated.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=OutputFile(dir_okay=False, path_type=Path),
    help="Model file (.onnx) to write.",
)
@click.option("--name", help="Name of the model. Default: that of the file.")
@click.option(
    "--version", "version_", default="1.0.0", show_default=True, help="Version of the model."
)
@click.option(
    "--facts",
    "facts_file",
    type=FILE,
    help="JSON object to keep in the model: held_out_accuracy, training_data with its licences.",
)
@click.option(
    "--references",
    "most_references",
    type=click.IntRange(1, MOST_REFERENCES),
    default=NARROW,
    show_default=True,
    help="References at most: more know more, and take longer to look up.",
)
@click.option(
    "--simulate", type=click.IntRange(100), help="Proteins to simulate at most. Default: all."
)
@click.option(
    "--epochs", type=click.IntRange(1), default=DecidingConfig().epochs, show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of every random draw.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: all available.")
def build(
    fastas: tuple[Path, ...],
    hgnc: Path | None,
    mgi: tuple[Path, ...],
    zfin: Path | None,
    symbols: Path | None,
    hold_out: tuple[str, ...],
    hold_out_clade: tuple[str, ...],
    output: Path,
    name: str | None,
    version_: str,
    facts_file: Path | None,
    most_references: int,
    simulate: int | None,
    epochs: int,
    seed: int,
    threads: int | None,
) -> None:
    """Build a model: choose references, and train the network that decides among them.

    \b
    gst build --proteins swissprot.fasta.gz --hgnc hgnc_complete_set.txt --output first.onnx
    gst_assign --checkpoint first.onnx --sequences_fasta proteins.fa
    """  # noqa: D301
    check_paths()
    threads = threads or available_threads()
    torch.set_num_threads(threads)
    facts = read_facts(facts_file)
    if compiled.LIBRARY is None:
        click.echo(f"gst build: warning: {compiled.SLOW}", err=True)
    say = _Progress()
    say("reading proteins", 0)
    everything = read_labelled(fastas, vertebrates_only=False)
    proteins = [
        p for p in everything if is_vertebrate(p.taxon) and p.taxon.clade not in hold_out_clade
    ]
    # The nearest strangers teach most; those farther off are what the benchmark asks for.
    strangers = [
        p for p in everything if p.taxon.clade in _STRANGERS and not is_vertebrate(p.taxon)
    ]
    built = build_model(
        proteins,
        read_tables(hgnc, mgi, zfin),
        read_canonical(symbols) if symbols else None,
        hold_out=hold_out,
        strangers=strangers,
        simulate=simulate,
        most_references=most_references,
        training=DecidingConfig(epochs=epochs, seed=seed),
        workers=threads,
        on_progress=say,
    )
    described = (
        f"{built.proteins:,} vertebrate proteins with {len(built.vocabulary):,} gene symbols "
        f"from {', '.join(path.name for path in fastas)}"
    )
    if without := (*hold_out, *hold_out_clade):
        described += f", without {', '.join(without)}"
    data = export(
        built.network,
        built.references,
        built.counts,
        built.originals,
        built.vocabulary,
        CLADES,
        name=name or output.stem,
        version=version_,
        facts={
            "training_data": described,
            "calibration": built.calibration,
            "scopes": _scopes(built.where),
            "core": built.core,
        }
        | facts,
    )
    with atomic_write(output, "wb") as file:
        file.write(data)
    quality = built.calibration
    click.echo(
        f"gst build: {output}, {len(data) / 1e6:.1f} MB, {len(built.references):,} references of "
        f"{len(built.vocabulary):,} symbols; of genera that networks have not learnt from "
        f"{100 * quality['accuracy']:.1f}% of the nameable proteins are right, calibration error "
        f"{quality['expected_calibration_error']:.3f}",
        err=True,
    )


def _scopes(where: dict[int, tuple[str, ...]]) -> list[dict[str, list[str] | list[int]]]:
    """Bring the symbols together that are given in the same clades and genera."""
    symbols: dict[tuple[str, ...], list[int]] = {}
    for number, names in where.items():
        symbols.setdefault(names, []).append(number)
    return [{"where": list(names), "symbols": own} for names, own in symbols.items()]


class _Progress:
    """A line for each step, and now and then one for how far it has come."""

    def __init__(self) -> None:
        self._step = ""
        self._last = 0.0

    def __call__(self, step: str, share: float) -> None:
        new = step.split(",")[0] != self._step
        interval = 5 if sys.stderr.isatty() else 30
        if new or share >= 1 or time.monotonic() - self._last >= interval:
            self._step, self._last = step.split(",")[0], time.monotonic()
            click.echo(f"gst build: {step}" + (f", {share:.0%}" if share else ""), err=True)
