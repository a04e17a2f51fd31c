"""The table of metrics of a run, a line a step."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from gst_core.files import atomic_write

COLUMNS: Final = ("step", "loss", "accuracy", "seconds", "validation_accuracy")


def log(path: Path, metrics: dict[str, float]) -> None:
    """Append a step; the file gets its header with the first."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(
            {name: value if name == "step" else f"{value:.6g}" for name, value in metrics.items()}
        )


def rewind(path: Path, step: int) -> None:
    """Forget the steps after `step`, which a resumed run does again."""
    if not path.exists():
        return
    header, *lines = path.read_text().splitlines()
    whole = [line for line in lines if line.count(",") == len(COLUMNS) - 1]
    with atomic_write(path) as file:
        for line in (header, *(line for line in whole if int(line.partition(",")[0]) <= step)):
            file.write(f"{line}\n")
