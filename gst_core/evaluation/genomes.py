"""Evaluate a model on the genomes of a table, by genome and by clade."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from gst_core.errors import GstError
from gst_core.evaluation.comparison import (
    Comparison,
    Statistics,
    ThresholdRow,
    by_threshold,
    compare,
    statistics,
)
from gst_core.evaluation.confusion import confused_families, confused_pairs
from gst_core.evaluation.reliability_diagram import reliability_of
from gst_core.files import atomic_write
from gst_core.reliability import calibration_error
from gst_core.results.table import format_line, read_table
from gst_core.taxonomy import resolve

_REQUIRED = ("scientific_name", "assignments", "known_symbols")

#: The original's names for the columns of statistics.
STATISTICS_COLUMNS = (
    "num_assignments",
    "num_exact_matches",
    "matching_percentage",
    "num_fuzzy_matches",
    "fuzzy_percentage",
    "num_total_matches",
    "total_matches_percentage",
)


@dataclass(frozen=True, slots=True)
class Assembly:
    """One line of the table of assemblies.

    Attributes
    ----------
    scientific_name, clade
        Of the genome.
    assignments
        Its result table.
    known_symbols
        Table of translation ids and known symbols, or as text the URL of a core database.
    species
        Production name, for a database of several species.
    """

    scientific_name: str
    clade: str
    assignments: Path
    known_symbols: Path | str
    species: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One genome's comparisons.

    Attributes
    ----------
    scientific_name, clade
        Of the genome.
    comparisons
        Its assignments that have a known symbol.
    with_vocabulary
        Whether the model's symbols were at hand.
    """

    scientific_name: str
    clade: str
    comparisons: list[Comparison]
    with_vocabulary: bool

    @property
    def statistics(self) -> Statistics:
        """Counts over the genome."""
        return statistics(self.comparisons, with_vocabulary=self.with_vocabulary)


def is_database(text: str) -> bool:
    """Tell a database's URL from the path of a table."""
    return "://" in text


def read_assemblies(path: Path) -> list[Assembly]:
    """Read a table of assemblies.

    Tab-separated with the columns ``scientific_name``, ``assignments``,
    ``known_symbols`` and, unless the taxonomy is to say, ``clade``; others are
    passed over, so the original's table serves with two columns added. Paths are
    relative to the table. ``known_symbols`` may be the URL of a core database, and
    ``species`` a production name in it.

    Raises
    ------
    GstError
        If a column or a value is missing, a species is unknown, or the file is not
        UTF-8 text.
    """
    hint = f"give a tab-separated table with {', '.join(_REQUIRED)}"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            missing = [column for column in _REQUIRED if column not in (rows.fieldnames or ())]
            if missing:
                where = f"{path}, line 1"
                raise GstError(f"no column {', '.join(missing)}", where=where, hint=hint)
            return [_assembly(row, path, rows.line_num) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise GstError(
            f"is not a table of assemblies: {error}", where=str(path), hint=hint
        ) from error


def _assembly(row: dict[str, str | None], path: Path, line: int) -> Assembly:
    values = {column: row[column] or "" for column in _REQUIRED}
    for column, value in values.items():
        if not value:
            raise GstError(f"no {column}", where=f"{path}, line {line}")
    name, known = values["scientific_name"], values["known_symbols"]
    return Assembly(
        name,
        row.get("clade") or clade_of(name),
        path.parent / values["assignments"],
        known if is_database(known) else path.parent / known,
        row.get("species") or "",
    )


def clade_of(scientific_name: str) -> str:
    """Find the clade of a species; ``unknown`` outside the categories."""
    return resolve(scientific_name).clade or "unknown"


def evaluate(
    assembly: Assembly, known: Mapping[str, str], vocabulary: Set[str] | None
) -> Evaluation:
    """Compare one genome's assignments with its known symbols.

    Parameters
    ----------
    assembly
        The genome.
    known
        Stable id to symbol.
    vocabulary
        Lower-case symbols of the model, where they are known.

    Raises
    ------
    GstError
        If its result table is damaged.
    OSError
        If it cannot be read.
    """
    rows = read_table(assembly.assignments)
    return Evaluation(
        assembly.scientific_name,
        assembly.clade,
        list(compare(rows, known, vocabulary)),
        with_vocabulary=vocabulary is not None,
    )


def by_clade(evaluations: Iterable[Evaluation]) -> dict[str, Statistics]:
    """Pool genomes by clade, in alphabetical order; genomes without comparisons are left out.

    Every protein counts the same, which is what the original calls a weighted average.
    """
    pooled: dict[str, Statistics] = {}
    for evaluation in evaluations:
        if evaluation.comparisons:
            counted, before = evaluation.statistics, pooled.get(evaluation.clade)
            pooled[evaluation.clade] = before + counted if before else counted
    return dict(sorted(pooled.items()))


def statistics_fields(counted: Statistics) -> tuple[str, ...]:
    """Values for :data:`STATISTICS_COLUMNS`; percentages with two decimals."""
    return (
        str(counted.assignments),
        str(counted.exact),
        f"{counted.percentage(counted.exact):.2f}",
        str(counted.fuzzy),
        f"{counted.percentage(counted.fuzzy):.2f}",
        str(counted.total),
        f"{counted.percentage(counted.total):.2f}",
    )


def all_columns(*, with_vocabulary: bool) -> tuple[str, ...]:
    """Columns of our own tables: the original's and, with a model, ``unknown_symbols``."""
    return (*STATISTICS_COLUMNS, *(["unknown_symbols"] if with_vocabulary else []))


def all_fields(counted: Statistics) -> tuple[str, ...]:
    """Values for :func:`all_columns`."""
    unknown = [] if counted.unknown is None else [str(counted.unknown)]
    return (*statistics_fields(counted), *unknown)


def threshold_table(rows: Sequence[ThresholdRow]) -> list[list[str]]:
    """Tabulate thresholds: a header, then a line each."""
    with_vocabulary = any(row.statistics.unknown is not None for row in rows)
    header = ["threshold", *all_columns(with_vocabulary=with_vocabulary), "precision", "recall"]
    lines = [
        [
            f"{row.threshold:.2f}",
            *all_fields(row.statistics),
            f"{row.precision:.4f}",
            f"{row.recall:.4f}",
        ]
        for row in rows
    ]
    return [header, *lines]


def write_table(path: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write a tab-separated table."""
    with atomic_write(path) as file:
        file.writelines(format_line(line) for line in lines)


def _numbers(counted: Statistics) -> dict[str, Any]:
    return {
        "assignments": counted.assignments,
        "exact_matches": counted.exact,
        "fuzzy_matches": counted.fuzzy,
        "total_matches": counted.total,
        "unknown_symbols": counted.unknown,
    }


def _quality(evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """Reliability and confusions over all genomes, as JSON has them: null in place of NaN."""
    everything = list(chain.from_iterable(e.comparisons for e in evaluations))
    bins = reliability_of(everything)
    pairs = confused_pairs(everything)
    return {
        "reliability": {
            "expected_calibration_error": _number(calibration_error(bins)),
            "bins": [
                {
                    "above": own.lower,
                    "up_to": own.upper,
                    "assignments": own.count,
                    "mean_probability": _number(own.confidence),
                    "share_right": _number(own.accuracy),
                }
                for own in bins
            ],
        },
        "confused_symbols": [asdict(pair) for pair in pairs],
        "confused_families": [asdict(family) for family in confused_families(pairs)],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def write_json(path: Path, evaluations: Sequence[Evaluation]) -> None:
    """Write everything counted as one JSON document.

    Genomes with their thresholds, clades, and of all genomes together the reliability of
    probabilities and the confused symbols and families.
    """
    genomes = []
    for evaluation in evaluations:
        thresholds = [
            {
                "threshold": row.threshold,
                **_numbers(row.statistics),
                "precision": row.precision,
                "recall": row.recall,
            }
            for row in by_threshold(
                evaluation.comparisons, with_vocabulary=evaluation.with_vocabulary
            )
        ]
        genomes.append(
            {
                "scientific_name": evaluation.scientific_name,
                "clade": evaluation.clade,
                **_numbers(evaluation.statistics),
                "thresholds": thresholds,
            }
        )
    clades = [{"clade": name, **_numbers(s)} for name, s in by_clade(evaluations).items()]
    document = {"genomes": genomes, "clades": clades, **_quality(evaluations)}
    with atomic_write(path) as file:
        json.dump(document, file, indent=1, ensure_ascii=False)
        file.write("\n")
