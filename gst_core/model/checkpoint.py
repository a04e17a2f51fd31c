"""Checkpoints: tensors in safetensors, facts in JSON; nothing that could run code."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gst_core.errors import GstError


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
    temporary = path.with_name(f".{path.name}.tmp")
    save_file(
        {name: t.detach().cpu().contiguous() for name, t in tensors.items()}, temporary, metadata
    )
    temporary.replace(path)


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
