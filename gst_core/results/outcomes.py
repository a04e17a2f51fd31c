"""What came of each genome of a run, for the program that started it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gst_core.files import atomic_write


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one genome.

    Attributes
    ----------
    id, fasta
        The genome, as it was given.
    table
        Its result table; ``None`` where it failed.
    proteins
        Proteins named, or 0.
    clade
        Clade category that the model was told; ``None`` where it ran without one.
    error
        Why it failed, in one sentence; ``None`` where it is done.
    """

    id: str
    fasta: str
    table: str | None = None
    proteins: int = 0
    clade: str | None = None
    error: str | None = None

    @property
    def status(self) -> str:
        """``done`` or ``failed``."""
        return "done" if self.error is None else "failed"


def write_outcomes(path: str | Path, outcomes: Sequence[Outcome]) -> None:
    """Write one JSON object, ``{"genomes": [...]}``, a genome a line.

    Raises
    ------
    GstError
        If the file cannot be written.
    """
    lines = [
        json.dumps({"id": outcome.id, "status": outcome.status, **asdict(outcome)})
        for outcome in outcomes
    ]
    with atomic_write(path) as file:
        file.write('{"genomes":[\n' + ",\n".join(lines) + "\n]}\n")
