"""How far a bridge from a new species to human genes carries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gst_core.geneformer.bridge import MAPPED, OUTCOMES, Bridge
from gst_core.geneformer.resources import Resources


@dataclass(frozen=True)
class BridgeReport:
    """How far a bridge carries.

    Attributes
    ----------
    genes, umis
        Outcome -> genes of the counts, and their counts over all cells.
    targets, with_counts
        Human genes that are reached, and those of them with a count.
    vocabulary
        Genes that have a token and a median.
    merged
        Human genes that several genes lead to.
    unmapped
        ``(gene, counts, outcome, symbol)`` of the genes that lead nowhere, most counts first.
    """

    genes: dict[str, int]
    umis: dict[str, float]
    targets: int
    with_counts: int
    vocabulary: int
    merged: int
    unmapped: list[tuple[str, float, str, str]]

    @property
    def gene_share(self) -> float:
        """Share of the genes that lead to a token."""
        return sum(self.genes[o] for o in MAPPED) / max(1, sum(self.genes.values()))

    @property
    def umi_share(self) -> float:
        """Share of the counts of these genes."""
        return sum(self.umis[o] for o in MAPPED) / max(1e-9, sum(self.umis.values()))

    def to_json(self) -> dict[str, object]:
        """Write as JSON."""
        return {
            "outcomes": {
                name: {"genes": self.genes[name], "counts": self.umis[name], "meaning": meaning}
                for name, meaning in OUTCOMES.items()
            },
            "share_of_genes": round(self.gene_share, 6),
            "share_of_counts": round(self.umi_share, 6),
            "human_genes": self.targets,
            "human_genes_with_counts": self.with_counts,
            "vocabulary": self.vocabulary,
            "human_genes_of_several": self.merged,
            "top_unmapped": [
                {"gene": gene, "counts": counts, "outcome": outcome, "symbol": symbol}
                for gene, counts, outcome, symbol in self.unmapped
            ],
        }


def report_on(
    bridge: Bridge, totals: NDArray[np.float64], resources: Resources, *, top: int = 10
) -> BridgeReport:
    """Sum up a bridge.

    Parameters
    ----------
    bridge
        What leads where.
    totals
        ``(G,)`` counts of each gene over all cells.
    resources
        The dictionary.
    top
        Number of unmapped genes to name.
    """
    genes = Counter(bridge.outcomes.tolist())
    mapped = bridge.positions >= 0
    reached, sizes = np.unique(bridge.positions[mapped], return_counts=True)
    lost = np.flatnonzero(~mapped & (totals > 0))
    order = lost[np.argsort(-totals[lost], kind="stable")][:top]
    return BridgeReport(
        genes={name: genes[name] for name in OUTCOMES},
        umis={name: float(totals[bridge.outcomes == name].sum()) for name in OUTCOMES},
        targets=len(reached),
        with_counts=len(np.unique(bridge.positions[mapped & (totals > 0)])),
        vocabulary=len(resources.gene_ids),
        merged=int((sizes > 1).sum()),
        unmapped=[
            (
                str(bridge.genes[row]),
                float(totals[row]),
                str(bridge.outcomes[row]),
                naming.symbol if (naming := bridge.namings[row]) else "",
            )
            for row in order
        ],
    )
