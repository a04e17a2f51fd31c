r"""Whether one backward pass a cell ranks deletions as computing each of them does.

    python -m benchmarks.geneformer_screen --dataset cells.dataset --checkpoint FOLDER \
        --cells 16 --embedding cls

Second to last layer, towards the mean of other cells, and the cell's own cosine. Exact are all
deletions, one by one. Two rankings stand beside them:

slope
    A deletion is written as two numbers a gene: how much its token is heard (attention that it
    receives, and its part in the mean), 1 before and 0 after, and how far the positions of the
    tokens behind it move up, 0 before and 1 after. The slope of the shift by both is the
    first-order effect: one backward pass. The cosine of a cell with itself has no slope; for it
    the squared slopes of random projections of the unit vector are summed.
attention
    How much the tokens, or ``<cls>``, attend to the gene, summed over layers and heads. It has no
    direction: for the goal its sign is that of nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.network import GeneEncoder
from gst_core.geneformer.weights import load_encoder

#: Random projections for the cell's own shift.
PROJECTIONS = 8
#: Genes that are computed after the screening.
BEST = (50, 100, 200)
Embedding = Literal["cls", "cell"]
Score = NDArray[np.float64]


@dataclass
class Network:
    """An encoder, taken apart: ``<cls>`` or the mean of the genes, as a unit vector."""

    encoder: GeneEncoder
    embedding: Embedding

    def encode(self, tokens: Tensor, heard: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
        """Give the unit vector, ``(D,)``, and the attention that each token receives, ``(L,)``.

        `heard` and `moved`, ``(L,)``, are 1 and 0 for a cell as it is.
        """
        parts = self.encoder.embeddings
        positions = parts.position_embeddings.weight[: len(tokens)]
        positions = positions + moved[:, None] * (torch.roll(positions, 1, 0) - positions)
        words = parts.word_embeddings(tokens) + parts.token_type_embeddings.weight[0]
        x = parts.LayerNorm(words + positions)
        received = torch.zeros(len(tokens))
        for layer in self.encoder.encoder.layer[:-1]:
            own = layer.attention.self
            q, k, v = (
                part.view(len(tokens), own.heads, -1).transpose(0, 1)
                for part in (own.query(x), own.key(x), own.value(x))
            )
            weights = torch.softmax(q @ k.transpose(1, 2) * q.shape[-1] ** -0.5, -1) * heard
            weights = weights / weights.sum(-1, keepdim=True)
            of = weights[:, :1] if self.embedding == "cls" else weights
            received = received + of.detach().mean(1).sum(0)
            attended = weights @ v
            x = layer.attention.output(attended.transpose(0, 1).reshape(len(tokens), -1), x)
            x = layer.output(layer.intermediate(x), x)
        if self.embedding == "cls":
            return F.normalize(x[0], dim=0), received
        genes = x[1:-1] * heard[1:-1, None]
        return F.normalize(genes.sum(0) / heard[1:-1].sum(), dim=0), received

    def plain(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a cell as it is."""
        with torch.no_grad():
            return self.encode(tokens, torch.ones(len(tokens)), torch.zeros(len(tokens)))

    def slopes(self, tokens: Tensor, value: Callable[[Tensor], Tensor]) -> Score:
        """First-order effect of deleting each gene, ``(L - 2,)``, on a value of the vector."""
        heard = torch.ones(len(tokens), requires_grad=True)
        moved = torch.zeros(len(tokens), requires_grad=True)
        value(self.encode(tokens, heard, moved)[0]).backward()  # type: ignore[no-untyped-call]
        assert heard.grad is not None
        assert moved.grad is not None
        behind = moved.grad.sum() - torch.cumsum(moved.grad, 0)
        return np.asarray((behind - heard.grad)[1:-1], np.float64)


def found(score: Score, truth: Score, best: int) -> float:
    """Share of the true top 50 among the best by a score."""
    top = np.argsort(-truth)[:50]
    return float(np.isin(top, np.argsort(-score)[:best]).mean())


@click.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--checkpoint", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--cells", default=16, show_default=True)
@click.option("--shortest", default=250, show_default=True, help="Tokens of a cell that is asked.")
@click.option("--longest", default=600, show_default=True)
@click.option("--embedding", type=click.Choice(["cls", "cell"]), default="cls", show_default=True)
def main(
    dataset: Path, checkpoint: Path, cells: int, shortest: int, longest: int, embedding: Embedding
) -> None:
    """Measure, and print a table in Markdown: medians over cells, and the lowest."""
    torch.set_num_threads(1)
    network = Network(load_encoder(checkpoint).eval(), embedding)
    data = TokenDataset.open(dataset)
    drawn = [int(i) for i in np.random.default_rng(0).permutation(len(data))]
    asked = [i for i in drawn if shortest <= data.lengths[i] <= longest][:cells]
    others = [_cell(data, i) for i in range(min(len(data), 20))]
    goal = F.normalize(torch.stack([network.plain(own)[0] for own in others]).mean(0), dim=0)
    rows: dict[tuple[str, str], list[list[float]]] = {}
    genes, seconds = [], []
    for cell in asked:
        tokens = _cell(data, cell)
        exact, scores, times = _compare(network, tokens, goal)
        genes.append(len(tokens) - 2)
        seconds.append(times)
        for (question, ranking), score in scores.items():
            truth = exact[question]
            figures = [float(spearmanr(score, truth).statistic)]
            figures += [found(score, truth, best) for best in BEST]
            rows.setdefault((question, ranking), []).append(figures)
    click.echo(f"{len(asked)} cells of {min(genes)} to {max(genes)} genes; ", nl=False)
    each, slope, attention = np.mean(seconds, 0)
    click.echo(f"exact {each:.2f} CPU s a cell, slope {slope:.3f}, attention {attention:.3f}\n")
    head = ["question", "ranking", "Spearman", *(f"in best {best}" for best in BEST)]
    click.echo("| " + " | ".join(head) + " |\n| --- | --- |" + " ---: |" * 4)
    chance = [f"{np.mean([min(1, best / n) for n in genes]):.2f}" for best in BEST]
    for (question, ranking), per_cell in rows.items():
        median, lowest = np.median(per_cell, 0), np.min(per_cell, 0)
        text = [f"{m:.2f} ({low:.2f})" for m, low in zip(median, lowest, strict=True)]
        click.echo(f"| {question} | {ranking} | " + " | ".join(text) + " |")
    click.echo("| | by chance | 0 | " + " | ".join(chance) + " |")


def _compare(
    network: Network, tokens: Tensor, goal: Tensor
) -> tuple[dict[str, Score], dict[tuple[str, str], Score], tuple[float, float, float]]:
    """Exact effects by question; scores by question and ranking; CPU seconds of all three."""
    began = time.process_time()
    base, received = network.plain(tokens)
    attention = time.process_time() - began
    kept = [torch.cat([tokens[:j], tokens[j + 1 :]]) for j in range(1, len(tokens) - 1)]
    after = torch.stack([network.plain(own)[0] for own in kept])
    each = time.process_time() - began
    exact = {
        "towards a goal": np.asarray((after - base) @ goal, np.float64),
        "the cell's cosine": np.asarray(1 - after @ base, np.float64),
    }
    began = time.process_time()
    first = network.slopes(tokens, lambda z: z @ goal)
    slope = time.process_time() - began
    torch.manual_seed(0)
    squares = np.zeros(len(kept))
    for projection in torch.randn(PROJECTIONS, len(goal)):
        squares += network.slopes(tokens, lambda z, r=projection: z @ r) ** 2  # type: ignore[misc]
    by_attention = np.asarray(received[1:-1], np.float64)
    scores = {
        ("towards a goal", "slope"): first,
        ("towards a goal", "attention"): by_attention,
        ("the cell's cosine", "slope"): squares,
        ("the cell's cosine", "attention"): by_attention,
    }
    return exact, scores, (each, slope, attention)


def _cell(data: TokenDataset, cell: int) -> Tensor:
    return torch.from_numpy(np.asarray(data[cell], np.int64))


if __name__ == "__main__":
    main()
