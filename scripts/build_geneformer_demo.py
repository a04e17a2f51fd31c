"""Build what ``geneformer demo`` runs on: cells, a dictionary and a network.

Usage: python scripts/build_geneformer_demo.py [SHARED_DATA] [FOLDER]

Cells of two published sets are divided by the SHA-256 of their names: those that the demonstration
shows, and those that the dictionary and the network are made from. The dictionary's genes are the
ones that most training cells show; medians are theirs, names are HGNC's. Nothing is of Geneformer's
own dictionaries. The network is trained by what ``geneformer pretrain`` runs; its loss on the shown
cells is printed beside that of baselines. Some eight minutes on two cores.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import anndata as ad
import numpy as np
import scipy.sparse as sp
import torch

from gst_core.files import atomic_write
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import TokenDataset
from gst_core.geneformer.demo import Measured, hide
from gst_core.geneformer.masking import baselines
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.pretraining import PretrainingConfig, evaluate, pretrain
from gst_core.geneformer.pretraining_cells import read_cells
from gst_core.geneformer.resources import TARGET_SUM, Resources, resources_file
from gst_core.geneformer.tokenizing import tokenize_file
from gst_core.geneformer.weights import save_checkpoint

ROOT = Path(__file__).resolve().parents[1]
#: Cells to show, of each set.
SHOWN = {"wu2020": 150, "celltypist": 120}
GENES = 1000
LAYERS, WIDTH, HEADS, FEEDFORWARD, POSITIONS = 3, 64, 2, 128, 1024
COURSE = PretrainingConfig(epochs=8, batch_cells=4, learning_rate=3e-3, seed=1, evaluate_every=200)
#: What the cells without labels are called by: whichever set's genes make most of their counts.
MARKERS = {
    "T or NK cell": "CD3D CD3E CD3G CD2 IL7R CCL5 NKG7 GNLY KLRD1 GZMM",
    "B cell": "CD79A CD79B MS4A1 BANK1 VPREB3 TCL1A",
    "monocyte": "VCAN FCN1 S100A8 S100A9 CD14 LYZ CSF3R FCGR3A",
    "macrophage": "APOE APOC1 CHI3L1 SPP1 GPNMB CYP27A1 LIPA MMP9",
}


class Gene(NamedTuple):
    """An approved gene of HGNC."""

    ensembl: str
    symbol: str
    others: list[str]


def read_genes(path: Path) -> dict[str, Gene]:
    """Upper-case names, the approved before the previous ones and aliases, to genes."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file, delimiter="\t") if r["ensembl_gene_id"]]
    genes = [
        Gene(
            r["ensembl_gene_id"], r["symbol"], [*_list(r, "prev_symbol"), *_list(r, "alias_symbol")]
        )
        for r in rows
        if r["status"] == "Approved"
    ]
    names = {name.upper(): gene for gene in genes for name in reversed(gene.others)}
    return names | {gene.symbol.upper(): gene for gene in genes}


def _list(row: dict[str, str], column: str) -> list[str]:
    return [name for name in row[column].strip('"').split("|") if name]


def read_cells_of(folder: Path) -> dict[str, ad.AnnData]:
    """Read both sets, with the columns that are shown of them."""
    wu = ad.read_h5ad(folder / "wu2020_tcells_200_raw.h5ad")
    cluster = wu.obs["cluster_orig"].astype(str)
    lineage = {"4": "CD4 T cell", "8": "CD8 T cell"}
    wu.obs["cell_type"] = [lineage.get(name[0], "T cell, other") for name in cluster]
    wu.obs["cluster"], wu.obs["tissue"] = cluster, wu.obs["source"].astype(str)
    wu.obs["donor"] = wu.obs["patient"].astype(str)
    blood = ad.read_h5ad(folder / "celltypist_human_559cells_raw.h5ad")
    blood.var_names = blood.var["gene_symbol"].astype(str)
    blood.obs["cell_type"] = name_cells(blood)
    for column in ("cluster", "tissue", "donor"):
        blood.obs[column] = ""
    sets = {"wu2020": wu, "celltypist": blood}
    for name, cells in sets.items():
        cells.obs["set"] = name
        cells.obs_names = [f"{name}:{cell}" for cell in cells.obs_names]
        cells.var_names_make_unique()
    return sets


def name_cells(cells: ad.AnnData) -> list[str]:
    """Name cells by the markers whose mean log-normalised value is highest."""
    counts = sp.csr_matrix(cells.X, dtype=np.float64)
    totals = np.asarray(counts.sum(1))
    scores = []
    for markers in MARKERS.values():
        here = cells.var_names.isin(markers.split())
        values = counts[:, here].toarray() / totals * TARGET_SUM
        scores.append(np.log1p(values).mean(1))
    best = np.array(scores).argmax(0)
    return [f"{list(MARKERS)[number]} (by markers)" for number in best]


def drawn(cells: ad.AnnData, number: int) -> np.ndarray:
    """Draw which cells are shown: the first by the SHA-256 of their names."""
    order = np.argsort([hashlib.sha256(name.encode()).hexdigest() for name in cells.obs_names])
    shown = np.zeros(cells.n_obs, bool)
    shown[order[:number]] = True
    return shown


def by_gene(cells: ad.AnnData, genes: dict[str, Gene], ids: list[str]) -> sp.csr_matrix:
    """Sum the counts of names that lead to one gene, by Ensembl id."""
    place = {gene: number for number, gene in enumerate(ids)}
    leads = [genes.get(str(name).upper()) for name in cells.var_names]
    pairs = [(row, place[gene.ensembl]) for row, gene in enumerate(leads) if gene]
    rows, columns = np.array(pairs).T
    sums = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), (cells.n_vars, len(ids)))
    return sp.csr_matrix(sp.csr_matrix(cells.X, dtype=np.float64) @ sums)


def make_dictionary(training: list[ad.AnnData], genes: dict[str, Gene]) -> Resources:
    """Take the genes that most training cells show, with medians over these cells."""
    by_id = {gene.ensembl: gene for gene in genes.values()}
    ids = sorted(by_id)
    parts = []
    for cells in training:
        counts = by_gene(cells, genes, ids)
        totals = np.asarray(cells.X.sum(1)).ravel()
        parts.append(sp.diags(TARGET_SUM / totals) @ counts)
    values = sp.csc_matrix(sp.vstack(parts))
    shown = np.diff(values.indptr)
    chosen = sorted(np.argsort(-shown, kind="stable")[:GENES].tolist(), key=lambda n: ids[n])
    tokens = {"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3}
    tokens |= {ids[gene]: 4 + number for number, gene in enumerate(chosen)}
    medians = {
        ids[gene]: float(np.median(values.data[values.indptr[gene] : values.indptr[gene + 1]]))
        for gene in chosen
    }
    mapping = {name: gene.ensembl for name, gene in genes.items() if gene.ensembl in medians}
    symbols = {by_id[gene].symbol: gene for gene in medians}
    return Resources.build(
        "V2", tokens, medians, mapping, symbols, {"scripts/build_geneformer_demo.py": ""}
    )


def shown_file(parts: list[ad.AnnData], path: Path) -> None:
    """Write the shown cells with the genes that any of them has."""
    columns = ["cell_type", "set", "cluster", "tissue", "donor"]
    small = []
    for part in parts:
        cells = ad.AnnData(sp.csr_matrix(part.X, dtype=np.float32), part.obs[columns].astype(str))
        cells.var_names = part.var_names
        small.append(cells)
    joined = ad.concat(small, join="outer", fill_value=0)
    joined = joined[:, np.asarray((joined.X > 0).sum(0)).ravel() > 0].copy()
    joined.X.sort_indices()
    joined.write_h5ad(path, compression="gzip", compression_opts=9)


def main() -> None:
    """Build the files, into the package unless told otherwise, and print what was measured."""
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")
    target = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "gst_core/assets/geneformer")
    target.mkdir(parents=True, exist_ok=True)
    genes = read_genes(shared / "mappings/hgnc_complete_set.txt.gz")
    sets = read_cells_of(shared / "singlecell")
    shown = {name: drawn(cells, SHOWN[name]) for name, cells in sets.items()}
    training = [cells[~shown[name]].copy() for name, cells in sets.items()]
    resources = make_dictionary(training, genes)
    resources.save(resources_file("V2", target))
    shown_file([cells[shown[name]].copy() for name, cells in sets.items()], target / "cells.h5ad")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        train(work, target, training, resources)
    for path in sorted(target.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>10,} {path.relative_to(target)}")


def train(work: Path, target: Path, training: list[ad.AnnData], resources: Resources) -> None:
    """Train the network, measure it, and keep its weights."""
    joined = ad.concat(training, join="outer", fill_value=0)
    joined.write_h5ad(work / "training.h5ad")
    tokenize_file(work / "training.h5ad", work / "training.parquet", resources)
    tokenize_file(
        target / "cells.h5ad", work / "shown.parquet", resources, attributes={"set": "set"}
    )
    torch.manual_seed(COURSE.seed)
    network = MaskedLanguageModel(
        NetworkConfig(
            resources.vocabulary_size, WIDTH, LAYERS, HEADS, FEEDFORWARD, POSITIONS,
            hidden_dropout=0.1, attention_dropout=0, pad_token=resources.pad_token,
        )
    )  # fmt: skip
    cells = read_cells(
        work / "training.parquet", work / "shown.parquet", 0, resources, POSITIONS, COURSE.seed
    )
    tokens = sum(map(len, cells.train))
    begin_with_frequencies(network, cells.train, resources)
    print(f"{network.config.parameters:,} weights, {len(cells.train)} cells of {tokens:,} tokens")
    run = work / "run"
    pretrain(network, cells.train, cells.held_out, resources, COURSE, run, on_step=_told)
    save_checkpoint(network, target / "network")
    asked = hide(list(cells.held_out), resources)
    plain = baselines(cells.train, asked, resources)
    measured = Measured(
        network.config.parameters,
        len(cells.train),
        len(cells.held_out),
        evaluate(network, asked, "cpu", bf16=False),
        plain.unigram,
        plain.unseen,
    )
    with atomic_write(target / "network" / "measured.json") as file:
        file.write(json.dumps(asdict(measured), indent=2) + "\n")
    print(measured)
    of = np.asarray(TokenDataset.open(work / "shown.parquet").column("set"))
    for name in SHOWN:
        asked = hide([cells.held_out[int(cell)] for cell in np.flatnonzero(of == name)], resources)
        loss, plain = (
            evaluate(network, asked, "cpu", bf16=False),
            baselines(cells.train, asked, resources),
        )
        print(
            f"{name}: loss {loss:.3f} nats, unigram {plain.unigram:.3f}, unseen {plain.unseen:.3f}"
        )


def begin_with_frequencies(
    network: MaskedLanguageModel, cells: Sequence[np.ndarray], resources: Resources
) -> None:
    """Set the output's bias to the genes' log frequencies, which it would take long to learn."""
    counts = np.bincount(np.concatenate(list(cells)), minlength=resources.vocabulary_size) + 1.0
    counts[[resources.pad_token, resources.mask_token, *resources.special_tokens]] = 1
    with torch.no_grad():
        bias = network.cls.predictions.decoder.bias
        bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))


def _told(step: int, steps: int, metrics: dict[str, float]) -> None:
    if step % 50 == 0 or step == steps:
        held_out = metrics.get("held_out_loss", float("nan"))
        print(
            f"step {step} of {steps}, {metrics['seconds']:.0f} s: loss {metrics['loss']:.3f}, "
            f"held-out {held_out:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
