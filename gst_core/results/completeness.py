"""How many of the genes that nearly every species has a genome has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gst_core.assignment import Assignment

#: A protein is a part of its reference where nearly all of it aligns with less than so much.
PART: Final = 0.7
#: What nearly all is.
WHOLE: Final = 0.9


class Completeness:
    """Count the core genes of one genome while its proteins pass.

    The words are BUSCO's (Simao et al. 2015): a core gene is complete where a protein has its
    symbol, in one gene or in several (duplicated); fragmented where no such protein is more than a
    part of its reference, as far as references are known; else missing.

    Parameters
    ----------
    core
        The core gene that each symbol speaks for, by the symbol's case-folded form.
    threshold
        Probability from which a symbol counts.
    """

    def __init__(self, core: Mapping[str, str], threshold: float) -> None:
        self._core = core
        self._threshold = threshold
        self._genes: dict[str, set[str]] = {symbol: set() for symbol in core.values()}
        self._whole: set[str] = set()

    def passing(self, assignments: Iterable[Assignment]) -> Iterator[Assignment]:
        """Count assignments while they pass."""
        for assignment in assignments:
            self.add(assignment)
            yield assignment

    def add(self, assignment: Assignment) -> None:
        """Count one protein."""
        shown = assignment.evidence
        # genes of one sequence share a probability, and are there together
        symbols = {assignment.symbol.casefold()}
        symbols |= {symbol.casefold() for symbol in shown.equals} if shown else set()
        shared = sum(p for s, p in assignment.candidates if s.symbol.casefold() in symbols)
        if shared < self._threshold:
            return
        whole = not (shown and is_part(shown.query_coverage, shown.reference_coverage))
        for gene in {self._core[symbol] for symbol in symbols if symbol in self._core}:
            self._found(gene, assignment.gene or assignment.stable_id, whole)

    def _found(self, gene: str, where: str, whole: bool) -> None:
        if whole and gene not in self._whole:
            # parts of a gene beside the whole one are no copies of it
            self._whole.add(gene)
            self._genes[gene].clear()
        if whole or gene not in self._whole:
            self._genes[gene].add(where)

    @property
    def total(self) -> int:
        """Core genes."""
        return len(self._genes)

    @property
    def complete(self) -> int:
        """Core genes of which a whole protein was found."""
        return len(self._whole)

    @property
    def duplicated(self) -> int:
        """Core genes of which several genes have a whole protein; they are complete as well."""
        return sum(len(self._genes[gene]) > 1 for gene in self._whole)

    @property
    def fragmented(self) -> list[str]:
        """Core genes of which only parts were found."""
        found = (gene for gene, genes in self._genes.items() if genes and gene not in self._whole)
        return sorted(found, key=str.casefold)

    @property
    def missing(self) -> list[str]:
        """Core genes that no protein has the symbol of."""
        return sorted((gene for gene, genes in self._genes.items() if not genes), key=str.casefold)


def is_part(query_coverage: float, reference_coverage: float) -> bool:
    """Whether a protein looks like a part of its reference."""
    return query_coverage >= WHOLE and reference_coverage < PART


def is_more(query_coverage: float, reference_coverage: float) -> bool:
    """Whether a protein looks like its reference and something else, as of two genes."""
    return reference_coverage >= WHOLE and query_coverage < PART
