"""Whether the memory of ``geneformer tokenize`` grows with the cells.

    python -m benchmarks.geneformer_memory --counts wu2020_tcells_200_raw.h5ad --resources FOLDER \
        --cells 100000 --cells 1000000

The cells of a small file are repeated until there are as many, in a file that is stored by cells
and never in memory as a whole; then the program tokenises it. A million cells of 991 genes take
4 GB in the folder for temporary files.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import anndata
import click
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata.io import write_elem

from benchmarks.protocol.measure import run_measured


def repeat_cells(path: Path, cells: int, output: Path) -> int:
    """Write the cells of a file over and over; return how many it came to."""
    small = anndata.read_h5ad(path)
    rows = sp.csr_matrix(small.X, dtype=np.float32)
    turns = -(-cells // rows.shape[0])
    number = turns * rows.shape[0]
    anndata.AnnData(rows[:0], var=pd.DataFrame(index=small.var_names)).write_h5ad(output)
    with h5py.File(output, "a") as file:
        del file["X"], file["obs"]
        group = file.create_group("X")
        group.attrs.update(
            {
                "encoding-type": "csr_matrix",
                "encoding-version": "0.1.0",
                "shape": np.array([number, rows.shape[1]]),
            }
        )
        for name, values in (("data", rows.data), ("indices", rows.indices.astype(np.int32))):
            stored = group.create_dataset(
                name, (turns * rows.nnz,), values.dtype, chunks=(rows.nnz,), compression="lzf"
            )
            for turn in range(turns):
                stored[turn * rows.nnz : (turn + 1) * rows.nnz] = values
        starts = rows.indptr[:-1].astype(np.int64) + np.arange(turns)[:, None] * rows.nnz
        group["indptr"] = np.append(starts.ravel(), turns * rows.nnz)
        write_elem(file, "obs", pd.DataFrame(index=np.arange(number).astype(str)))
    return number


@click.command()
@click.option("--counts", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--resources", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--cells", "sizes", multiple=True, type=click.IntRange(min=1), default=(100_000,))
def main(counts: Path, resources: Path, sizes: tuple[int, ...]) -> None:
    """Measure, and print a table in Markdown."""
    click.echo("| cells | CPU s | cells a CPU second | peak memory, MiB |")
    click.echo("| ---: | ---: | ---: | ---: |")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            number = repeat_cells(counts, size, folder / "cells.h5ad")
            command = [sys.executable, "-m", "gst_core.cli.geneformer.main", "tokenize"]
            command += [str(folder / "cells.h5ad"), "--output", str(folder / "cells.dataset")]
            cost = run_measured([*command, "--resources", str(resources)], folder / "log")
        speed = number / cost.cpu_seconds
        click.echo(f"| {number:,} | {cost.cpu_seconds:.1f} | {speed:,.0f} | {cost.peak_mib:.0f} |")


if __name__ == "__main__":
    main()
