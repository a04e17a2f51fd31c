"""Compare the bridge of GST's symbols with known orthologues: genes, counts, tokens, embeddings.

    python -m benchmarks.geneformer_bridge --counts mouse_pancreas_50obs.h5ad \
        --assignments seen=mouse_symbols.csv --assignments unseen=mouse_symbols_of_a_model.csv \
        --gene_map protein_to_gene.tsv --truth Ensembl105_Human2Mouse_Genes.csv \
        [--orthologues scdrs_mouse_human_homologs.tsv] [--checkpoint DIR] [--resources DIR]

The cells are of mice, whose orthologues are known, but are treated as those of a species without
symbols: the proteins were named by gst_assign, and a table says which gene each protein is of.
The truth is a table of orthologues with all its pairs, one to one or not.

Ways: `seen` and `unseen`, whatever the assignments are called; the same with one-to-one pairs of
a second table in front; and upper-casing the mouse's own symbols, which a new species has not got.

Columns: genes of the counts that lead to a token; of the genes that the truth leads to a token,
the share that is led, and of those that both lead, the share that is right; the same by counts.
Then cell by cell beside the truth: overlap of the tokens (Jaccard), Spearman's rank correlation of
those in common, and the cosine of the embeddings, beside that of cells with one another.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import spearmanr

from gst_core.geneformer.bridge import build_bridge, find_genes, read_namings
from gst_core.geneformer.counts import Counts, open_counts
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.orthologues import read_orthologues
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizer import Tokenizer
from gst_core.sequences.genes import read_gene_map

Positions = NDArray[np.int32]


@dataclass(frozen=True)
class Truth:
    """Human genes of each gene, as positions in the dictionary; and one of them to tokenise by."""

    right: list[set[int]]
    positions: Positions


def read_truth(path: Path, genes: list[str], resources: Resources) -> Truth:
    """Read all pairs of a table with the human symbol first, and no header."""
    pairs = [line.split(",")[:2] for line in path.read_text().splitlines()]
    human = resources.index_of([pair[0] for pair in pairs])
    by_gene: dict[str, list[int]] = defaultdict(list)
    for (_, mouse), position in zip(pairs, human.tolist(), strict=True):
        if mouse and position >= 0:
            by_gene[mouse].append(position)
    # Of several, the one of the same name; the tokens of a many-to-many family are a convention.
    same = resources.index_of(genes)
    chosen = [
        int(own) if own in by_gene[gene] else (by_gene[gene][0] if by_gene[gene] else -1)
        for gene, own in zip(genes, same.tolist(), strict=True)
    ]
    return Truth([set(by_gene[gene]) for gene in genes], np.array(chosen, np.int32))


def tokens_of(counts: Counts, positions: Positions, resources: Resources) -> Tokens:
    """Tokenise counts whose genes lead to these positions."""
    names = np.where(positions >= 0, resources.gene_ids[positions], "-")
    return Tokenizer(resources, names).tokenize(sp.csr_matrix(counts.rows(0, counts.n_cells)))


def agreement(
    ours: Tokens, truth: Tokens, special: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Jaccard index of the tokens of each cell, and Spearman's rho of the ranks in common."""
    overlap, rho = [], []
    for cell in range(len(truth)):
        one, two = (t[cell][~np.isin(t[cell], special)] for t in (ours, truth))
        common, first, second = np.intersect1d(one, two, return_indices=True)
        overlap.append(len(common) / len(np.union1d(one, two)))
        rho.append(spearmanr(first, second).statistic if len(common) > 2 else np.nan)
    return np.array(overlap), np.array(rho)


def cosines(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosines of each row with each."""
    one, two = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (one, two))
    return np.asarray(one @ two.T, np.float64)


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--counts", type=Path, required=True)
    parser.add_argument("--assignments", action="append", required=True)
    parser.add_argument("--gene_map", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--orthologues", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--resources", type=Path)
    parser.add_argument("--threshold", type=float, default=0.7)
    options = parser.parse_args()
    resources = Resources.load("V2", options.resources)
    counts = open_counts(options.counts)
    gene_of = read_gene_map(options.gene_map)
    totals = np.asarray(counts.rows(0, counts.n_cells).sum(0), np.float64).ravel()
    ways: dict[str, Positions] = {}
    for pair in options.assignments:
        name, _, path = pair.partition("=")
        namings = read_namings(Path(path), gene_of)
        genes, column = find_genes(counts.var, namings)
        for table in [None, *([options.orthologues] if options.orthologues else [])]:
            pairs = read_orthologues(table, genes, resources) if table else None
            built = build_bridge(
                genes, column, namings, resources, threshold=options.threshold, orthologues=pairs
            )
            ways[f"{name}, orthologues first" if table else name] = built.positions
    ways["upper case"] = resources.index_of(genes)
    truth = read_truth(options.truth, genes.tolist(), resources)
    has_protein = np.isin(genes, list(gene_of.values()))
    known = truth.positions >= 0
    print(
        f"{options.counts.name}: {counts.n_cells} cells, {len(genes):,} genes; the truth leads "
        f"{known.sum():,} to a token ({totals[known].sum() / totals.sum():.1%} of the counts), of "
        f"which {(known & has_protein).sum():,} have a protein\n"
    )
    expected = tokens_of(counts, truth.positions, resources)
    embedded = None
    if options.checkpoint:
        from gst_core.geneformer.backends import open_encoder
        from gst_core.geneformer.embedding import embed_cells

        encoder = open_encoder(options.checkpoint, device="cpu", threads=2)
        special = resources.special_tokens
        embedded = embed_cells(encoder, expected, special=special)
        between = cosines(embedded, embedded)[~np.eye(len(embedded), dtype=bool)]
    print(
        "| way | genes led | of the truth's | with a protein | right | counts led | right | ",
        end="",
    )
    print("tokens | ranks | cosine | between cells |")
    print("|---" * 11 + "|")
    for name, positions in ways.items():
        led = positions >= 0
        right = np.array([p in t for p, t in zip(positions.tolist(), truth.right, strict=True)])
        both = led & known
        found = tokens_of(counts, positions, resources)
        overlap, rho = agreement(found, expected, resources.special_tokens)
        cells = [
            f"{led.sum():,}",
            f"{both.sum() / known.sum():.1%}",
            f"{(both & has_protein).sum() / (known & has_protein).sum():.1%}",
            f"{(right & both).sum() / both.sum():.2%}",
            f"{totals[both].sum() / totals[known].sum():.1%}",
            f"{totals[right & both].sum() / totals[both].sum():.2%}",
            f"{np.nanmean(overlap):.3f}",
            f"{np.nanmean(rho):.4f}",
        ]
        if embedded is not None:
            same = np.diag(cosines(embed_cells(encoder, found, special=special), embedded))
            cells += [f"{same.mean():.4f} (lowest {same.min():.4f})", f"{between.mean():.4f}"]
        print(f"| {' | '.join([name, *cells])} |")


if __name__ == "__main__":
    main()
