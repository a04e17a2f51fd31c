"""How far a fine-tuning is, on disk: weights, the best of them, moments, and losses so far."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from gst_core.errors import GstError
from gst_core.model.checkpoint import load_moments, load_tensors, moments_of, save_tensors

_NETWORK: Final = "network."
_BEST: Final = "best."


@dataclass
class Progress:
    """Where a training is.

    Attributes
    ----------
    step
        Steps done.
    losses
        Of the held-out examples after each epoch.
    seconds
        That it took so far.
    best
        The weights, of those that change, that told the held-out examples best.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    best: dict[str, Tensor] = field(default_factory=dict)

    def keep(self, network: nn.Module) -> None:
        """Take the weights of a network as the best."""
        self.best = {name: p.detach().clone() for name, p in changing(network).items()}

    def recall(self, network: nn.Module) -> None:
        """Give a network the best weights back, where there are any."""
        _copy(network, self.best)


def changing(network: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that are trained, by name."""
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def store(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    path: Path,
    progress: Progress,
    run: str,
) -> None:
    """Write weights, moments and progress to one file, so that they never disagree."""
    tensors = {f"{_NETWORK}{name}": p.detach() for name, p in changing(network).items()}
    tensors |= {f"{_BEST}{name}": value for name, value in progress.best.items()}
    tensors |= moments_of(optimizer)
    facts = {
        "step": str(progress.step),
        "losses": json.dumps(progress.losses),
        "seconds": repr(progress.seconds),
        "run": run,
    }
    save_tensors(path, tensors, facts)


def restore(network: nn.Module, optimizer: torch.optim.Optimizer, path: Path, run: str) -> Progress:
    """Load what :func:`store` wrote, where there is something.

    Raises
    ------
    GstError
        If it is of another run.
    """
    if not path.exists():
        return Progress()
    tensors, facts = load_tensors(path)
    if facts.get("run") != run:
        raise GstError(
            "is the state of a training with other settings, cells or labels",
            where=str(path),
            hint="give the same options to go on with it, or another --output",
        )
    parts: dict[str, dict[str, Tensor]] = {
        prefix: {
            name.removeprefix(prefix): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
        for prefix in (_NETWORK, _BEST)
    }
    _copy(network, parts[_NETWORK])
    load_moments(optimizer, tensors)
    device = next(network.parameters()).device
    best = {name: value.to(device) for name, value in parts[_BEST].items()}
    losses = [float(loss) for loss in json.loads(facts["losses"])]
    return Progress(int(facts["step"]), losses, float(facts["seconds"]), best)


def _copy(network: nn.Module, weights: dict[str, Tensor]) -> None:
    parameters = changing(network)
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)
