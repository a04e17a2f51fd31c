"""``gst calibrate``: make probabilities mean what they say."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import torch

from gst_core.cli._common import say
from gst_core.cli._nomenclature import same_proteins_option, symbols_option
from gst_core.cli._paths import OutputFile, check_paths
from gst_core.errors import GstError
from gst_core.nomenclature import read_canonical, relabel
from gst_core.processors import available_threads
from gst_core.training.calibration import calibrate as fit
from gst_core.training.calibration import score
from gst_core.training.dataset import arrange
from gst_core.training.proteins import read_labelled
from gst_core.training.run import load_network


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@same_proteins_option
@symbols_option
@click.option(
    "--genus",
    "genera",
    multiple=True,
    help="Genus to fit to, which the run did not train on. May be repeated. "
    "Default: all that it held out.",
)
@click.option(
    "--proteins_per_genus",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="How many at most are scored, drawn at random.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFile(dir_okay=False, path_type=Path),
    help="File for gst export --calibration.",
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: all available.")
def calibrate(
    run: Path,
    fastas: tuple[Path, ...],
    symbols: Path | None,
    genera: tuple[str, ...],
    proteins_per_genus: int,
    output: Path,
    threads: int | None,
) -> None:
    """Fit the temperature of a RUN to genera that it did not train on.

    A model that is trained on everything takes the calibration of a run that differs in
    nothing but what it held out.
    """
    check_paths()
    torch.set_num_threads(threads or available_threads())
    description, network = load_network(run)
    unseen = (*description.hold_out, *description.validation)
    for genus in genera:
        if genus not in unseen:
            raise GstError(
                f"the run was trained on the genus '{genus}'",
                where=str(run),
                hint=f"give some of {', '.join(unseen)}" if unseen else "train one that holds out",
            )
    if not unseen:
        raise GstError(
            "the run was trained on every genus",
            where=str(run),
            hint="calibrate one of the same settings with --hold_out_genus",
        )
    proteins = read_labelled(fastas)
    if symbols:
        proteins = relabel(proteins, read_canonical(symbols))
    learnt = {p.key for p in proteins if p.taxon.genus not in unseen}
    keys = [symbol.symbol.upper() for symbol in description.vocabulary]
    classes = {key: index for index, key in enumerate(keys) if key in learnt}
    scores = {}
    for genus in genera or unseen:
        data = arrange([p for p in proteins if p.taxon.genus == genus], classes)
        known = np.flatnonzero(data.classes >= 0)
        if not len(known):
            raise GstError(
                f"no protein of the genus '{genus}' has a symbol that was learnt",
                where=", ".join(map(str, fastas)),
            )
        chosen = np.random.default_rng(0).permutation(known)[:proteins_per_genus]
        scores[genus] = score(network, data.take(chosen))
        say(f"gst calibrate: {genus}: {len(chosen):,} proteins")
    calibration = fit(scores)
    calibration.write(output)
    click.echo("genus\tproteins\taccuracy\tuncalibrated_error\terror\ttemperature_of_others")
    for name, genus_result in calibration.genera.items():
        click.echo(
            f"{name}\t{genus_result.proteins}\t{genus_result.accuracy:.4f}\t"
            f"{genus_result.uncalibrated_error:.4f}\t{genus_result.error:.4f}\t"
            f"{genus_result.temperature:.3f}"
        )
    say(f"gst calibrate: temperature {calibration.temperature:.3f} -> {output}")
