"""Results of datachecks as TAP and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from gst_core.ensembl.datacheck import DatacheckResult, TestResult


def to_tap(results: Sequence[DatacheckResult]) -> Iterator[str]:
    """Yield the lines of a TAP 14 document, a subtest a datacheck.

    A failed advisory datacheck carries the directive TODO, so that programs
    that read TAP count it as we do: reported, and no failure.
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
        directive = " # TODO advisory" if not result.ok and not result.is_critical_failure else ""
        yield f"{_line(result.ok, number, name)}{directive}"


def to_json(results: Iterable[DatacheckResult], database: str, species_id: int) -> str:
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
