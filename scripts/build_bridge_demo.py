"""Build what the second half of ``geneformer demo`` runs on: proteins and cells of mouse.

Usage: python scripts/build_bridge_demo.py [SHARED_DATA] [FOLDER]

Proteins are of Swiss-Prot, cells are the 50 of the pancreas in scvelo's tests. Both are cut to the
genes that make most counts among those with a protein, whatever anything is called.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from textwrap import fill

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from Bio.SeqIO.FastaIO import SimpleFastaParser
from zstandard import ZstdDecompressor

from gst_core.files import atomic_write
from gst_core.sequences.genes import gene_of

ROOT = Path(__file__).resolve().parents[1]
GENES = 1000


def main() -> None:
    """Write proteins and cells, into the package unless told otherwise."""
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")
    target = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "gst_core/assets/geneformer/mouse")
    target.mkdir(parents=True, exist_ok=True)
    cells = ad.read_h5ad(shared / "singlecell/mouse_pancreas_50obs.h5ad")
    counts = sp.csr_matrix(cells.X, dtype=np.float32)
    swissprot = shared / "proteins/swissprot_eukaryota.fasta.zst"
    with swissprot.open("rb") as file, ZstdDecompressor().stream_reader(file) as plain:
        text = io.TextIOWrapper(plain, "ascii")
        mouse = [record for record in SimpleFastaParser(text) if " OX=10090 " in record[0]]
    genes = [gene_of(header.encode(), "") for header, _ in mouse]
    with_protein = cells.var_names.isin(genes)
    sums = np.where(with_protein, np.asarray(counts.sum(0)).ravel(), -1)
    kept = np.sort(np.argsort(-sums, kind="stable")[:GENES])
    small = ad.AnnData(
        counts[:, kept],
        pd.DataFrame({"n_counts": np.asarray(counts.sum(1)).ravel()}, cells.obs_names),
        pd.DataFrame(index=cells.var_names[kept]),
    )
    small.write_h5ad(target / "cells.h5ad", compression="gzip", compression_opts=9)
    names = set(small.var_names)
    records = [record for record, gene in zip(mouse, genes, strict=True) if gene in names]
    with atomic_write(target / "proteins.fa.gz", "wb") as file:
        fasta = "".join(f">{header}\n{fill(residues, 60)}\n" for header, residues in records)
        file.write(gzip.compress(fasta.encode(), 9, mtime=0))
    share = small.X.sum() / counts.sum()
    print(f"{len(records)} proteins, {len(names)} genes with {share:.1%} of the counts")


if __name__ == "__main__":
    main()
