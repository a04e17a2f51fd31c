"""From a trained torch network to one self-contained ONNX file.

``docs/model_format.md`` describes the file.
"""

from gst_core.export.model import FORMAT, build, export

__all__ = ["FORMAT", "build", "export"]
