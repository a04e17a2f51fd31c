"""What ``gst compare`` and ``gst evaluate`` say of probabilities and of confused symbols."""

from __future__ import annotations

from collections.abc import Sequence

from gst_core.cli._columns import aligned
from gst_core.evaluation.comparison import Comparison
from gst_core.evaluation.confusion import (
    confused_families,
    confused_pairs,
    family_table,
    pair_table,
)
from gst_core.evaluation.reliability_diagram import reliability_of, reliability_table
from gst_core.reliability import calibration_error

#: Pairs and families on a terminal; tables and JSON have them all.
SHOWN = 10


def quality(comparisons: Sequence[Comparison]) -> str:
    """Say how far probabilities can be trusted, and what is taken for what; empty of nothing."""
    if not comparisons:
        return ""
    parts = []
    bins = reliability_of(comparisons)
    if any(own.count for own in bins):
        parts.append(f"reliability of probabilities:\n{aligned(reliability_table(bins))}")
        parts.append(f"expected calibration error: {calibration_error(bins):.4f}")
    pairs = confused_pairs(comparisons)
    families = confused_families(pairs)
    if pairs:
        parts.append(f"most confused symbols:\n{aligned(pair_table(pairs[:SHOWN]))}")
    if families:
        parts.append(f"most confused families:\n{aligned(family_table(families[:SHOWN]))}")
    return "\n\n".join(parts)
