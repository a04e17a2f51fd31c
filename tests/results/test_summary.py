"""Summaries count what they say, whatever the order and however they are merged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.results.summary import BANDS, EXAMPLES, Summary

rows = st.lists(
    st.tuples(
        st.sampled_from(["", "TP53", "GH1", "gh1"]), st.floats(0, 1), st.sampled_from(["", "GH1"])
    ),
    max_size=40,
)


def summary_of(rows: list[tuple[str, float, str]]) -> Summary:
    summary = Summary()
    for number, (symbol, probability, known) in enumerate(rows):
        summary.add(
            f"P{number}", symbol, probability if symbol else 0.0, length=number, known_symbol=known
        )
    return summary


@given(rows, st.integers(0, 100))
def test_counts_are_those_of_the_written_numbers(
    rows: list[tuple[str, float, str]], hundredths: int
) -> None:
    summary = summary_of(rows)
    threshold = hundredths / 100
    above = [r for r in rows if float(f"{r[1] if r[0] else 0:.4f}") >= threshold]
    assert summary.named_at(threshold) == sum(bool(r[0]) for r in above)
    assert summary.known_at(threshold) == sum(bool(r[2]) for r in above)
    assert summary.correct_at(threshold) == sum(
        bool(r[2]) and r[0].lower() == r[2].lower() for r in above
    )
    assert summary.unnamed == sum(not r[0] for r in rows)
    assert summary.shares()[hundredths] == pytest.approx(
        summary.named_at(threshold) / max(len(rows), 1)
    )


@given(rows, rows)
def test_merging_is_counting_together(
    first: list[tuple[str, float, str]], second: list[tuple[str, float, str]]
) -> None:
    merged = summary_of(first)
    merged.merge(summary_of(second))
    both = Summary()
    for part in (first, second):
        for number, (symbol, probability, known) in enumerate(part):
            both.add(
                f"P{number}",
                symbol,
                probability if symbol else 0.0,
                length=number,
                known_symbol=known,
            )
    assert merged == both


def test_size_does_not_grow_with_the_number_of_rows() -> None:
    summary = summary_of([("TP53", i / 1000, "") for i in range(1001)])
    assert sum(len(kept) for kept in summary.examples.values()) == EXAMPLES * len(BANDS)
    assert summary.symbols == {"TP53": 101}
    assert (summary.shortest, summary.longest, summary.residues) == (0, 1000, 500500)


def test_single_precision_counts_as_it_is_written() -> None:
    summary = Summary()
    summary.add("P1", "TP53", np.float32(0.9))  # 0.899999976...
    assert summary.named_at(0.9) == 1
    assert summary.symbols == {"TP53": 1}


def test_thresholds_between_hundredths_are_refused() -> None:
    with pytest.raises(ValueError, match="hundredths"):
        Summary().named_at(0.955)
