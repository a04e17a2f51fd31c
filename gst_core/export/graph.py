"""An ONNX graph under construction."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

#: Contributed operators of ONNX Runtime: fused attention and the like.
CONTRIB: Final = "com.microsoft"

Array = NDArray[Any]


class Graph:
    """Nodes and weights: every method adds to them and returns a value's name.

    Parameters
    ----------
    half
        Store dense weights in 16 bits. They are used in 32: the runtime widens them once,
        on loading.
    """

    def __init__(self, *, half: bool) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}
        self._half = half

    def node(
        self, op: str, *inputs: str, domain: str = "", outputs: int = 1, **attributes: Any
    ) -> str:
        """Add a node; returns the name of its first output, the others end in ``.1``, ``.2``."""
        name = f"{op}_{len(self.nodes)}"
        names = [name] + [f"{name}.{i}" for i in range(1, outputs)]
        node = helper.make_node(op, inputs, names, name=name, domain=domain, **attributes)
        self.nodes.append(node)
        return name

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """Add a small constant; equal ones are stored once."""
        array = np.asarray(value, dtype=dtype)
        shape = "x".join(map(str, array.shape))
        return self.weight(f"const_{array.dtype}_{shape}_{array.tobytes().hex()}", array)

    def weight(self, name: str, array: Array) -> str:
        """Add a named tensor as it is."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
        self.initializers.setdefault(name, tensor)
        return name

    def dense(self, name: str, array: Array) -> str:
        """Add a weight that is used in 32 bits."""
        if not self._half:
            return self.weight(name, np.asarray(array, dtype=np.float32))
        stored = self.weight(f"{name}.f16", np.asarray(array, dtype=np.float16))
        return self.node("Cast", stored, to=TensorProto.FLOAT)

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """``x @ weight.T + bias`` with torch's layout of `weight`."""
        product = self.node("MatMul", x, self.dense(f"{name}.weight", weight.T))
        return self.node("Add", product, self.dense(f"{name}.bias", bias))

    def layer_norm(
        self, x: str, name: str, weight: Array, bias: Array, epsilon: float = 1e-5
    ) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.dense(f"{name}.weight", weight), self.dense(f"{name}.bias", bias)
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)

    def unit(self, x: str) -> str:
        """Scale the last axis to length one."""
        norm = self.node("ReduceL2", x, self.constant([-1]), keepdims=1)
        return self.node("Div", x, self.node("Max", norm, self.constant(1e-6, np.float32)))

    def cast(self, x: str, to: int) -> str:
        """Change the type."""
        return self.node("Cast", x, to=to)
