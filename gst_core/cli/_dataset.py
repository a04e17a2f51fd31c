"""Options of the commands that make datasets, and what these say at the end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gst_core.clades import CLADES
from gst_core.cli._log import Log
from gst_core.cli._nomenclature import symbols_option, table_options
from gst_core.cli._paths import OutputFolder
from gst_core.dataset.entry import Entry, LeftOut
from gst_core.dataset.making import Naming, Selection, compose
from gst_core.dataset.manifest import Manifest
from gst_core.dataset.release import Part
from gst_core.dataset.table import TABLE, TableWriter
from gst_core.errors import GstError
from gst_core.files import make_folder
from gst_core.nomenclature import read_canonical, read_tables

#: Seconds between two lines of progress.
INTERVAL = 10.0
#: Reasons on a terminal; the manifest has them all.
_SHOWN = 8


def making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all datasets have in common."""
    for option in (
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
        symbols_option,
        table_options,
        click.option(
            "--clade",
            "clades",
            type=click.Choice(sorted(CLADES)),
            multiple=True,
            metavar="CLADE",
            help="Keep species of this clade alone, as teleostei. May be repeated.",
        ),
        click.option(
            "--min_count",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Leave out symbols of fewer proteins than that.",
        ),
        click.option(
            "--output",
            required=True,
            type=OutputFolder(file_okay=False, path_type=Path),
            help="Folder of the dataset: proteins.parquet and manifest.json.",
        ),
    ):
        command = option(command)
    return command


def naming_of(
    hgnc: Path | None, mgi: tuple[Path, ...], zfin: Path | None, symbols: Path | None
) -> Naming:
    """Read what the options of nomenclature name.

    Raises
    ------
    GstError
        If a file cannot be read, or tables are given that cannot be used.
    """
    if symbols is not None:
        if hgnc or mgi or zfin:
            raise GstError(
                "the table of symbols takes the place of committees' tables",
                where="--symbols",
                hint="give it alone, or --hgnc, --mgi and --zfin without it",
            )
        return Naming(canonical=read_canonical(symbols))
    if hgnc is None:
        if mgi or zfin:
            raise GstError(
                "no table of approved symbols", hint="give --hgnc hgnc_complete_set.txt as well"
            )
        return Naming()
    return Naming(tables=read_tables(hgnc, mgi, zfin))


def make_from_entries(
    entries: Iterable[Entry],
    output: Path,
    manifest: Manifest,
    left_out: LeftOut,
    naming: Naming,
    selection: Selection,
    log: Log,
) -> Manifest:
    """Make a dataset of proteins as they come."""
    was_there = output.exists()
    folder = make_folder(output)
    part = folder / ".proteins.part"
    try:
        last = time.monotonic()
        with TableWriter(part) as writer:
            for entry in entries:
                writer.add(entry)
                if time.monotonic() - last >= INTERVAL:
                    last = time.monotonic()
                    log.say(f"{writer.rows:,} proteins read")
        return compose([part], folder, manifest, left_out, naming, selection, log.say)
    finally:
        part.unlink(missing_ok=True)
        if not was_there:
            with contextlib.suppress(OSError):  # it holds something: the dataset
                folder.rmdir()


class DownloadProgress:
    """How far downloads are: a bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    log
        Where lines go.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._bytes = self._done = self._total = 0
        self._last = time.monotonic()
        self._bar: Progress | None = None

    @contextlib.contextmanager
    def of(self, genomes: int) -> Iterator[None]:
        """Show how far so many genomes are, within the block."""
        self._total = genomes
        if not self._log.terminal:
            yield
            return
        self._bar = Progress(
            TextColumn("genomes"),
            MofNCompleteColumn(),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        with self._bar:
            self._task = self._bar.add_task("", total=genomes, text="")
            yield
        self._bar = None

    def on_bytes(self, number: int) -> None:
        """Count bytes that have come."""
        with self._lock:
            self._bytes += number
            self._show(done=False)

    def on_part(self, part: Part) -> None:
        """Count a genome that is done."""
        del part
        with self._lock:
            self._done += 1
            self._show(done=self._done == self._total)

    def _show(self, *, done: bool) -> None:
        text = f"{self._bytes / 1e6:,.1f} MB downloaded"
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, text=text)
        elif self._total and (done or time.monotonic() - self._last >= INTERVAL):
            self._last = time.monotonic()
            self._log.say(f"{self._done:,} of {self._total:,} genomes, {text}")


def summary(manifest: Manifest, output: Path) -> str:
    """Say what a dataset holds, and what was left out."""
    held = sum(1 for species in manifest.species if species.proteins)
    lines = [
        f"{output / TABLE}: {manifest.proteins:,} proteins, {manifest.symbols:,} symbols, "
        f"{held:,} species"
    ]
    reasons = list(manifest.left_out.items())
    lines += [f"  left out, {why}: {number:,}" for why, number in reasons[:_SHOWN]]
    if len(reasons) > _SHOWN:
        lines.append(f"  left out for {len(reasons) - _SHOWN} other reasons: see the manifest")
    return "\n".join(lines)
