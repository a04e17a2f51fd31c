"""The library of ``native/*.c``, where there was a compiler on installation."""

from __future__ import annotations

import ctypes
import hashlib
from pathlib import Path
from typing import Any, Final

from gst_core.references.structures import LONG, POINTER

SOURCES: Final = Path(__file__).with_name("native")
#: ``hatch_build.py`` puts it here.
BINARY: Final = Path(__file__).with_name("_native.so")


class Library:
    """The functions of ``native/*.c``; they leave Python's lock alone.

    Parameters
    ----------
    path
        The compiled library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was made from other sources.
    """

    def __init__(self, path: Path = BINARY) -> None:
        library = ctypes.CDLL(str(path))
        library.source_digest.restype = ctypes.c_char_p
        if library.source_digest().decode() != digest():
            raise OSError(f"{path} was compiled from other sources")
        self.count_seeds: Any = library.count_seeds
        self.count_seeds.argtypes = [POINTER] * 2 + [LONG] * 2 + [POINTER] * 4
        self.fill_postings: Any = library.fill_postings
        self.fill_postings.argtypes = (
            [POINTER] * 2 + [LONG] * 2 + [POINTER] * 3 + [*(LONG, POINTER, POINTER)]
        )
        self.space_new: Any = library.space_new
        self.space_new.restype = POINTER
        self.space_new.argtypes = [POINTER] * 2
        self.space_free: Any = library.space_free
        self.space_free.restype = None
        self.space_free.argtypes = [POINTER]
        given = [POINTER] * 3  # index, limits, space
        self.look_up_batch: Any = library.look_up_batch
        self.look_up_batch.restype = LONG
        self.look_up_batch.argtypes = [*given, LONG, *[POINTER] * 8]
        self.count_matches: Any = library.count_matches
        self.count_matches.argtypes = [*given, *[POINTER] * 2, LONG, *[POINTER] * 3]
        self.show: Any = library.show
        self.show.argtypes = [*given, POINTER, LONG, LONG, POINTER]


def digest(sources: Path = SOURCES) -> str:
    """Fingerprint of the sources, which the compiled library carries."""
    # As hatch_build.py does it, which cannot import this.
    content = b"".join(path.read_bytes() for path in sorted(sources.glob("*.[ch]")))
    return hashlib.sha256(content).hexdigest()


def _load() -> Library | None:
    try:
        return Library()
    except OSError:  # not compiled, compiled from another version, or for another processor
        return None


#: The compiled library; ``None`` where there is none.
LIBRARY: Final = _load()

#: What those should know who are about to do without it.
SLOW: Final = (
    "this installation has no compiled look-up and takes ten times as long or more; install GST "
    "again where there is a C compiler, a clone also when its sources have changed"
)
