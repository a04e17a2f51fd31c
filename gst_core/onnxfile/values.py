"""Shapes, and the small whole numbers that they are made of, on their way through a graph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.onnxfile.model import BOOL, INT4, INT8, INT32, INT64, UINT8, UINT32, Tensor
from gst_core.onnxfile.wire import DamagedError

INTEGERS: Final = frozenset({UINT8, INT8, INT32, INT64, UINT32, INT4})

#: Values of an array that are followed, where they are whole numbers: more than any shape has.
_FOLLOWED: Final = 256

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of an array in the graph.

    Attributes
    ----------
    type
        Number of its type in ONNX.
    shape
        Its dimensions, for the inputs that are tried.
    known
        Its values, int64, where it has few and they are whole numbers; else ``None``.
    positive
        Whether none can be 0 or less, whatever the inputs: whole numbers may be divided by it.
    """

    type: int
    shape: Shape
    known: NDArray[np.int64] | None = None
    positive: bool = False

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    def numbers(self) -> list[int]:
        """Its values, which must be known."""
        if self.known is None:
            raise DamagedError("its graph has a shape that depends on what it is given")
        return [int(n) for n in self.known.reshape(-1)]

    def with_shape(self, shape: Shape) -> Value:
        """Give the same values another shape."""
        known = None if self.known is None else self.known.reshape(shape)
        return Value(self.type, shape, known, self.positive)


def value_of(tensor: Tensor) -> Value:
    """Take what is known of an array of the file."""
    size = math.prod(tensor.shape)
    if tensor.type not in INTEGERS | {BOOL} or size > _FOLLOWED or tensor.type == INT4:
        return Value(tensor.type, tensor.shape)
    known = tensor.array().astype(np.int64)
    return Value(tensor.type, tensor.shape, known, size > 0 and bool((known > 0).all()))


def computed(type_: int, known: Any, positive: bool = False) -> Value:
    """Make a value of whole numbers that are known."""
    array = np.asarray(known, dtype=np.int64)
    return Value(type_, array.shape, array if array.size <= _FOLLOWED else None, positive)


def broadcast(*shapes: Shape) -> Shape:
    """Give the shape of arrays that are combined value by value."""
    result: list[int] = []
    for dims in zip(
        *((1,) * (max(map(len, shapes)) - len(shape)) + shape for shape in shapes), strict=True
    ):
        sizes = {n for n in dims if n != 1}
        if len(sizes) > 1:
            raise DamagedError("its graph combines arrays whose shapes do not fit")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def axis_of(value: Value, axis: Any) -> int:
    """Give the number of an axis from the first."""
    rank = len(value.shape)
    if not isinstance(axis, int) or not -rank <= axis < rank:
        raise DamagedError("its graph names an axis that an array does not have")
    return axis % rank


def require(condition: bool) -> None:
    """Refuse an operator whose inputs do not fit together."""
    if not condition:
        raise DamagedError("its graph has an operator whose inputs do not fit together")
