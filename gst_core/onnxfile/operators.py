"""What each operator makes of the shapes that it is given, and what it costs.

A rule takes the node and its inputs, refuses what does not fit, and gives the outputs. Only
operators with a rule can be in a model file. `work` counts multiplications, or values made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gst_core.onnxfile.model import BOOL, FLOAT, FLOAT16, INT32, INT64, NAMES, Node, Tensor
from gst_core.onnxfile.values import (
    INTEGERS,
    Shape,
    Value,
    axis_of,
    broadcast,
    computed,
    require,
    value_of,
)
from gst_core.onnxfile.wire import DamagedError

#: A rule gives the outputs, the work, and how many values it holds besides while it works.
Result = tuple[Sequence[Value], int, int]
Rule = Callable[[Node, Sequence[Value | None]], Result]

#: Sums and products of known numbers stay well within 64 bits.
_LARGE: Final = 2**31


def _given(inputs: Sequence[Value | None], least: int, most: int | None = None) -> list[Value]:
    """Take the inputs of an operator, of which none may be left out."""
    found = [value for value in inputs if value is not None]
    require(len(found) == len(inputs) and least <= len(found) <= (most or least))
    return found


def _made(value: Value, work: int | None = None, held: int = 0) -> Result:
    return [value], value.size if work is None else work, held


def _unary(type_: int | None = None) -> Rule:
    def rule(node: Node, inputs: Sequence[Value | None]) -> Result:
        (x,) = _given(inputs, 1)
        return _made(Value(type_ or x.type, x.shape))

    return rule


def _floating(node: Node, inputs: Sequence[Value | None]) -> Result:
    (x,) = _given(inputs, 1)
    require(x.type in (FLOAT, FLOAT16))
    return _made(Value(x.type, x.shape))


def _identity(node: Node, inputs: Sequence[Value | None]) -> Result:
    return _made(_given(inputs, 1)[0])


def _cast(node: Node, inputs: Sequence[Value | None]) -> Result:
    (x,) = _given(inputs, 1)
    to = _whole(node, "to")
    require(to in NAMES)
    whole = x.type in INTEGERS and to in (INT32, INT64)
    return _made(Value(to, x.shape, x.known if whole else None, whole and x.positive))


def _softmax(node: Node, inputs: Sequence[Value | None]) -> Result:
    (x,) = _given(inputs, 1)
    require(x.type == FLOAT)
    axis_of(x, node.attributes.get("axis", -1))
    return _made(x)


def _layer_norm(node: Node, inputs: Sequence[Value | None]) -> Result:
    values = _given(inputs, 2, 3)
    x = values[0]
    require(axis_of(x, node.attributes.get("axis", -1)) == len(x.shape) - 1)
    require(all(value.shape == x.shape[-1:] for value in values[1:]))
    return _made(x)


def _combine(name: str) -> Rule:
    """Make the rule of an operator that combines arrays value by value."""
    operations: dict[str, Any] = {
        "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum,
        "Min": np.minimum, "Div": np.floor_divide, "Mod": np.remainder,
    }  # fmt: skip
    operation = operations[name]

    def rule(node: Node, inputs: Sequence[Value | None]) -> Result:
        values = _given(inputs, 2, 2 if name not in ("Max", "Min") else 8)
        type_ = values[0].type
        require(all(value.type == type_ for value in values))
        shape = broadcast(*(value.shape for value in values))
        whole = type_ in INTEGERS
        if whole and name in ("Div", "Mod") and not values[1].positive:
            raise DamagedError("its graph divides whole numbers by what may be 0")
        positive = {
            "Add": all(v.positive for v in values),
            "Mul": all(v.positive for v in values),
            "Min": all(v.positive for v in values),
            "Max": any(v.positive for v in values),
        }.get(name, False)
        known = [value.known for value in values if value.known is not None]
        if not whole or len(known) < len(values):
            return _made(Value(type_, shape, None, whole and positive))
        require(all(np.abs(part).max(initial=0) <= _LARGE for part in known))
        result = known[0]
        for part in known[1:]:
            result = operation(result, part)
        return _made(computed(type_, result, positive))

    return rule


def _compare(node: Node, inputs: Sequence[Value | None]) -> Result:
    one, other = _given(inputs, 2)
    require(one.type == other.type)
    return _made(Value(BOOL, broadcast(one.shape, other.shape)))


def _where(node: Node, inputs: Sequence[Value | None]) -> Result:
    condition, one, other = _given(inputs, 3)
    require(condition.type == BOOL and one.type == other.type)
    return _made(Value(one.type, broadcast(condition.shape, one.shape, other.shape)))


def _matmul(node: Node, inputs: Sequence[Value | None]) -> Result:
    whole = node.operator == "MatMulInteger"
    values = _given(inputs, 2, 4 if whole else 2)
    left, right = values[:2]
    require(len(left.shape) >= 2 and len(right.shape) >= 2 and left.shape[-1] == right.shape[-2])
    require(all(zero.size == 1 for zero in values[2:]))
    if not whole:
        require(left.type == right.type and left.type in (FLOAT, FLOAT16))
    heads = broadcast(left.shape[:-2], right.shape[:-2])
    shape = (*heads, left.shape[-2], right.shape[-1])
    made = Value(INT32 if whole else left.type, shape)
    return _made(made, made.size * max(left.shape[-1], 1), left.size + right.size)


def _shape(node: Node, inputs: Sequence[Value | None]) -> Result:
    (x,) = _given(inputs, 1)
    require(not node.attributes)
    return _made(computed(INT64, x.shape))


def _concat(node: Node, inputs: Sequence[Value | None]) -> Result:
    values = _given(inputs, 1, 64)
    first = values[0]
    axis = axis_of(first, node.attributes.get("axis"))
    rest = [value.shape[:axis] + value.shape[axis + 1 :] for value in values]
    require(all(r == rest[0] and v.type == first.type for r, v in zip(rest, values, strict=True)))
    size = sum(value.shape[axis] for value in values)
    shape = (*first.shape[:axis], size, *first.shape[axis + 1 :])
    known = [value.known for value in values if value.known is not None]
    if len(known) == len(values):
        return _made(computed(first.type, np.concatenate(known, axis)))
    return _made(Value(first.type, shape))


def _slice(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, *rest = _given(inputs, 3, 5)
    starts, ends = (part.numbers() for part in rest[:2])
    axes = rest[2].numbers() if len(rest) > 2 else list(range(len(starts)))
    steps = rest[3].numbers() if len(rest) > 3 else [1] * len(starts)
    require(len(starts) == len(ends) == len(axes) == len(steps) and all(s > 0 for s in steps))
    parts = [slice(None)] * len(x.shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        parts[axis_of(x, axis)] = slice(start, end, step)
    if x.known is not None:
        return _made(computed(x.type, x.known[tuple(parts)], x.positive))
    shape = tuple(len(range(*p.indices(n))) for p, n in zip(parts, x.shape, strict=True))
    return _made(Value(x.type, shape, None, x.positive))


def _gather(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, indices = _given(inputs, 2)
    axis = axis_of(x, node.attributes.get("axis", 0))
    require(indices.type in (INT32, INT64))
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if x.known is not None and indices.known is not None:
        low, high = -x.shape[axis], x.shape[axis]
        require(bool(((indices.known >= low) & (indices.known < high)).all()))
        return _made(computed(x.type, np.take(x.known, indices.known, axis), x.positive))
    return _made(Value(x.type, shape, None, x.positive))


def _transpose(node: Node, inputs: Sequence[Value | None]) -> Result:
    (x,) = _given(inputs, 1)
    order = tuple(node.attributes.get("perm") or ())
    require(sorted(order) == list(range(len(x.shape))))
    return _made(Value(x.type, tuple(x.shape[axis] for axis in order)))


def _reshape(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, wanted = _given(inputs, 2)
    dims = wanted.numbers()
    require(not node.attributes and all(n >= -1 for n in dims) and dims.count(-1) <= 1)
    require(len(dims) <= 8 and (0 not in dims[len(x.shape) :]))
    dims = [x.shape[at] if n == 0 else n for at, n in enumerate(dims)]
    if -1 in dims:
        others = math.prod(n for n in dims if n != -1)
        require(others > 0 and x.size % others == 0)
        dims[dims.index(-1)] = x.size // others
    require(math.prod(dims) == x.size)
    return _made(x.with_shape(tuple(dims)), 0)


def _squeeze(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, axes = _given(inputs, 2)
    gone = {axis_of(x, axis) for axis in axes.numbers()}
    require(all(x.shape[axis] == 1 for axis in gone))
    return _made(x.with_shape(tuple(n for at, n in enumerate(x.shape) if at not in gone)), 0)


def _unsqueeze(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, axes = _given(inputs, 2)
    new = axes.numbers()
    rank = len(x.shape) + len(new)
    require(rank <= 8 and all(-rank <= axis < rank for axis in new))
    places = {axis % rank for axis in new}
    require(len(places) == len(new))
    old = iter(x.shape)
    return _made(x.with_shape(tuple(1 if at in places else next(old) for at in range(rank))), 0)


def _expand(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, shape = _given(inputs, 2)
    dims = shape.numbers()
    require(len(dims) <= 8 and all(n >= 0 for n in dims))
    return _made(Value(x.type, broadcast(x.shape, tuple(dims)), None, x.positive))


def _constant_of_shape(node: Node, inputs: Sequence[Value | None]) -> Result:
    (shape,) = _given(inputs, 1)
    value = node.attributes.get("value")
    if not isinstance(value, Tensor) or math.prod(value.shape) != 1:
        raise DamagedError("its graph has an array of no value")
    dims = shape.numbers()
    require(len(dims) <= 8 and all(n >= 0 for n in dims))
    return _made(Value(value_of(value).type, tuple(dims)))


def _range(node: Node, inputs: Sequence[Value | None]) -> Result:
    values = _given(inputs, 3)
    require(all(value.type == values[0].type and value.size == 1 for value in values))
    start, end, step = (value.numbers()[0] for value in values)
    require(step > 0 and max(abs(start), abs(end)) <= _LARGE)
    numbers = range(start, end, step)
    known = np.array(numbers, dtype=np.int64) if len(numbers) <= 256 else None
    return _made(Value(values[0].type, (len(numbers),), known))


def _pad(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, pads, _ = _given(inputs, 3)
    sizes = pads.numbers()
    rank = len(x.shape)
    require(not node.attributes and len(sizes) == 2 * rank and all(n >= 0 for n in sizes))
    shape = tuple(n + sizes[at] + sizes[at + rank] for at, n in enumerate(x.shape))
    return _made(Value(x.type, shape))


def _reduce(node: Node, inputs: Sequence[Value | None]) -> Result:
    values = _given(inputs, 1, 2)
    x = values[0]
    axes = values[1].numbers() if len(values) > 1 else list(range(len(x.shape)))
    gone = {axis_of(x, axis) for axis in axes}
    keep = node.attributes.get("keepdims", 1)
    shape = tuple(
        1 if at in gone else n for at, n in enumerate(x.shape) if keep == 1 or at not in gone
    )
    if node.operator == "ReduceMax" and x.known is not None and x.size:
        known = x.known.max(axis=tuple(gone), keepdims=keep == 1)
        return _made(computed(x.type, known, x.positive), x.size)
    return _made(Value(x.type, shape, None, node.operator == "ReduceMax" and x.positive), x.size)


def _top_k(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, k = _given(inputs, 2)
    axis = axis_of(x, node.attributes.get("axis", -1))
    (count,) = k.numbers()
    require(0 <= count <= x.shape[axis])
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    return [Value(x.type, shape), Value(INT64, shape)], 8 * x.size, x.size


def _scatter(node: Node, inputs: Sequence[Value | None]) -> Result:
    x, indices, updates = _given(inputs, 3)
    axis_of(x, node.attributes.get("axis", 0))
    require(indices.type in (INT32, INT64) and indices.shape == updates.shape)
    require(x.type == updates.type and len(indices.shape) == len(x.shape))
    return _made(Value(x.type, x.shape), x.size + indices.size)


def _attention(node: Node, inputs: Sequence[Value | None]) -> Result:
    """``com.microsoft.MultiHeadAttention``: query, key, value, no bias, and a mask of keys."""
    q, k, v = _given(inputs[:3], 3)
    require(len(inputs) in (3, 5) and all(value is None for value in inputs[3:4]))
    heads = _whole(node, "num_heads")
    require(set(node.attributes) <= {"num_heads", "scale"})
    require(len(q.shape) == len(k.shape) == len(v.shape) == 3 and k.shape == v.shape)
    require(all(value.type == FLOAT for value in (q, k, v)))
    batch, length, width = q.shape
    require(k.shape[0] == batch and k.shape[2] == width and width % heads == 0)
    mask = inputs[4] if len(inputs) == 5 else None
    require(mask is None or (mask.type == INT32 and mask.shape == (batch, k.shape[1])))
    scores = batch * heads * length * k.shape[1]
    work = scores * (2 * width // heads + 8)
    # Without a mask it goes through the keys in blocks; with one it holds all scores.
    return _made(q, work, 3 * q.size + (scores if mask is not None else 0))


RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(("Erf", "Exp", "Gelu", "Log", "Relu", "Round", "Sigmoid"), _floating),
    **dict.fromkeys(("Sqrt", "Tanh", "com.microsoft.Gelu"), _floating),
    "Abs": _unary(),
    "Neg": _unary(),
    "Not": _unary(BOOL),
    "Identity": _identity,
    "Cast": _cast,
    "Softmax": _softmax,
    "LayerNormalization": _layer_norm,
    **{name: _combine(name) for name in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min")},
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"), _compare),
    **dict.fromkeys(("And", "Or"), _compare),
    "Where": _where,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "Shape": _shape,
    "Concat": _concat,
    "Slice": _slice,
    "Gather": _gather,
    "Transpose": _transpose,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Pad": _pad,
    **dict.fromkeys(("ReduceL2", "ReduceMax", "ReduceMean", "ReduceSum"), _reduce),
    "TopK": _top_k,
    "ScatterElements": _scatter,
    "com.microsoft.MultiHeadAttention": _attention,
}


def _whole(node: Node, name: str) -> int:
    """Read an attribute that is a natural number."""
    value = node.attributes.get(name)
    if not isinstance(value, int) or value <= 0:
        raise DamagedError(f"its graph has an operator without a number {name}")
    return value


def operator_rule(node: Node, allowed: frozenset[str]) -> Rule:
    """Find the rule of an operator, if it may be there at all."""
    if node.operator not in allowed or node.operator not in RULES:
        raise DamagedError(f"its graph has the operator {node.operator:.60}, as no such model")
    return RULES[node.operator]


__all__ = ["RULES", "Shape", "operator_rule"]
