"""Interpret the pickle of a checkpoint without running it.

A pickle is a program. This one is decoded by :mod:`pickletools`, which runs
nothing, and interpreted by a machine that knows only the instructions that plain
containers, tensors and the original's few classes need; only the six globals that
the original's checkpoints name, each standing for something inert; and tensors
that stay descriptions of what is in the archive. Anything else is refused by name.
"""

from __future__ import annotations

import math
import pickletools
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

#: Dimensions of a tensor; the original's have three at most.
_MAX_RANK = 8

#: A shape or stride is less than this: four bytes times it is still an address.
_MAX_STEP = 2**48

#: An integer key is less than this. Python hashes integers modulo 2**61 - 1, so of
#: larger ones any number can be made to collide.
_MAX_KEY = 2**60

#: Instructions of one pickle. With 30,688 symbols and their descriptions it has some 600,000.
_MAX_STEPS = 4_000_000

#: Containers that one pickle makes: an empty one takes a byte of the file and 64 of memory, one
#: that holds something up to four bytes and 232.
_MAX_CONTAINERS = 1_000_000

#: Collections that are begun and not ended; the original's nest four deep.
_MAX_MARKS = 1000

#: Bytes of a value.
_ITEM = {"float32": 4, "float16": 2, "bfloat16": 2, "int64": 8}


class RefusedError(Exception):
    """The checkpoint holds something it has no business with."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of values in the archive: its key, their number and the name of their type."""

    key: str
    numel: int
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as the pickle describes it; its values are still in the archive."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def exceed_storages(tensors: Iterable[Tensor]) -> bool:
    """Tell whether tensors have more values together than the storages that they name.

    Storages that are shared are counted once: a file cannot describe more than it holds.
    """
    values: Counter[Storage] = Counter()
    for tensor in tensors:
        values[tensor.storage] += math.prod(tensor.shape)
    return any(count > storage.numel for storage, count in values.items())


class StandIn:
    """In place of an object of the original's classes: its state, no behaviour."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _Global:
    """What a global name of the pickle stands for: how to make one without a class."""

    name: str
    make: Callable[[tuple[Any, ...]], Any]


def _make_ordered_dict(arguments: tuple[Any, ...]) -> OrderedDict[Any, Any]:
    if arguments != ():
        raise RefusedError("an OrderedDict built from arguments")
    return OrderedDict()


def _make_mapping(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments != ():
        raise RefusedError("a dictionary built from arguments")
    return {}


def _make_stand_in(name: str) -> Callable[[tuple[Any, ...]], StandIn]:
    def make(arguments: tuple[Any, ...]) -> StandIn:
        if arguments != ():
            raise RefusedError(f"a {name} built from arguments")
        return StandIn()

    return make


def _naturals(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(type(v) is int and v >= 0 for v in values):
        raise RefusedError("a tensor whose shape or stride is not a tuple of natural numbers")
    # What numpy could not address: its own errors would be less clear, and the
    # stride of a dimension of 1 is not limited by the size of the storage.
    if len(values) > _MAX_RANK or any(v >= _MAX_STEP for v in values):
        raise RefusedError("a tensor of too many or too large dimensions")
    return values


def _make_tensor(arguments: tuple[Any, ...]) -> Tensor:
    """Stand for ``torch._utils._rebuild_tensor_v2``, believing none of its arguments."""
    if not 4 <= len(arguments) <= 7:
        raise RefusedError("a tensor with a wrong number of arguments")
    storage, offset, shape, stride = arguments[:4]
    shape, stride = _naturals(shape), _naturals(stride)
    if not isinstance(storage, Storage) or type(offset) is not int or offset < 0:
        raise RefusedError("a tensor without a storage or an offset")
    if len(shape) != len(stride):
        raise RefusedError("a tensor whose shape and stride differ in length")
    count = math.prod(shape)
    last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
    # The count is limited too: strides of zero would let a small storage
    # describe an array larger than any memory.
    if count and (last >= storage.numel or count > storage.numel):
        raise RefusedError("a tensor that reaches beyond its storage")
    return Tensor(storage, offset, shape, stride)


def _not_callable(arguments: tuple[Any, ...]) -> Any:
    raise RefusedError("a call of a storage type")


#: Storage types and the names of theirs: all that weights are saved in.
_STORAGES = {
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch LongStorage": "int64",
}
_GLOBALS = {
    "collections OrderedDict": _make_ordered_dict,
    "torch._utils _rebuild_tensor_v2": _make_tensor,
    **dict.fromkeys(_STORAGES, _not_callable),
    "utils CategoryMapper": _make_stand_in("CategoryMapper"),
    "utils ProteinSequenceMapper": _make_stand_in("ProteinSequenceMapper"),
    "utils ConciseReprDict": _make_mapping,
}


class PickleMachine:
    """Interprets a pickle of protocol 2 as ``torch.save`` writes it; :meth:`run` is the way in.

    The standard unpickler with a restricted ``find_class`` would still call what it
    finds with any arguments, set attributes of what it made, hash what it is given,
    and allocate by numbers it reads.

    Parameters
    ----------
    storages
        Bytes of each tensor storage in the archive, by its key.
    dtypes
        What the values of tensors may be: of float32, float16, bfloat16 and int64.
    """

    _globals: ClassVar[Mapping[str, Callable[[tuple[Any, ...]], Any]]] = _GLOBALS

    def __init__(self, storages: Mapping[str, int], dtypes: Collection[str] = ("float32",)) -> None:
        self._storages = storages
        self._dtypes = dtypes
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._containers = 0

    def run(self, program: bytes) -> Any:
        """Build what the pickle describes.

        Raises
        ------
        RefusedError
            If it does what no checkpoint does, or more of it.
        """
        for step, (opcode, argument, _) in enumerate(pickletools.genops(program)):
            if opcode.name == "STOP":
                return self._stack.pop()
            if step == _MAX_STEPS:
                raise RefusedError(f"a pickle of more than {_MAX_STEPS:,} instructions")
            self._step(opcode.name, argument)
        raise EOFError

    def _step(self, opcode: str, argument: Any) -> None:
        stack = self._stack
        match opcode:
            case "BINUNICODE" | "BININT1" | "BININT2" | "BININT" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "EMPTY_DICT":
                self._put_container({})
            case "EMPTY_LIST":
                self._put_container([])
            case "MARK":
                if len(self._marks) == _MAX_MARKS:
                    raise RefusedError(f"collections in each other, more than {_MAX_MARKS:,} deep")
                self._marks.append(len(stack))
            case "SETITEM":
                self._set_items(self._pop(2))
            case "SETITEMS":
                self._set_items(self._pop_to_mark())
            case "APPEND":
                self._extend(self._pop(1))
            case "APPENDS":
                self._extend(self._pop_to_mark())
            case "EMPTY_TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = ("EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3").index(opcode)
                self._put_container(tuple(self._pop(count)))
            case "TUPLE":
                self._put_container(tuple(self._pop_to_mark()))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[opcode])
            case "GLOBAL":
                stack.append(self._global(argument))
            case "BINPERSID":
                self._put_container(self._storage(stack.pop()))
            case "REDUCE" | "NEWOBJ":
                self._call(*self._pop(2))
            case "BUILD":
                self._build(*self._pop(1))
            case "PROTO":
                pass
            case _:
                raise RefusedError(f"the pickle instruction {opcode}")

    def _put_container(self, value: Any) -> None:
        self._containers += 1
        if self._containers > _MAX_CONTAINERS:
            raise RefusedError(f"more than {_MAX_CONTAINERS:,} objects")
        self._stack.append(value)

    def _pop(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError("the stack is empty")
        start = len(self._stack) - count
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _pop_to_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _global(self, name: str) -> _Global:
        # pickletools joins module and name by a space, which neither can hold.
        make = self._globals.get(name)
        if make is None:
            raise RefusedError(f"the global name {'.'.join(name.split(' ')):.200}")
        return _Global(name, make)

    def _storage(self, reference: Any) -> Storage:
        match reference:
            case ("storage", _Global(name=kind), str(key), str(), int(numel)):
                # The fourth is where the tensor lived ("cpu", "cuda:0"): of no concern here.
                dtype = _STORAGES.get(kind, kind)
                if dtype in self._dtypes and key.isascii() and key.isdigit() and numel >= 0:
                    if self._storages.get(key) != _ITEM[dtype] * numel:
                        raise ValueError(f"tensor storage {key} is missing or has a wrong size")
                    return Storage(key, numel, dtype)
        expected = " or ".join(self._dtypes)
        raise RefusedError(f"a reference to something that is not a {expected} storage")

    def _call(self, target: Any, arguments: Any) -> None:
        if not isinstance(target, _Global) or not isinstance(arguments, tuple):
            raise RefusedError("a call of something that cannot be called")
        self._put_container(target.make(arguments))

    def _build(self, state: Any) -> None:
        target = self._stack[-1]
        if isinstance(target, StandIn) and isinstance(state, dict):
            target.state = state
        elif not isinstance(target, dict):
            # The attributes of a dictionary (a state_dict's ``_metadata``) are of no use.
            raise RefusedError("a state for something that has none")

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise RefusedError("an item for something that is not a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Nested tuples can be made to take for ever to hash.
            if not isinstance(key, str | int | float | None):
                raise RefusedError("a dictionary key that is neither text nor a number")
            if isinstance(key, int) and abs(key) >= _MAX_KEY:
                raise RefusedError("a dictionary key that is too large a number")
            target[key] = value

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise RefusedError("an element for something that is not a list")
        target.extend(items)
