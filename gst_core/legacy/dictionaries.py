"""Read pickled dictionaries of names and numbers without running anything that is in them.

The official dictionaries of Geneformer are pickles of plain dictionaries whose
values are text, Python numbers or numpy scalars. The same machine that reads
checkpoints reads them; of global names it knows only how numpy writes one
number, and what it makes of that is a Python number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from gst_core.errors import GstError
from gst_core.legacy.pickle_machine import PickleMachine, RefusedError

#: Largest pickle read; the largest official dictionary is 5 MB.
MAX_BYTES = 64 * 2**20

#: numpy's code of a number -> that of :mod:`struct`.
_NUMBERS = {
    "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "f2": "e", "f4": "f", "f8": "d",
}  # fmt: skip


@dataclass(slots=True)
class _Dtype:
    """In place of ``numpy.dtype``: the code of a number, and its byte order once it is known."""

    code: str
    order: str = "="


def _make_dtype(arguments: tuple[Any, ...]) -> _Dtype:
    match arguments:
        case (str(code), bool(), bool()) if code in _NUMBERS:
            return _Dtype(code)
    raise RefusedError("a numpy type that is no plain number")


def _make_scalar(arguments: tuple[Any, ...]) -> int | float:
    match arguments:
        case (_Dtype(code=code, order=order), bytes(value)):
            layout = order + _NUMBERS[code]
            if len(value) == struct.calcsize(layout):
                number: int | float = struct.unpack(layout, value)[0]
                return number
    raise RefusedError("a numpy scalar that is no plain number")


class DictionaryMachine(PickleMachine):
    """Interprets pickles of protocols 2 to 5 that hold containers, text and numbers alone."""

    _globals: ClassVar[Mapping[str, Callable[[tuple[Any, ...]], Any]]] = {
        "numpy dtype": _make_dtype,
        "numpy.core.multiarray scalar": _make_scalar,
        "numpy._core.multiarray scalar": _make_scalar,
    }

    def __init__(self) -> None:
        super().__init__({})

    def _step(self, opcode: str, argument: Any) -> None:
        match opcode:
            case "SHORT_BINUNICODE" | "SHORT_BINBYTES" | "BINBYTES":
                self._stack.append(argument)
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._stack[-1]
            case "STACK_GLOBAL":
                module, name = self._pop(2)
                self._stack.append(self._global(f"{module} {name}"))
            case "FRAME":
                pass
            case _:
                super()._step(opcode, argument)

    def _build(self, state: Any) -> None:
        match self._stack[-1], state:
            case _Dtype() as dtype, (3, "<" | ">" | "|" as order, None, None, None, -1, -1, 0):
                dtype.order = order.replace("|", "=")
            case _:
                super()._build(state)


def read_dictionary(path: Path) -> dict[str, Any]:
    """Read a pickled dictionary whose keys are text.

    Parameters
    ----------
    path
        The pickle.

    Returns
    -------
    dict
        Of text to whatever plain values there are: text, numbers, containers of them.

    Raises
    ------
    GstError
        If the file is too large, damaged, or holds anything else. Nothing in it was run.
    OSError
        If it cannot be read.
    """
    hint = "give the file as its authors published it"
    if path.stat().st_size > MAX_BYTES:
        raise GstError(f"a dictionary of more than {MAX_BYTES:,} bytes", where=str(path), hint=hint)
    try:
        content = DictionaryMachine().run(path.read_bytes())
    except RefusedError as error:
        what = f"the pickle holds {error}; nothing in it was run"
        raise GstError(what, where=str(path), hint=hint) from error
    except (EOFError, LookupError, OverflowError, TypeError, ValueError, struct.error) as error:
        what = f"is not a whole pickle ({str(error) or type(error).__name__})"
        hint = "it may be truncated: copy it again"
        raise GstError(what, where=str(path), hint=hint) from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise GstError("the pickle is no dictionary of names", where=str(path), hint=hint)
    return content
