"""Counts of a species' genes as counts of human genes, written chunk by chunk."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.bridge import Bridge
from gst_core.geneformer.counts import Counts
from gst_core.geneformer.resources import Resources

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

#: Where the provenance lies in ``uns``, as JSON text.
UNS_KEY = "gst_bridge"


def mapping_matrix(bridge: Bridge) -> csr_matrix:
    """Sum genes of one human gene, ``(G, H)``: one 1 a row at most, no count is used twice."""
    import scipy.sparse as sp

    rows = np.flatnonzero(bridge.positions >= 0)
    columns = np.searchsorted(bridge.targets, bridge.positions[rows])
    ones = np.ones(len(rows), np.int32)
    return sp.csr_matrix((ones, (rows, columns)), shape=(len(bridge.genes), len(bridge.targets)))


def write_bridged(
    counts: Counts,
    bridge: Bridge,
    resources: Resources,
    output: Path,
    provenance: dict[str, Any],
) -> NDArray[np.float64]:
    """Write counts of human genes as ``.h5ad``.

    ``obs`` is kept, with ``n_counts`` where it had none: of all the species' genes, since that is
    what a cell's depth is. ``var`` says of each human gene which genes it stands for, ``uns`` how
    the file came to be. Memory does not grow with the cells.

    Returns
    -------
    totals
        ``(G,)`` counts of each gene of the species over all cells.

    Raises
    ------
    GstError
        If no gene leads to a token, or the file cannot be written.
    """
    import anndata
    import h5py
    import scipy.sparse as sp
    from anndata.io import sparse_dataset, write_elem

    if not len(bridge.targets):
        raise GstError(
            "no gene leads to a gene with a token",
            where=str(counts.path),
            hint="lower --threshold, or see what the report says of the symbols",
        )
    matrix = mapping_matrix(bridge)
    temporary = output.with_name(f".{output.name}.{secrets.token_hex(4)}.tmp")
    totals = np.zeros(counts.n_genes, np.float64)
    depths: list[NDArray[np.float64]] = []
    try:
        with h5py.File(temporary, "w") as file:
            empty = sp.csr_matrix((0, len(bridge.targets)), dtype=np.float32)
            write_elem(file, "X", empty)
            stored = sparse_dataset(file["X"])
            for _, rows in counts.chunks():
                totals += np.asarray(rows.sum(0), dtype=np.float64).ravel()
                depths.append(np.asarray(rows.sum(1), dtype=np.float64).ravel())
                human = sp.csr_matrix(rows @ matrix).astype(np.float32)
                human.sort_indices()
                stored.append(human)
            obs = counts.obs.copy()
            if "n_counts" not in obs:
                obs["n_counts"] = np.concatenate(depths)
            frame = anndata.AnnData(obs=obs, var=_genes(bridge, resources))
            for name in ("obs", "var"):
                write_elem(file, name, getattr(frame, name))
            write_elem(file, "uns", {UNS_KEY: json.dumps(provenance)})
            for name in ("layers", "obsm", "varm", "obsp", "varp"):
                write_elem(file, name, {})
            file.attrs["encoding-type"] = "anndata"
            file.attrs["encoding-version"] = "0.1.0"
        temporary.replace(output)
    except OSError as error:
        raise GstError(
            f"cannot write: {error.strerror or error}",
            where=str(output),
            hint="check that the folder exists, is writable and has room",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return totals


def _genes(bridge: Bridge, resources: Resources) -> pd.DataFrame:
    """Describe the human genes that are reached, a row each."""
    import pandas as pd

    order = np.argsort(bridge.positions, kind="stable")
    sorted_positions = bridge.positions[order]
    rows = []
    for position in bridge.targets:
        first, last = np.searchsorted(sorted_positions, [position, position + 1])
        members = np.sort(order[first:last])
        probabilities = [n.probability for m in members if (n := bridge.namings[m]) is not None]
        rows.append(
            {
                "ensembl_id": str(resources.gene_ids[position]),
                "gene_symbol": resources.symbol_of(position),
                "species_genes": ";".join(bridge.genes[members]),
                "n_species_genes": len(members),
                "bridged_by": ";".join(dict.fromkeys(bridge.outcomes[members])),
                "lowest_probability": min(probabilities, default=np.nan),
            }
        )
    return pd.DataFrame(rows).set_index("ensembl_id", drop=False).rename_axis(None)
