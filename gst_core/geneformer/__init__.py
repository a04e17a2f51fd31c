"""Geneformer: raw counts of single cells to tokens and embeddings, on any device.

Names are imported when they are asked for, so that importing the package costs
neither torch nor pandas.
"""

from __future__ import annotations

import importlib
from typing import Any

#: public name -> module that has it
_HOMES: dict[str, str] = {
    "Geneformer": "gst_core.geneformer.api",
    "Resources": "gst_core.geneformer.resources",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
