"""The demonstration: name the bundled sample and count the right ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from gst_core.errors import GstError
from gst_core.results.lookup import read_lookup
from gst_core.results.summary import Summary, summarise_table

#: Starts gst_assign as a program of its own, so that the time taken is what a user waits.
ASSIGN = (sys.executable, "-m", "gst_core.cli.assign")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What came of a run over the sample.

    Attributes
    ----------
    genomes
        Scientific name to the summary of its proteins, in the sample's order.
    total
        All together.
    seconds
        Wall time of the program, start-up included.
    """

    genomes: dict[str, Summary]
    total: Summary
    seconds: float


def copy_sample(folder: Path) -> None:
    """Copy the bundled sample into a folder, which is made where it does not exist."""
    folder.mkdir(parents=True, exist_ok=True)
    with as_file(files("gst_core") / "assets" / "sample") as sample:
        shutil.copytree(sample, folder, dirs_exist_ok=True)


def assign_sample(folder: Path) -> float:
    """Run ``gst_assign`` over the sample in `folder`; results and ``report.html`` lie there too.

    Its progress and messages go to standard error as ever.

    Returns
    -------
    seconds
        Wall time, start-up included.

    Raises
    ------
    GstError
        If the program failed; it has said why itself.
    """
    command = [*ASSIGN, "--manifest", str(folder / "samplesheet.csv")]
    start = time.perf_counter()
    status = subprocess.run([*command, "--report", str(folder / "report.html")]).returncode
    seconds = time.perf_counter() - start
    if status:
        raise GstError(f"gst_assign ended with status {status}", hint="see its message above")
    return seconds


def summarise_sample(folder: Path, seconds: float) -> Demonstration:
    """Count what was named, and named right, in the tables beside the sample.

    Raises
    ------
    GstError
        If a table is missing or damaged.
    """
    known = read_lookup(folder / "known_symbols.tsv", "stable_id", "symbol")
    species = read_lookup(folder / "samplesheet.csv", "id", "scientific_name")
    paths = read_lookup(folder / "samplesheet.csv", "id", "fasta")
    genomes = {
        name: summarise_table(folder / f"{Path(paths[genome]).stem}_symbols.csv", known)
        for genome, name in species.items()
    }
    total = Summary()
    for summary in genomes.values():
        total.merge(summary)
    return Demonstration(genomes, total, seconds)
