"""The benchmark's numbers as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from benchmarks.protocol.answers import REFERENCE
from benchmarks.protocol.scores import WITH_NEGATIVES
from gst_core.evaluation.metrics import OperatingPoint
from gst_core.reliability import ReliabilityBin

_EACH: Final = "auroc_of_each"
_NONE: Final = "-"
_STRATA: Final = {
    "set": "Query set",
    "clade": "Clade (all vertebrate sets but *tetrapods*)",
    "identity": "Identity of the nearest training sequence, % (four held-out genera)",
    "length": "Length, residues (four held-out genera)",
    "training_count": "Training sequences of the symbol (four held-out genera)",
}


def as_markdown(result: Mapping[str, Any]) -> str:
    """Write the tables of a result of :func:`benchmarks.protocol.scores.score_folder`."""
    parts = ["# Held-out genera: names and probabilities\n"]
    for split, facts in result["protocol"].items():
        parts.append(
            f"Split *{split}*: {facts['sequences']:,} training sequences, "
            f"{facts['symbols']:,} symbols.\n"
        )
    parts.append(_protocol(result["protocol"]))
    parts.append("## Exact match, % of proteins in vocabulary: first name (among five)\n")
    for key, title in _STRATA.items():
        parts.append(_accuracy(title, result["accuracy"][key]))
    if "canonical" in result:
        parts.append("## The same with canonical symbols\n")
        parts.append(
            "Labels and the answers of all methods as the symbols that they stand for, copies as "
            "what they are copies of (docs/symbols.md).\n"
        )
        parts.append(_both(result, result["canonical"]))
        for key, title in _STRATA.items():
            parts.append(_accuracy(title, result["canonical"]["accuracy"][key]))
        parts.append(_separation(result["canonical"]["probabilities"]))
        for method, facts in result["canonical"]["calibration"].items():
            parts.append(f"What the probabilities of {method} mean then:\n")
            parts.append(_calibration_error(facts))
            parts.append(_stated(facts["stated"]))
    parts.append("## Telling right names from wrong and unknown ones\n")
    parts.append(_separation(result["probabilities"]))
    parts.append(_negatives(result["probabilities"]))
    for method, facts in result["calibration"].items():
        parts.append(f"## What the probabilities of {method} mean\n")
        parts.append(_calibration_error(facts))
        parts.append(_stated(facts["stated"]))
        parts.append(_reliability(facts["reliability"]))
    parts.append("## Time and memory\n")
    parts.append(_cost(result["protocol"], result["cost"]))
    return "\n".join(parts)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table: the first column to the left, the others to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage."""
    return _NONE if math.isnan(share) else f"{100 * share:.{digits}f}"


def _protocol(protocol: Mapping[str, Any]) -> str:
    rows = [
        (f"{split}/{name}", f"{counts['proteins']:,}", f"{counts['in_vocabulary']:,}")
        for split, facts in protocol.items()
        for name, counts in facts["sets"].items()
    ]
    return table(("query set", "proteins", "in vocabulary"), rows)


def _both(raw: Mapping[str, Any], canonical: Mapping[str, Any]) -> str:
    """Write both scorings side by side: first names, and how many could be right."""
    pairs = list(zip(raw["accuracy"]["set"], canonical["accuracy"]["set"], strict=True))
    methods = sorted({method for group, _ in pairs for method in group["methods"]}, reverse=True)
    rows = []
    for one, other in pairs:
        row = [one["group"], f"{one['proteins']:,}", f"{other['proteins']:,}"]
        for method in methods:
            for group in (one, other):
                shares = group["methods"].get(method)
                row.append(percent(shares["top1"]) if shares else _NONE)
        rows.append(row)
    columns = [f"{method}, {scoring}" for method in methods for scoring in ("raw", "canonical")]
    header = ("First name right, %", "in vocabulary, raw", "in vocabulary, canonical", *columns)
    return table(header, rows)


def _accuracy(title: str, groups: Sequence[Mapping[str, Any]]) -> str:
    methods = sorted({method for group in groups for method in group["methods"]}, reverse=True)
    rows = []
    for group in groups:
        if not group["proteins"]:
            continue
        row = [group["group"], f"{group['proteins']:,}"]
        for method in methods:
            shares = group["methods"].get(method)
            row.append(
                f"{percent(shares['top1'])} ({percent(shares['top5'])})" if shares else _NONE
            )
        rows.append(row)
    return table((title, "proteins", *methods), rows)


def _separation(probabilities: Mapping[str, Any]) -> str:
    """Write AUROC and recall, a column for each population of proteins."""
    names = list(next(iter(probabilities.values()))["populations"]) if probabilities else []
    ranked, recalled = [], []
    for score, facts in probabilities.items():
        found = [facts["populations"].get(name) for name in names]
        ranked.append([score, *(f"{p['auroc']:.4f}" if p else _NONE for p in found)])
        recalled.append([score, *(_recall(p["at_precision"]) if p else _NONE for p in found)])
    return (
        "Area under the receiver operating characteristic, right names against all others:\n\n"
        + table(("score", *names), ranked)
        + f"\nThe same of each set, *{WITH_NEGATIVES}*:\n\n"
        + _of_each(probabilities)
        + "\nRecall at 95% precision, % (threshold):\n\n"
        + table(("score", *names), recalled)
    )


def _of_each(probabilities: Mapping[str, Any]) -> str:
    """Write AUROC, a row for each set."""
    sets = list(dict.fromkeys(n for facts in probabilities.values() for n in facts[_EACH]))
    rows = [
        (
            name,
            *(
                f"{facts[_EACH][name]:.4f}" if name in facts[_EACH] else _NONE
                for facts in probabilities.values()
            ),
        )
        for name in sets
    ]
    return table(("proteins", *probabilities), rows)


def _recall(point: OperatingPoint) -> str:
    return f"{percent(point.recall)} ({point.threshold:.4g})"


def _negatives(probabilities: Mapping[str, Any]) -> str:
    kinds = sorted({kind for facts in probabilities.values() for kind in facts["negatives_named"]})
    rows = [
        [score, *(percent(facts["negatives_named"].get(kind, math.nan)) for kind in kinds)]
        for score, facts in probabilities.items()
    ]
    title = f"Negatives named, %, at the threshold for *{WITH_NEGATIVES}*:\n\n"
    return title + table(("score", *kinds), rows)


def _calibration_error(facts: Mapping[str, Any]) -> str:
    rows = [(name, f"{error:.4f}") for name, error in facts["ece"].items()]
    rows.append(("held-out genera, in vocabulary alone", f"{facts['ece_in_vocabulary']:.4f}"))
    return table(("proteins", "expected calibration error"), rows)


def _stated(stated: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for threshold, groups in stated.items():
        for name, point in groups.items():
            if isinstance(point, OperatingPoint):
                cells = (percent(point.precision), percent(point.recall), percent(point.kept))
            else:
                cells = (_NONE, _NONE, percent(point))
            rows.append((f"{threshold}, {name.replace('_', ' ')}", *cells))
    return table(("probability at least", "precision, %", "recall, %", "named, %"), rows)


def _reliability(bins: Sequence[ReliabilityBin]) -> str:
    rows = [
        (
            f"{b.lower:.1f} to {b.upper:.1f}",
            f"{b.count:,}",
            percent(b.confidence),
            percent(b.accuracy),
        )
        for b in bins
    ]
    return table(("probability", "proteins", "mean probability, %", "right, %"), rows)


def _cost(protocol: Mapping[str, Any], cost: Mapping[str, Any]) -> str:
    rows = []
    for name, methods in cost.items():
        split, queries = name.split("/")
        proteins = protocol[split]["sets"][queries]["proteins"]
        reference = methods.get(REFERENCE, {}).get("seconds")
        for method, facts in methods.items():
            rows.append(
                (
                    name,
                    f"{method} ({facts['version']})",
                    f"{facts['seconds']:.1f}",
                    f"{facts['cpu_seconds']:.1f}",
                    f"{proteins / facts['seconds']:,.0f}",
                    f"{reference / facts['seconds']:.1f}" if reference else _NONE,
                    f"{facts['peak_mib']:,.0f}",
                )
            )
    header = (
        "query set",
        "method",
        "s",
        "CPU s",
        "proteins/s",
        "times DIAMOND",
        "peak memory, MiB",
    )
    return table(header, rows)
