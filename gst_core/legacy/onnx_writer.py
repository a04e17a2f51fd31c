"""Write ONNX files with nothing but numpy.

A legacy checkpoint is turned into ONNX where it is used, which is where only the
light inference packages are installed. The part of the format that its graphs
need is small and can never change (protocol buffers keep their field numbers):
the numbers below are those of ``onnx.proto3``,
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray

#: Operator sets the graphs are written for: ONNX 1.15, and ONNX Runtime's own.
OPSETS = {"": 20, "com.microsoft": 1}
IR_VERSION = 9

_VARINT, _FIXED32, _BYTES = 0, 5, 2
_ELEMENT_TYPES = {"float32": 1, "int32": 6, "int64": 7}

Attribute = int | float | str | Sequence[int]
Dimension = int | str


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # negative numbers are written as two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _head(number: int, size: int) -> bytes:
    """Begin a field of `size` bytes."""
    return _varint(number << 3 | _BYTES) + _varint(size)


def _field(number: int, value: int | float | str | bytes) -> bytes:
    """Write one field: its number and wire type, then its value."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED32) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return _head(number, len(data)) + data


def _attribute(name: str, value: Attribute) -> bytes:
    """``AttributeProto``: name 1, f 2, i 3, s 4, ints 8, type 20."""
    match value:
        case int():
            kind, fields = 2, _field(3, value)
        case float():
            kind, fields = 1, _field(2, value)
        case str():
            kind, fields = 3, _field(4, value)
        case _:
            kind, fields = 7, b"".join(_field(8, item) for item in value)
    return _field(1, name) + fields + _field(20, kind)


def _initializer(name: str, array: NDArray[np.generic]) -> tuple[bytes, memoryview]:
    """``GraphProto.initializer`` (5), a ``TensorProto``: dims 1, data_type 2, name 8, raw_data 9.

    In two parts, the second being the array's own memory: weights are large.
    """
    little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    data = little_endian.reshape(-1).view(np.uint8).data
    head = b"".join(
        (
            *(_field(1, size) for size in array.shape),
            _field(2, _ELEMENT_TYPES[array.dtype.name]),
            _field(8, name),
            _head(9, len(data)),
        )
    )
    return _head(5, len(head) + len(data)) + head, data


def _value_info(name: str, dtype: str, shape: Sequence[Dimension]) -> bytes:
    """``ValueInfoProto``: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 } }."""
    dims = (_field(1, d) if isinstance(d, int) else _field(2, d) for d in shape)
    tensor_shape = b"".join(_field(1, dim) for dim in dims)
    tensor_type = _field(1, _ELEMENT_TYPES[dtype]) + _field(2, tensor_shape)
    return _field(1, name) + _field(2, _field(1, tensor_type))


class GraphBuilder:
    """An ONNX graph in the making; every value has a name of its own."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._initializers: list[bytes | memoryview] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def input(self, name: str, dtype: str, shape: Sequence[Dimension]) -> str:
        """Declare an input; a dimension is a number or a name."""
        self._inputs.append(_field(11, _value_info(name, dtype, shape)))
        return name

    def output(self, name: str, dtype: str, shape: Sequence[Dimension]) -> None:
        """Declare an output."""
        self._outputs.append(_field(12, _value_info(name, dtype, shape)))

    def constant(self, name: str, array: NDArray[np.generic]) -> str:
        """Store an array in the graph."""
        self._initializers += _initializer(name, array)
        return name

    def node(
        self,
        op_type: str,
        *inputs: str,
        outputs: Sequence[str] = (),
        domain: str = "",
        **attributes: Attribute,
    ) -> str:
        """Add an operator; returns the name of its first output."""
        self._count += 1
        names = list(outputs) or [f"{op_type}_{self._count}"]
        parts = [
            *(_field(1, name) for name in inputs),
            *(_field(2, name) for name in names),
            _field(3, f"{op_type}_{self._count}"),
            _field(4, op_type),
            *(_field(5, _attribute(key, value)) for key, value in attributes.items()),
            _field(7, domain),
        ]
        self._nodes.append(_field(1, b"".join(parts)))
        return names[0]

    def write(self, file: IO[bytes], name: str, metadata: Mapping[str, str]) -> None:
        """Write the model: ``ModelProto`` with graph (7), operator sets (8), metadata (14)."""
        graph = [*self._nodes, _field(2, name), *self._initializers, *self._inputs, *self._outputs]
        file.write(_field(1, IR_VERSION) + _field(2, "gst_core"))
        file.write(_head(7, sum(map(len, graph))))
        file.writelines(graph)
        for domain, version in OPSETS.items():
            file.write(_field(8, _field(1, domain) + _field(2, version)))
        for key, value in metadata.items():
            file.write(_field(14, _field(1, key) + _field(2, value)))
