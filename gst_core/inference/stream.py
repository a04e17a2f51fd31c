"""A stream of proteins through a model: batched by length, several batches at once, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from gst_core.assignment import Assignment
from gst_core.inference.engine import Engine, Prediction
from gst_core.sequences import Protein
from gst_core.vocabulary import Symbol

#: Told of each protein and what it was named.
Observer = Callable[[Protein, Assignment], None]

#: Proteins looked at together to find neighbours in length. The first window is
#: small so that the first row is there at once; they grow to the last of these.
WINDOWS = (32, 128, 512, 1024)
#: Residues in a window, whatever their number of proteins: memory stays flat.
WINDOW_RESIDUES = 1_000_000
#: Cost (about residues) of one run of the model.
BATCH_COST = 16_384


def assign(
    engine: Engine,
    proteins: Iterable[Protein],
    *,
    clade: str | None = None,
    genus: str | None = None,
    top_k: int = 1,
    evidence: bool = False,
    workers: int = 1,
    observe: Observer | None = None,
) -> Iterator[Assignment]:
    """Name proteins in their order, in memory that does not grow with their number.

    Reading goes on while `workers` threads run the model (ONNX Runtime leaves
    Python's lock alone); at most two windows of proteins are held.

    Parameters
    ----------
    engine
        The model.
    proteins
        Consumed as needed.
    clade
        One of the model's clade categories, or ``None`` where unknown.
    genus
        Of the species, where known.
    top_k
        Candidates for each protein; fewer where the model has no more.
    evidence
        Say what speaks for the best.
    workers
        Batches that run at once.
    observe
        Called with each protein and its assignment, in their order.

    Yields
    ------
    assignment
        One for each protein. Without residues, or where nothing the model knows
        resembles it, there is no symbol and the probability is 0; models of the
        original name even those.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="gst")
    pending: deque[tuple[list[Protein], list[tuple[list[int], Future[Prediction]]]]] = deque()
    wait = True
    try:
        for window in _windows(proteins):
            runs = [
                (
                    rows,
                    pool.submit(
                        engine.predict,
                        [window[i].residues for i in rows],
                        *(clade, top_k, evidence, genus),
                    ),
                )
                for rows in _batches(window, engine)
            ]
            pending.append((window, runs))
            if len(pending) > 1:
                yield from _collect(engine, *pending.popleft(), observe)
        while pending:
            yield from _collect(engine, *pending.popleft(), observe)
    except BaseException as error:
        # A program that is told to end does not wait for what nobody will read.
        wait = isinstance(error, Exception | GeneratorExit)
        raise
    finally:
        pool.shutdown(wait=wait, cancel_futures=True)


def _windows(proteins: Iterable[Protein]) -> Iterator[list[Protein]]:
    """Cut the stream into windows of bounded size."""
    window: list[Protein] = []
    residues = number = 0
    for protein in proteins:
        window.append(protein)
        residues += len(protein.residues)
        if len(window) >= WINDOWS[number] or residues >= WINDOW_RESIDUES:
            yield window
            window, residues = [], 0
            number = min(number + 1, len(WINDOWS) - 1)
    if window:
        yield window


def _batches(window: Sequence[Protein], engine: Engine) -> Iterator[list[int]]:
    """Group a window's rows by length, within the bounds of one run; long ones first."""
    rows = [i for i, p in enumerate(window) if p.residues or engine.reads_as_original]
    rows.sort(key=lambda i: len(window[i].residues), reverse=True)
    batch: list[int] = []
    for row in rows:
        # All are padded to the first, which is the longest.
        cost = engine.cost(len(window[batch[0] if batch else row].residues))
        if batch and (len(batch) == engine.batch_size or cost * (len(batch) + 1) > BATCH_COST):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _collect(
    engine: Engine,
    window: Sequence[Protein],
    runs: Sequence[tuple[list[int], Future[Prediction]]],
    observe: Observer | None,
) -> Iterator[Assignment]:
    """Bring a window's results back into the order of its proteins."""
    vocabulary = engine.vocabulary
    found: dict[int, Assignment] = {}
    for rows, run in runs:
        probabilities, indices, evidence = run.result()
        shown = evidence or [None] * len(rows)
        for row, p, i, own in zip(
            rows, probabilities.tolist(), indices.tolist(), shown, strict=True
        ):
            candidates = [(vocabulary[c], value) for c, value in zip(i, p, strict=True) if c >= 0]
            protein = window[row]
            found[row] = Assignment(
                protein.stable_id,
                tuple(candidates) or _NOTHING,
                len(protein.residues),
                own,
                protein.gene,
            )
    for row, protein in enumerate(window):
        assignment = found.get(row) or Assignment(
            protein.stable_id, _NOTHING, len(protein.residues), gene=protein.gene
        )
        if observe is not None:
            observe(protein, assignment)
        yield assignment


_NOTHING = ((Symbol(""), 0.0),)
