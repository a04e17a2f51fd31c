r"""Deletions of genes beside the reference's way: the same cell, network and core.

    python -m benchmarks.geneformer_perturb --counts cells.h5ad --resources FOLDER \
        --shape V1-10M --output perturb.json

The reference's way: ``BertForMaskedLM`` of the package transformers with eager attention, the
language model's head and all hidden states, deletions of one cell padded into batches, and
cosines of genes (V1) or of ``<cls>`` (V2) by torch. Both have the same random weights and one
thread. Seconds are those of the processor, since other programs may run; turns alternate, and
medians are given. Memory is the peak of a process that does nothing else.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.geneformer import SHAPES
from benchmarks.protocol.measure import use_cores
from gst_core.files import atomic_write
from gst_core.geneformer.backends import TorchEncoder
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.counts import open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.perturbation_plan import Plan, Targets
from gst_core.geneformer.perturbations import Perturber
from gst_core.geneformer.perturbing import Experiment
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.shifts import Measure
from gst_core.geneformer.tokenizing import prepare


@click.command()
@click.option("--counts", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--resources", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--shape", "shapes", multiple=True, default=("V1-10M",), show_default=True)
@click.option("--genes", default=1000, show_default=True, help="Of the cell: the first so many.")
@click.option("--deletions", default=12, show_default=True)
@click.option("--batch", default=100, show_default=True, help="Of the reference's way.")
@click.option("--runs", default=3, show_default=True)
@click.option("--output", type=click.Path(path_type=Path))
def main(
    counts: Path,
    resources: Path,
    shapes: tuple[str, ...],
    genes: int,
    deletions: int,
    batch: int,
    runs: int,
    output: Path | None,
) -> None:
    """Measure, and print or write JSON."""
    use_cores(1)
    result: dict[str, Any] = {}
    for shape in shapes:
        version, *sizes = SHAPES[shape]
        own = Resources.load(version, resources)
        cell = _cell(counts, own, genes)
        result[shape] = _measure(own, tuple(sizes), cell, deletions, batch, runs)
    text = json.dumps(result, indent=2) + "\n"
    click.echo(text)
    if output:
        with atomic_write(output) as file:
            file.write(text)


def _cell(counts: Path, resources: Resources, genes: int) -> NDArray[Any]:
    """Take the first genes of the longest of some cells."""
    opened = prepare(open_counts(counts), resources)
    (_, rows), *_ = opened.counts.chunks(200)
    cells = opened.tokenizer.tokenize(rows)
    cell = cells[int(np.argmax(cells.lengths))]
    perturber = Perturber("delete", resources.max_length, resources.special_tokens)
    span = perturber.span(cell)
    kept = slice(span.start, min(span.stop, span.start + genes))
    return np.concatenate([cell[: span.start], cell[kept], cell[span.stop :]])


def _measure(
    resources: Resources,
    shape: tuple[int, ...],
    cell: NDArray[Any],
    deletions: int,
    batch: int,
    runs: int,
) -> dict[str, Any]:
    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.weights import save_checkpoint

    layers, width, heads, inner = shape
    config = NetworkConfig(
        resources.vocabulary_size, width, layers, heads, inner, resources.max_length
    )
    special = resources.special_tokens
    start = len(special) // 2
    chosen = [int(t) for t in cell[start : len(cell) - start][:: len(cell) // deletions]]
    chosen = chosen[:deletions]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_checkpoint(MaskedLanguageModel(config), folder)
        arguments = (folder, cell, special, chosen, batch)
        memory = {}
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            for way in ("reference", "ours"):
                memory[way] = pool.apply(_peak_mib, (way, *arguments))
        ways = {"reference": _reference(*arguments), "ours": _ours(*arguments)}
        values = {way: run() for way, run in ways.items()}
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(runs):
            for way, run in ways.items():
                began = time.process_time()
                run()
                seconds[way].append(time.process_time() - began)
    median = {way: statistics.median(times) for way, times in seconds.items()}
    return {
        "tokens": len(cell),
        "deletions": len(chosen),
        "reference_cpu_seconds_a_deletion": round(median["reference"] / len(chosen), 3),
        "cpu_seconds_a_deletion": round(median["ours"] / len(chosen), 3),
        "ratio": round(median["reference"] / median["ours"], 2),
        "share_of_matrix_peak": round(
            _operations(config, cell, chosen) / median["ours"] / _peak(), 2
        ),
        "peak_mib": memory,
        "largest_difference": float(np.abs(values["reference"] - values["ours"]).max()),
    }


def _operations(config: NetworkConfig, cell: NDArray[Any], chosen: list[int]) -> float:
    """Operations of the layers that are computed, for each token of each cell."""
    n, d, f = len(cell), config.width, config.feedforward
    layer = 2 * n * (4 * d * d + 2 * d * f + 2 * n * d)
    return float((config.layers - 1) * layer * (len(chosen) + 1))


def _peak() -> float:
    """Operations a second of a large matrix product on one core."""
    import torch

    a, times = torch.rand(2048, 2048), []
    for _ in range(9):
        began = time.process_time()
        a @ a
        times.append(time.process_time() - began)
    return float(2 * 2048**3 / statistics.median(times))


def _ours(
    folder: Path, cell: NDArray[Any], special: list[int], chosen: list[int], batch: int
) -> Any:
    encoder = TorchEncoder(folder, "cpu", 1)
    cells = Tokens(cell.astype(np.int32), np.array([0, len(cell)]))
    perturber = Perturber("delete", encoder.config.positions, special)
    targets = Targets.each(chosen)
    plan = Plan.of(cells, np.arange(1), targets, perturber)
    measure = Measure("cls" if special else "cell", special)
    experiment = Experiment(encoder, cells, plan, targets, perturber, measure)
    return lambda: np.array(experiment.part(0).cosines)


def _reference(
    folder: Path, cell: NDArray[Any], special: list[int], chosen: list[int], batch: int
) -> Any:
    import torch
    from transformers import BertForMaskedLM

    model = BertForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()

    def encode(cells: list[NDArray[Any]]) -> Any:
        ids = torch.from_numpy(np.stack(cells).astype(np.int64))
        with torch.no_grad():
            out = model(
                input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True
            )
        return out.hidden_states[-2]

    def run() -> Any:
        cosine = torch.nn.CosineSimilarity(dim=2)
        base, found = encode([cell])[0], []
        for start in range(0, len(chosen), batch):
            rows = [int(np.flatnonzero(cell == g)[0]) for g in chosen[start : start + batch]]
            states = encode([np.delete(cell, row) for row in rows])
            if special:
                found.append(cosine(states[:, :1], base[None, :1])[:, 0])
            else:
                kept = torch.stack([torch.cat([base[:row], base[row + 1 :]]) for row in rows])
                found.append(cosine(states, kept).mean(1))
        return torch.cat(found).numpy()

    return run


def _peak_mib(way: str, *arguments: Any) -> int:
    """Peak memory of a process that does nothing else."""
    import torch

    torch.set_num_threads(1)
    (_reference if way == "reference" else _ours)(*arguments)()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
