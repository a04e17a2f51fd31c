"""What a report tells of one genome or of thousands, gathered as they are done."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gst_core.files import atomic_write
from gst_core.results.completeness import Completeness
from gst_core.results.curation import Curation
from gst_core.results.provenance import Genome, ModelInfo
from gst_core.results.summary import CONFIDENT, THRESHOLDS, Summary
from gst_core.results.table import format_line

#: Warnings a report keeps in words; beyond, it counts them.
MAX_WARNINGS: Final = 100


@dataclass(frozen=True, slots=True)
class GenomeLine:
    """One genome's line in a report: a kilobyte, whatever the genome's size.

    Attributes
    ----------
    genome
        Whose proteins they are.
    sequences, unnamed
        Proteins read; of these, without residues.
    shares
        Share of the proteins named at or above 0.00, 0.01, ... 1.00.
    symbols
        Distinct confident symbols.
    confident_named, confident_correct
        Proteins named at the report's own threshold, and those of them named right.
    known, correct
        Proteins at or above each of `THRESHOLDS` whose true symbol is known,
        and those of them named right.
    known_total
        Proteins whose true symbol is known.
    seconds
        Time taken, ``None`` where not measured.
    """

    genome: Genome
    sequences: int
    unnamed: int
    shares: array[float]
    symbols: int
    confident_named: int
    confident_correct: int
    known: tuple[int, ...]
    correct: tuple[int, ...]
    known_total: int
    seconds: float | None

    def share_at(self, threshold: float) -> float:
        """Share of the proteins named at or above a whole number of hundredths."""
        return self.shares[round(threshold * 100)]

    def correct_at(self, threshold: float) -> int:
        """Count the proteins named right at or above one of `THRESHOLDS`."""
        return self.correct[THRESHOLDS.index(threshold)]


@dataclass(frozen=True, slots=True)
class Failure:
    """A genome without results.

    Attributes
    ----------
    id, scientific_name
        The genome, as far as known.
    step
        What failed, as ``assign``.
    error
        Why, in one sentence.
    """

    id: str
    scientific_name: str
    step: str
    error: str


class Report:
    """Gather genomes for the writers of :mod:`.html` and :mod:`.multiqc`.

    Parameters
    ----------
    model
        What the results were made with; ``None`` where the tables do not tell.
    title
        Heading of the page.
    threshold
        Probability from which a symbol counts as confident in the page's figures: that of
        the run; :data:`CONFIDENT` without it. Summaries are to be made with the same.
    """

    def __init__(
        self,
        model: ModelInfo | None = None,
        *,
        title: str = "Gene symbols",
        threshold: float | None = None,
    ) -> None:
        self.model = model
        self.title = title
        self.confident = CONFIDENT if threshold is None else threshold
        self.genomes: list[GenomeLine] = []
        self.failures: list[Failure] = []
        self.total = Summary(confident=self.confident)
        #: The proteins and the core genes of the only genome, where they are to be shown.
        self.curation: Curation | None = None
        self.completeness: Completeness | None = None
        self.seconds = 0.0
        self.timed_sequences = 0
        self.warnings: list[tuple[str, str]] = []
        self.warnings_left_out = 0

    def add(
        self,
        genome: Genome,
        summary: Summary,
        *,
        seconds: float | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        """Add one genome; its summary is merged into the total and not kept.

        Parameters
        ----------
        genome, summary
            As :meth:`gst_core.results.ResultWriter.write` took and returned them.
        seconds
            Wall time from the first protein read to the last one written.
        warnings
            What was odd about the input, one sentence each.
        """
        self.genomes.append(
            GenomeLine(
                genome=genome,
                sequences=summary.sequences,
                unnamed=summary.unnamed,
                shares=array("f", summary.shares()),
                symbols=len(summary.symbols),
                confident_named=summary.confident_named,
                confident_correct=summary.confident_correct,
                known=tuple(summary.known_at(t) for t in THRESHOLDS),
                correct=tuple(summary.correct_at(t) for t in THRESHOLDS),
                known_total=summary.known_at(0),
                seconds=seconds,
            )
        )
        self.total.merge(summary)
        if seconds is not None:
            self.seconds += seconds
            self.timed_sequences += summary.sequences
        room = MAX_WARNINGS - len(self.warnings)
        self.warnings += [(genome.id, warning) for warning in warnings[:room]]
        self.warnings_left_out += max(0, len(warnings) - room)

    def add_failure(
        self, id: str, scientific_name: str | None = None, step: str = "", error: str = ""
    ) -> None:
        """Add a genome that has no results: the parts of a :class:`Failure`."""
        self.failures.append(Failure(id, scientific_name or "", step, error))

    def quantiles(self, *ranks: float) -> list[list[float]]:
        """Return, for each rank from 0 to 1, the curve that lies above that part of the genomes.

        By the nearest rank; 0 is the lowest share at each threshold, 1 the highest.
        """
        columns = [sorted(column) for column in zip(*(g.shares for g in self.genomes), strict=True)]
        last = len(self.genomes) - 1
        return [[column[round(rank * last)] for column in columns] for rank in ranks]


def write_genome_table(report: Report, path: str | Path) -> None:
    """Write one tab-separated line a genome: all of them, for other programs.

    Columns: ``id``, ``scientific_name``, ``clade``, ``proteins``, ``symbols``
    (distinct confident ones), ``named_0.5`` to ``named_0.99`` (shares), and
    where true symbols are known ``known`` and ``right_0.5`` to ``right_0.99`` (counts).

    Raises
    ------
    GstError
        If the file cannot be written.
    """
    with_known = report.total.known_at(0) > 0
    header = ["id", "scientific_name", "clade", "proteins", "symbols"]
    header += [f"named_{t:g}" for t in THRESHOLDS]
    header += ["known", *(f"right_{t:g}" for t in THRESHOLDS)] if with_known else []
    with atomic_write(path) as file:
        file.write(format_line(header))
        for line in report.genomes:
            genome = line.genome
            fields = [genome.id, genome.scientific_name, genome.clade or ""]
            fields += [str(line.sequences), str(line.symbols)]
            fields += [f"{line.share_at(t):.4f}" for t in THRESHOLDS]
            if with_known:
                fields += [str(line.known_total), *map(str, line.correct)]
            file.write(format_line(fields))
