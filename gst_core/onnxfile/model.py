"""What a model file holds: a graph without control flow, its weights, and metadata.

The numbers of the fields are those of ``onnx.proto``.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.onnxfile.wire import (
    DamagedError,
    Kind,
    contents,
    number,
    numbers,
    read_fields,
    text,
    texts,
)

#: Types of numbers: their numbers in ONNX, and numpy's names for them.
FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, UINT32, INT4 = 1, 2, 3, 6, 7, 9, 10, 12, 22
NUMPY: Final = {
    FLOAT: "<f4", UINT8: "u1", INT8: "i1", INT32: "<i4", INT64: "<i8", BOOL: "?",
    FLOAT16: "<f2", UINT32: "<u4",
}  # fmt: skip
NAMES: Final = {
    FLOAT: "float32", UINT8: "uint8", INT8: "int8", INT32: "int32", INT64: "int64",
    BOOL: "bool", FLOAT16: "float16", UINT32: "uint32", INT4: "int4",
}  # fmt: skip

#: Dimensions of an array.
_MAX_RANK: Final = 8
#: A dimension is less than this, and so is what an array holds.
_MAX_SIZE: Final = 2**40

#: Bytes of all nodes, or of all names and shapes, of a graph.
_MAX_DESCRIPTION: Final = 4 * 2**20

_N, _B, _MANY = Kind.NUMBER, Kind.BYTES, Kind.MANY


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array of the file: its values are still there.

    Attributes
    ----------
    type
        Number of its type in ONNX, one of :data:`NAMES`.
    shape
        Its dimensions.
    data
        Its values, little-endian, in the order of C.
    """

    type: int
    shape: tuple[int, ...]
    data: memoryview

    def array(self) -> NDArray[Any]:
        """View it as numpy does; not for four bits a value."""
        return np.frombuffer(self.data, dtype=NUMPY[self.type]).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the graph: ``domain.name``, what goes in, what comes out, attributes."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the graph: type and dimensions, ``None`` where any will do."""

    type: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model file.

    Attributes
    ----------
    nodes
        The operators, each after those that it needs.
    tensors
        Arrays by name.
    inputs, outputs
        Of the graph, by name.
    opsets
        Versions of the sets of operators by domain.
    metadata
        What else the file says.
    size
        Bytes of the file.
    """

    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    opsets: dict[str, int]
    metadata: dict[str, str]
    size: int


def read_model(file: memoryview) -> Model:
    """Read a model file.

    Raises
    ------
    DamagedError
        If it is none, or has more than a graph without control flow and arrays that are whole.
    """
    fields = read_fields(
        file, {1: _N, 2: _B, 3: _B, 4: _B, 5: _N, 6: _B, 7: _B, 8: _MANY, 14: _MANY}
    )
    graphs = contents(fields, 7)
    if not graphs:
        raise DamagedError("it has no graph")
    opsets = {}
    for entry in contents(fields, 8):
        opset = read_fields(entry, {1: _B, 2: _N})
        opsets[text(opset, 1)] = number(opset, 2)
    metadata: dict[str, str] = {}
    for entry in contents(fields, 14):
        pair = read_fields(entry, {1: _B, 2: _B})
        key = text(pair, 1)
        if key in metadata:
            raise DamagedError("it has two metadata of one name")
        try:
            metadata[key] = text(pair, 2)
        except DamagedError as error:
            raise DamagedError(f"its metadata {key:.40} are not UTF-8") from error
    graph = read_fields(
        graphs[0], {1: _MANY, 2: _B, 5: _MANY, 10: _B, 11: _MANY, 12: _MANY, 13: _MANY}
    )
    if sum(len(entry) for which in (1, 11, 12, 13) for entry in contents(graph, which)) > (
        _MAX_DESCRIPTION
    ):
        raise DamagedError(f"its graph is described by more than {_MAX_DESCRIPTION:,} bytes")
    nodes = tuple(_node(entry) for entry in contents(graph, 1))
    tensors: dict[str, Tensor] = {}
    for entry in contents(graph, 5):
        name, tensor = _tensor(entry)
        if not name or name in tensors:
            raise DamagedError("it has two arrays of one name")
        tensors[name] = tensor
    inputs, outputs = (dict(map(_port, contents(graph, which))) for which in (11, 12))
    for entry in contents(graph, 13):  # shapes that an exporter wrote down; checked as ports are
        _port(entry)
    return Model(nodes, tensors, inputs, outputs, opsets, metadata, len(file))


def _shape(dims: list[int]) -> tuple[int, ...]:
    if len(dims) > _MAX_RANK or any(not 0 <= n < _MAX_SIZE for n in dims):
        raise DamagedError("it has an array of too many, too large or negative dimensions")
    return tuple(dims)


def _tensor(message: memoryview) -> tuple[str, Tensor]:
    """Read ``TensorProto``: dims 1, data_type 2, name 8, raw_data 9; external data is refused."""
    fields = read_fields(message, {1: Kind.NUMBERS, 2: _N, 8: _B, 9: _B, 12: _B})
    name, type_, shape = text(fields, 8), number(fields, 2), _shape(numbers(fields, 1))
    if type_ not in NAMES:
        raise DamagedError(f"its array {name:.40} has a type that is not known")
    values = math.prod(shape)
    size = -(-values // 2) if type_ == INT4 else values * np.dtype(NUMPY[type_]).itemsize
    held = contents(fields, 9)
    data = held[0] if held else memoryview(b"")
    if len(data) != size:
        raise DamagedError(f"its array {name:.40} has {len(data):,} bytes in place of {size:,}")
    return name, Tensor(type_, shape, data)


def _node(message: memoryview) -> Node:
    """Read ``NodeProto``: input 1, output 2, name 3, op_type 4, attribute 5, domain 7."""
    fields = read_fields(message, {1: _MANY, 2: _MANY, 3: _B, 4: _B, 5: _MANY, 6: _B, 7: _B})
    domain, name = text(fields, 7), text(fields, 4)
    operator = f"{domain}.{name}" if domain else name
    try:
        attributes = dict(map(_attribute, contents(fields, 5)))
    except DamagedError as error:
        raise DamagedError(f"the operator {operator:.60} of its graph: {error}") from error
    return Node(operator, tuple(texts(fields, 1)), tuple(texts(fields, 2)), attributes)


def _attribute(message: memoryview) -> tuple[str, Any]:
    """Read ``AttributeProto``: name 1, f 2, i 3, s 4, t 5, ints 8, type 20; no graphs."""
    fields = read_fields(
        message, {1: _B, 2: Kind.FLOAT, 3: _N, 4: _B, 5: _B, 8: Kind.NUMBERS, 20: _N}
    )
    name, kind = text(fields, 1), number(fields, 20)
    match kind:
        case 1 if contents(fields, 2):
            return name, struct.unpack("<f", contents(fields, 2)[0])[0]
        case 2:
            return name, number(fields, 3)
        case 3:
            return name, text(fields, 4)
        case 4 if contents(fields, 5):
            return name, _tensor(contents(fields, 5)[0])[1]
        case 7:
            return name, tuple(numbers(fields, 8))
    raise DamagedError(f"its graph has an attribute {name:.40} of a kind that is not known")


def _port(message: memoryview) -> tuple[str, Port]:
    """Read ``ValueInfoProto``: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 } }."""
    fields = read_fields(message, {1: _B, 2: _B, 3: _B})
    shape: list[int | None] = []
    type_ = 0
    for entry in contents(fields, 2):
        for tensor in contents(read_fields(entry, {1: _B, 6: _B}), 1):
            parts = read_fields(tensor, {1: _N, 2: _B})
            type_ = number(parts, 1)
            for dims in contents(parts, 2):
                for dim in contents(read_fields(dims, {1: _MANY}), 1):
                    one = read_fields(dim, {1: _N, 2: _B, 3: _B})
                    shape.append(_shape([number(one, 1)])[0] if one[1] else None)
    return text(fields, 1), Port(type_, tuple(shape))
