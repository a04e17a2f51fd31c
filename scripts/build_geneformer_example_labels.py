"""Make the lists of genes of two worked examples: docs/geneformer_examples/labels.

Usage: python scripts/build_geneformer_example_labels.py CELLS.h5ad

Of the T cells among the cells that ``geneformer demo`` copies. Each gene of a list has a partner in
the other one with about the same mean of log-normalised counts, so that how much of a gene there is
does not give it away.

hubs.txt, others_of_hubs.txt: the genes with most neighbours in the network of coexpression (genes
with a rank correlation above 0.2), and genes with few. interferon_targets.txt, others.txt: genes
that are widely known to be induced by interferons, by hand and from no curated set, and others.
"""

from __future__ import annotations

import sys
from pathlib import Path

import anndata
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import rankdata

FOLDER = Path(__file__).resolve().parents[1] / "docs/geneformer_examples/labels"
#: Cells that must have a gene; correlation that makes neighbours; hubs.
CELLS, CORRELATION, HUBS = 20, 0.2, 100
INTERFERON = """
ADAR APOL6 B2M BST2 CD74 CIITA CMPK2 CXCL10 DDX60 DTX3L EIF2AK2 EPSTI1 GBP1 GBP2 GBP4 GBP5 HERC5
HERC6 HLA-A HLA-B HLA-C HLA-E HLA-F IFI16 IFI27 IFI35 IFI44 IFI44L IFI6 IFIH1 IFIT1 IFIT2 IFIT3
IFIT5 IFITM1 IFITM2 IFITM3 IRF1 IRF7 IRF9 ISG15 ISG20 LAP3 LGALS9 LY6E MX1 MX2 NLRC5 NMI OAS1
OAS2 OAS3 OASL PARP14 PARP9 PLSCR1 PML PSMB10 PSMB8 PSMB9 PSME1 PSME2 RNF213 RSAD2 RTP4 SAMD9
SAMD9L SAMHD1 SP100 SP110 STAT1 STAT2 TAP1 TAP2 TAPBP TRIM21 TRIM22 TRIM25 UBE2L6 USP18 XAF1
ZC3HAV1
"""


def main() -> None:
    """Write the four lists."""
    cells = anndata.read_h5ad(sys.argv[1])
    cells = cells[(cells.obs["set"] == "wu2020").to_numpy()]
    counts = sp.csr_matrix(cells.X, dtype=np.float64)
    values = sp.diags(1e4 / np.asarray(counts.sum(1)).ravel()) @ counts
    values.data = np.log1p(values.data)
    there = np.asarray((counts > 0).sum(0)).ravel() >= CELLS
    names = cells.var_names.to_numpy()[there].astype(str)
    dense = values[:, there].toarray()
    mean = dense.mean(0)
    ranks = rankdata(dense, axis=0)
    neighbours = (np.corrcoef(ranks.T) > CORRELATION).sum(0) - 1
    order = np.argsort(-neighbours, kind="stable")
    few = order[len(order) // 2 :]
    write("hubs", "others_of_hubs", names, order[:HUBS], few, mean)
    known = np.isin(names, INTERFERON.split())
    write(
        "interferon_targets", "others", names, np.flatnonzero(known), np.flatnonzero(~known), mean
    )


def write(
    first: str,
    second: str,
    names: NDArray[np.str_],
    chosen: NDArray[np.intp],
    free: NDArray[np.intp],
    mean: NDArray[np.float64],
) -> None:
    """Write genes, and for each the free gene of the nearest mean that is not taken yet."""
    left = list(free)
    partners = [left.pop(int(np.argmin(np.abs(mean[left] - mean[gene])))) for gene in chosen]
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, genes in ((first, chosen), (second, partners)):
        (FOLDER / f"{name}.txt").write_text("\n".join(sorted(names[genes])) + "\n")
    print(f"{first}: {len(chosen)}, mean {mean[chosen].mean():.3f}; {mean[partners].mean():.3f}")


if __name__ == "__main__":
    main()
