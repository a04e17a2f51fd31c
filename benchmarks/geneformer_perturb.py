r"""Deletions of genes beside the reference's way: the same cell, network and core.

    python -m benchmarks.geneformer_perturb --counts cells.h5ad --resources FOLDER \
        --shape V1-10M --threads 1 --clock cpu --output perturb.json

The reference's way: ``BertForMaskedLM`` of the package transformers with eager attention, the
language model's head and all hidden states, deletions of one cell padded into batches, and
cosines of genes (V1) or of ``<cls>`` (V2) by torch. Both have the same random weights. Each turn
is a process of its own, turns alternate, and medians are given.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.turns import Bench, compared, layer_operations, with_bench
from gst_core.geneformer.backends import TorchEncoder
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.perturbation_plan import Plan, Targets
from gst_core.geneformer.perturbations import Perturber
from gst_core.geneformer.perturbing import Experiment
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.shifts import Measure


@dataclass(frozen=True)
class Task:
    """A cell, the genes to delete from it, and the network."""

    folder: Path
    cell: NDArray[Any]
    special: list[int]
    chosen: list[int]
    batch: int
    device: str


@click.command()
@with_bench
@click.option("--genes", default=1000, show_default=True, help="Of the cell: the first so many.")
@click.option("--deletions", default=12, show_default=True)
@click.option("--batch", default=100, show_default=True, help="Of the reference's way.")
def main(bench: Bench, genes: int, deletions: int, batch: int) -> dict[str, Any]:
    """Measure, and print or write JSON."""
    special = bench.resources.special_tokens
    cell = _cell(bench.cells(200), bench.resources, genes)
    start = len(special) // 2
    chosen = [int(t) for t in cell[start : len(cell) - start][:: len(cell) // deletions]]
    with tempfile.TemporaryDirectory() as name:
        config = bench.network(Path(name))
        task = Task(Path(name), cell, special, chosen[:deletions], batch, bench.device)
        found = bench.turns(bench.ways("reference"), prepare, task)
    number = len(task.chosen)
    seconds = {way: turns.seconds for way, turns in found.items()}
    operations = (config.layers - 1) * layer_operations(config, len(cell)) * (number + 1)
    return {
        "tokens": len(cell),
        "deletions": number,
        "deletions_a_second": {way: round(number / own, 2) for way, own in seconds.items()},
        "share_of_matrix_peak": round(operations / seconds["ours"] / bench.matrix_peak(), 2),
        "peak_mib": {way: turns.peak_mib for way, turns in found.items()},
        **compared(found),
    }


def _cell(cells: Tokens, resources: Resources, genes: int) -> NDArray[Any]:
    """Take the first genes of the longest cell."""
    cell = cells[int(np.argmax(cells.lengths))]
    perturber = Perturber("delete", resources.max_length, resources.special_tokens)
    span = perturber.span(cell)
    kept = slice(span.start, min(span.stop, span.start + genes))
    return np.concatenate([cell[: span.start], cell[kept], cell[span.stop :]])


def prepare(way: str, task: Task) -> Callable[[], Any]:
    """Load the network; what is returned deletes genes and gives the cosines."""
    return _reference(task) if way == "reference" else _ours(task, bf16=way == "ours, bf16")


def _ours(task: Task, *, bf16: bool) -> Callable[[], Any]:
    import torch

    cell, special = task.cell, task.special
    encoder = TorchEncoder(task.folder, task.device, torch.get_num_threads(), bf16=bf16)
    cells = Tokens(cell.astype(np.int32), np.array([0, len(cell)]))
    perturber = Perturber("delete", encoder.config.positions, special)
    targets = Targets.each(task.chosen)
    plan = Plan.of(cells, np.arange(1), targets, perturber)
    measure = Measure("cls" if special else "cell", special)
    experiment = Experiment(encoder, cells, plan, targets, perturber, measure)
    return lambda: np.array(experiment.part(0).cosines)


def _reference(task: Task) -> Callable[[], Any]:
    import torch
    from transformers import BertForMaskedLM

    cell, chosen = task.cell, task.chosen
    model = BertForMaskedLM.from_pretrained(task.folder, attn_implementation="eager").eval()
    model.to(task.device)

    def encode(cells: list[NDArray[Any]]) -> Any:
        ids = torch.from_numpy(np.stack(cells).astype(np.int64)).to(task.device)
        with torch.no_grad():
            out = model(
                input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True
            )
        return out.hidden_states[-2]

    def run() -> Any:
        cosine = torch.nn.CosineSimilarity(dim=2)
        base, found = encode([cell])[0], []
        for start in range(0, len(chosen), task.batch):
            rows = [int(np.flatnonzero(cell == g)[0]) for g in chosen[start : start + task.batch]]
            states = encode([np.delete(cell, row) for row in rows])
            if task.special:
                found.append(cosine(states[:, :1], base[None, :1])[:, 0])
            else:
                kept = torch.stack([torch.cat([base[:row], base[row + 1 :]]) for row in rows])
                found.append(cosine(states, kept).mean(1))
        return torch.cat(found).cpu().numpy()

    return run


if __name__ == "__main__":
    main()
