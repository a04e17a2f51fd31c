"""A plan as a table and as sentences."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO

from gst_core.ensembl.plan import Outcome, Plan

COLUMNS = (
    "stable_id",
    "symbol",
    "probability",
    "outcome",
    "db_name",
    "accession",
    "xref",
    "description",
    "detail",
)

_MEANING = {
    Outcome.LOAD: "symbols to load",
    Outcome.HAS_SYMBOL: "genes have a symbol already",
    Outcome.REPEATED_GENE: "rows are for a gene with a more probable row",
    Outcome.DUPLICATE_SYMBOL: "symbols are left out, because several genes would bear them",
    Outcome.UNKNOWN_GENE: "stable ids are not in the database",
    Outcome.OTHER_VERSION: "stable ids have another version in the database",
    Outcome.NO_ACCESSION: "symbols have no accession",
    Outcome.NO_EXTERNAL_DB: "symbols belong to a source that the table external_db lacks",
    Outcome.SHARED_ACCESSION: "symbols have the accession of another symbol in the table",
    Outcome.NOT_STORABLE: "symbols or descriptions do not fit into the database",
}
#: rows named in the summary of a problem; the table has all
_SHOWN = 5


def write_plan(plan: Plan, file: IO[str]) -> None:
    """Write every row at or above the threshold with what becomes of it, tab-separated."""
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in plan.rows:
        to_load = row.outcome is Outcome.LOAD
        writer.writerow(
            (
                row.assigned.stable_id,
                row.assigned.symbol,
                f"{row.assigned.probability:.4f}",
                row.outcome.value,
                row.accession.db_name if row.accession else "",
                row.accession.accession if row.accession else "",
                ("reused" if row.xref else "new") if to_load else "",
                row.description if to_load else "",
                row.detail,
            )
        )


def summarise(plan: Plan) -> Iterator[str]:
    """Yield a line an outcome, naming the rows that something is amiss with."""
    outcomes = plan.outcomes()
    if plan.below_threshold:
        yield f"{plan.below_threshold} rows are below the threshold"
    if plan.versioned:
        yield f"{plan.versioned} stable ids carry a version"
    for outcome, meaning in _MEANING.items():
        if not outcomes[outcome]:
            continue
        line = f"{outcomes[outcome]} {meaning}"
        if outcome.is_problem:
            named = [
                f"{row.assigned.stable_id} {row.assigned.symbol} (line {row.assigned.line}"
                + (f": {row.detail})" if row.detail else ")")
                for row in plan.rows
                if row.outcome is outcome
            ]
            line = f"{line}: {_listing(named)}"
        yield line
    if plan.shared:
        named = [f"{symbol} ({', '.join(genes)})" for symbol, genes in plan.shared.items()]
        yield f"{len(named)} symbols would be those of several genes: {_listing(named)}"


def _listing(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
