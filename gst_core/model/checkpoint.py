"""Checkpoints: tensors in safetensors, facts in JSON; nothing that could run code."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gst_core.errors import GstError
from gst_core.files import atomic_write

_OPTIMIZER: Final = "optimizer."


def save_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and metadata to one file that is whole or absent.

    Parameters
    ----------
    path
        A ``.safetensors`` file.
    tensors
        Any device; stored contiguous.
    metadata
        Strings stored in the header.
    """
    whole = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    with atomic_write(path, "wb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        save_file(whole, file.name, metadata)
        # safetensors puts a file of its own there, which nobody else may read.
        Path(file.name).chmod(mode)


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    GstError
        If the file is not a whole safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in names}
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise GstError(f"cannot read the checkpoint: {error}", where=str(path)) from error


def moments_of(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Give what an optimizer remembers of each parameter, as tensors with names."""
    return {
        f"{_OPTIMIZER}{number}.{name}": value
        for number, moments in optimizer.state_dict()["state"].items()
        for name, value in moments.items()
    }


def load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimizer of the same parameters back what :func:`moments_of` took."""
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(_OPTIMIZER):
            _, number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})
