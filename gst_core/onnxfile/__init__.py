"""ONNX files as data: read, and checked, before a runtime sees them.

ONNX Runtime runs any graph, for ever and in any amount of memory, and arrays that a file
brings end up in compiled code. So a model file is looked at first, by a few hundred lines that
run nothing, need no ``onnx`` package and take some milliseconds. The way through the package:

- :mod:`gst_core.onnxfile.wire` reads protocol buffers, the encoding of ONNX;
- :mod:`gst_core.onnxfile.model` reads what a model of one file, without control flow, has;
- :mod:`gst_core.onnxfile.values` and :mod:`gst_core.onnxfile.operators` follow the shapes through
  the graph, and say what it takes of memory and of time;
- :mod:`gst_core.onnxfile.check` is the door: a file and what a format may hold.
"""

from gst_core.onnxfile.check import Format, Input, Trial, checked, opened
from gst_core.onnxfile.model import Model, Tensor

__all__ = ["Format", "Input", "Model", "Tensor", "Trial", "checked", "opened"]
