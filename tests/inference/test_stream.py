"""A stream through a model: order, completeness, bounds; with a model that needs no file."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.assignment import Evidence
from gst_core.inference import stream
from gst_core.inference.engine import Prediction
from gst_core.inference.stream import BATCH_COST, assign
from gst_core.sequences import Protein
from gst_core.vocabulary import Symbol, Vocabulary


class LengthEngine:
    """Names a protein by its length; notes what it was asked."""

    name, version, provider = "length", "1", "cpu"
    clades: Sequence[str] = ("aves",)
    batch_size = 32

    def __init__(self, *, reads_as_original: bool = False) -> None:
        self.reads_as_original = reads_as_original
        self.vocabulary = Vocabulary(Symbol(f"L{i}") for i in range(2000))
        self.batches: list[list[int]] = []
        self._lock = threading.Lock()

    def clade_of(self, taxon_id: int) -> str | None:
        return None

    def cost(self, length: int) -> int:
        return max(length, 64)

    def predict(self, sequences, clade, top_k, evidence=False, genus=None):
        lengths = [len(s) for s in sequences]
        with self._lock:
            self.batches.append(lengths)
        time.sleep(0.0001 * (lengths[0] % 7))  # batches do not end in the order they began
        indices = np.array([[(n + k) % 2000 for k in range(top_k)] for n in lengths])
        shown = [Evidence(f"R{n}", 1, 1, 1) if n % 3 else None for n in lengths]
        probabilities = np.full(indices.shape, 1 / top_k, dtype=np.float32)
        return Prediction(probabilities, indices, shown if evidence else None)


def proteins(lengths: Sequence[int]) -> list[Protein]:
    return [Protein(f"p{i}", b"M" * n, i + 1, 0) for i, n in enumerate(lengths)]


@given(st.lists(st.integers(0, 1500), max_size=300), st.integers(1, 3), st.integers(1, 3))
def test_every_protein_gets_its_own_name_in_order(lengths, workers, top_k):
    found = list(assign(LengthEngine(), proteins(lengths), top_k=top_k, workers=workers))
    assert [a.stable_id for a in found] == [f"p{i}" for i in range(len(lengths))]
    assert [a.length for a in found] == lengths
    for assignment, length in zip(found, lengths, strict=True):
        assert assignment.symbol == (f"L{length}" if length else "")
        assert len(assignment.candidates) == (top_k if length else 1)
        assert assignment.evidence is None


@given(st.lists(st.integers(0, 1500), max_size=100), st.integers(1, 3))
def test_every_protein_gets_its_own_evidence(lengths, workers):
    found = assign(LengthEngine(), proteins(lengths), evidence=True, workers=workers)
    shown = [a.evidence and a.evidence.reference for a in found]
    assert shown == [f"R{n}" if n % 3 else None for n in lengths]


def test_where_there_are_fewer_candidates_the_rest_is_left_out():
    engine = LengthEngine()
    none = np.full((1, 3), -1)
    engine.predict = lambda *_: Prediction(np.zeros((1, 3), np.float32), none)
    (found,) = assign(engine, proteins([9]), top_k=3)
    assert found.candidates == ((Symbol(""), 0.0),)
    some = np.array([[4, 2, -1]])
    engine.predict = lambda *_: Prediction(np.array([[0.5, 0.25, 0]], np.float32), some)
    (found,) = assign(engine, proteins([9]), top_k=3)
    assert [(s.symbol, p) for s, p in found.candidates] == [("L4", 0.5), ("L2", 0.25)]


@given(st.lists(st.integers(1, 40_000), max_size=200))
def test_batches_stay_within_their_bounds(lengths):
    engine = LengthEngine()
    list(assign(engine, proteins([min(n, 1999) if n < 30_000 else n for n in lengths])))
    for batch in engine.batches:
        assert len(batch) <= engine.batch_size
        assert len(batch) == 1 or max(map(engine.cost, batch)) * len(batch) <= BATCH_COST


def test_an_empty_sequence_is_named_by_models_of_the_original_alone():
    assert [a.symbol for a in assign(LengthEngine(), proteins([0]))] == [""]
    engine = LengthEngine(reads_as_original=True)
    assert [a.symbol for a in assign(engine, proteins([0]))] == ["L0"]


def test_the_first_row_does_not_wait_for_the_whole_input():
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield Protein(f"p{read}", b"MK" * 100, read, 0)

    assert next(assign(LengthEngine(), endless())).stable_id == "p1"
    assert read <= sum(stream.WINDOWS[:2])


def test_what_is_held_at_once_is_bounded():
    read = 0

    def counted():
        nonlocal read
        for number in range(20_000):
            read += 1
            yield Protein(f"p{number}", b"M" * 10, number + 1, 0)

    ahead = [read - done for done, _ in enumerate(assign(LengthEngine(), counted()), 1)]
    assert max(ahead) <= 2 * stream.WINDOWS[-1]


def test_an_error_of_the_reader_comes_through():
    def broken():
        yield Protein("p1", b"MKV", 1, 1)
        raise ValueError("torn file")

    with pytest.raises(ValueError, match="torn file"):
        list(assign(LengthEngine(), broken()))


def test_an_error_of_the_model_comes_through():
    engine = LengthEngine()
    engine.predict = lambda *_: (_ for _ in ()).throw(RuntimeError("out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        list(assign(engine, proteins([5])))
