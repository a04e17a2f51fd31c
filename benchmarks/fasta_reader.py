"""Proteins a second through the FASTA reader, beside Biopython's fastest parser.

    PYTHONPATH=. python benchmarks/fasta_reader.py proteins.fasta[.gz|.zst]

The file is decompressed into memory first, so that what is measured is parsing and
checking; then it is read from the disk as it is. Each is the best of five runs.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable

from Bio.SeqIO.FastaIO import SimpleFastaParser

from gst_core.sequences import ReadStatistics, encode, read_proteins
from gst_core.sequences.streams import open_blocks


def measure(what: str, size: int, run: Callable[[], Iterable[object]]) -> None:
    """Print proteins and megabytes a second."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        number = sum(1 for _ in run())
        best = min(best, time.perf_counter() - start)
    print(f"{what:42} {number / best:10,.0f} proteins/s {size / best / 1e6:7.0f} MB/s")


def main(path: str) -> None:
    """Measure all ways of reading one file."""
    with open_blocks(path, path) as blocks:
        data = b"".join(blocks)
    statistics = ReadStatistics()
    for _ in read_proteins(path, statistics=statistics):
        pass
    print(f"{statistics.records:,} proteins, {statistics.residues:,} residues")
    size = len(data)
    measure("gst_core, plain", size, lambda: read_proteins(io.BytesIO(data)))
    measure(
        "gst_core, plain, and encoded",
        size,
        lambda: (encode(protein.residues) for protein in read_proteins(io.BytesIO(data))),
    )
    measure("gst_core, the file as it is", size, lambda: read_proteins(path))
    text = data.decode("latin-1")
    measure(
        "Biopython SimpleFastaParser, plain", size, lambda: SimpleFastaParser(io.StringIO(text))
    )


if __name__ == "__main__":
    main(sys.argv[1])
