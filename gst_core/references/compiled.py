"""Looking up references in C (``native/*.c``), where that was compiled on installation."""

from __future__ import annotations

import ctypes
import hashlib
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.references import alignment, lookup, postings
from gst_core.references.identical import IDENTICAL, Identical
from gst_core.references.lookup import Alignment, Hidden, LookedUp, Proteins
from gst_core.references.postings import Postings
from gst_core.references.store import References
from gst_core.references.substitutions import BLOSUM62, BLOSUM90
from gst_core.references.words import GROUPS, WORDS

SOURCES: Final = Path(__file__).with_name("native")
#: ``hatch_build.py`` puts it here.
BINARY: Final = Path(__file__).with_name("_native.so")

_POINTER: Final = ctypes.c_void_p
_LONG: Final = ctypes.c_int64
_INT: Final = ctypes.c_int32
_DOUBLE: Final = ctypes.c_double


class _Index(ctypes.Structure):
    """``Index`` of ``references.h``."""

    _fields_ = (
        ("size", _LONG),
        ("wide", _LONG),
        *(
            (name, _POINTER)
            for name in (
                *("codes", "starts", "classes", "letters", "word_starts", "postings"),
                *("weights", "inverse_root", "scores", "substitutions", "order"),
                *("keys", "by_key"),
            )
        ),
    )


def _fields(kind: Any, names: str) -> tuple[tuple[str, Any], ...]:
    return tuple((name, kind) for name in names.split())


class _Limits(ctypes.Structure):
    """``Limits`` of ``references.h``."""

    _fields_ = (
        *_fields(_INT, "common budget budget_per_word parts shortest"),
        *_fields(ctypes.c_float, "least"),
        *_fields(_INT, "found aligned tried searched rivals sure similar identical"),
        *_fields(_DOUBLE, "worth doubtful weak unexpected"),
        *_fields(_DOUBLE, "lambda_ kappa ungapped_lambda ungapped_kappa"),
        *_fields(_INT, "alike more_alike tallied block probed ranked places_of_word places_of_all"),
        *_fields(_INT, "judged gap_open gap_extend bin_bits few margin wide_margin word_worth"),
    )


def _limits(references: int) -> _Limits:
    budget, per_word = postings.budgets(references)
    return _Limits(
        common=postings.common(references),
        budget=budget,
        budget_per_word=per_word,
        parts=postings.PARTS,
        shortest=postings.SHORT,
        least=postings.LEAST,
        found=lookup.FOUND,
        aligned=lookup.ALIGNED,
        tried=lookup.TRIED,
        searched=lookup.SEARCHED,
        rivals=lookup.RIVALS,
        sure=lookup.SURE,
        similar=lookup.SIMILAR,
        identical=IDENTICAL,
        worth=lookup.WORTH_ALIGNING,
        doubtful=lookup.DOUBTFUL,
        weak=lookup.WEAK,
        unexpected=alignment.UNEXPECTED,
        lambda_=alignment.LAMBDA,
        kappa=alignment.KAPPA,
        ungapped_lambda=postings.UNGAPPED_LAMBDA,
        ungapped_kappa=postings.UNGAPPED_KAPPA,
        alike=postings.ALIKE,
        more_alike=postings.MORE_ALIKE,
        tallied=postings.TALLIED,
        block=postings.BLOCK,
        probed=postings.PROBED,
        ranked=postings.RANKED,
        places_of_word=postings.PLACES_OF_WORD,
        places_of_all=postings.PLACES_OF_ALL,
        judged=alignment.SHORTEST_JUDGED,
        gap_open=alignment.GAP_OPEN,
        gap_extend=alignment.GAP_EXTEND,
        bin_bits=alignment.BIN_BITS,
        few=alignment.FEW,
        margin=alignment.MARGIN,
        wide_margin=alignment.WIDE_MARGIN,
        word_worth=alignment.WORD_WORTH,
    )


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
        self.count_words: Any = library.count_words
        self.count_words.argtypes = [_POINTER] * 2 + [_LONG] * 2 + [_POINTER] * 4
        self.fill_postings: Any = library.fill_postings
        self.fill_postings.argtypes = (
            [_POINTER] * 2 + [_LONG] * 2 + [_POINTER] * 3 + [*(_LONG, _POINTER, _POINTER)]
        )
        self.space_new: Any = library.space_new
        self.space_new.restype = _POINTER
        self.space_new.argtypes = [_POINTER] * 2
        self.space_free: Any = library.space_free
        self.space_free.restype = None
        self.space_free.argtypes = [_POINTER]
        given = [_POINTER] * 3  # index, limits, space
        self.look_up_batch: Any = library.look_up_batch
        self.look_up_batch.restype = _LONG
        self.look_up_batch.argtypes = [*given, _LONG, *[_POINTER] * 8]
        self.count_matches: Any = library.count_matches
        self.count_matches.argtypes = [*given, *[_POINTER] * 2, _LONG, *[_POINTER] * 3]
        self.show: Any = library.show
        self.show.argtypes = [*given, _POINTER, _LONG, _LONG, _POINTER]


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


def build(library: Library, references: References, workers: int) -> Postings:
    """Index the words of references, with so many threads."""
    size = len(references)
    codes = np.ascontiguousarray(references.codes, dtype=np.uint8)
    begins = np.ascontiguousarray(references.starts, dtype=np.int64)
    # Every worker has as many residues.
    edges = np.searchsorted(begins, np.linspace(0, begins[-1], workers + 1))
    edges[0], edges[-1] = 0, size
    parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    of_part = np.empty((workers, WORDS), dtype=np.int32)
    own = np.empty(size, dtype=np.int64)
    with ThreadPoolExecutor(workers) as pool:

        def count(part: int) -> int:
            return int(
                library.count_words(
                    *(_at(codes), _at(begins), *parts[part], _at(GROUPS), _at(BLOSUM90)),
                    *(_at(of_part[part]), _at(own)),
                )
            )

        _require_memory(pool.map(count, range(workers)))
        counts = of_part.sum(0, dtype=np.int32)
        counts[counts > postings.common(size)] = 0
        starts, weights = postings.starts_and_weights(counts, size)
        following = starts[:-1] + np.cumsum(of_part, axis=0, dtype=np.int32) - of_part
        following[:, counts == 0] = -1
        owners = np.empty(int(starts[-1]), dtype=postings.number_type(size))
        wide = owners.itemsize > 2
        totals = np.zeros(size, dtype=np.int64)

        def fill(part: int) -> int:
            return int(
                library.fill_postings(
                    *(_at(codes), _at(begins), *parts[part], _at(GROUPS), _at(weights)),
                    *(_at(following[part]), wide, _at(owners), _at(totals)),
                )
            )

        _require_memory(pool.map(fill, range(workers)))
    return Postings(starts, owners, weights, totals, postings.inverse_root(references), own)


class CompiledLookUp:
    """A :class:`~gst_core.references.lookup.LookUp` in C.

    Parameters
    ----------
    references
        The references.
    workers
        Threads that build the index.
    library
        The compiled library.
    """

    def __init__(self, references: References, workers: int, library: Library) -> None:
        index = build(library, references, workers)
        self.totals = (index.totals / postings.PARTS).astype(np.float32)
        self.self_scores = index.self_scores
        self._library, self._references = library, references
        # What the addresses point to.
        identical = Identical(references.codes, references.starts)
        self._arrays: dict[str, NDArray[Any]] = {
            "codes": np.ascontiguousarray(references.codes, dtype=np.uint8),
            "starts": np.ascontiguousarray(references.starts, dtype=np.int64),
            "classes": np.ascontiguousarray(references.classes, dtype=np.int32),
            "letters": GROUPS,
            "word_starts": index.starts,
            "postings": index.references,
            "weights": index.weights,
            "inverse_root": index.inverse_root,
            "scores": BLOSUM90,
            "substitutions": BLOSUM62,
            "order": np.argsort(-BLOSUM62, axis=1, kind="stable").astype(np.int8),
            "keys": identical.keys,
            "by_key": identical.references,
        }
        addresses = {name: _at(array) for name, array in self._arrays.items()}
        wide = index.references.itemsize > 2
        self._index = _Index(size=len(references), wide=wide, **addresses)
        self._limits = _limits(len(references))
        self._given = ctypes.addressof(self._index), ctypes.addressof(self._limits)
        self._spaces = threading.local()

    @property
    def room(self) -> int:
        """References that are found for one protein at most."""
        limits = self._limits
        return int(limits.found + limits.similar + limits.identical)

    def layout(self) -> tuple[list[tuple[str, NDArray[Any] | None]], list[tuple[Any, Any]]]:
        """Give the fields of ``Index`` and of ``Limits``, in the order of ``references.h``.

        Returns
        -------
        index
            Name and array of each; ``None`` for what is none.
        limits
            Type and value of each.
        """
        return (
            [(name, self._arrays.get(name)) for name, *_ in _Index._fields_],
            [(kind, getattr(self._limits, name)) for name, kind, *_ in _Limits._fields_],
        )

    def look_up(self, proteins: Proteins, hidden: Hidden | None = None) -> LookedUp:
        """Find references; see :class:`~gst_core.references.lookup.LookUp`."""
        codes, starts = _laid_out(proteins)
        size = len(proteins)
        room = size * self.room
        found = LookedUp(
            np.empty(size, dtype=np.int64),
            np.empty(size, dtype=np.float64),
            np.empty(room, dtype=np.int32),
            np.empty(room, dtype=np.float64),
            np.empty(room, dtype=np.float64),
        )
        masks, table = [], None
        if hidden is not None:
            masks = [np.ascontiguousarray(mask, dtype=np.bool_) for mask in hidden]
            table = np.array([_at(mask) for mask in masks], dtype=np.uintp)
        total = self._library.look_up_batch(
            *(*self._given, self._space(), size, _at(codes), _at(starts)),
            *(None if table is None else _at(table), _at(found.numbers), _at(found.own)),
            *(_at(found.references), _at(found.shared), _at(found.scores)),
        )
        self._require(total >= 0)
        return LookedUp(
            found.numbers,
            found.own,
            found.references[:total],
            found.shared[:total],
            found.scores[:total],
        )

    def count_matches(
        self, proteins: Proteins, rows: NDArray[np.int64], references: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches; see :class:`~gst_core.references.lookup.LookUp`."""
        codes, starts = _laid_out(proteins)
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        references = np.ascontiguousarray(references, dtype=np.int32)
        counts = np.empty((len(rows), 2), dtype=np.int64)
        failed = self._library.count_matches(
            *(*self._given, self._space(), _at(codes), _at(starts), len(rows)),
            *(_at(rows), _at(references), _at(counts)),
        )
        self._require(not failed)
        return counts

    def show(self, protein: NDArray[np.uint8], reference: int) -> Alignment:
        """Show an alignment; see :class:`~gst_core.references.lookup.LookUp`."""
        protein = np.ascontiguousarray(protein, dtype=np.uint8)
        shown = np.empty(6, dtype=np.int64)
        failed = self._library.show(
            *(*self._given, self._space(), _at(protein), len(protein), reference, _at(shown))
        )
        self._require(not failed)
        matches, columns, first, last, start, end = shown.tolist()
        if not columns:
            return Alignment(0, 0, 0.0, 0.0)
        size = len(self._references[reference])
        return Alignment(
            matches, columns, (last - first + 1) / len(protein), (end - start + 1) / size
        )

    def _space(self) -> int:
        """Give what this thread works in."""
        spaces = self._spaces.__dict__
        if "space" not in spaces:
            address = self._library.space_new(*self._given)
            _require_memory([not address])
            owner = spaces["owner"] = _Owner()
            weakref.finalize(owner, self._library.space_free, address).atexit = False
            spaces["space"] = address
        space: int = spaces["space"]
        return space

    def _require(self, done: bool) -> None:
        if not done:
            # Work that was given up leaves its space as it was then.
            self._spaces.__dict__.clear()
        _require_memory([not done])


class _Owner:
    """Lives as long as the thread whose space it stands for."""


def _laid_out(proteins: Proteins) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lay proteins out one after the other, and say where each begins and the last ends."""
    starts = np.cumsum([0, *map(len, proteins)], dtype=np.int64)
    return np.concatenate([np.empty(0, dtype=np.uint8), *proteins]), starts


def _at(array: NDArray[Any]) -> int:
    """Address of an array's first element."""
    address: int = array.__array_interface__["data"][0]
    return address


def _require_memory(codes: Any) -> None:
    if any(codes):
        raise MemoryError("no memory to look up references")
