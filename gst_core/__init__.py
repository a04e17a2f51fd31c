"""GST: gene symbols for the proteins of vertebrate genomes."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gst_core.errors import GstError
    from gst_core.inference.namer import GeneNamer

__version__ = "1.0.0"
__all__ = ["GeneNamer", "GstError", "__version__"]

# ONNX Runtime's own builds report their use to their maker unless this is set before
# they are loaded. What a program does with unpublished genomes is nobody else's business.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {"GeneNamer": "gst_core.inference.namer", "GstError": "gst_core.errors"}


def __getattr__(name: str) -> Any:
    # On first use, so that `gst_assign --version` loads neither numpy nor ONNX Runtime.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
