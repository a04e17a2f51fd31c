"""Results of datachecks as TAP and as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from gst_core.ensembl.datacheck import DatacheckResult, TestResult
from gst_core.errors import GstError


def read_baseline(path: Path) -> dict[tuple[str, str], int]:
    """Read how many rows each failed test had, from a report that :func:`to_json` made before.

    Returns
    -------
    rows
        By names of datacheck and test.

    Raises
    ------
    GstError
        If it is no such report.
    """
    try:
        return {
            (datacheck["name"], test["description"]): int(test["rows"])
            for datacheck in json.loads(path.read_text(encoding="utf-8"))["datachecks"]
            for test in datacheck["tests"]
            if not test["ok"]
        }
    except (ValueError, KeyError, TypeError) as error:
        raise GstError(
            "is not a report of gst db check",
            where=str(path),
            hint="make one with gst db check --format json before the load",
        ) from error


def failed_as_before(result: DatacheckResult, baseline: dict[tuple[str, str], int]) -> bool:
    """Whether each failed test of a datacheck failed before too, with as many rows or more."""
    return not result.ok and all(
        test.ok
        or (
            (before := baseline.get((result.datacheck.name, test.test.description))) is not None
            and test.count <= before
        )
        for test in result.tests
    )


def to_tap(results: Sequence[DatacheckResult], known: Collection[str] = ()) -> Iterator[str]:
    """Yield the lines of a TAP 14 document, a subtest a datacheck.

    A failed advisory datacheck, or one of those `known` to have failed before, carries the
    directive TODO, so that programs that read TAP count it as we do: reported, and no failure.
    """
    yield "TAP version 14"
    yield f"1..{len(results)}"
    for number, result in enumerate(results, start=1):
        name = result.datacheck.name
        if result.skipped is not None:
            yield f"ok {number} - {name} # SKIP {result.skipped}"
            continue
        yield f"# Subtest: {name}"
        yield f"    # {result.datacheck.description}"
        yield f"    1..{len(result.tests)}"
        for index, test in enumerate(result.tests, start=1):
            yield f"    {_line(test.ok, index, test.test.description)}"
            yield from (f"    #   {line}" for line in _diagnosis(test))
        directive = ""
        if not result.ok and name in known:
            directive = " # TODO failed before"
        elif not result.ok and not result.is_critical_failure:
            directive = " # TODO advisory"
        yield f"{_line(result.ok, number, name)}{directive}"


def to_json(
    results: Iterable[DatacheckResult],
    database: str,
    species_id: int,
    known: Collection[str] = (),
) -> str:
    """Return one JSON document with the same content."""
    return json.dumps(
        {
            "database": database,
            "species_id": species_id,
            "datachecks": [
                {
                    "name": result.datacheck.name,
                    "description": result.datacheck.description,
                    "severity": result.datacheck.severity,
                    "status": _status(result),
                    "failed_before": result.datacheck.name in known,
                    "reason": result.skipped,
                    "tests": [
                        {
                            "description": test.test.description,
                            "ok": test.ok,
                            "rows": test.count,
                            "diagnosis": None if test.ok else test.test.diagnosis,
                            "columns": test.columns,
                            "first_rows": [list(row) for row in test.rows],
                        }
                        for test in result.tests
                    ],
                }
                for result in results
            ],
        },
        ensure_ascii=False,
        indent=2,
        default=str,
    )


def _line(ok: bool, number: int, description: str) -> str:
    # A '#' would begin a directive.
    return f"{'ok' if ok else 'not ok'} {number} - {description}".replace("#", "\\#")


def _diagnosis(result: TestResult) -> Iterator[str]:
    if result.ok:
        return
    columns = ", ".join(result.columns)
    for row in result.rows:
        values = ", ".join("NULL" if value is None else str(value) for value in row)
        yield " ".join(f"{result.test.diagnosis}: ({columns}) = ({values})".split())
    if result.count > len(result.rows):
        yield f"{result.count} rows in all" if result.rows else "no rows"
    elif result.test.wants_rows:
        yield "no rows"


def _status(result: DatacheckResult) -> str:
    if result.skipped is not None:
        return "skipped"
    return "passed" if result.ok else "failed"
