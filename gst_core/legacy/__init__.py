"""Checkpoints of the original Gene Symbol Transformer, read safely and rewritten as ONNX.

The original saves PyTorch Lightning checkpoints: zip archives around a pickle.
Here they are read without torch and without running anything that is in them,
and become one self-contained ``.onnx`` that the inference runtime serves like
any other model. The way through the package:

- :mod:`gst_core.legacy.archive` reads the archive, with
  :mod:`gst_core.legacy.pickle_machine` for the pickle in it;
- :mod:`gst_core.legacy.checkpoint` finds the network in it and checks it;
- :mod:`gst_core.legacy.graph` writes that network as an ONNX graph, with
  :mod:`gst_core.legacy.onnx_writer` for the file format;
- :mod:`gst_core.legacy.importing` does all of it once for each checkpoint.
"""
