"""From what methods said to the numbers of the benchmark."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.answers import Answers, Asked, QuerySet, pooled, read_query_set
from benchmarks.protocol.files import SYMBOLS_FILE, read_rows
from benchmarks.protocol.sets import HELD_OUT
from gst_core.errors import GstError
from gst_core.evaluation.metrics import (
    at_threshold,
    auroc,
    recall_at_precision,
    top_k_accuracy,
)
from gst_core.nomenclature import read_canonical
from gst_core.reliability import expected_calibration_error, reliability

#: The methods whose score is a probability.
PROBABILISTIC: Final = frozenset(("gst",))

_NEGATIVES: Final = "genera/negatives"

#: Upper bounds of the strata; the last has none.
IDENTITIES: Final = (30.0, 50.0, 70.0, 90.0)
LENGTHS: Final = (100, 200, 400, 800, 1600)
TRAINING_COUNTS: Final = (2, 3, 5, 10, 20)
#: The precision at which recall is compared.
PRECISION: Final = 0.95
#: The proteins whose threshold for that precision is shown at work on the negatives.
WITH_NEGATIVES: Final = "in vocabulary, and negatives"
#: Probabilities whose meaning is stated: where symbols are loaded, and a stricter one.
STATED: Final = (0.7, 0.9)


def score_folder(work_folder: Path) -> dict[str, Any]:
    """Score all that lies in a work folder.

    Returns
    -------
    result
        ``protocol``, ``accuracy``, ``probabilities``, ``calibration`` and ``cost``, ready
        for JSON. Where the folder has a table of symbols, ``canonical`` holds the first
        four once more: labels and answers of all methods are compared as the symbols that
        they stand for, copies as what they are copies of.

    Raises
    ------
    GstError
        If there are no sequences, or the reference search has not run.
    """
    result = _score(work_folder, str.upper)
    table = work_folder / SYMBOLS_FILE
    if table.exists():
        result["canonical"] = _score(work_folder, read_canonical(table).base)
    result["cost"] = {
        f"{queries.parent.parent.name}/{queries.parent.name}": {
            record.stem: _cost(record) for record in sorted(queries.parent.glob("*.json"))
        }
        for queries in sorted(work_folder.glob("*/*/queries.tsv"))
    }
    return result


def _score(work_folder: Path, key: Callable[[str], str]) -> dict[str, Any]:
    """Score with symbols in the form in which `key` has them."""
    protocol: dict[str, Any] = {}
    sets: dict[str, QuerySet] = {}
    for table in sorted(work_folder.glob("*/training.tsv")):
        split = table.parent
        counts = Counter(key(row["symbol"]) for row in read_rows(table))
        protocol[split.name] = {"sequences": counts.total(), "symbols": len(counts), "sets": {}}
        for queries in sorted(split.glob("*/queries.tsv")):
            folder = queries.parent
            name = f"{split.name}/{folder.name}"
            sets[name] = read_query_set(folder, counts, key)
            asked = sets[name].asked
            protocol[split.name]["sets"][folder.name] = {
                "proteins": len(asked.symbols),
                "in_vocabulary": int(asked.nameable.sum()),
            }
    if not sets:
        raise GstError("holds no sequences", where=str(work_folder), hint="run 'prepare' first")
    held_out = pooled([sets[f"genera/{genus}"] for genus in HELD_OUT])
    vertebrates = pooled([s for n, s in sets.items() if _is_vertebrate_set(n)])
    return {
        "protocol": protocol,
        "accuracy": {
            "set": [_accuracy(n, s, s.asked.nameable) for n, s in sets.items() if n != _NEGATIVES],
            "clade": _by_name(vertebrates, vertebrates.asked.clades),
            "identity": _by_bounds(held_out, held_out.asked.identities, IDENTITIES, "no hit"),
            "length": _by_bounds(held_out, held_out.asked.lengths, LENGTHS),
            "training_count": _by_bounds(held_out, held_out.asked.training_counts, TRAINING_COUNTS),
        },
        "probabilities": {
            name: _probabilities(scores, held_out, sets[_NEGATIVES])
            | {"auroc_of_each": _auroc_of_each(scores, sets)}
            for name, scores in _SCORES.items()
            if scores.method in held_out.answers
        },
        "calibration": {
            method: _calibration(sets, held_out, method)
            for method in sorted(PROBABILISTIC & held_out.answers.keys())
        },
    }


def _is_vertebrate_set(name: str) -> bool:
    return name.startswith("genera/") and name != _NEGATIVES


def _accuracy(name: str, queries: QuerySet, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Accuracy on some of the proteins of a set, of which only those in vocabulary count."""
    rows = rows & queries.asked.nameable
    methods = {
        method: {
            "top1": top_k_accuracy(answers.ranks[rows], 1),
            "top5": top_k_accuracy(answers.ranks[rows], 5),
        }
        for method, answers in queries.answers.items()
    }
    return {"group": name, "proteins": int(rows.sum()), "methods": methods}


def _by_name(queries: QuerySet, names: NDArray[np.str_]) -> list[dict[str, Any]]:
    return [_accuracy(str(name), queries, names == name) for name in np.unique(names)]


def _by_bounds(
    queries: QuerySet,
    values: NDArray[Any],
    bounds: Sequence[float],
    missing: str = "",
) -> list[dict[str, Any]]:
    """Accuracy by strata ``[lower, upper)``; NaN is the stratum `missing`."""
    edges = [-np.inf, *bounds, np.inf]
    rows = []
    for lower, upper in itertools.pairwise(edges):
        name = _range_name(lower, upper)
        rows.append(_accuracy(name, queries, (values >= lower) & (values < upper)))
    if missing:
        rows.append(_accuracy(missing, queries, np.isnan(values)))
    return rows


def _range_name(lower: float, upper: float) -> str:
    if np.isinf(lower):
        return f"below {upper:g}"
    return f"{lower:g} and more" if np.isinf(upper) else f"{lower:g} to below {upper:g}"


@dataclass(frozen=True, slots=True)
class _Score:
    """A way to rank a method's answers by confidence."""

    method: str
    of: Callable[[Asked, Answers], NDArray[np.float64]]


def _search_scores(method: str) -> dict[str, _Score]:
    """Give a search's scores: whichever suits it best shall stand for it."""
    return {
        f"{method}, bit score": _Score(method, lambda _, answers: answers.scores),
        f"{method}, bits a residue": _Score(method, lambda a, answers: answers.scores / a.lengths),
        f"{method}, identity": _Score(method, lambda _, answers: answers.identities),
    }


_SCORES: Final = {
    "gst, probability": _Score("gst", lambda _, answers: answers.scores),
    **_search_scores("diamond_sensitive"),
    **_search_scores("diamond_fast"),
}


def _probabilities(score: _Score, held_out: QuerySet, negatives: QuerySet) -> dict[str, Any]:
    """Measure how well a score tells right names from the others.

    Among the proteins of the held-out genera: those in vocabulary, all of them, and both
    again together with the negatives.
    """
    answers, nameable = held_out.answers[score.method], held_out.asked.nameable
    scores, right = score.of(held_out.asked, answers), answers.right
    columns = {"in vocabulary": (scores[nameable], right[nameable]), "all": (scores, right)}
    result: dict[str, Any] = {"populations": {}, "negatives_named": {}}
    if score.method in negatives.answers:
        wrong = negatives.answers[score.method]
        others = score.of(negatives.asked, wrong)
        for name, (own, flags) in list(columns.items()):
            together = np.concatenate([own, others]), np.concatenate([flags, wrong.right])
            columns[f"{name}, and negatives"] = together
    for name, (own, flags) in columns.items():
        result["populations"][name] = {
            "proteins": len(own),
            "auroc": auroc(own, flags),
            "at_precision": recall_at_precision(own, flags, PRECISION, int(nameable.sum())),
        }
    if WITH_NEGATIVES in columns:
        threshold = result["populations"][WITH_NEGATIVES]["at_precision"].threshold
        for kind in np.unique(negatives.asked.kinds):
            named = others[negatives.asked.kinds == kind] >= threshold
            result["negatives_named"][str(kind)] = float(named.mean())
    return result


def _auroc_of_each(score: _Score, sets: Mapping[str, QuerySet]) -> dict[str, float]:
    """Measure it for each set by itself, its proteins in vocabulary together with the negatives."""
    asked = {n: s for n, s in sets.items() if score.method in s.answers}
    negatives = asked.pop(_NEGATIVES, None)
    result: dict[str, float] = {}
    if negatives is None:
        return result
    wrong = negatives.answers[score.method]
    others = score.of(negatives.asked, wrong)
    for name, own in asked.items():
        kept = own.asked.nameable
        scores = score.of(own.asked, own.answers[score.method])[kept]
        flags = np.concatenate([own.answers[score.method].right[kept], wrong.right])
        if flags.any() and not flags.all():
            result[name] = auroc(np.concatenate([scores, others]), flags)
    return result


def _calibration(sets: Mapping[str, QuerySet], held_out: QuerySet, method: str) -> dict[str, Any]:
    """Say what probabilities mean on new genera, symbols out of vocabulary included."""
    named = {n: s for n, s in sets.items() if method in s.answers and n != _NEGATIVES}
    groups = {"held-out genera": held_out, **named}
    answers, nameable = held_out.answers[method], held_out.asked.nameable
    negatives = sets[_NEGATIVES].answers.get(method)
    return {
        "ece": {
            name: expected_calibration_error(s.answers[method].scores, s.answers[method].right)
            for name, s in groups.items()
        },
        "ece_in_vocabulary": expected_calibration_error(
            answers.scores[nameable], answers.right[nameable]
        ),
        "reliability": reliability(answers.scores, answers.right),
        "stated": {
            str(threshold): {
                name: at_threshold(
                    s.answers[method].scores,
                    s.answers[method].right,
                    threshold,
                    int(s.asked.nameable.sum()),
                )
                for name, s in groups.items()
            }
            | (
                {"negatives_named": float((negatives.scores >= threshold).mean())}
                if negatives
                else {}
            )
            for threshold in STATED
        },
    }


def _cost(record: Path) -> dict[str, Any]:
    facts = json.loads(record.read_text())
    return {key: facts[key] for key in ("version", "seconds", "cpu_seconds", "peak_mib")}
