r"""Geneformer beside what a user has: tokenising and embedding the same cells on the same cores.

    python -m benchmarks.geneformer --counts cells.h5ad --resources FOLDER --output geneformer.json

Tokenising is compared with a loop over cells as the reference has it: dense rows, one cell at a
time. Embedding is compared with ``BertForMaskedLM`` of the package transformers as the reference
runs it: eager attention, batches padded to their longest cell, the language model's head and
all hidden states. Both have the same random weights. Each turn is a process of its own, turns
alternate, and medians are given.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.protocol.turns import Bench, compared, layer_operations, with_bench
from gst_core.geneformer.backends import TorchEncoder
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.embedding import embed_cells
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizing import prepare


@dataclass(frozen=True)
class Rows:
    """Counts to tokenise: all cells of a file, over and over."""

    counts: Path
    resources: Resources
    cells: int


@dataclass(frozen=True)
class Task:
    """Cells to embed, and the network."""

    folder: Path
    cells: Tokens
    special: list[int]
    batch: int
    device: str


@click.command()
@with_bench
@click.option("--cells", default=32, show_default=True, help="Cells to embed.")
@click.option("--repeated", default=20_000, show_default=True, help="Cells to tokenise.")
@click.option("--batch", default=8, show_default=True, help="Of transformers.")
def main(bench: Bench, cells: int, repeated: int, batch: int) -> dict[str, Any]:
    """Measure, and print or write JSON."""
    result: dict[str, Any] = {"import_seconds": _import_seconds(bench.runs)}
    result["tokenising"] = _tokenising(bench, repeated)
    with tempfile.TemporaryDirectory() as name:
        config = bench.network(Path(name))
        task = Task(
            Path(name), bench.cells(cells), bench.resources.special_tokens, batch, bench.device
        )
        found = bench.turns(bench.ways("transformers"), prepare_embedding, task)
    seconds = {way: turns.seconds for way, turns in found.items()}
    lengths = task.cells.lengths.tolist()
    operations = (config.layers - 1) * sum(layer_operations(config, n) for n in lengths)
    result["embedding"] = {
        "cells": cells,
        "mean_tokens": round(float(task.cells.lengths.mean())),
        "cells_a_second": {way: round(cells / own, 2) for way, own in seconds.items()},
        "share_of_matrix_peak": round(operations / seconds["ours"] / bench.matrix_peak(), 2),
        "peak_mib": {way: turns.peak_mib for way, turns in found.items()},
        **compared(found),
    }
    return result


def _import_seconds(runs: int) -> float:
    code = "import time; t = time.perf_counter(); import gst_core.geneformer; "
    code += "print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code]
    times = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(runs)
    ]
    return round(statistics.median(times), 3)


def _tokenising(bench: Bench, repeated: int) -> dict[str, Any]:
    task = Rows(bench.counts, bench.resources, repeated)
    found = bench.turns(("loop", "ours"), prepare_tokenising, task)
    speeds = {way: turns.value[0] / turns.seconds for way, turns in found.items()}
    return {
        "genes_a_cell": found["ours"].value[1],
        "cells_a_second": {way: round(speed) for way, speed in speeds.items()},
        "times_as_fast": round(speeds["ours"] / speeds["loop"], 1),
    }


def prepare_tokenising(way: str, task: Rows) -> Callable[[], tuple[int, int]]:
    """Read the counts; what is returned gives the numbers of cells, and of genes a cell."""
    resources = task.resources
    opened = prepare(open_counts(task.counts), resources)
    (_, rows), *_ = opened.counts.chunks(10**9)
    tokenizer = opened.tokenizer
    genes = round(tokenizer.values(rows).nnz / rows.shape[0])
    positions = resources.index_of(tokenizer.genes)
    known = np.flatnonzero(positions >= 0)
    medians, tokens = resources.medians[positions[known]], resources.token_ids[positions[known]]
    few, turns = min(rows.shape[0], 100), -(-task.cells // rows.shape[0])

    def loop() -> tuple[int, int]:
        for cell in range(few):
            values = rows[cell].toarray()[0]
            scaled = values[known] / values.sum() * 10_000 / medians
            found = np.flatnonzero(scaled)
            _ = tokens[found][np.argsort(-scaled[found])]
        return few, genes

    def ours() -> tuple[int, int]:
        for _ in range(turns):
            tokenizer.tokenize(rows)
        return turns * rows.shape[0], genes

    return loop if way == "loop" else ours


def prepare_embedding(way: str, task: Task) -> Callable[[], Any]:
    """Load the network; what is returned embeds the cells."""
    import torch
    from transformers import BertForMaskedLM

    if way != "transformers":
        threads, bf16 = torch.get_num_threads(), way == "ours, bf16"
        encoder = TorchEncoder(task.folder, task.device, threads, bf16=bf16)
        return lambda: embed_cells(encoder, task.cells, special=task.special)
    model = BertForMaskedLM.from_pretrained(task.folder, attn_implementation="eager").eval()
    model.to(task.device)
    return lambda: _as_the_reference(model, task)


def _as_the_reference(model: Any, task: Task) -> Any:
    import torch

    cells = task.cells
    order = np.argsort(-cells.lengths, kind="stable")
    found: dict[int, Any] = {}
    for start in range(0, len(order), task.batch):
        here = order[start : start + task.batch]
        longest = int(cells.lengths[here].max())
        ids = torch.zeros(len(here), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, cell in enumerate(here):
            ids[row, : cells.lengths[cell]] = torch.from_numpy(cells[int(cell)].astype(np.int64))
            mask[row, : cells.lengths[cell]] = 1
        with torch.no_grad():
            ids, mask = ids.to(task.device), mask.to(task.device)
            out = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = out.hidden_states[-2]
        for row, cell in enumerate(here):
            own = cells[int(cell)]
            genes = torch.from_numpy(~np.isin(own, task.special)).to(task.device)
            found[int(cell)] = states[row, : len(own)][genes].mean(0).cpu().numpy()
    return np.stack([found[cell] for cell in range(len(cells))])


if __name__ == "__main__":
    main()
