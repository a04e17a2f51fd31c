"""How far a pretraining run is, on disk: weights, moments of the optimizer, the steps taken."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import torch

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.model.checkpoint import load_moments, load_tensors, moments_of, save_tensors

STATE_FILE: Final = "state.safetensors"
_COLUMNS: Final = ("step", "epoch", "loss", "learning_rate", "seconds", "held_out_loss")
_NETWORK = "network."


def store(
    network: MaskedLanguageModel,
    optimizer: torch.optim.Optimizer,
    folder: Path,
    step: int,
    seconds: float,
    run: str,
) -> None:
    """Write weights, moments and step to one file, so that they never disagree."""
    tensors = {f"{_NETWORK}{n}": p.detach() for n, p in network.named_parameters()}
    tensors |= moments_of(optimizer)
    facts = {"step": str(step), "seconds": repr(seconds), "run": run}
    save_tensors(folder / STATE_FILE, tensors, facts)


def restore(
    network: MaskedLanguageModel, optimizer: torch.optim.Optimizer, folder: Path, run: str
) -> tuple[int, float]:
    """Load what :func:`store` wrote, where there is something: steps done, and seconds spent.

    Raises
    ------
    GstError
        If it is of another run.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return 0, 0.0
    tensors, facts = load_tensors(path)
    if facts.get("run") != run:
        raise GstError(
            "is the state of a run with other settings, cells or number of processes",
            where=str(path),
            hint="give the same options to go on with it, or another --output",
        )
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(tensors[f"{_NETWORK}{name}"])
    load_moments(optimizer, tensors)
    return int(facts["step"]), float(facts["seconds"])


def log(path: Path, metrics: dict[str, float]) -> None:
    """Append a step to the table; it gets its header with the first."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, restval="", lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.8g}" for name, value in metrics.items()})


def rewind(path: Path, step: int) -> None:
    """Forget the steps after `step`, which are done again, and a line that a kill cut short."""
    if not path.exists():
        return
    header, *lines = path.read_text().splitlines()
    whole = [line for line in lines if line.count(",") == len(_COLUMNS) - 1]
    with atomic_write(path) as file:
        for line in (header, *(line for line in whole if float(line.split(",")[0]) <= step)):
            file.write(f"{line}\n")
