"""Looking up targets by the compiled library (``native/lookup.c``)."""

from __future__ import annotations

import ctypes
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gst_core.references import index as inverted
from gst_core.references.compiled import Library
from gst_core.references.identical import Identical
from gst_core.references.lookup import Alignment, Hidden, LookedUp, Queries
from gst_core.references.seeds import GROUPS, SEEDS
from gst_core.references.store import References
from gst_core.references.structures import NativeIndex, NativeLimits, limits_of
from gst_core.references.substitutions import BLOSUM62, BLOSUM90


def build_index(library: Library, references: References, workers: int) -> inverted.Index:
    """Index the seeds of the targets, with so many threads."""
    size = len(references)
    codes = np.ascontiguousarray(references.codes, dtype=np.uint8)
    begins = np.ascontiguousarray(references.starts, dtype=np.int64)
    # Every worker has as many residues.
    edges = np.searchsorted(begins, np.linspace(0, begins[-1], workers + 1))
    edges[0], edges[-1] = 0, size
    parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    of_part = np.empty((workers, SEEDS), dtype=np.int32)
    own = np.empty(size, dtype=np.int64)
    with ThreadPoolExecutor(workers) as pool:

        def count(part: int) -> int:
            return int(
                library.count_seeds(
                    *(_at(codes), _at(begins), *parts[part], _at(GROUPS), _at(BLOSUM90)),
                    *(_at(of_part[part]), _at(own)),
                )
            )

        _require_memory(pool.map(count, range(workers)))
        counts = of_part.sum(0, dtype=np.int32)
        counts[counts > inverted.common(size)] = 0
        starts, weights = inverted.starts_and_weights(counts, size)
        following = starts[:-1] + np.cumsum(of_part, axis=0, dtype=np.int32) - of_part
        following[:, counts == 0] = -1
        owners = np.empty(int(starts[-1]), dtype=inverted.number_type(size))
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
    return inverted.Index(starts, owners, weights, totals, inverted.inverse_root(references), own)


class CompiledLookUp:
    """A :class:`~gst_core.references.lookup.LookUp` in C.

    Parameters
    ----------
    references
        The targets.
    workers
        Threads that build the index.
    library
        The compiled library.
    """

    def __init__(self, references: References, workers: int, library: Library) -> None:
        index = build_index(library, references, workers)
        self.totals = (index.totals / inverted.PARTS).astype(np.float32)
        self.self_scores = index.self_scores
        self._library, self._references = library, references
        # What the addresses point to.
        identical = Identical(references.codes, references.starts)
        self._arrays: dict[str, NDArray[Any]] = {
            "codes": np.ascontiguousarray(references.codes, dtype=np.uint8),
            "starts": np.ascontiguousarray(references.starts, dtype=np.int64),
            "classes": np.ascontiguousarray(references.classes, dtype=np.int32),
            "letters": GROUPS,
            "seed_starts": index.starts,
            "postings": index.postings,
            "weights": index.weights,
            "inverse_root": index.inverse_root,
            "scores": BLOSUM90,
            "substitutions": BLOSUM62,
            "order": np.argsort(-BLOSUM62, axis=1, kind="stable").astype(np.int8),
            "keys": identical.keys,
            "by_key": identical.targets,
        }
        addresses = {name: _at(array) for name, array in self._arrays.items()}
        wide = index.postings.itemsize > 2
        self._index = NativeIndex(size=len(references), wide=wide, **addresses)
        self._limits = limits_of(len(references))
        self._given = ctypes.addressof(self._index), ctypes.addressof(self._limits)
        self._spaces = threading.local()

    @property
    def room(self) -> int:
        """Targets that are found for one query at most."""
        limits = self._limits
        return int(limits.found + limits.sensitive + limits.identical)

    def layout(self) -> tuple[list[tuple[str, NDArray[Any] | None]], list[tuple[Any, Any]]]:
        """Give the fields of ``Index`` and of ``Limits``, in the order of ``native/lookup.h``.

        Returns
        -------
        index
            Name and array of each; ``None`` for what is none.
        limits
            Type and value of each.
        """
        return (
            [(name, self._arrays.get(name)) for name, *_ in NativeIndex._fields_],
            [(kind, getattr(self._limits, name)) for name, kind, *_ in NativeLimits._fields_],
        )

    def look_up(self, queries: Queries, hidden: Hidden | None = None) -> LookedUp:
        """Find targets; see :class:`~gst_core.references.lookup.LookUp`."""
        codes, starts = _laid_out(queries)
        size = len(queries)
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
            *(_at(found.targets), _at(found.shared), _at(found.scores)),
        )
        self._require(total >= 0)
        return LookedUp(
            found.numbers,
            found.own,
            found.targets[:total],
            found.shared[:total],
            found.scores[:total],
        )

    def count_matches(
        self, queries: Queries, rows: NDArray[np.int64], targets: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Count matches; see :class:`~gst_core.references.lookup.LookUp`."""
        codes, starts = _laid_out(queries)
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        targets = np.ascontiguousarray(targets, dtype=np.int32)
        counts = np.empty((len(rows), 2), dtype=np.int64)
        failed = self._library.count_matches(
            *(*self._given, self._space(), _at(codes), _at(starts), len(rows)),
            *(_at(rows), _at(targets), _at(counts)),
        )
        self._require(not failed)
        return counts

    def show(self, query: NDArray[np.uint8], target: int) -> Alignment:
        """Show an alignment; see :class:`~gst_core.references.lookup.LookUp`."""
        query = np.ascontiguousarray(query, dtype=np.uint8)
        shown = np.empty(6, dtype=np.int64)
        failed = self._library.show(
            *(*self._given, self._space(), _at(query), len(query), target, _at(shown))
        )
        self._require(not failed)
        matches, columns, first, last, start, end = shown.tolist()
        if not columns:
            return Alignment(0, 0, 0.0, 0.0)
        size = len(self._references[target])
        return Alignment(
            matches, columns, (last - first + 1) / len(query), (end - start + 1) / size
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


def _laid_out(queries: Queries) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lay queries out one after the other, and say where each begins and the last ends."""
    starts = np.cumsum([0, *map(len, queries)], dtype=np.int64)
    return np.concatenate([np.empty(0, dtype=np.uint8), *queries]), starts


def _at(array: NDArray[Any]) -> int:
    """Address of an array's first element."""
    address: int = array.__array_interface__["data"][0]
    return address


def _require_memory(codes: Any) -> None:
    if any(codes):
        raise MemoryError("no memory to look up references")
