"""The door: what a model file of a format may hold, before a runtime sees it."""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.onnxfile.model import NAMES, Model, Port, read_model
from gst_core.onnxfile.operators import operator_rule
from gst_core.onnxfile.values import Value, computed, value_of
from gst_core.onnxfile.wire import DamagedError

#: Operators of a graph; the largest of ours has 300.
_MAX_NODES: Final = 20_000

#: Values that a graph holds at one time, beside so many for each byte of its file: tables of four
#: bits a number are widened, and what is widened is multiplied.
_MAX_HELD: Final = 2**27
_HELD_A_BYTE: Final = 10
#: Multiplications of one run, beside so many for each byte of the file if its format says no other.
_MAX_WORK: Final = 2**37
_WORK_A_BYTE: Final = 512


@dataclass(frozen=True, slots=True)
class Input:
    """An input that a graph is tried with, or an output that has to come of it.

    Attributes
    ----------
    type
        Number of its type in ONNX.
    shape
        Its dimensions.
    known
        Its values, where the shapes in the graph depend on them.
    """

    type: int
    shape: tuple[int, ...]
    known: Any = None


@dataclass(frozen=True, slots=True)
class Trial:
    """Inputs that a graph is tried with, and the outputs that have to come of them."""

    inputs: Mapping[str, Input]
    outputs: Mapping[str, Input]


@dataclass(frozen=True, slots=True)
class Format:
    """What files of one format hold.

    Attributes
    ----------
    operators
        Those of the graph, as ``domain.name``, of ONNX's own domain as ``name``.
    opsets
        Domains of the operators, each with the highest version.
    trials
        Given the model, inputs as large as the program ever gives it in one run.
    verify
        Further checks, of arrays and metadata; :exc:`ValueError` with what is wrong.
    work_a_byte
        Multiplications that one run may take for each byte of the file, beside those that any
        may: a weight of four bytes is used once for each position of an input.
    """

    operators: frozenset[str]
    opsets: Mapping[str, int]
    trials: Callable[[Model], Sequence[Trial]]
    verify: Callable[[Model], None]
    work_a_byte: int = _WORK_A_BYTE


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Model]:
    """Read a model file, of which nothing but its encoding is checked.

    Parameters
    ----------
    path
        The file; it is mapped, not read, and its arrays are there for as long as it is open.

    Raises
    ------
    GstError
        If it is missing, or not a whole file of a graph and arrays.
    """
    if not path.is_file():
        raise GstError(
            "no such model file", where=str(path), hint="check the path given to --checkpoint"
        )
    with path.open("rb") as file:
        try:
            mapped: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            mapped = b""
        except OSError:  # a pipe, or memory of another kind
            mapped = file.read()
    with reporting(path):
        model = read_model(memoryview(mapped))
    yield model
    # The mapping ends with the last array that looks into it.


@contextlib.contextmanager
def reporting(
    path: Path, maker: str = "gst build or gst export, or an original .ckpt"
) -> Iterator[None]:
    """Say in one line what is wrong with a model file, and what to give in its place."""
    try:
        yield
    except (ValueError, RecursionError, OverflowError) as error:
        what = str(error) if isinstance(error, ValueError) else "it is damaged"
        raise GstError(
            f"not a model file that can be used: {what}",
            where=str(path),
            hint=f"copy it again, or give an .onnx file made by {maker}",
        ) from error


def checked(model: Model, format: Format) -> None:
    """Check a model against what files of its format hold.

    Raises
    ------
    ValueError
        With what is wrong.
    """
    for domain, version in model.opsets.items():
        if version > format.opsets.get(domain, 0):
            raise DamagedError(f"it asks for operators of {domain or 'ai.onnx'} {version}")
    if len(model.nodes) > _MAX_NODES:
        raise DamagedError(f"its graph has more than {_MAX_NODES:,} operators")
    for node in model.nodes:
        operator_rule(node, format.operators)
    format.verify(model)
    for trial in format.trials(model):
        _follow(model, format, trial)


def _follow(model: Model, format: Format, trial: Trial) -> None:
    """Follow shapes through the graph, and bound what it takes of memory and time."""
    values: dict[str, Value] = {name: value_of(tensor) for name, tensor in model.tensors.items()}
    if set(model.inputs) != set(trial.inputs):
        raise DamagedError("its graph has other inputs")
    if set(model.outputs) - set(model.tensors) != set(trial.outputs):
        raise DamagedError("its graph has other outputs")
    for name, given in trial.inputs.items():
        if name in values or not _fits(given, model.inputs[name]):
            raise DamagedError(f"its input {name} has another type or shape")
        known: NDArray[np.int64] | None = None
        if given.known is not None:
            known = np.broadcast_to(np.asarray(given.known, dtype=np.int64), given.shape)
        values[name] = Value(given.type, given.shape, known)
    last_use: dict[str, int] = {name: len(model.nodes) for name in model.outputs}
    for at, node in enumerate(model.nodes):
        for name in node.inputs:
            last_use.setdefault(name, at)
            last_use[name] = max(last_use[name], at)
    stored = sum(value.size for value in values.values())
    most_held = _MAX_HELD + _HELD_A_BYTE * model.size
    most_work = _MAX_WORK + format.work_a_byte * model.size
    # What is made of the file's arrays alone is made once, and kept.
    constant = set(model.tensors)
    held, work = stored, 0
    for at, node in enumerate(model.nodes):
        if any(name and name not in values for name in node.inputs):
            raise DamagedError("its graph uses what it has not made yet")
        inputs = [values[name] if name else None for name in node.inputs]
        made, cost, besides = operator_rule(node, format.operators)(node, inputs)
        is_constant = all(name in constant for name in node.inputs if name)
        if not 1 <= len(node.outputs) <= len(made):
            raise DamagedError("its graph has an operator with other outputs")
        for name, value in zip(node.outputs, made, strict=False):
            if not name or name in values:
                raise DamagedError("its graph has two values of one name")
            values[name] = value
            held += value.size
            if is_constant:
                constant.add(name)
        work += cost
        if held + besides > most_held or work > most_work:
            raise DamagedError("its graph takes more memory or time than such a file may")
        for name in set(node.inputs):
            if name and last_use[name] == at and name not in constant:
                held -= values[name].size
    for name, port in model.outputs.items():
        if name not in values or values[name].type != port.type:
            raise DamagedError(f"its output {name:.40} is missing or of another type")
    for name, wanted in trial.outputs.items():
        if (values[name].type, values[name].shape) != (wanted.type, wanted.shape):
            raise DamagedError(f"its output {name} has another type or shape")


def _fits(given: Input, port: Port) -> bool:
    return (
        port.type == given.type
        and given.type in NAMES
        and len(port.shape) == len(given.shape)
        and all(n in (None, size) for n, size in zip(port.shape, given.shape, strict=True))
    )


__all__ = ["Format", "Input", "Trial", "checked", "computed", "opened", "reporting"]
