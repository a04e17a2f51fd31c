"""The run behind ``gst_assign``: genome after genome, with what is said on the way."""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gst_core.assignment import Assignment
from gst_core.clades import DISTANT, VERTEBRATE_CLADES
from gst_core.cli._common import counted, sentence
from gst_core.cli._log import Log
from gst_core.errors import GstError, display
from gst_core.inference.jobs import Job
from gst_core.inference.namer import GeneNamer
from gst_core.results import Genome, ModelInfo, ResultWriter, open_results
from gst_core.results.completeness import Completeness
from gst_core.results.curation import CANDIDATES, Curation
from gst_core.results.outcomes import Outcome, write_outcomes
from gst_core.results.report import Report
from gst_core.sequences import ReadStatistics
from gst_core.styles import Style

if TYPE_CHECKING:
    from gst_core.annotation.naming import Duplicates
    from gst_core.cli._annotations import AnnotationRun

#: Seconds between two lines of progress where nobody looks at a terminal.
_INTERVAL = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``gst_assign`` that hold for every genome."""

    checkpoint: Path | None
    format: str
    top_k: int
    accession: bool
    evidence: bool
    one_to_one: bool
    gene_of: Mapping[str, str] | None
    symbol_style: Style
    threshold: float | None
    name_threshold: float | None
    duplicates: Duplicates
    overwrite: bool
    device: str
    threads: int | None
    strict: bool
    quiet: bool


def name_genomes(
    jobs: list[Job],
    options: Options,
    report_path: Path | None,
    outcomes_path: Path | None = None,
    *,
    allow_failures: bool = False,
) -> None:
    """Name genomes with one loaded model.

    A genome that fails does not stop the others; the exit status tells in the end.

    Parameters
    ----------
    jobs, options
        What to name, and how.
    report_path, outcomes_path
        HTML page and list of outcomes to write; both tell of genomes that failed too.
    allow_failures
        Raise nothing where genomes failed: the outcomes tell.

    Raises
    ------
    GstError
        If the only genome failed, or, after all were tried, some did. Before any is tried, if
        evidence is asked of a model without references.
    """
    namer = GeneNamer(options.checkpoint, device=cast(Any, options.device), threads=options.threads)
    if options.evidence:
        namer.require_evidence()
    engine = namer.engine
    model = ModelInfo(
        engine.name,
        engine.version,
        namer.fact("held_out_accuracy") or {},
        namer.fact("training_data") or "",
    )
    log = Log("gst_assign", options.quiet)
    where = "CUDA" if namer.provider == "cuda" else f"CPU, {namer.threads} threads"
    log.say(f"model {engine.name} {engine.version}, {len(engine.vocabulary)} symbols, on {where}")
    if engine.warning:
        log.warn(engine.warning)
    report = Report(model, threshold=options.threshold)
    if report_path is not None and len(jobs) == 1:
        report.curation = Curation()
        if core := namer.core_genes:
            report.completeness = Completeness(core, report.confident)
    run = _Run(namer, model, options, log, report)
    shared = len({job.output for job in jobs}) < len(jobs)
    # What the model holds stays until the end: to look through it for garbage again and again takes
    # a thirtieth of the time.
    gc.freeze()
    try:
        outcomes, error = run.together(jobs) if shared else run.apart(jobs)
    finally:
        gc.unfreeze()
    if outcomes_path is not None:
        write_outcomes(outcomes_path, outcomes)
    if report_path is not None and (error is None or not shared):
        from gst_core.results.html import write_html

        if report.curation is not None and report.genomes:
            _draw(report.curation, namer, jobs[0], report.confident)
        write_html(report, report_path)
    if error is not None and not allow_failures:
        raise error


def _draw(curation: Curation, namer: GeneNamer, job: Job, threshold: float) -> None:
    """Draw the alignments of close calls."""
    species = namer.species(job.scientific_name, job.taxon_id, job.clade)

    def draw(residues: bytes, symbol: str) -> str:
        return namer.engine.alignment_for(residues, species.clade, symbol, species.genus)

    curation.draw(threshold, draw)


def _open(job: Job, model: ModelInfo, options: Options) -> AbstractContextManager[ResultWriter]:
    return open_results(
        job.output,
        model,
        format=cast(Any, options.format),
        top_k=options.top_k,
        accession=options.accession,
        evidence=options.evidence,
        settled=options.one_to_one and options.evidence,
        threshold=options.threshold,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Genomes through one model: what came of each, and the error to end with, if any."""

    namer: GeneNamer
    model: ModelInfo
    options: Options
    log: Log
    report: Report

    def apart(self, jobs: Sequence[Job]) -> tuple[list[Outcome], Exception | None]:
        """Name genomes that have an output each: one that fails does not stop the others."""
        outcomes: list[Outcome] = []
        errors: list[GstError | OSError] = []
        for job in jobs:
            try:
                started = _start(self.namer, job, self.options, self.report, self.log)
                with _open(job, self.model, self.options) as writer:
                    outcome = _finish(started, job, writer, self.report, self.log, self.options)
            except BrokenPipeError:
                raise
            except (GstError, OSError) as error:
                outcome = Outcome(job.id, job.fasta, error=sentence(error))
                self.report.add_failure(job.id, job.scientific_name, "assign", sentence(error))
                errors.append(error)
                if len(jobs) > 1:
                    self.log.error(sentence(error), job.id)
            outcomes.append(outcome)
        if len(jobs) == 1 or not errors:
            return outcomes, next(iter(errors), None)
        failed = [outcome.id for outcome in outcomes if outcome.error]
        return outcomes, GstError(
            f"{len(failed)} of {len(jobs)} genomes failed: {', '.join(failed[:10])}",
            hint="the others are done; see the errors above",
        )

    def together(self, jobs: Sequence[Job]) -> tuple[list[Outcome], Exception | None]:
        """Name genomes that stand in one output, one after the other: all of them or none."""
        outcomes: list[Outcome] = []
        try:
            with ExitStack() as output:
                writer: ResultWriter | None = None
                for job in jobs:
                    started = _start(self.namer, job, self.options, self.report, self.log)
                    writer = writer or output.enter_context(_open(job, self.model, self.options))
                    outcomes.append(
                        _finish(started, job, writer, self.report, self.log, self.options)
                    )
        except BrokenPipeError:
            raise
        except (GstError, OSError) as error:
            bad = jobs[min(len(outcomes), len(jobs) - 1)]
            self.log.error("failed, so that the table of all is not written", bad.id)
            said = {bad.id: sentence(error)}
            other = f"not written, since {display(bad.id)} failed"
            return [Outcome(j.id, j.fasta, error=said.get(j.id, other)) for j in jobs], error
        return outcomes, None


@dataclass(frozen=True, slots=True)
class _Started:
    """A genome whose first protein is named."""

    genome: Genome
    statistics: ReadStatistics
    assignments: Iterator[Assignment]
    began: float
    annotation: AnnotationRun | None = None


def _start(namer: GeneNamer, job: Job, options: Options, report: Report, log: Log) -> _Started:
    """Begin with a genome: what is wrong with it at once leaves no output behind."""
    species = namer.species(job.scientific_name, job.taxon_id, job.clade, strict=options.strict)
    if species.warning:
        log.warn(species.warning, job.id)
    log.say(species.note, job.id)
    distant = species.clade or species.scientific_name
    if (
        options.checkpoint is None
        and distant
        and species.clade not in (*VERTEBRATE_CLADES, DISTANT)
    ):
        log.warn(
            "the embedded model has learnt from vertebrates alone; "
            f"do not trust its names for {distant}",
            job.id,
        )
    statistics = ReadStatistics()
    source: Any = sys.stdin.buffer if job.fasta == "-" else job.fasta
    annotation: AnnotationRun | None = None
    if job.annotated is not None:
        from gst_core.cli._annotations import AnnotationRun

        annotation = AnnotationRun(job, namer, species.clade)
        source = annotation.proteins()
    # a page and an annotation tell what speaks for a symbol
    shown = annotation is not None or report.curation is not None
    assignments = namer.assign(
        source,
        found=species,
        top_k=options.top_k if report.curation is None else max(options.top_k, CANDIDATES),
        evidence=options.evidence or (shown and namer.engine.gives_evidence),
        one_to_one=options.one_to_one,
        gene_of=options.gene_of,
        symbol_style=options.symbol_style,
        strict=options.strict,
        statistics=statistics,
        observe=report.curation.observe if report.curation else None,
    )
    genome = Genome(
        job.id, job.scientific_name or species.scientific_name, species.taxon_id, species.clade
    )
    began = time.perf_counter()
    first = list(itertools.islice(assignments, 1))
    assignments = itertools.chain(first, assignments)
    if report.curation is not None:
        assignments = report.curation.passing(assignments)
    if report.completeness is not None:
        assignments = report.completeness.passing(assignments)
    if annotation is not None:
        assignments = annotation.collected(assignments)
    return _Started(genome, statistics, assignments, began, annotation)


def _finish(
    started: _Started,
    job: Job,
    writer: ResultWriter,
    report: Report,
    log: Log,
    options: Options,
) -> Outcome:
    """Name the rest of a genome and add it to the report."""
    summary = writer.write(started.genome, _shown(job.id, started.assignments, log))
    seconds = time.perf_counter() - started.began
    warnings = started.statistics.warnings()
    to = "standard output" if job.output == "-" else job.output
    if started.annotation is not None:
        said = started.annotation.write(options)
        warnings += started.annotation.warnings()
        to = "standard output" if job.annotated == "-" else str(job.annotated)
    report.add(started.genome, summary, seconds=seconds, warnings=warnings)
    for warning in warnings:
        log.warn(warning, job.id)
    if started.annotation is not None:
        log.say(said, job.id)
    log.say(
        f"{counted(summary.sequences, 'protein')} in {seconds:.1f} s "
        f"({summary.sequences / max(seconds, 1e-9):,.0f}/s), "
        f"{summary.named_at(0.7):,} named at 0.7, {summary.named_at(0.9):,} at 0.9 -> {to}",
        job.id,
    )
    clade = started.genome.clade
    return Outcome(job.id, job.fasta, job.output, summary.sequences, clade)


def _shown(name: str, assignments: Iterable[Assignment], log: Log) -> Iterator[Assignment]:
    """Pass assignments on, saying how far they have come."""
    if log.quiet:
        return iter(assignments)
    return _bar(name, assignments) if log.terminal else _lines(name, assignments, log)


def _lines(name: str, assignments: Iterable[Assignment], log: Log) -> Iterator[Assignment]:
    began = last = time.monotonic()
    for number, assignment in enumerate(assignments, 1):
        yield assignment
        if number % 1000 == 0 and time.monotonic() - last >= _INTERVAL:
            last = time.monotonic()
            log.say(f"{number:,} proteins, {number / (last - began):,.0f}/s", name)


def _bar(name: str, assignments: Iterable[Assignment]) -> Iterator[Assignment]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.completed:,.0f} proteins"),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(display(name), total=None, speed="")
        began = time.monotonic()
        for number, assignment in enumerate(assignments, 1):
            yield assignment
            if number % 100 == 0:
                speed = f"{number / (time.monotonic() - began):,.0f}/s"
                progress.update(task, completed=number, speed=speed)
