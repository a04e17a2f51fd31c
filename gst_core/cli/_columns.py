"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Align columns to the right, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(field.rjust(width) for field, width in zip(line, widths, strict=True))
        for line in lines
    )
