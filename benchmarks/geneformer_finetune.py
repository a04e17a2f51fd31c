r"""Fine-tuning for classes of cells beside what the reference does, on the same cells and cores.

    python -m benchmarks.geneformer_finetune --counts cells.h5ad --resources FOLDER --clock cpu

The reference has ``BertForSequenceClassification`` of the package transformers read batches of
cells that are padded to their longest one: drawn at random, as its default settings have it, or
grouped by length, as its examples have it. Its loop here is forward, backward and AdamW alone,
without the checks of its Trainer. Both begin with the same random weights and have the same
dropout. Each turn is a process of its own, turns alternate, and medians are given.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.geneformer import SHAPES
from benchmarks.protocol.measure import use_cores
from gst_core.files import atomic_write
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizing import prepare

CLASSES = 4
WAYS = ("reference", "reference, by length", "ours")


@dataclass(frozen=True)
class Task:
    """The cells, where the network is, and how many of its layers stay as they are."""

    folder: Path
    cells: Tokens
    special: tuple[int, ...]
    frozen: int
    threads: int
    batch: int

    @property
    def labels(self) -> Any:
        """Labels that mean nothing: what is timed does not depend on them."""
        return np.arange(len(self.cells), dtype=np.int64) % CLASSES


@click.command()
@click.option("--counts", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--resources", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--shape", default="V1-10M", show_default=True, type=click.Choice(list(SHAPES)))
@click.option("--batch", default=12, show_default=True, help="Cells of a step.")
@click.option("--cells", default=48, show_default=True)
@click.option("--frozen", default=0, show_default=True, help="Layers that stay as they are.")
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
    shape: str,
    batch: int,
    cells: int,
    frozen: int,
    runs: int,
    threads: int,
    clock: str,
    output: Path | None,
) -> None:
    """Measure, and print or write JSON."""
    if clock == "cpu" and threads != 1:
        raise click.UsageError("--clock cpu says nothing of more than one of --threads")
    use_cores(threads)
    version, *sizes = SHAPES[shape]
    with tempfile.TemporaryDirectory() as folder:
        task = _task(Path(folder), counts, Resources.load(version, resources), sizes, cells)
        task = Task(task.folder, task.cells, task.special, frozen, threads, batch)
        result = {
            "shape": shape,
            "threads": threads,
            "clock": clock,
            "frozen": frozen,
            "batch": batch,
        }
        result |= _measure(task, runs, clock)
    text = json.dumps(result, indent=2) + "\n"
    click.echo(text)
    if output:
        with atomic_write(output) as file:
            file.write(text)


def _task(folder: Path, counts: Path, resources: Resources, sizes: list[int], number: int) -> Task:
    import torch

    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.weights import save_checkpoint

    layers, width, heads, inner = sizes
    torch.manual_seed(0)
    config = NetworkConfig(
        resources.vocabulary_size, width, layers, heads, inner, resources.max_length
    )
    save_checkpoint(MaskedLanguageModel(config), folder)
    opened = prepare(open_counts(counts), resources)
    (_, rows), *_ = opened.counts.chunks(number)
    return Task(folder, opened.tokenizer.tokenize(rows), tuple(resources.special_tokens), 0, 1, 1)


def _measure(task: Task, runs: int, clock: str) -> dict[str, Any]:
    import torch

    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    memory = dict.fromkeys(WAYS, 0)
    spawn = multiprocessing.get_context("spawn")
    # Unlike a Pool it says so when a process is killed for its memory.
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for _ in range(runs):
            for way in WAYS:
                taken, peak_mib = pool.submit(_run, way, task, clock).result()
                seconds[way].append(taken)
                memory[way] = max(memory[way], peak_mib)
    median = {way: statistics.median(times) for way, times in seconds.items()}
    now = _clock(clock)
    a, products = torch.rand(2048, 2048), []
    for _ in range(9):
        start = now()
        a @ a
        products.append(now() - start)
    peak = 2 * 2048**3 / statistics.median(products)
    steps = -(-len(task.cells) // task.batch)
    return {
        "cells": len(task.cells),
        "mean_tokens": round(float(task.cells.lengths.mean())),
        "steps_a_second": {way: round(steps / median[way], 3) for way in WAYS},
        "times_as_fast": {way: round(median[way] / median["ours"], 2) for way in WAYS[:2]},
        "share_of_matrix_peak": round(_operations(task) / median["ours"] / peak, 2),
        "peak_mib": memory,
    }


def _operations(task: Task) -> float:
    """Multiplications and additions of forward and backward passes of the layers."""
    config = json.loads((task.folder / "config.json").read_text())
    width, inner = config["hidden_size"], config["intermediate_size"]
    layers = config["num_hidden_layers"]
    of_layer = sum(
        2 * n * (4 * width**2 + 2 * width * inner + 2 * n * width)
        for n in task.cells.lengths.tolist()
    )
    return float(of_layer * (layers + 2 * (layers - task.frozen)))


def _prepared(way: str, task: Task) -> Callable[[], None]:
    import torch

    torch.manual_seed(0)
    return _ours(task) if way == "ours" else _reference(task, by_length=way != WAYS[0])


def _ours(task: Task) -> Callable[[], None]:
    from gst_core.geneformer.course import FineTuningConfig, Lesson
    from gst_core.geneformer.finetuning import fine_tune
    from gst_core.geneformer.heads import Classifier
    from gst_core.geneformer.weights import load_encoder

    classifier = Classifier(load_encoder(task.folder), [CLASSES], special=task.special)
    config = FineTuningConfig(epochs=1, batch_cells=task.batch, freeze_layers=task.frozen)
    lesson = Lesson(np.arange(len(task.cells)), task.labels[None, :])
    return lambda: _nothing(fine_tune(classifier, task.cells, lesson, None, config))


def _nothing(_: object) -> None:
    return None


def _reference(task: Task, *, by_length: bool) -> Callable[[], None]:
    import torch
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification.from_pretrained(task.folder, num_labels=CLASSES)
    if task.frozen:
        for part in (model.bert.embeddings, *model.bert.encoder.layer[: task.frozen]):
            part.requires_grad_(False)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=5e-5, weight_decay=1e-3
    )
    cells, labels = task.cells, torch.from_numpy(task.labels)
    order = np.random.default_rng(0).permutation(len(cells))
    if by_length:
        order = order[np.argsort(-cells.lengths[order], kind="stable")]

    def run() -> None:
        model.train()
        for start in range(0, len(order), task.batch):
            chosen = order[start : start + task.batch]
            longest = int(cells.lengths[chosen].max())
            ids = torch.zeros(len(chosen), longest, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, cell in enumerate(chosen):
                own = torch.from_numpy(cells[int(cell)].astype(np.int64))
                ids[row, : len(own)] = own
                mask[row, : len(own)] = 1
            found = model(input_ids=ids, attention_mask=mask, labels=labels[chosen])
            found.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return run


def _run(way: str, task: Task, clock: str) -> tuple[float, int]:
    """Seconds, and peak memory in MiB, of a process that does nothing else."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(task.threads)
    run, now = _prepared(way, task), _clock(clock)
    start = now()
    run()
    return now() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _clock(name: str) -> Callable[[], float]:
    return time.process_time if name == "cpu" else time.perf_counter


if __name__ == "__main__":
    main()
