"""Speed and memory of gst_assign, beside DIAMOND on the same proteins and cores.

    python -m benchmarks.throughput --checkpoint heldout.onnx --proteins 4000 --proteins 14000 \
        --strangers 3000 --output benchmarks/results

Swiss-Prot proteins of four genera, in random order, are named by gst_assign and searched
by DIAMOND among the proteins of all other vertebrates: the work of a new genome. With a model
that knows nothing of these genera gst_assign has the same task; with the embedded one, which
knows them, it has that of most genomes. Strangers are proteins of fly, thale cress, yeast and slime
mould: most resemble nothing. Programs take turns, so that a busy minute is shared by all; medians
are reported. Then the same proteins many times over show whether memory grows with the input.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np

from benchmarks.protocol import options
from benchmarks.protocol.files import write_fasta, write_json
from benchmarks.protocol.measure import Cost, run_measured, use_cores
from benchmarks.protocol.methods import GST_ASSIGN, diamond_version
from benchmarks.protocol.sets import (
    HELD_OUT,
    SEED,
    TRAINING_FILES,
    genera_split,
    letters,
    sample,
)
from benchmarks.protocol.tables import table
from gst_core.cli._common import run
from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.training.proteins import is_vertebrate, read_labelled

_ROOT: Final = Path(__file__).resolve().parents[1]
_GST: Final = "gst_assign"
_EMBEDDED: Final = "gst_assign, embedded model"
_STRANGERS: Final = "strangers"
#: Fly, thale cress, yeast and slime mould.
STRANGERS: Final = (7227, 3702, 559292, 44689)


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of several runs of a program.

    Attributes
    ----------
    program
        With its mode.
    asked
        What its input is.
    proteins
        In its input.
    runs
        How many were made.
    seconds, fastest, slowest
        Median and extremes of the wall time.
    cpu_seconds, peak_mib
        Medians of the time of all cores, and of the peak memory.
    """

    program: str
    asked: str
    proteins: int
    runs: int
    seconds: float
    fastest: float
    slowest: float
    cpu_seconds: float
    peak_mib: float

    @classmethod
    def of(cls, program: str, asked: str, proteins: int, costs: Sequence[Cost]) -> Timing:
        """Sum up runs."""
        seconds = [cost.seconds for cost in costs]
        medians = (
            statistics.median(cost.cpu_seconds for cost in costs),
            statistics.median(cost.peak_mib for cost in costs),
        )
        wall = statistics.median(seconds), min(seconds), max(seconds)
        return cls(program, asked, proteins, len(costs), *wall, *medians)

    @property
    def rate(self) -> float:
        """Proteins a second, start-up included."""
        return self.proteins / self.seconds


def write_proteins(
    folder: Path, data_folder: Path, numbers: Sequence[int], strangers: int, repeated: int
) -> None:
    """Write ``training.fasta``, ``new_N.fasta``, ``strangers.fasta`` and ``repeated.fasta``.

    Parameters
    ----------
    folder, data_folder
        Where to, and where from.
    numbers
        Proteins of the held-out genera to write, a file for each number.
    strangers
        Proteins of other species to write, the same number of each.
    repeated
        Proteins of the last file: those of the largest number again and again.

    Raises
    ------
    GstError
        If there are not as many proteins, or a file is missing.
    """
    paths = [data_folder / "proteins" / name for name in TRAINING_FILES]
    everything = read_labelled(paths, vertebrates_only=False)
    split = genera_split([p for p in everything if is_vertebrate(p.taxon)])
    write_fasta(
        folder / "training.fasta", ((f"t{i}", letters(p)) for i, p in enumerate(split.training))
    )
    pool = [query.residues for genus in HELD_OUT for query in split.queries[genus]]
    if max(numbers) > len(pool):
        raise GstError(f"{max(numbers):,} proteins asked for, {len(pool):,} there")
    drawn = [pool[row] for row in np.random.default_rng(SEED).permutation(len(pool))]
    for number in numbers:
        own = drawn[:number]
        write_fasta(folder / f"new_{number}.fasta", ((f"q{i}", s) for i, s in enumerate(own)))
    strange = [
        protein
        for taxon in STRANGERS
        for protein in sample(
            (p for p in everything if p.taxon.taxon_id == taxon), strangers // len(STRANGERS)
        )
    ]
    if len(strange) < strangers // len(STRANGERS) * len(STRANGERS):
        raise GstError(f"{strangers:,} strangers asked for, {len(strange):,} there")
    write_fasta(folder / "strangers.fasta", ((f"s{i}", letters(p)) for i, p in enumerate(strange)))
    again = itertools.islice(itertools.cycle(drawn[: max(numbers)]), repeated)
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
    """Write the tables; ratios are to the first row with the same input, of wall and CPU time."""
    first = {(t.asked, t.proteins): t for t in reversed(timings)}
    rows = [
        (
            t.program,
            t.asked,
            f"{t.proteins:,}",
            f"{t.runs}",
            f"{t.seconds:.2f} ({t.fastest:.2f} to {t.slowest:.2f})",
            f"{t.rate:,.0f}",
            f"{t.cpu_seconds:.1f}",
            f"{t.peak_mib:,.0f}",
            f"{t.seconds / first[t.asked, t.proteins].seconds:.1f}",
            f"{t.cpu_seconds / first[t.asked, t.proteins].cpu_seconds:.1f}",
        )
        for t in timings
    ]
    header = ("program", "asked", "proteins", "runs", "s, median (range)", "proteins/s", "CPU s")
    ratios = ("takes as long as the first, times", "CPU, times")
    speed = table((*header, "peak memory, MiB", *ratios), rows)
    return speed + "\n" + table(("", "s, median"), [(k, f"{v:.3f}") for k, v in starts.items()])


@click.command()
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Model that knows nothing of the four genera.",
)
@click.option(
    "--proteins",
    "numbers",
    type=click.IntRange(min=1),
    multiple=True,
    default=(4_000, 14_000),
    show_default=True,
    help="How many at once; may be repeated.",
)
@click.option("--strangers", type=click.IntRange(min=4), default=3_000, show_default=True)
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
@options.data_folder
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
    numbers: tuple[int, ...],
    strangers: int,
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
    write_proteins(work_folder, data_folder, numbers, strangers, repeated)
    log, database = work_folder / "log", work_folder / "training.dmnd"
    index = [diamond, "makedb", "--in", str(work_folder / "training.fasta"), "--db", str(database)]
    indexing = run_measured([*index, "--threads", str(threads)], log)

    table_path = str(work_folder / "symbols.tsv")

    def embedded(name: str, result: str = table_path) -> list[str]:
        fasta = work_folder / f"{name}.fasta"
        command = [GST_ASSIGN, "--sequences_fasta", str(fasta), "--output", result]
        if name != _STRANGERS:
            command += ["--scientific_name", "Danio rerio"]
        return [*command, "--threads", str(threads), "--quiet"]

    def search(name: str, mode: str) -> list[str]:
        command = [diamond, "blastp", mode, "--threads", str(threads), "--db", str(database)]
        command += ["--query", str(work_folder / f"{name}.fasta"), "--outfmt", "6"]
        return [*command, "--out", str(work_folder / "hits.tsv")]

    timings = []
    inputs = {f"new_{number}": ("new genera", number) for number in numbers}
    inputs[_STRANGERS] = _STRANGERS, strangers // len(STRANGERS) * len(STRANGERS)
    for name, (asked, number) in inputs.items():
        commands = {
            _GST: [*embedded(name), "--checkpoint", str(checkpoint)],
            _EMBEDDED: embedded(name),
            f"DIAMOND {version} --sensitive": search(name, "--sensitive"),
            f"DIAMOND {version} --fast": search(name, "--fast"),
        }
        costs: dict[str, list[Cost]] = {program: [] for program in commands}
        for _ in range(runs):
            for program, command in commands.items():
                costs[program].append(run_measured(command, log))
        timings += [Timing.of(program, asked, number, own) for program, own in costs.items()]
    long_run = run_measured(embedded("repeated"), log)
    timings.append(Timing.of(_EMBEDDED, "the same over and over", repeated, [long_run]))

    def median(measure: Callable[[Sequence[str]], float], command: Sequence[str]) -> float:
        return statistics.median(measure(command) for _ in range(runs))

    starts = {
        "gst_assign, start to first row": median(
            seconds_to_first_row, embedded(next(iter(inputs)), "-")
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
