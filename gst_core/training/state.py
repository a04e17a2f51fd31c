"""The state of a run on disk: weights, moments of the optimizer, and how far it is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from gst_core.model.checkpoint import load_tensors, save_tensors
from gst_core.model.network import GeneSymbolTransformer


@dataclass(slots=True)
class TrainingState:
    """What a run must remember besides tensors."""

    step: int = 0
    best: float = -1.0
    stale: int = 0

    def observe(self, value: float) -> None:
        """Note a validation: `stale` counts those since the best."""
        if value > self.best:
            self.best, self.stale = value, 0
        else:
            self.stale += 1


def store(
    network: GeneSymbolTransformer,
    optimizer: torch.optim.Optimizer,
    state: TrainingState,
    folder: Path,
) -> None:
    """Write weights, moments and step to one file, so that they never disagree."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"optimizer.{number}.{name}"] = value
    save_tensors(folder / "state.safetensors", tensors, {"state": json.dumps(asdict(state))})


def restore(
    network: GeneSymbolTransformer, optimizer: torch.optim.Optimizer, folder: Path
) -> TrainingState:
    """Load what :func:`store` wrote, where there is something."""
    path = folder / "state.safetensors"
    if not path.exists():
        return TrainingState()
    tensors, metadata = load_tensors(path)
    network.load_state_dict(
        {
            name.removeprefix("network."): v
            for name, v in tensors.items()
            if name.startswith("network.")
        }
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
    return TrainingState(**json.loads(metadata["state"]))
