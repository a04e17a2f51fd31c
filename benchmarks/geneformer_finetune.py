r"""Fine-tuning for classes of cells or genes beside the reference, on the same cells and cores.

    python -m benchmarks.geneformer_finetune --counts cells.h5ad --resources FOLDER --threads 1 \
        --clock cpu --kind genes --frozen 4 --epochs 3

The reference has ``BertForSequenceClassification`` or ``BertForTokenClassification`` of the
package transformers read batches of cells that are padded to their longest one: drawn at random,
as its default settings have it, or grouped by length, as its examples have it. Layers that it
freezes have no gradients of their weights; embeddings below them do, so that the backward pass
goes through all layers. Its loop here is forward, backward and AdamW alone, without the checks of
its Trainer. Both begin with the same random weights and have the same learning rates. With
``--held`` cells each epoch ends with a look at these. Each turn is a process of its own, turns
alternate, and medians are given.

Batches of 2 keep the reference within 4 GB at 2,048 tokens; with its default of 12 it takes 13.
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

from benchmarks.protocol.turns import Bench, layer_operations, with_bench
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.heads import Kind

CLASSES = 2
#: As many as the paper's dosage-sensitive and -insensitive factors.
LABELLED_GENES = 490
WAYS = ("reference", "reference, by length", "ours")


@dataclass(frozen=True)
class Task:
    """The cells, where the network is, and how it is to be trained."""

    folder: Path
    cells: Tokens
    special: tuple[int, ...]
    vocabulary: int
    kind: Kind
    frozen: int
    batch: int
    epochs: int
    held: int
    device: str

    @property
    def labels(self) -> NDArray[np.int64]:
        """Labels that mean nothing: what is timed does not depend on them."""
        if self.kind == "cells":
            return np.arange(len(self.cells), dtype=np.int64) % CLASSES
        labels = np.full(self.vocabulary, -1, np.int64)
        own = np.random.default_rng(0).permutation(np.arange(4, self.vocabulary))[:LABELLED_GENES]
        labels[own] = np.arange(len(own)) % CLASSES
        return labels

    @property
    def taught(self) -> int:
        """Number of the cells that are learnt from; those behind are held out."""
        return len(self.cells) - self.held


@click.command()
@with_bench
@click.option("--kind", default="cells", show_default=True, type=click.Choice(["cells", "genes"]))
@click.option("--cells", default=8, show_default=True, help="To learn from.")
@click.option("--held", default=0, show_default=True, help="More cells, held out.")
@click.option("--batch", default=2, show_default=True, help="Cells of a step.")
@click.option("--epochs", default=1, show_default=True)
@click.option("--frozen", default=0, show_default=True, help="Layers that stay as they are.")
def main(
    bench: Bench, kind: Kind, cells: int, held: int, batch: int, epochs: int, frozen: int
) -> dict[str, Any]:
    """Measure, and print or write JSON."""
    with tempfile.TemporaryDirectory() as name:
        config = bench.network(Path(name))
        task = Task(
            Path(name),
            bench.cells(cells + held),
            tuple(bench.resources.special_tokens),
            config.vocabulary,
            kind,
            frozen,
            batch,
            epochs,
            held,
            bench.device,
        )
        found = bench.turns(WAYS, prepare, task)
    steps = epochs * -(-task.taught // batch)
    seconds = {way: turns.seconds for way, turns in found.items()}
    share = _operations(config, task) / seconds["ours"] / bench.matrix_peak()
    return {
        "kind": kind,
        "cells": cells,
        "held_out": held,
        "mean_tokens": round(float(task.cells.lengths.mean())),
        "batch": batch,
        "epochs": epochs,
        "frozen": frozen,
        "seconds": {way: round(own, 1) for way, own in seconds.items()},
        "steps_a_second": {way: round(steps / own, 3) for way, own in seconds.items()},
        "times_as_fast": {way: round(seconds[way] / seconds["ours"], 2) for way in WAYS[:2]},
        "share_of_matrix_peak": round(share, 2),
        "peak_mib": {way: turns.peak_mib for way, turns in found.items()},
    }


def _operations(config: NetworkConfig, task: Task) -> float:
    """Operations of the layers' matrix products that our way needs.

    Frozen layers once a cell; the others forward, and backward twice of that, each epoch. Of the
    last layer's products for genes, that are asked about at few places, none is counted.
    """
    lengths = task.cells.lengths.tolist()
    learnt = sum(layer_operations(config, n) for n in lengths[: task.taught])
    held = sum(layer_operations(config, n) for n in lengths[task.taught :])
    trained = config.layers - task.frozen - (task.kind == "genes")
    each = trained * (3 * learnt + held)
    return float(task.frozen * (learnt + held) + task.epochs * each)


def prepare(way: str, task: Task) -> Callable[[], None]:
    """Load the network; what is returned trains it."""
    import torch

    torch.manual_seed(0)
    return _ours(task) if way == "ours" else _reference(task, by_length=way != WAYS[0])


def _ours(task: Task) -> Callable[[], None]:
    from gst_core.geneformer.course import FineTuningConfig, Lesson
    from gst_core.geneformer.finetuning import fine_tune
    from gst_core.geneformer.frozen import Reader
    from gst_core.geneformer.heads import Classifier
    from gst_core.geneformer.weights import load_encoder

    encoder = load_encoder(task.folder)
    classifier = Classifier(encoder, [CLASSES], kind=task.kind, special=task.special)
    config = FineTuningConfig(
        epochs=task.epochs, batch_cells=task.batch, freeze_layers=task.frozen, patience=0
    )
    reader = Reader(encoder.to(task.device), task.cells, task.frozen, task.device)
    cells = np.arange(len(task.cells))
    lesson = Lesson(cells[: task.taught], task.labels[None, :])
    held = Lesson(cells[task.taught :], task.labels[None, :]) if task.held else None

    def run() -> None:
        fine_tune(classifier, reader, lesson, held, config)

    return run


def _reference(task: Task, *, by_length: bool) -> Callable[[], None]:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    names = {"cells": "BertForSequenceClassification", "genes": "BertForTokenClassification"}
    model = getattr(transformers, names[task.kind]).from_pretrained(task.folder, num_labels=CLASSES)
    model.to(task.device)
    for layer in model.bert.encoder.layer[: task.frozen]:
        layer.requires_grad_(False)
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=5e-5, weight_decay=1e-3
    )
    lengths = task.cells.lengths

    def loss_of(chosen: NDArray[np.intp]) -> Any:
        longest = int(lengths[chosen].max())
        ids = torch.zeros(len(chosen), longest, dtype=torch.long)
        of_genes = torch.full_like(ids, -100)
        for row, cell in enumerate(chosen):
            own = task.cells[int(cell)].astype(np.int64)
            ids[row, : len(own)] = torch.from_numpy(own)
            if task.kind == "genes":
                known = task.labels[own]
                of_genes[row, : len(own)] = torch.from_numpy(np.where(known < 0, -100, known))
        labels = torch.from_numpy(task.labels[chosen]) if task.kind == "cells" else of_genes
        ids, labels = ids.to(task.device), labels.to(task.device)
        return model(input_ids=ids, attention_mask=(ids != 0).long(), labels=labels).loss

    def run() -> None:
        held = np.arange(task.taught, len(task.cells))
        for epoch in range(task.epochs):
            order = np.random.default_rng(epoch).permutation(task.taught)
            if by_length:
                order = order[np.argsort(-lengths[order], kind="stable")]
            model.train()
            for start in range(0, len(order), task.batch):
                loss_of(order[start : start + task.batch]).backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
            model.eval()
            with torch.no_grad():
                for start in range(0, len(held), task.batch):
                    loss_of(held[start : start + task.batch])

    return run


if __name__ == "__main__":
    main()
