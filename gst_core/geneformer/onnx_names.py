"""What a file of ``geneformer export`` calls its parts; read without the package onnx."""

from __future__ import annotations

from typing import Final

FORMAT: Final = "geneformer-1"
#: Names of the outputs, by layer as the reference counts them.
OUTPUTS: Final = {-1: "second_to_last", 0: "last"}
