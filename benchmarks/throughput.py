"""Speed and memory of gst_assign, beside DIAMOND on the same proteins and cores.

    python -m benchmarks.throughput --checkpoint heldout.onnx --output benchmarks/results

Swiss-Prot proteins of four genera, in random order, are named by gst_assign and searched
by DIAMOND among the proteins of all other vertebrates: the work of a new genome. With a model
that knows nothing of these genera gst_assign has the same task; with the embedded one, which
knows them, it has that of most genomes. Programs take turns, so that a busy minute is shared by
all; medians are reported. Then the same proteins many times over show whether memory grows with
the input.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np

from benchmarks.protocol.files import write_fasta, write_json
from benchmarks.protocol.measure import Cost, run_measured, use_cores
from benchmarks.protocol.methods import GST_ASSIGN, diamond_version
from benchmarks.protocol.sets import HELD_OUT, SEED, TRAINING_FILES, genera_split, letters
from benchmarks.protocol.tables import table
from gst_core.cli._common import run
from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.training.proteins import read_labelled

_ROOT: Final = Path(__file__).resolve().parents[1]
_GST: Final = "gst_assign"
_EMBEDDED: Final = "gst_assign, embedded model"


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of several runs of a program.

    Attributes
    ----------
    program
        With its mode.
    proteins
        In its input.
    runs
        How many were made.
    seconds, fastest, slowest
        Median and extremes of the wall time.
    peak_mib
        Median of the peak memory.
    """

    program: str
    proteins: int
    runs: int
    seconds: float
    fastest: float
    slowest: float
    peak_mib: float

    @classmethod
    def of(cls, program: str, proteins: int, costs: Sequence[Cost]) -> Timing:
        """Sum up runs."""
        seconds = [cost.seconds for cost in costs]
        peak = statistics.median(cost.peak_mib for cost in costs)
        median = statistics.median(seconds)
        return cls(program, proteins, len(costs), median, min(seconds), max(seconds), peak)

    @property
    def rate(self) -> float:
        """Proteins a second, start-up included."""
        return self.proteins / self.seconds


def write_proteins(folder: Path, data_folder: Path, number: int, repeated: int) -> None:
    """Write ``training.fasta``, ``proteins.fasta`` and ``repeated.fasta``.

    Raises
    ------
    GstError
        If the held-out genera have not as many proteins, or a file is missing.
    """
    split = genera_split(read_labelled([data_folder / "proteins" / f for f in TRAINING_FILES]))
    write_fasta(
        folder / "training.fasta", ((f"t{i}", letters(p)) for i, p in enumerate(split.training))
    )
    pool = [query.residues for genus in HELD_OUT for query in split.queries[genus]]
    if number > len(pool):
        raise GstError(f"{number:,} proteins asked for, {len(pool):,} there")
    drawn = [pool[row] for row in np.random.default_rng(SEED).permutation(len(pool))[:number]]
    write_fasta(folder / "proteins.fasta", ((f"q{i}", s) for i, s in enumerate(drawn)))
    again = itertools.islice(itertools.cycle(drawn), repeated)
    write_fasta(folder / "repeated.fasta", ((f"q{i}", s) for i, s in enumerate(again)))


def seconds_to_first_row(command: Sequence[str]) -> float:
    """Time from the start of a program to the second line that it prints, the first being a header.

    Raises
    ------
    GstError
        If it ends before.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        seconds = time.perf_counter() - start
        process.kill()
    if not all(lines):
        raise GstError("ended before its first row", where=command[0])
    return seconds


def seconds_to_end(command: Sequence[str]) -> float:
    """Wall time of a short program."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def as_markdown(timings: Sequence[Timing], starts: dict[str, float]) -> str:
    """Write the tables; ratios are of the first row's rate to the row's."""
    ours = timings[0]
    rows = [
        (
            t.program,
            f"{t.proteins:,}",
            f"{t.runs}",
            f"{t.seconds:.2f} ({t.fastest:.2f} to {t.slowest:.2f})",
            f"{t.rate:,.0f}",
            f"{t.peak_mib:,.0f}",
            f"{ours.rate / t.rate:.1f}",
        )
        for t in timings
    ]
    header = ("program", "proteins", "runs", "s, median (range)", "proteins/s", "peak memory, MiB")
    speed = table((*header, "the first is faster by"), rows)
    return speed + "\n" + table(("", "s, median"), [(k, f"{v:.3f}") for k, v in starts.items()])


@click.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Model that knows nothing of the four genera.",
)
@click.option("--proteins", type=click.IntRange(min=1), default=10_000, show_default=True)
@click.option("--repeated", type=click.IntRange(min=1), default=1_000_000, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Threads of each program, and cores that all are bound to.",
)
@click.option("--diamond", default="diamond", show_default=True, help="Name or path of DIAMOND.")
@click.option(
    "--data_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(os.environ.get("GST_SHARED_DATA", _ROOT.parent / "shared" / "data")),
    help="Folder with proteins/*.fasta.*  [default: $GST_SHARED_DATA or ../shared/data]",
)
@click.option(
    "--work_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_ROOT / "runs" / "throughput",
    help="For sequences and results.  [default: runs/throughput]",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for throughput.json and throughput.md.",
)
def throughput(
    checkpoint: Path,
    proteins: int,
    repeated: int,
    runs: int,
    threads: int,
    diamond: str,
    data_folder: Path,
    work_folder: Path,
    output: Path,
) -> None:
    """Measure gst_assign, and DIAMOND beside it."""
    use_cores(threads)
    version = diamond_version(diamond)
    work_folder.mkdir(parents=True, exist_ok=True)
    write_proteins(work_folder, data_folder, proteins, repeated)
    log, database = work_folder / "log", work_folder / "training.dmnd"
    index = [diamond, "makedb", "--in", str(work_folder / "training.fasta"), "--db", str(database)]
    indexing = run_measured([*index, "--threads", str(threads)], log)

    def embedded(fasta: str, result: str) -> list[str]:
        command = [GST_ASSIGN, "--sequences_fasta", str(work_folder / fasta), "--output", result]
        command += ["--scientific_name", "Danio rerio"]
        return [*command, "--threads", str(threads), "--quiet"]

    def gst(fasta: str, result: str) -> list[str]:
        return [*embedded(fasta, result), "--checkpoint", str(checkpoint)]

    def search(mode: str) -> list[str]:
        command = [diamond, "blastp", mode, "--threads", str(threads), "--db", str(database)]
        command += ["--query", str(work_folder / "proteins.fasta"), "--outfmt", "6"]
        return [*command, "--out", str(work_folder / "hits.tsv")]

    table_path = str(work_folder / "symbols.tsv")
    commands = {
        _GST: gst("proteins.fasta", table_path),
        _EMBEDDED: embedded("proteins.fasta", table_path),
        f"DIAMOND {version} --sensitive": search("--sensitive"),
        f"DIAMOND {version} --fast": search("--fast"),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(run_measured(command, log))
    timings = [Timing.of(name, proteins, of_one) for name, of_one in costs.items()]
    long_run = run_measured(embedded("repeated.fasta", table_path), log)
    timings.append(Timing.of(f"{_EMBEDDED}, the same over and over", repeated, [long_run]))

    def median(measure: Callable[[Sequence[str]], float], command: Sequence[str]) -> float:
        return statistics.median(measure(command) for _ in range(runs))

    starts = {
        "gst_assign, start to first row": median(
            seconds_to_first_row, embedded("proteins.fasta", "-")
        ),
        "gst_assign --version": median(seconds_to_end, [GST_ASSIGN, "--version"]),
        "DIAMOND makedb, not counted above": indexing.seconds,
    }
    output.mkdir(parents=True, exist_ok=True)
    write_json(output / "throughput.json", {"timings": timings, "seconds": starts})
    with atomic_write(output / "throughput.md") as file:
        file.write(as_markdown(timings, starts))
    click.echo(as_markdown(timings, starts))


if __name__ == "__main__":
    run(throughput, "benchmarks.throughput")
