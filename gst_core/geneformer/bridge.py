"""From a species that has just been annotated to Geneformer's genes.

GST names proteins after human genes wherever it can. So a protein's symbol leads to a human gene,
a gene's proteins to the gene, and a cell's counts to tokens. Where a table of orthologues knows a
gene's only human counterpart, it is preferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.orthologues import Orthologues
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizer import ID_COLUMNS, INDEX, gene_names
from gst_core.results.table import read_table

if TYPE_CHECKING:
    import pandas as pd

Strings = NDArray[np.str_]

#: What can become of a gene -> what that means. The first three lead to a token.
OUTCOMES: Final = {
    "orthologue": "the only counterpart of a human gene by the table of orthologues",
    "symbol": "named by GST after a human gene",
    "copy": "named by GST as a copy of a human gene (usp22-b, nrxn3a)",
    "taken": "named after a human gene whose only counterpart is another gene by the table",
    "no token": "stands for a human gene that Geneformer has no token of",
    "not human": "named, but after no human gene that the dictionary knows",
    "unsure": "the symbol's probability is below the threshold",
    "no symbol": "no protein of it has a symbol: not coding, or not among the assignments",
}
MAPPED: Final = ("orthologue", "symbol", "copy")

_VERSION: Final = re.compile(r"(ENS[A-Z]*[GTP]\d{11})\.\d+")
#: How the copies of a gene are named: usp22-b, nrxn3a, and of frogs hba1.L.
_COPY: Final = re.compile(r"(.*[A-Za-z0-9])(?:[-.][abls]|[ab])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Naming:
    """What GST says of a gene.

    Attributes
    ----------
    symbol, probability
        Of its protein that was named with the highest probability.
    protein
        Which that is.
    """

    symbol: str
    probability: float
    protein: str


@dataclass(frozen=True)
class Bridge:
    """Where each gene of a count table leads.

    Attributes
    ----------
    genes
        ``(G,)`` names in the counts.
    column
        Column of `var` that they are of, or ``index``.
    outcomes
        ``(G,)``, of :data:`OUTCOMES`.
    positions
        ``(G,)`` int32, of the human gene in the dictionary; -1 where there is none.
    namings
        ``(G,)``, or nothing.
    """

    genes: Strings
    column: str
    outcomes: Strings
    positions: NDArray[np.int32]
    namings: tuple[Naming | None, ...]

    @property
    def targets(self) -> NDArray[np.int32]:
        """Positions of the human genes that are reached, sorted: ``(H,)``."""
        return np.unique(self.positions[self.positions >= 0])


def read_namings(assignments: Path, gene_of: Mapping[str, str] | None = None) -> dict[str, Naming]:
    """Read a result table of ``gst_assign`` by gene.

    Parameters
    ----------
    assignments
        The table.
    gene_of
        Protein id -> gene id, with versions or without. What is not in it stands for itself.

    Returns
    -------
    namings
        Of several proteins of a gene, the one with the highest probability; of equal ones the
        first.

    Raises
    ------
    GstError
        If the table is damaged, or a map was given that has none of its proteins.
    """
    if gene_of is not None:
        gene_of = {**{unversioned(protein): g for protein, g in gene_of.items()}, **gene_of}
    namings: dict[str, Naming] = {}
    mapped = 0
    for row in read_table(assignments):
        gene = row.stable_id
        if gene_of is not None:
            found = gene_of.get(gene) or gene_of.get(unversioned(gene))
            mapped += found is not None
            gene = found or gene
        gene = unversioned(gene)
        before = namings.get(gene)
        if row.symbol and (before is None or row.probability > before.probability):
            namings[gene] = Naming(row.symbol, row.probability, row.stable_id)
    if not namings:
        raise GstError("no protein has a symbol", where=str(assignments))
    if gene_of is not None and not mapped:
        raise GstError(
            "the gene map has none of these proteins",
            where=str(assignments),
            hint="it must have ids as in stable_id in its first column, genes in the second",
        )
    return namings


def unversioned(name: str) -> str:
    """Take the version from an Ensembl id; other names stay as they are."""
    found = _VERSION.fullmatch(name)
    return found[1] if found else name


def find_genes(
    var: pd.DataFrame, known: Iterable[str], column: str | None = None
) -> tuple[Strings, str]:
    """Find the column of `var` whose genes are those that something is known of.

    Returns
    -------
    genes, column
        ``(G,)`` without versions; the name of the column, or ``index``.

    Raises
    ------
    GstError
        If no column has any.
    """
    known = set(known)
    candidates = [INDEX, *(name for name in ID_COLUMNS if name in var.columns)]
    if column is not None:
        if column != INDEX and column not in var.columns:
            raise GstError(
                f"has no column '{column}' of genes",
                where="var",
                hint=f"it has: {', '.join([INDEX, *map(str, var.columns)])}",
            )
        candidates = [column]
    names = {c: [unversioned(name) for name in gene_names(var, c).tolist()] for c in candidates}
    shared = {c: sum(name in known for name in names[c]) for c in candidates}
    best = max(candidates, key=lambda c: shared[c])
    if not shared[best]:
        raise GstError(
            f"no gene of the counts is among the assignments: {', '.join(names[best][:3])} there, "
            f"{', '.join(sorted(known)[:3])} here",
            hint="say which protein is of which gene: --gene_map, or --proteins_fasta with genes "
            "in its headers",
        )
    return np.array(names[best], "U"), best


def build_bridge(
    genes: Strings,
    column: str,
    namings: Mapping[str, Naming],
    resources: Resources,
    *,
    threshold: float,
    orthologues: Orthologues | None = None,
) -> Bridge:
    """Decide for each gene which human gene it stands for.

    Parameters
    ----------
    genes, column
        Of :func:`find_genes`.
    namings
        Of :func:`read_namings`.
    resources
        The dictionary.
    threshold
        Lowest probability of a symbol that is believed.
    orthologues
        One-to-one pairs, which are preferred. A human gene that has its only counterpart there is
        taken, and no symbol leads to it.
    """
    human = orthologues.human if orthologues is not None else {}
    present = set(genes.tolist())
    taken = {ensembl for gene, ensembl in human.items() if gene in present}
    symbols = sorted({naming.symbol for naming in namings.values()})
    ensembl_of = _human_genes(symbols, resources)
    outcomes: list[str] = []
    targets: list[str] = []
    for gene in genes.tolist():
        outcome, ensembl = _lead(gene, human, taken, namings.get(gene), ensembl_of, threshold)
        outcomes.append(outcome)
        targets.append(ensembl)
    positions = np.where(np.array(targets) != "", resources.index_of(targets), -1)
    tokenless = np.isin(outcomes, MAPPED) & (positions < 0)
    outcomes_ = np.where(tokenless, "no token", np.array(outcomes, "U12"))
    return Bridge(
        genes, column, outcomes_, positions.astype(np.int32), tuple(namings.get(g) for g in genes)
    )


def _lead(
    gene: str,
    human: Mapping[str, str],
    taken: set[str],
    naming: Naming | None,
    ensembl_of: Mapping[str, tuple[str, str]],
    threshold: float,
) -> tuple[str, str]:
    """Return what becomes of a gene, and the Ensembl id of its human gene, empty without one."""
    if gene in human:
        return "orthologue", human[gene]
    if naming is None:
        return "no symbol", ""
    if naming.probability < threshold:
        return "unsure", ""
    outcome, ensembl = ensembl_of.get(naming.symbol, ("not human", ""))
    return ("taken", "") if ensembl in taken else (outcome, ensembl)


def _human_genes(symbols: list[str], resources: Resources) -> dict[str, tuple[str, str]]:
    """Symbol -> how it leads to a human gene, and to which; without those that lead to none."""
    bases = [match[1] if (match := _COPY.fullmatch(symbol)) else "" for symbol in symbols]
    whole, base = resources.ensembl_of(symbols), resources.ensembl_of(bases)
    found: dict[str, tuple[str, str]] = {}
    for number, symbol in enumerate(symbols):
        if whole[number]:
            found[symbol] = ("symbol", str(whole[number]))
        elif bases[number] and base[number]:
            found[symbol] = ("copy", str(base[number]))
    return found
