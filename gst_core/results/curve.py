"""Geometry of the picture: share of assignments against the probability threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the unit square (threshold right, share up) lies in an SVG.

    Attributes
    ----------
    width, height
        Of the whole picture, in SVG units.
    left, right, top, bottom
        Margins around the square.
    base
        Share at the lower edge; what is less is drawn on the edge.
    """

    width: float
    height: float
    left: float = 0
    right: float = 0
    top: float = 0
    bottom: float = 0
    base: float = 0

    def x(self, threshold: float) -> float:
        """Horizontal place of a threshold."""
        return round(self.left + threshold * (self.width - self.left - self.right), 1)

    def y(self, share: float) -> float:
        """Vertical place of a share."""
        part = (1 - max(share, self.base)) / (1 - self.base)
        return round(self.top + part * (self.height - self.top - self.bottom), 1)

    def line(self, shares: Sequence[float]) -> str:
        """Return the path through evenly spaced shares, the first at threshold 0, the last at 1.

        A point that lies on the straight line to its next neighbour is left
        out, which makes the flat stretches of thousands of small curves cheap.
        """
        last = len(shares) - 1
        points = [(self.x(i / last), self.y(share)) for i, share in enumerate(shares)]
        kept = [
            point
            for i, point in enumerate(points)
            if i in (0, last) or not points[i - 1][1] == point[1] == points[i + 1][1]
        ]
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept)

    def area(self, shares: Sequence[float]) -> str:
        """Return the closed path between a curve and the bottom."""
        base = self.y(self.base)
        return f"{self.line(shares)}L{self.x(1):g} {base:g}L{self.x(0):g} {base:g}Z"

    def band(self, low: Sequence[float], high: Sequence[float]) -> str:
        """Return the closed path between two curves."""
        last = len(low) - 1
        back = "".join(f"L{self.x(i / last):g} {self.y(low[i]):g}" for i in range(last, -1, -1))
        return f"{self.line(high)}{back}Z"
