"""``gst train``: learn gene symbols from labelled proteins."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gst_core.cli._nomenclature import (
    FILE,
    hold_out_option,
    labelled_proteins_option,
    symbols_option,
    table_options,
)
from gst_core.cli._paths import OutputFolder, check_paths
from gst_core.errors import GstError
from gst_core.model.config import ModelConfig
from gst_core.model.workers import close_workers, open_workers
from gst_core.nomenclature import read_canonical, read_tables
from gst_core.training.augmentation import Evolution
from gst_core.training.config import TrainingConfig, override
from gst_core.training.dataset import prepare
from gst_core.training.loop import OnStep
from gst_core.training.proteins import read_labelled
from gst_core.training.run import DataFile, Run, describe
from gst_core.training.start import train_run
from gst_core.training.state import STATE_FILE

_FOLDER = click.Path(file_okay=False, path_type=Path)
#: Seconds between two lines of progress where nobody looks at a terminal.
_INTERVAL = 30.0


@click.command()
@labelled_proteins_option
@table_options
@symbols_option
@hold_out_option
@click.option(
    "--validation_genus",
    "validation",
    multiple=True,
    help="Genus to watch instead of train on; its symbols are known. May be repeated.",
)
@click.option(
    "--output",
    required=True,
    type=OutputFolder(file_okay=False, path_type=Path),
    help="Folder of the run.",
)
@click.option("--epochs", type=click.FloatRange(0, min_open=True), help="Default: 8.")
@click.option("--batch_size", type=click.IntRange(1), help="Proteins a step. Default: 512.")
@click.option(
    "--patience",
    type=click.IntRange(0),
    help="End after this many validations without a gain. Default: never.",
)
@click.option("--seed", type=int, help="Seed of every random draw. Default: 1.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads. Default: all available.")
@click.option("--init_from", type=_FOLDER, help="Run whose weights to start from.")
@click.option(
    "--config",
    "config_file",
    type=FILE,
    help="JSON with the sections model, training and evolution, to change defaults.",
)
def train(
    fastas: tuple[Path, ...],
    hgnc: Path | None,
    mgi: tuple[Path, ...],
    zfin: Path | None,
    symbols: Path | None,
    hold_out: tuple[str, ...],
    validation: tuple[str, ...],
    output: Path,
    epochs: float | None,
    batch_size: int | None,
    patience: int | None,
    seed: int | None,
    device: str,
    threads: int | None,
    init_from: Path | None,
    config_file: Path | None,
) -> None:
    """Train a model; the same command goes on with a run that was stopped.

    \b
    gst train --proteins swissprot.fasta.gz --hgnc hgnc_complete_set.txt --output runs/first
    gst export runs/first --output first.onnx

    On several GPUs: torchrun --nproc_per_node 4 -m gst_core.cli.main train, with the same options.
    """  # noqa: D301
    check_paths()
    sections = _read_config(config_file)
    options = {"epochs": epochs, "batch_size": batch_size, "patience": patience, "seed": seed}
    given = {name: value for name, value in options.items() if value is not None}
    training = override(TrainingConfig(), sections["training"] | given, "training")
    evolution = override(Evolution(), sections["evolution"], "evolution")

    device, workers = open_workers(_device(device), threads)
    say = _say if workers.first else _silent
    say("reading proteins")
    data = prepare(
        read_labelled(fastas),
        read_tables(hgnc, mgi, zfin),
        canonical=read_canonical(symbols) if symbols else None,
        hold_out=hold_out,
        validation=validation,
    )
    files = [*fastas, *(file for file in (hgnc, *mgi, zfin, symbols) if file is not None)]
    shape = ModelConfig(num_symbols=len(data.vocabulary), num_clades=len(data.clades))
    run = Run(
        model=override(shape, sections["model"], "model"),
        training=training,
        evolution=evolution,
        vocabulary=data.vocabulary,
        clades=data.clades,
        data=tuple(DataFile.of(path) for path in files),
        hold_out=hold_out,
        validation=validation,
        proteins=len(data.training),
        init_from=DataFile.of(init_from / STATE_FILE).sha256 if init_from else "",
    )
    where = "CUDA" if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    if workers.world > 1:
        where += f", {workers.world} processes"
    say(f"{describe(run)}; on {where}")
    try:
        with _Progress(training.batch_size) if workers.first else nullcontext() as progress:
            train_run(
                run,
                data,
                output,
                init_from=init_from,
                device=device,
                workers=workers,
                on_step=progress,
            )
        workers.wait()
    finally:
        close_workers(workers)
    say(f"done: {output}")


def _read_config(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read the three sections, empty where not given."""
    sections: dict[str, dict[str, Any]] = {"model": {}, "training": {}, "evolution": {}}
    if path is None:
        return sections
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise GstError(f"not JSON: {error}", where=str(path)) from error
    if not isinstance(given, dict) or not all(isinstance(part, dict) for part in given.values()):
        raise GstError("not an object of objects", where=str(path), hint='as {"model": {}}')
    if unknown := sorted(set(given) - set(sections)):
        raise GstError(
            f"there is no section '{unknown[0]}'",
            where=str(path),
            hint=f"there are {', '.join(sections)}",
        )
    return sections | given


def _device(asked: str) -> str:
    """Choose the device; CUDA that cannot run is an error where it was asked for."""
    if asked == "cuda" and not torch.cuda.is_available():
        raise GstError("CUDA cannot run here", where="--device cuda", hint="use --device cpu")
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return asked


def _say(message: str) -> None:
    click.echo(f"gst train: {message}", err=True)


def _silent(_: str) -> None:
    """Say nothing, as all processes but the first do."""


class _Progress:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, batch_size: int) -> None:
        self._batch_size = batch_size
        self._last = time.monotonic()
        self._speed = 0.0
        self._before: tuple[float, float] | None = None
        self._validation = ""
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("step"),
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.fields[text]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> OnStep:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=None, text="")
        return self._on_step

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _on_step(self, step: int, steps: int, metrics: dict[str, float]) -> None:
        seconds = metrics["seconds"]
        if self._before is not None and seconds > self._before[1]:
            done = (step - self._before[0]) * self._batch_size
            now = done / (seconds - self._before[1])
            self._speed = 0.9 * self._speed + 0.1 * now if self._speed else now
        self._before = (step, seconds)
        if "validation_accuracy" in metrics:
            self._validation = f", validation {metrics['validation_accuracy']:.4f}"
        text = (
            f"loss {metrics['loss']:.3f}, accuracy {metrics['accuracy']:.3f}{self._validation}, "
            f"{self._speed:,.0f} proteins/s"
        )
        if self._bar is not None:
            self._bar.update(self._task, completed=step, total=steps, text=text)
        elif step == steps or time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            _say(f"step {step:,} of {steps:,}: {text}")
