"""Datachecks: questions to a database that must have no rows for an answer.

The terms are those of Ensembl's own datachecks: a datacheck has a name, a
description and a severity, and consists of tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select

from gst_core.ensembl import schema

Severity = Literal["critical", "advisory"]
#: offending rows shown of a test
SHOWN = 10


@dataclass(frozen=True)
class Scope:
    """What a datacheck looks at.

    Attributes
    ----------
    species_id
        Species, where the test is about one.
    division
        ``species.division`` of the meta table, e.g. EnsemblVertebrates; empty
        where there is none.
    """

    species_id: int
    division: str = ""

    @classmethod
    def of(cls, connection: Connection, species_id: int) -> Scope:
        """Read the division."""
        table = schema.meta
        division = connection.scalar(
            select(table.c.meta_value).where(
                table.c.meta_key == "species.division", table.c.species_id == species_id
            )
        )
        return cls(species_id, division or "")


@dataclass(frozen=True)
class Test:
    """One question.

    Attributes
    ----------
    description
        What is so if the test passes.
    query
        Selects the rows that offend.
    diagnosis
        What is wrong with each of them.
    wants_rows
        The test passes if there are rows, rather than if there are none.
    """

    description: str
    query: Select[Any]
    diagnosis: str = "Unexpected data"
    wants_rows: bool = False


@dataclass(frozen=True)
class Datacheck:
    """A datacheck.

    Attributes
    ----------
    name, description
        As Ensembl's datacheck of that name has them.
    tests
        Makes the tests for a scope.
    severity
        Only critical ones decide over a database.
    skip
        Says why a scope need not be looked at; None if it must.
    """

    name: str
    description: str
    tests: Callable[[Scope], Sequence[Test]]
    severity: Severity = "critical"
    skip: Callable[[Scope], str | None] = lambda scope: None


@dataclass(frozen=True)
class TestResult:
    """What a test found: the number of its rows, and the first of them."""

    test: Test
    count: int
    rows: list[tuple[Any, ...]]

    @property
    def ok(self) -> bool:
        """Whether it passed."""
        return (self.count > 0) == self.test.wants_rows

    @property
    def columns(self) -> list[str]:
        """Names of the rows' columns."""
        return [column.name for column in self.test.query.selected_columns]


@dataclass(frozen=True)
class DatacheckResult:
    """What a datacheck found; `skipped` is why it was not run."""

    datacheck: Datacheck
    tests: list[TestResult]
    skipped: str | None = None

    @property
    def ok(self) -> bool:
        """Whether every test passed."""
        return all(test.ok for test in self.tests)

    @property
    def is_critical_failure(self) -> bool:
        """Whether the database must not go on as it is."""
        return not self.ok and self.datacheck.severity == "critical"


def run_datacheck(connection: Connection, datacheck: Datacheck, scope: Scope) -> DatacheckResult:
    """Run one datacheck."""
    reason = datacheck.skip(scope)
    if reason is not None:
        return DatacheckResult(datacheck, [], reason)
    return DatacheckResult(
        datacheck, [_run_test(connection, test) for test in datacheck.tests(scope)]
    )


def _run_test(connection: Connection, test: Test) -> TestResult:
    count = connection.scalar(select(func.count()).select_from(test.query.subquery())) or 0
    rows: list[tuple[Any, ...]] = []
    if count and not test.wants_rows:
        rows = [tuple(row) for row in connection.execute(test.query.limit(SHOWN))]
    return TestResult(test, count, rows)


def critical_failures(
    connection: Connection, datachecks: Iterable[Datacheck], species_id: int
) -> set[tuple[Any, ...]]:
    """Return every row that fails a critical datacheck, as (datacheck, test, row).

    Comparing two of these sets tells which failures a change has brought.
    """
    scope = Scope.of(connection, species_id)
    return {
        (datacheck.name, test.description, *row)
        for datacheck in datachecks
        if datacheck.severity == "critical" and datacheck.skip(scope) is None
        for test in datacheck.tests(scope)
        for row in connection.execute(test.query)
    }
