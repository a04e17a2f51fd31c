"""Reading back what ``geneformer embed`` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.api import OBSM_KEY


def read_embedded(
    path: Path, label: str | None = None
) -> tuple[NDArray[np.float32], NDArray[np.str_] | None]:
    """Read embeddings of cells, and a column of labels.

    Parameters
    ----------
    path
        ``.h5ad`` or ``.parquet``.
    label
        Name of a column.

    Returns
    -------
    vectors, labels
        ``(cells, D)`` and ``(cells,)``; no labels where none were asked for.

    Raises
    ------
    GstError
        If there is no such column.
    """
    import pandas as pd

    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        width = next(i for i in range(len(table.columns) + 1) if str(i) not in table.columns)
        vectors = table[[str(i) for i in range(width)]].to_numpy(np.float32)
    else:
        import anndata

        adata = anndata.read_h5ad(path, backed="r")
        table, vectors = adata.obs, np.asarray(adata.obsm[OBSM_KEY], dtype=np.float32)
    if label is None:
        return vectors, None
    if label not in table.columns:
        there = ", ".join(str(c) for c in table.columns if not str(c).isdigit())
        raise GstError(f"has no column '{label}'", where=str(path), hint=f"it has: {there}")
    return vectors, table[label].astype(str).to_numpy(dtype=np.str_)
