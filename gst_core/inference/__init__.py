"""Naming proteins with ONNX Runtime; torch is never needed here."""
