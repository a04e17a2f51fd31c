"""Which genes of an annotation get the symbols that a model gives them."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from gst_core.annotation.genes import Gene
from gst_core.assignment import Assignment

Duplicates = Literal["keep", "best", "none"]

#: Names that programs make up for genes which have none: numbers behind a word.
_PLACEHOLDER: Final = re.compile(
    r"""(?:
        j?g\d+(?:\.t\d+)?                            # AUGUSTUS, BRAKER (g12.t1), Helixer's jg12
        | (?:gene|mrna|rna|cds|transcript|protein|orf|nbis-\w+|agat-\w+)[-_.:]?\d+
        | loc\d+(?:[-_.]\w+)?                        # NCBI, without a symbol
        | (?:maker|augustus|augustus_masked|snap|snap_masked|genemark|fgenesh\w*|exonerate)[-_].+
        | evm\.(?:model|tu)\..+                      # EVidenceModeler
        | (?:mstrg|strg|pb|cuff)\.\d+(?:\.\d+)?      # StringTie, Cufflinks, Iso-Seq
        | (?:xloc|tcons|mp|novel|egapx\w*)_?\d+      # Cufflinks, miniprot, EGAPx
        | (?:(?:gene|rna|cds)-)?[nx][mrp]_\d+(?:\.\d+)?
        | (?:(?:gene|transcript):)?ens[a-z]*[gtp]\d{11}(?:\.\d+)?
        | .*_\d{3,}(?:[-_.]\w+)?                     # locus tags: FUN_000123, chr1_000123.1
        | .*[a-z]\d{5,}(?:\.\w+)?                    # numbered: ABC00012345
        | trinity_.+
        | (?:hypothetical|uncharacteri[sz]ed|unknown|unnamed|putative)\b.*
        | [-.?]|na|none|null
    )""",
    re.IGNORECASE | re.VERBOSE,
)


class Outcome(enum.StrEnum):
    """What becomes of a gene's symbol."""

    NAMED = "named"
    HAS_NAME = "has_name"
    DUPLICATE_SYMBOL = "duplicate_symbol"
    BELOW_THRESHOLD = "below_threshold"


@dataclass(frozen=True, slots=True)
class Named:
    """A gene with the symbol that a model gives it.

    Attributes
    ----------
    gene
        The gene.
    assignment
        What the model says of its protein.
    outcome
        Whether the gene bears the symbol from now on, or why not.
    """

    gene: Gene
    assignment: Assignment
    outcome: Outcome


def is_placeholder(label: str, gene: Gene, is_symbol: Callable[[str], bool]) -> bool:
    """Tell whether a name says nothing: a number, an accession, the gene's own id.

    Parameters
    ----------
    label
        The name.
    gene
        Whose it is. A name that only repeats an id is none unless it is a symbol.
    is_symbol
        Whether a text is a symbol that genes have.
    """
    text = label.strip()
    if is_symbol(text):
        return False
    return text in gene.ids or _PLACEHOLDER.fullmatch(text) is not None


def name_of(gene: Gene, is_symbol: Callable[[str], bool]) -> str:
    """Give the first name of a gene that is more than a placeholder; nothing without one."""
    labels = (label for label in gene.labels if not is_placeholder(label, gene, is_symbol))
    return next(labels, "")


def choose_names(
    assigned: Iterable[tuple[Gene, Assignment]],
    *,
    threshold: float,
    is_symbol: Callable[[str], bool],
    duplicates: Duplicates = "keep",
    overwrite: bool = False,
) -> list[Named]:
    """Decide which genes get their symbols, by the rules of the loader of databases.

    Parameters
    ----------
    assigned
        Genes with what a model says of their proteins.
    threshold
        Probability from which on a symbol is given.
    is_symbol
        Whether a text is a symbol that genes have, which tells names from placeholders.
    duplicates
        Where several genes would bear one symbol: give it to all of them, to the most probable
        alone (a gene that bears it already is), or to none.
    overwrite
        Give symbols to genes that have names.

    Returns
    -------
    named
        One for each gene, in the same order.
    """
    rows = []
    borne = set()
    for gene, assignment in assigned:
        name = name_of(gene, is_symbol)
        if assignment.probability < threshold or not assignment.symbol:
            outcome = Outcome.BELOW_THRESHOLD
        elif name and not overwrite:
            outcome = Outcome.HAS_NAME
        else:
            outcome = Outcome.NAMED
        if name and outcome is not Outcome.NAMED:
            borne.add(name.casefold())
        rows.append(Named(gene, assignment, outcome))
    if duplicates == "keep":
        return rows
    groups: dict[str, list[Named]] = {}
    for row in rows:
        if row.outcome is Outcome.NAMED:
            groups.setdefault(row.assignment.symbol.casefold(), []).append(row)
    losers = set()
    for symbol, group in groups.items():
        if len(group) + (symbol in borne) < 2:
            continue
        best = max(group, key=lambda row: row.assignment.probability)
        winner = best if duplicates == "best" and symbol not in borne else None
        losers |= {id(row) for row in group if row is not winner}
    return [
        Named(row.gene, row.assignment, Outcome.DUPLICATE_SYMBOL) if id(row) in losers else row
        for row in rows
    ]
