"""The index of words in C (``words.c``), where it was compiled on installation."""

from __future__ import annotations

import ctypes
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references import postings
from gst_core.references.postings import Postings
from gst_core.references.store import References
from gst_core.references.substitutions import substitution_scores
from gst_core.references.words import GROUPS, WORDS

SOURCE: Final = Path(__file__).with_name("words.c")
#: ``hatch_build.py`` puts it here.
BINARY: Final = Path(__file__).with_name("_words.so")

_POINTER: Final = ctypes.c_void_p
_LONG: Final = ctypes.c_int64

#: Bytes of what ``words.c`` calls Word and Hit.
_WORD: Final = 12
_HIT: Final = 8


class Library:
    """The functions of ``words.c``; they leave Python's lock alone.

    Parameters
    ----------
    path
        The compiled library.

    Raises
    ------
    OSError
        If it cannot be loaded, or was made from another source.
    """

    def __init__(self, path: Path = BINARY) -> None:
        library = ctypes.CDLL(str(path))
        library.source_digest.restype = ctypes.c_char_p
        if library.source_digest().decode() != digest():
            raise OSError(f"{path} was compiled from another source")
        self.count_words: Any = library.count_words
        self.count_words.argtypes = [_POINTER] * 2 + [_LONG] * 2 + [_POINTER] * 2
        self.fill_postings: Any = library.fill_postings
        self.fill_postings.argtypes = [_POINTER] * 2 + [_LONG] * 2 + [_POINTER] * 5
        self.search: Any = library.search
        self.search.restype = _LONG
        self.search.argtypes = [
            *(_POINTER, _LONG),  # codes
            *[_POINTER] * 5,  # letters to inverse_root
            *(_LONG, ctypes.c_int32, _LONG, _LONG, ctypes.c_float),  # references to least
            *(_POINTER, _LONG),  # hidden, most
            *[_POINTER] * 8,  # seen to sums
        ]
        self.similar_words: Any = library.similar_words
        self.similar_words.restype = _LONG
        self.similar_words.argtypes = [
            *(_POINTER, _LONG),  # codes
            *[_POINTER] * 3,  # letters to order
            *(ctypes.c_int32, _POINTER),  # least, rows
        ]
        self.tally_similar: Any = library.tally_similar
        self.tally_similar.restype = None
        self.tally_similar.argtypes = [
            *(_POINTER, _LONG),  # rows
            *[_POINTER] * 3,  # starts to weights
            *(ctypes.c_int32, _POINTER),  # least, tally
        ]
        self.score_diagonals: Any = library.score_diagonals
        self.score_diagonals.argtypes = [
            *(_POINTER, _LONG, _LONG),  # rows, length
            *[_POINTER] * 3,  # codes to letters
            *(_POINTER, _LONG, _POINTER),  # wanted, scores
        ]


def digest(source: Path = SOURCE) -> str:
    """Fingerprint of the source, which the compiled library carries."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _load() -> Library | None:
    try:
        return Library()
    except OSError:  # not compiled, compiled from another version, or for another processor
        return None


#: The compiled library; ``None`` where there is none.
LIBRARY: Final = _load()


def build(library: Library, references: References, workers: int) -> Postings:
    """Index references; see :class:`~gst_core.references.index.WordIndex`."""
    size = len(references)
    codes = np.ascontiguousarray(references.codes, dtype=np.uint8)
    begins = np.ascontiguousarray(references.starts, dtype=np.int64)
    # Every worker has as many residues.
    edges = np.searchsorted(begins, np.linspace(0, begins[-1], workers + 1))
    edges[0], edges[-1] = 0, size
    parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    of_part = np.zeros((workers, WORDS), dtype=np.int32)
    with ThreadPoolExecutor(workers) as pool:

        def count(part: int) -> int:
            return int(
                library.count_words(
                    *(_at(codes), _at(begins), *parts[part], _at(GROUPS), _at(of_part[part]))
                )
            )

        _require_memory(pool.map(count, range(workers)))
        counts = of_part.sum(0, dtype=np.int32)
        counts[counts > postings.COMMON] = 0
        starts, weights = postings.starts_and_weights(counts, size)
        following = starts[:-1] + np.cumsum(of_part, axis=0, dtype=np.int32) - of_part
        following[:, counts == 0] = -1
        owners = np.empty(int(starts[-1]), dtype=np.uint16)
        totals = np.zeros(size, dtype=np.int64)

        def fill(part: int) -> int:
            return int(
                library.fill_postings(
                    *(_at(codes), _at(begins), *parts[part], _at(GROUPS), _at(weights)),
                    *(_at(following[part]), _at(owners), _at(totals)),
                )
            )

        _require_memory(pool.map(fill, range(workers)))
    return Postings(starts, owners, weights, totals, postings.inverse_root(references))


class CompiledSearch:
    """Looks up the words of proteins; does what :class:`PortableSearch` does.

    Parameters
    ----------
    library
        The compiled library.
    index
        What :func:`build` gave.
    references
        What it gave it for.
    """

    def __init__(self, library: Library, index: Postings, references: References) -> None:
        self._library = library
        self._codes = np.ascontiguousarray(references.codes, dtype=np.uint8)
        self._starts = np.ascontiguousarray(references.starts, dtype=np.int64)
        self._index = index  # holds what the addresses point to
        self._tables = (
            *(_at(GROUPS), _at(index.starts), _at(index.references), _at(index.weights)),
            *(_at(index.inverse_root), len(index.inverse_root)),
        )
        self._spaces = threading.local()

    def __call__(
        self, codes: NDArray[np.uint8], most: int, hidden: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], int, int]:
        """Find references; see :class:`~gst_core.references.portable.PortableSearch`."""
        codes = np.ascontiguousarray(codes, dtype=np.uint8)
        if hidden is not None:
            hidden = np.ascontiguousarray(hidden, dtype=np.bool_)
        result = np.empty((2, most), dtype=np.int32)
        result_at = _at(result)
        sums = np.empty(2, dtype=np.int64)
        number = self._library.search(
            *(_at(codes), len(codes), *self._tables),
            *(postings.COMMON, postings.BUDGET, postings.BUDGET_PER_WORD, postings.LEAST),
            *(None if hidden is None else _at(hidden), most, *self._space(len(codes))),
            *(result_at, result_at + result.strides[0], _at(sums)),
        )
        return result[0, :number], result[1, :number], int(sums[0]), int(sums[1])

    def similar_words(self, codes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """List words like a protein's; see :func:`~gst_core.references.portable.similar_words`."""
        codes = np.ascontiguousarray(codes, dtype=np.uint8)
        scores = substitution_scores()
        order = np.argsort(-scores, axis=1, kind="stable").astype(np.int8)
        given = (_at(codes), len(codes), _at(GROUPS), _at(scores), _at(order), postings.ALIKE)
        rows = np.empty((self._library.similar_words(*given, None), 3), dtype=np.int32)
        self._library.similar_words(*given, _at(rows))
        return rows

    def tally_similar(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Tally references; see :class:`~gst_core.references.portable.PortableSearch`."""
        tally = np.zeros(len(self._index.inverse_root), dtype=np.int32)
        tables = self._tables[1:4]
        self._library.tally_similar(_at(rows), len(rows), *tables, postings.MORE_ALIKE, _at(tally))
        return tally

    def score_diagonals(
        self, rows: NDArray[np.int32], length: int, wanted: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Score references; see :class:`~gst_core.references.portable.PortableSearch`."""
        scores = np.empty(len(wanted), dtype=np.int32)
        failed = self._library.score_diagonals(
            *(_at(rows), len(rows), length, _at(self._codes), _at(self._starts), _at(GROUPS)),
            *(_at(wanted), len(wanted), _at(scores)),
        )
        _require_memory([failed])
        return scores

    def _space(self, length: int) -> tuple[int, ...]:
        """Give addresses of space to work in, each thread its own."""
        space = self._spaces.__dict__
        if space.get("length", -1) < length:
            space["length"] = 2 * length
            references = len(self._index.inverse_root)
            space["arrays"] = arrays = [
                np.zeros(WORDS // 8, dtype=np.uint8),
                np.zeros(postings.COMMON + 1, dtype=np.int64),
                np.zeros(references, dtype=np.int32),
                np.empty(2 * length * _WORD, dtype=np.uint8),
                np.empty((references + 1) * _HIT, dtype=np.uint8),
            ]
            space["addresses"] = tuple(_at(array) for array in arrays)
        addresses: tuple[int, ...] = space["addresses"]
        return addresses


def _at(array: NDArray[Any]) -> int:
    """Address of an array's first element."""
    address: int = array.__array_interface__["data"][0]
    return address


def _require_memory(codes: Any) -> None:
    if any(codes):
        raise MemoryError("no memory for the index of words")
