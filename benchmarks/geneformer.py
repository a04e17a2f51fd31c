r"""Geneformer beside what a user has: tokenising and embedding the same cells on the same cores.

    python -m benchmarks.geneformer --counts cells.h5ad --resources FOLDER --output geneformer.json

Tokenising is compared with a loop over cells as the reference has it: dense rows, one cell at a
time. Embedding is compared with ``BertForMaskedLM`` of the package transformers as the reference
runs it: eager attention, batches padded to their longest cell, the language model's head and
all hidden states. Both have the same random weights. Turns alternate; medians are given.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.protocol.measure import use_cores
from gst_core.files import atomic_write
from gst_core.geneformer.backends import TorchEncoder
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.embedding import embed_cells
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizing import prepare

#: Published shapes: layers, width, heads, feed-forward width.
SHAPES = {"V1-10M": ("V1", 6, 256, 4, 512), "V2-104M": ("V2", 12, 768, 12, 3072)}

#: What the ways are timed by.
_now = time.perf_counter


@click.command()
@click.option("--counts", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--resources", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--shape", "shapes", multiple=True, default=("V1-10M",), show_default=True)
@click.option("--cells", default=32, show_default=True, help="Cells to embed.")
@click.option("--repeated", default=20_000, show_default=True, help="Cells to tokenise.")
@click.option("--runs", default=3, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option(
    "--clock",
    type=click.Choice(["wall", "cpu"]),
    default="wall",
    show_default=True,
    help="cpu: seconds of the processor, of one thread, on a machine that others use too.",
)
@click.option("--output", type=click.Path(path_type=Path))
def main(
    counts: Path,
    resources: Path,
    shapes: tuple[str, ...],
    cells: int,
    repeated: int,
    runs: int,
    threads: int,
    clock: str,
    output: Path | None,
) -> None:
    """Measure, and print or write JSON."""
    global _now
    if clock == "cpu":
        if threads != 1:
            raise click.UsageError("--clock cpu says nothing of more than one of --threads")
        _now = time.process_time
    use_cores(threads)
    result: dict[str, Any] = {"threads": threads, "clock": clock}
    result["import_seconds"] = _import_seconds(runs)
    result["tokenising"] = _tokenising(counts, Resources.load("V2", resources), repeated, runs)
    for shape in shapes:
        version, *sizes = SHAPES[shape]
        own = Resources.load(version, resources)
        result[shape] = _embedding(counts, own, tuple(sizes), cells, runs, threads)
    text = json.dumps(result, indent=2) + "\n"
    click.echo(text)
    if output:
        with atomic_write(output) as file:
            file.write(text)


def _import_seconds(runs: int) -> float:
    code = "import time; t = time.perf_counter(); import gst_core.geneformer; "
    code += "print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code]
    times = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    ]
    return round(statistics.median(times), 3)


def _alternate(ways: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """Median seconds of each way, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            start = _now()
            way()
            seconds[name].append(_now() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def _tokenising(path: Path, resources: Resources, repeated: int, runs: int) -> dict[str, Any]:
    opened = prepare(open_counts(path), resources)
    (_, rows), *_ = opened.counts.chunks(10**9)
    turns = -(-repeated // rows.shape[0])
    tokenizer = opened.tokenizer
    positions = resources.index_of(tokenizer.genes)
    known = np.flatnonzero(positions >= 0)
    medians, tokens = resources.medians[positions[known]], resources.token_ids[positions[known]]
    few = min(rows.shape[0], 100)

    def loop() -> None:
        for cell in range(few):
            values = rows[cell].toarray()[0]
            scaled = values[known] / values.sum() * 10_000 / medians
            found = np.flatnonzero(scaled)
            _ = tokens[found][np.argsort(-scaled[found])]

    def ours() -> None:
        for _ in range(turns):
            tokenizer.tokenize(rows)

    seconds = _alternate({"loop": loop, "ours": ours}, runs)
    speed = turns * rows.shape[0] / seconds["ours"]
    return {
        "genes_a_cell": round(tokenizer.values(rows).nnz / rows.shape[0]),
        "cells_a_second": round(speed),
        "loop_cells_a_second": round(few / seconds["loop"]),
        "ratio": round(speed / (few / seconds["loop"]), 1),
    }


def _embedding(
    path: Path,
    resources: Resources,
    shape: tuple[int, ...],
    number: int,
    runs: int,
    threads: int,
) -> dict[str, Any]:
    import tempfile

    import torch

    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.weights import save_checkpoint

    layers, width, heads, inner = shape
    config = NetworkConfig(
        resources.vocabulary_size, width, layers, heads, inner, resources.max_length
    )
    opened = prepare(open_counts(path), resources)
    (_, rows), *_ = opened.counts.chunks(number)
    cells = opened.tokenizer.tokenize(rows)
    with tempfile.TemporaryDirectory() as folder:
        save_checkpoint(MaskedLanguageModel(config), Path(folder))
        special = resources.special_tokens
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            memory = {
                name: pool.apply(_peak_mib, (name, Path(folder), cells, special, threads))
                for name in ("transformers", "ours")
            }
        encoder, theirs = _ours(Path(folder), threads), _theirs(Path(folder))

    def ours() -> Any:
        return embed_cells(encoder, cells, special=special)

    def reference() -> Any:
        return _as_the_reference(theirs, cells, special)

    one, other = ours(), reference()
    seconds = _alternate({"transformers": reference, "ours": ours}, runs)
    a = torch.rand(2048, 2048)
    peak = 2 * 2048**3 / _alternate({"product": lambda: a @ a}, 9)["product"]
    flops = sum(
        2 * length * (layers - 1) * (4 * width**2 + 2 * width * inner + 2 * length * width)
        for length in cells.lengths.tolist()
    )
    return {
        "cells": len(cells),
        "mean_tokens": round(float(cells.lengths.mean())),
        "cells_a_second": round(len(cells) / seconds["ours"], 2),
        "transformers_cells_a_second": round(len(cells) / seconds["transformers"], 2),
        "ratio": round(seconds["transformers"] / seconds["ours"], 2),
        "share_of_matrix_peak": round(flops / seconds["ours"] / peak, 2),
        "peak_mib": memory,
        "largest_difference": float(np.abs(one - other).max()),
    }


def _ours(folder: Path, threads: int) -> TorchEncoder:
    return TorchEncoder(folder, "cpu", threads)


def _theirs(folder: Path) -> Any:
    from transformers import BertForMaskedLM

    return BertForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()


def _peak_mib(name: str, folder: Path, cells: Tokens, special: list[int], threads: int) -> int:
    """Peak memory of a process that does nothing else."""
    import torch

    torch.set_num_threads(threads)
    if name == "ours":
        embed_cells(_ours(folder, threads), cells, special=special)
    else:
        _as_the_reference(_theirs(folder), cells, special)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _as_the_reference(model: Any, cells: Tokens, special: list[int], batch: int = 8) -> Any:
    import torch

    order = np.argsort(-cells.lengths, kind="stable")
    found: dict[int, Any] = {}
    for start in range(0, len(order), batch):
        here = order[start : start + batch]
        longest = int(cells.lengths[here].max())
        ids = torch.zeros(len(here), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, cell in enumerate(here):
            ids[row, : cells.lengths[cell]] = torch.from_numpy(cells[int(cell)].astype(np.int64))
            mask[row, : cells.lengths[cell]] = 1
        with torch.no_grad():
            out = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = out.hidden_states[-2]
        for row, cell in enumerate(here):
            own = cells[int(cell)]
            genes = torch.from_numpy(~np.isin(own, special))
            found[int(cell)] = states[row, : len(own)][genes].mean(0).numpy()
    return np.stack([found[cell] for cell in range(len(cells))])


if __name__ == "__main__":
    main()
