r"""Whether one backward pass a cell ranks deletions as computing each of them does.

    python -m benchmarks.geneformer_screen --dataset cells.dataset --checkpoint FOLDER --cells 4

For ``<cls>``, second to last layer, towards the mean of other cells. A deletion is written as two
numbers a gene: how much attention its token receives, 1 before and 0 after, and how far the
positions of the tokens behind it move up, 0 before and 1 after. The slope of the shift by both is
the first-order effect. The cosine of a cell with itself has no slope; for it the squared slopes
of random projections of the unit vector are summed. Exact are all deletions, one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

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


def encode(encoder: GeneEncoder, tokens: Tensor, heard: Tensor, moved: Tensor) -> Tensor:
    """Give ``<cls>``, ``(D,)``; `heard` and `moved`, ``(L,)``, are 1 and 0 for a cell as it is."""
    parts = encoder.embeddings
    positions = parts.position_embeddings.weight[: len(tokens)]
    positions = positions + moved[:, None] * (torch.roll(positions, 1, 0) - positions)
    words = parts.word_embeddings(tokens) + parts.token_type_embeddings.weight[0]
    x = parts.LayerNorm(words + positions)
    for layer in encoder.encoder.layer[:-1]:
        own = layer.attention.self
        q, k, v = (
            part.view(len(tokens), own.heads, -1).transpose(0, 1)
            for part in (own.query(x), own.key(x), own.value(x))
        )
        weights = torch.softmax(q @ k.transpose(1, 2) * q.shape[-1] ** -0.5, -1) * heard
        attended = weights / weights.sum(-1, keepdim=True) @ v
        x = layer.attention.output(attended.transpose(0, 1).reshape(len(tokens), -1), x)
        x = layer.output(layer.intermediate(x), x)
    return F.normalize(x[0], dim=0)


def plain(encoder: GeneEncoder, tokens: Tensor) -> Tensor:
    """Encode a cell as it is."""
    with torch.no_grad():
        return encode(encoder, tokens, torch.ones(len(tokens)), torch.zeros(len(tokens)))


def slopes(
    encoder: GeneEncoder, tokens: Tensor, value: Callable[[Tensor], Tensor]
) -> NDArray[np.float64]:
    """First-order effect of deleting each gene, ``(L - 2,)``, on a value of the unit vector."""
    heard = torch.ones(len(tokens), requires_grad=True)
    moved = torch.zeros(len(tokens), requires_grad=True)
    value(encode(encoder, tokens, heard, moved)).backward()  # type: ignore[no-untyped-call]
    assert heard.grad is not None
    assert moved.grad is not None
    behind = moved.grad.sum() - torch.cumsum(moved.grad, 0)
    return np.asarray((behind - heard.grad)[1:-1], np.float64)


def found(score: NDArray[np.float64], truth: NDArray[np.float64], best: int) -> float:
    """Share of the true top 50 among the best by a score."""
    top = np.argsort(-truth)[:50]
    return float(np.isin(top, np.argsort(-score)[:best]).mean())


@click.command()
@click.option("--dataset", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--checkpoint", required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--cells", default=4, show_default=True)
@click.option("--longest", default=450, show_default=True, help="Tokens of a cell that is asked.")
def main(dataset: Path, checkpoint: Path, cells: int, longest: int) -> None:
    """Measure, and print a table in Markdown."""
    torch.set_num_threads(1)
    encoder = load_encoder(checkpoint).eval()
    data = TokenDataset.open(dataset)
    drawn = [int(i) for i in np.random.default_rng(0).permutation(len(data))]
    asked = [i for i in drawn if 150 <= data.lengths[i] <= longest][:cells]
    others = [torch.from_numpy(np.asarray(data[i], np.int64)) for i in range(min(len(data), 20))]
    goal = F.normalize(torch.stack([plain(encoder, own) for own in others]).mean(0), dim=0)
    click.echo(
        "| genes | to the goal: rho | top 50 in 100 | in 200 | the cell: rho | top 50 in 100 | "
        "in 200 | CPU s exact | one slope |"
    )
    click.echo("|" + " ---: |" * 9)
    for cell in asked:
        tokens = torch.from_numpy(np.asarray(data[cell], np.int64))
        began = time.process_time()
        base = plain(encoder, tokens)
        kept = [torch.cat([tokens[:j], tokens[j + 1 :]]) for j in range(1, len(tokens) - 1)]
        after = torch.stack([plain(encoder, own) for own in kept])
        exact = time.process_time() - began
        to_goal = np.asarray((after - base) @ goal, np.float64)
        moved = np.asarray(1 - after @ base, np.float64)
        began = time.process_time()
        first = slopes(encoder, tokens, lambda z: z @ goal)
        once = time.process_time() - began
        torch.manual_seed(0)
        projections = torch.randn(PROJECTIONS, len(goal))
        squares = sum(slopes(encoder, tokens, lambda z, r=r: z @ r) ** 2 for r in projections)  # type: ignore[misc]
        figures = []
        for score, truth in ((first, to_goal), (np.asarray(squares), moved)):
            figures.append(f"{spearmanr(score, truth).statistic:.2f}")
            figures += [f"{found(score, truth, best):.2f}" for best in (100, 200)]
        text = " | ".join([str(len(kept)), *figures, f"{exact:.1f}", f"{once:.2f}"])
        click.echo(f"| {text} |")


if __name__ == "__main__":
    main()
