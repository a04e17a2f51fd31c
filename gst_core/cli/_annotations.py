"""The run of ``gst_assign`` over an annotation: its proteins in, its names out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gst_core.annotation import choose_names, read_annotation, translate_genes, write_annotation
from gst_core.annotation.genes import Gene
from gst_core.annotation.naming import Outcome
from gst_core.annotation.writing import check_named_as_it_is
from gst_core.assignment import Assignment
from gst_core.inference.jobs import Job
from gst_core.inference.namer import GeneNamer

if TYPE_CHECKING:
    from gst_core.cli._naming import Options

#: Probability from which on production loads symbols into databases.
_THRESHOLD = 0.7
_SAID = {
    Outcome.HAS_NAME: "with the name that they had",
    Outcome.DUPLICATE_SYMBOL: "without, for another has the symbol",
    Outcome.BELOW_THRESHOLD: "below the threshold",
}


class AnnotationRun:
    """One annotation on its way through a model.

    Parameters
    ----------
    job
        What to read and to write.
    namer
        The model.
    clade
        Clade category of the species.
    """

    def __init__(self, job: Job, namer: GeneNamer, clade: str | None) -> None:
        assert job.annotated is not None
        self._target = job.annotated
        self._annotation = read_annotation(Path(job.fasta))
        check_named_as_it_is(self._annotation, self._target)
        self._genome = None if job.genome is None else Path(job.genome)
        self._clade = clade
        self._model = f"{namer.engine.name} {namer.engine.version}"
        self._symbols = {symbol.symbol.casefold() for symbol in namer.engine.vocabulary}
        self._genes: list[Gene] = []
        self._assignments: list[Assignment] = []

    def proteins(self) -> Iterator[tuple[str, str]]:
        """Give id and protein of each gene, by place in the annotation."""
        for gene, protein in translate_genes(self._annotation, self._genome, self._clade):
            self._genes.append(gene)
            yield gene.id, protein

    def collected(self, assignments: Iterable[Assignment]) -> Iterator[Assignment]:
        """Pass assignments on, keeping them for the annotation."""
        for assignment in assignments:
            self._assignments.append(assignment)
            yield assignment

    def warnings(self) -> list[str]:
        """One sentence for each kind of irregularity of the annotation."""
        return self._annotation.warnings()

    def write(self, options: Options) -> str:
        """Write the annotation with its new names; return what became of its genes."""
        chosen = (options.name_threshold, options.threshold, _THRESHOLD)
        named = choose_names(
            zip(self._genes, self._assignments, strict=True),
            threshold=next(number for number in chosen if number is not None),
            is_symbol=lambda text: text.casefold() in self._symbols,
            duplicates=options.duplicates,
            overwrite=options.overwrite,
        )
        write_annotation(self._annotation, named, self._target, self._model)
        outcomes = Counter(one.outcome for one in named)
        rest = [f"{outcomes[o]:,} {said}" for o, said in _SAID.items() if outcomes[o]]
        done = f"{outcomes[Outcome.NAMED]:,} of {len(named):,} genes named"
        return "; ".join([done, ", ".join(rest)] if rest else [done])
