"""The state of a run on disk: weights, moments of the optimizer, and how far it is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from gst_core.errors import GstError
from gst_core.model.checkpoint import load_moments, load_tensors, moments_of, save_tensors
from gst_core.model.network import GeneSymbolTransformer

STATE_FILE: Final = "state.safetensors"
_NETWORK: Final = "network."


@dataclass(slots=True)
class TrainingState:
    """What a run must remember besides tensors.

    Attributes
    ----------
    step
        Steps done.
    best, stale
        Best validation accuracy, and validations since.
    seconds
        Spent so far.
    """

    step: int = 0
    best: float = -1.0
    stale: int = 0
    seconds: float = 0.0

    def observe(self, value: float) -> bool:
        """Note a validation; returns whether it is the best yet."""
        if value > self.best:
            self.best, self.stale = value, 0
            return True
        self.stale += 1
        return False


def store(
    network: GeneSymbolTransformer,
    optimizer: torch.optim.Optimizer,
    state: TrainingState,
    folder: Path,
) -> None:
    """Write weights, moments and step to one file, so that they never disagree."""
    tensors = {f"{_NETWORK}{name}": value for name, value in network.state_dict().items()}
    tensors |= moments_of(optimizer)
    save_tensors(folder / STATE_FILE, tensors, {"state": json.dumps(asdict(state))})


def restore(
    network: GeneSymbolTransformer, optimizer: torch.optim.Optimizer, folder: Path
) -> TrainingState:
    """Load what :func:`store` wrote, where there is something."""
    path = folder / STATE_FILE
    if not path.exists():
        return TrainingState()
    tensors, metadata = load_tensors(path)
    load_weights(network, tensors, path)
    load_moments(optimizer, tensors)
    return TrainingState(**json.loads(metadata["state"]))


def load_weights(network: GeneSymbolTransformer, tensors: dict[str, Tensor], path: Path) -> None:
    """Put the weights of a state into a network.

    Raises
    ------
    GstError
        If names or shapes do not fit.
    """
    weights = {
        name.removeprefix(_NETWORK): value
        for name, value in tensors.items()
        if name.startswith(_NETWORK)
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise GstError(
            "the weights do not fit the network that run.json describes",
            where=str(path),
            hint="one of the two files is of another run",
        ) from error
