"""Whether a file of counts is what it must be, before it is tokenised."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.counts import Counts, open_counts
from gst_core.geneformer.gene_kinds import RODENT_SYMBOLS, advice_for, dates, kinds_of_names
from gst_core.geneformer.kinds import SAMPLE, Matrix, kind_of
from gst_core.geneformer.resources import Resources, is_versioned
from gst_core.geneformer.tokenizer import INDEX, Tokenizer, gene_column, gene_names

State = Literal["good", "note", "bad"]

#: Of the counts, with less than this in genes that have a token a file is not human, or not read
#: by the right column.
_FEW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what
        Its name.
    state
        ``bad``: tokens would be wrong. ``note``: something to know.
    value
        What was found.
    advice
        What to do about it; empty where there is nothing to do.
    """

    what: str
    state: State
    value: str
    advice: str = ""


@dataclass
class Report:
    """What a check found.

    Attributes
    ----------
    path, model_version
        The file, and for which dictionary.
    findings
        In the order in which to act on them.
    numbers
        The same to compute with.
    """

    path: str
    model_version: str
    findings: list[Finding] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether the file can be tokenised as it is."""
        return all(finding.state != "bad" for finding in self.findings)

    def add(self, what: str, state: State, value: str, advice: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(what, state, value, advice))

    def to_json(self) -> dict[str, Any]:
        """Give it as plain objects."""
        return {
            "path": self.path,
            "model_version": self.model_version,
            "good": self.good,
            "findings": [asdict(finding) for finding in self.findings],
            **self.numbers,
        }


def check_file(
    path: Path, resources: Resources, *, layer: str | None = None, column: str | None = None
) -> Report:
    """Look at a file of counts.

    Parameters
    ----------
    path, layer
        As for :func:`~gst_core.geneformer.counts.open_counts`.
    resources
        The dictionary that it would be tokenised by.
    column
        Of `var` with the genes.

    Raises
    ------
    GstError
        If the file cannot be read at all.
    """
    counts = open_counts(path, layer)
    try:
        if not counts.n_cells or not counts.n_genes:
            raise GstError("has no cells or no genes", where=str(path))
        report = Report(str(path), resources.model_version)
        report.add("cells and genes", "good", f"{counts.n_cells:,} and {counts.n_genes:,}")
        if counts.left_out:
            others = ", ".join(f"{n:,} {kind}" for kind, n in counts.left_out.items())
            report.numbers["left_out"] = counts.left_out
            report.add("features left out", "note", others, "they are no genes")
        matrix = _values(report, counts)
        found = gene_column(counts.var, resources, column)
        names = gene_names(counts.var, found)
        tokenizer = Tokenizer(resources, names)
        _genes(report, found, names, tokenizer)
        if matrix.usable:
            _cells(report, counts, tokenizer)
        return report
    finally:
        counts.close()


def _values(report: Report, counts: Counts) -> Matrix:
    matrix = kind_of(next(counts.chunks(SAMPLE))[1])
    report.numbers["values"] = matrix.kind
    if matrix.kind == "counts":
        report.add(f"values of {counts.layer}", "good", f"raw counts: {matrix.reason}")
        return matrix
    if matrix.usable:
        advice = "taken as estimated counts; ranks mean the same"
        report.add(f"values of {counts.layer}", "note", f"{matrix.kind}: {matrix.reason}", advice)
        return matrix
    raw = []
    for other in counts.others:
        opened = open_counts(counts.path, other)
        if kind_of(next(opened.chunks(SAMPLE))[1]).kind == "counts":
            raw.append(other)
        opened.close()
    report.numbers["raw_counts_in"] = raw
    advice = (
        f"raw counts are in {' and '.join(raw)}: give --layer {raw[0]}"
        if raw
        else "nothing in this file holds raw counts: go back to what the counting program wrote"
    )
    report.add(f"values of {counts.layer}", "bad", f"{matrix.kind}: {matrix.reason}", advice)
    return matrix


def _genes(report: Report, column: str, names: NDArray[np.str_], tokenizer: Tokenizer) -> None:
    where = "the index of var" if column == INDEX else f"var['{column}']"
    kinds = kinds_of_names(names)
    most = max(kinds, key=lambda kind: kinds[kind])
    share = kinds[most] / len(names)
    text = (
        most if share > 0.95 else f"mixed: {', '.join(f'{v:,} {k}' for k, v in kinds.items() if v)}"
    )
    report.numbers |= {"gene_column": column, "gene_ids": most, "gene_kinds": kinds}
    report.add("genes' names", "good", f"{text}, in {where}")
    if (versioned := sum(map(is_versioned, names))) > 0:
        report.add("versions", "note", f"{versioned:,} ids have one", "they are taken off")
    positions = tokenizer.resources.index_of(names)
    mapped = positions[positions >= 0]
    repeated = len(mapped) - len(np.unique(mapped))
    report.numbers |= {"genes": len(names), "genes_with_token": len(mapped), "repeated": repeated}
    state: State = "good" if len(mapped) else "bad"
    advice = "" if len(mapped) else advice_for(most)
    found = f"{len(mapped):,} of {len(names):,} ({len(mapped) / len(names):.0%})"
    report.add("genes with a token", state, found, advice)
    if repeated:
        report.add(
            "genes named twice", "note", f"{repeated:,} columns", "counts of one gene are summed"
        )
    if turned := dates(names):
        report.numbers["dates"] = len(turned)
        report.add(
            "dates for genes",
            "note",
            f"{len(turned):,}, such as {turned[0]}",
            "a spreadsheet made them of symbols such as SEPT2, and their counts are lost here: "
            "take the names from what the counting program wrote",
        )
    if most == RODENT_SYMBOLS:
        report.add(
            "species",
            "bad",
            "symbols are written as those of mouse and rat",
            "use geneformer bridge, which goes by orthologues: the same letters are not always "
            "the same gene",
        )


def _cells(report: Report, counts: Counts, tokenizer: Tokenizer) -> None:
    totals: list[NDArray[np.float64]] = []
    lengths: list[NDArray[np.int64]] = []
    special = len(tokenizer.resources.special_tokens)
    for _, rows in counts.chunks():
        totals.append(np.asarray(rows.sum(1), dtype=np.float64).ravel())
        lengths.append(np.diff(tokenizer.values(rows).indptr))
    total, genes = np.concatenate(totals), np.concatenate(lengths)
    statistics = tokenizer.statistics
    share = statistics.mapped_umis / statistics.umis if statistics.umis else 0.0
    report.numbers["counts_with_token"] = share
    report.add(
        "counts with a token",
        "good" if share >= _FEW else "bad",
        f"{share:.1%}",
        ""
        if share >= _FEW or not report.numbers["genes_with_token"]  # that was said before
        else advice_for(report.numbers["gene_ids"], few=True),
    )
    room = tokenizer.resources.max_length - special
    empty, cut = int((genes == 0).sum()), int((genes > room).sum())
    report.numbers |= {
        "cells": len(genes),
        "empty_cells": empty,
        "cut_cells": cut,
        "median_genes": float(np.median(genes)),
    }
    report.add("genes a cell", "good", f"{np.median(genes):,.0f} in the median cell")
    if empty == len(genes):
        report.add("empty cells", "bad", "all of them", "no cell has a gene with a token")
    elif empty:
        report.add("empty cells", "note", f"{empty:,}", "they are left out")
    if cut:
        report.add(
            "cells that are cut",
            "note",
            f"{cut:,} have more than {room:,} genes",
            "the last ranks of these are left out, as the reference does",
        )
    if "n_counts" not in counts.obs:
        report.add("n_counts", "good", "not in obs: computed")
        return
    given = counts.obs["n_counts"].to_numpy()
    wrong = len(given)
    if given.dtype.kind in "iuf":
        wrong = int((~np.isclose(given.astype(float), total, rtol=1e-3, atol=0.5)).sum())
    report.numbers["wrong_n_counts"] = wrong
    if wrong:
        report.add(
            "n_counts",
            "note",
            f"{wrong:,} cells have another total than obs says",
            "computed from the counts; ranks within a cell do not depend on it",
        )
    else:
        report.add("n_counts", "good", "right")
