"""Cells of three kinds, six donors and shuffled labels, for the tests of classifiers."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd


def cells_of(number: int, seed: int, donors: int = 6) -> anndata.AnnData:
    """Cells of which a kind has more of ten of the genes, 12 of its own expressed; some donors."""
    generator = np.random.default_rng(seed)
    kind = generator.integers(0, 3, number)
    rates = np.full((number, 30), 0.3)
    for cell, own in enumerate(kind):
        rates[cell, own * 10 : own * 10 + 10] = 6
    counts = generator.poisson(rates).astype(np.float32)
    obs = pd.DataFrame(
        {
            "cell_type": np.array(["T cell", "B cell", "NK cell"])[kind],
            "state": np.where(counts[:, 5] > np.median(counts[:, 5]), "high", "low"),
            "shuffled": generator.permutation(np.array(["x", "y"] * ((number + 1) // 2))[:number]),
            "donor": [f"donor{d}" for d in generator.integers(0, donors, number)],
        },
        index=[f"cell{i}" for i in range(number)],
    )
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(30)])
    return anndata.AnnData(counts, obs=obs, var=var)


def common(files: Path) -> list[str]:
    return ["--resources", str(files), "--device", "cpu", "--threads", "1"]
