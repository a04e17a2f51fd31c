"""The network: torch only, no files of users, no command line."""

from gst_core.model.config import ModelConfig
from gst_core.model.network import GeneSymbolTransformer

__all__ = ["GeneSymbolTransformer", "ModelConfig"]
