"""Assignments as a table in memory, of pandas or of polars."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

from gst_core.assignment import Assignment
from gst_core.errors import GstError, no_choice

Library = Literal["pandas", "polars"]
LIBRARIES: Final = get_args(Library)


def frame_of(
    assignments: Iterable[Assignment], library: Library, *, top_k: int = 1, evidence: bool = False
) -> Any:
    """Make a data frame of assignments, one row each.

    Parameters
    ----------
    assignments
        Consumed.
    library
        Whose data frame.
    top_k
        Candidates to keep; those after the first in ``symbol_2``, ``probability_2`` and so on.
    evidence
        Keep what speaks for the best symbol.

    Returns
    -------
    frame
        With the columns of the result table, and types of their own: probabilities and shares
        are floats, and missing ones are null.

    Raises
    ------
    GstError
        If the library is not installed, or none of these.
    """
    if library not in LIBRARIES:
        raise no_choice(library, "library", LIBRARIES)
    try:
        made_by: Any = importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise GstError(f"{library} is not installed", hint=f"pip install {library}") from error
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            *("stable_id", "symbol", "probability", "description", "source", "accession"),
            *("gene", "length"),
        )
    }
    more = [f"{name}_{rank}" for rank in range(2, top_k + 1) for name in ("symbol", "probability")]
    shown = ("reference", "identity", "query_coverage", "reference_coverage", "fits_equally")
    columns |= {name: [] for name in (*(shown if evidence else ()), *more)}
    for assignment in assignments:
        best = assignment.best
        row: list[Any] = [assignment.stable_id, best.symbol, assignment.probability]
        row += [best.description, best.source, best.accession, assignment.gene, assignment.length]
        if evidence:
            found = assignment.evidence
            row += (
                [None] * len(shown)
                if found is None
                else [
                    *(found.reference, found.identity, found.query_coverage),
                    *(found.reference_coverage, ",".join(found.equals)),
                ]
            )
        others = assignment.candidates[1:top_k]
        row += [cell for symbol, p in others for cell in (symbol.symbol, p)]
        row += [None] * (len(columns) - len(row))
        for column, cell in zip(columns.values(), row, strict=True):
            column.append(cell)
    return made_by.DataFrame(columns)
