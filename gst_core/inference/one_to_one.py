"""One gene a symbol: a genome names its genes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from gst_core.assignment import INSTEAD_OF, Assignment, Evidence
from gst_core.inference.claims import Claims, settle
from gst_core.vocabulary import Symbol

#: How much less likely each further gene of a symbol is; see `docs/experiments.md`.
PENALTY: Final = 0.4


def name_together(
    assignments: Iterable[Assignment],
    *,
    copies: int = 1,
    penalty: float = PENALTY,
    evidence: Callable[[int, Symbol], Evidence | None] | None = None,
) -> Iterator[Assignment]:
    """Name the genes of a genome together.

    Parameters
    ----------
    assignments
        Of a genome's proteins, with several candidates each; all are held. Proteins of one gene
        count once, by the one with the most probable symbol, and get the gene's symbol.
    copies
        Genes that may have one symbol at no price: 2 where whole genomes were doubled.
    penalty
        How much less likely each further gene of a symbol is, 0 to 1.
    evidence
        Finds what speaks for a symbol that a protein, by its place in `assignments`, has only now.

    Yields
    ------
    assignment
        The same, in the same order. The first candidate is the symbol that was settled on;
        probabilities have heard all claims; `settled` tells what became of a contested symbol.
    """
    held = list(assignments)
    genes: dict[str, int] = {}
    speakers: list[Assignment] = []
    for assignment in held:
        number = genes.setdefault(assignment.gene or assignment.stable_id, len(genes))
        if number == len(speakers):
            speakers.append(assignment)
        elif assignment.probability > speakers[number].probability:
            speakers[number] = assignment
    named = _settled(speakers, copies, penalty)
    for place, assignment in enumerate(held):
        gene = named[genes[assignment.gene or assignment.stable_id]]
        one = replace(assignment, candidates=gene.candidates, settled=gene.settled)
        if evidence is not None and one.symbol != assignment.symbol:
            one = replace(one, evidence=evidence(place, one.best))
        yield one


def _settled(speakers: list[Assignment], copies: int, penalty: float) -> list[Assignment]:
    """Settle the claims of genes, each with one protein that speaks for it."""
    # Case is a committee's habit: Hbb and hbb are one symbol.
    symbols: dict[str, int] = {}
    named = [gene for gene, speaker in enumerate(speakers) if speaker.symbol]
    if not named:
        return speakers
    sizes = np.array([len(speakers[gene].candidates) for gene in named])
    claims = Claims(
        np.repeat(np.arange(len(named)), sizes),
        np.array(
            [
                symbols.setdefault(symbol.symbol.upper(), len(symbols))
                for gene in named
                for symbol, _ in speakers[gene].candidates
            ]
        ),
        np.array([p for gene in named for _, p in speakers[gene].candidates], dtype=np.float64),
        np.array([one for gene in named for one in _of_one_protein(speakers[gene])]),
    )
    probabilities, chosen = settle(claims, copies, penalty)
    starts = np.cumsum(sizes) - sizes
    claimants = np.bincount(claims.symbols[starts], minlength=len(symbols))
    settled = list(speakers)
    for gene, start, size, edge in zip(named, starts, sizes, chosen, strict=True):
        candidates = [symbol for symbol, _ in speakers[gene].candidates]
        own = probabilities[start : start + size]
        place = int(edge - start)
        alone = ~claims.together[start : start + size]
        order = sorted(range(size), key=lambda i: (i != place, alone[i], -own[i], i))
        note = ""
        if place:
            note = f"{INSTEAD_OF}{candidates[0].symbol}"
        elif claimants[claims.symbols[edge]] > 1:
            note = f"one of {claimants[claims.symbols[edge]]} claims"
        settled[gene] = replace(
            speakers[gene],
            candidates=tuple((candidates[i], float(own[i])) for i in order),
            settled=note,
        )
    return settled


def _of_one_protein(speaker: Assignment) -> list[bool]:
    """Tell which candidates fit as the first does: they share what is said of one protein."""
    alike = [p == speaker.probability for _, p in speaker.candidates]
    return alike if sum(alike) > 1 else [False] * len(alike)
