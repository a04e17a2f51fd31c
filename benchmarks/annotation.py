"""Measure how long an annotation of a large genome takes, and how much memory.

    python -m benchmarks.annotation --gigabases 3 --genes 20000

makes a genome and an annotation of it, and translates it here and with ``gffread -y``, which makes
an index of the genome (``.fai``) first, each in a process of its own; CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_REGION = 100_000_000


def make(folder: Path, gigabases: float, genes: int) -> None:
    """Write genome and annotation; genes have eight exons of 180 bases each, both strands."""
    chance = random.Random(1)
    block = "".join(chance.choices("ACGT", k=1_000_000))
    lines = "".join(f"{block[i : i + 60]}\n" for i in range(0, len(block) // 60 * 60, 60))
    bases = len(block) // 60 * 60
    regions = max(1, round(gigabases * 1e9 / _REGION))
    blocks = _REGION // bases
    with (folder / "genome.fa").open("w") as file:
        for region in range(regions):
            file.write(f">chr{region}\n")
            for _ in range(blocks):
                file.write(lines)
    with (folder / "a.gff3").open("w") as file:
        file.write("##gff-version 3\n")
        for gene in range(genes):
            region = f"chr{chance.randrange(regions)}"
            start = chance.randrange(1, blocks * bases - 50_000)
            strand = chance.choice("+-")
            exons = [(start + 2_000 * n, start + 2_000 * n + 179) for n in range(8)]
            common = f"{region}\tmade\t{{}}\t{{}}\t{{}}\t.\t{strand}\t{{}}\t{{}}\n"
            file.write(common.format("gene", start, exons[-1][1], ".", f"ID=g{gene}"))
            mrna = f"ID=g{gene}.t1;Parent=g{gene}"
            file.write(common.format("mRNA", start, exons[-1][1], ".", mrna))
            for a, b in exons:
                file.write(common.format("CDS", a, b, 0, f"ID=g{gene}.c;Parent=g{gene}.t1"))


def measure(command: list[str], **options: object) -> tuple[float, float]:
    """Run a command; return its CPU seconds and its peak memory in MiB."""
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


_OURS = """
import sys
from pathlib import Path
from gst_core.annotation import read_annotation, translate_genes
for gene, protein in translate_genes(read_annotation(Path(sys.argv[1])), Path(sys.argv[2])):
    print(f">{gene.id}\\n{protein}")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--gigabases", type=float, default=3)
    parser.add_argument("--genes", type=int, default=20_000)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, given.gigabases, given.genes)
        source, genome = str(folder / "a.gff3"), str(folder / "genome.fa")
        with (folder / "ours.fa").open("w") as ours:
            seconds, memory = measure([sys.executable, "-c", _OURS, source, genome], stdout=ours)
        print(f"here     {seconds:6.1f} s  {memory:7.0f} MiB")
        if shutil.which("gffread"):
            theirs = ["gffread", source, "-g", genome, "-y", str(folder / "theirs.fa")]
            for when in ("index to be made", "index there"):
                seconds, memory = measure(theirs, stderr=subprocess.DEVNULL)
                print(f"gffread  {seconds:6.1f} s  {memory:7.0f} MiB, {when}")


if __name__ == "__main__":
    main()
