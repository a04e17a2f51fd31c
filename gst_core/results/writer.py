"""One way to write results, whatever the format and the target."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO, cast

from gst_core.assignment import Assignment
from gst_core.errors import GstError
from gst_core.files import atomic_write, named_when_full
from gst_core.results.document import DocumentWriter
from gst_core.results.provenance import Genome, ModelInfo
from gst_core.results.summary import CONFIDENT, Summary
from gst_core.results.table import TableWriter, format_probability

Format = Literal["tsv", "json"]


class ResultWriter:
    """Stream genomes to one output; made by :func:`open_results`."""

    def __init__(
        self, writer: TableWriter | DocumentWriter, *, threshold: float | None = None
    ) -> None:
        self._writer = writer
        self._threshold = threshold

    def write(self, genome: Genome, assignments: Iterable[Assignment]) -> Summary:
        """Write one genome's assignments as they come, in their order.

        Parameters
        ----------
        genome
            Whose proteins they are.
        assignments
            Consumed one at a time; none is kept.

        Returns
        -------
        summary
            Of all the assignments, those below the threshold included.
        """
        summary = Summary(confident=CONFIDENT if self._threshold is None else self._threshold)
        if isinstance(self._writer, DocumentWriter):
            self._writer.begin(genome)
        for assignment in assignments:
            summary.add(
                assignment.stable_id,
                assignment.symbol,
                assignment.probability,
                description=assignment.best.description,
                length=assignment.length,
            )
            if self._passes(assignment.probability):
                self._writer.write(assignment)
        if isinstance(self._writer, DocumentWriter):
            self._writer.end()
        return summary

    def _passes(self, probability: float) -> bool:
        # The number as it is written decides, so that --threshold and a filter
        # of the finished table keep the same rows.
        return self._threshold is None or float(format_probability(probability)) >= self._threshold


@contextlib.contextmanager
def open_results(
    target: str | Path | TextIO,
    model: ModelInfo,
    *,
    format: Format = "tsv",
    top_k: int = 1,
    accession: bool = False,
    evidence: bool = False,
    settled: bool = False,
    threshold: float | None = None,
) -> Iterator[ResultWriter]:
    """Open an output for the assignments of one or more genomes.

    Parameters
    ----------
    target
        A path, whose file appears when the block ends without an error; ``-``
        for standard output; or a text stream, which stays open.
    model
        What the results are made with.
    format
        ``tsv``: the table, one header whatever the number of genomes.
        ``json``: one document.
    top_k
        Candidates to write for each protein.
    accession
        Add the column ``accession`` to the table; JSON always has it.
    evidence
        Add what speaks for each protein's best symbol: four columns of the table, an
        object in JSON.
    settled
        Add what became of symbols that several genes of a genome claim.
    threshold
        Leave out proteins whose best probability, as written with four
        decimals, is lower; ``None`` keeps one row a sequence.

    Yields
    ------
    results
        Write the genomes to it one after the other.

    Raises
    ------
    GstError
        If the file cannot be written.
    """
    with _open_target(target) as stream:
        if format == "json":
            document = DocumentWriter(
                stream, model, top_k=top_k, evidence=evidence, settled=settled
            )
            yield ResultWriter(document, threshold=threshold)
            document.close()
        else:
            table = TableWriter(
                stream, top_k=top_k, accession=accession, evidence=evidence, settled=settled
            )
            yield ResultWriter(table, threshold=threshold)


@contextlib.contextmanager
def _open_target(target: str | Path | TextIO) -> Iterator[TextIO]:
    if isinstance(target, (str, Path)) and str(target) != "-":
        with atomic_write(target) as file:
            yield cast(TextIO, file)
        return
    stream = sys.stdout if isinstance(target, (str, Path)) else target
    if stream is None:
        raise GstError("is closed", where="standard output", hint="name a file as output")
    if stream is sys.stdout and isinstance(stream, io.TextIOWrapper):
        # The locale must not decide how results are spelled.
        stream.reconfigure(encoding="utf-8", newline="\n")
    with named_when_full("standard output" if stream is sys.stdout else "output"):
        yield stream
        stream.flush()
