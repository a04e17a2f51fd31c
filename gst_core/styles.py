"""The case of symbols, as the committees that name genes write them.

A gene has one symbol, and each committee writes it in its own way: HGNC (human), VGNC (dog, cow,
pig, ...) and CGNC (chicken) in capitals, ``BRCA2``; MGNC and RGNC (mouse, rat) with a capital
first, ``Brca2``; ZFIN (zebrafish) and Xenbase (frogs) in small letters, ``brca2``. The genes of
mitochondria follow: ``MT-ND1``, ``mt-Nd1``, ``mt-nd1``. HGNC writes the *orf* of a gene without a
name in small letters, ``C12orf43``. ``docs/symbols.md`` has the committees' own words.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, Literal, get_args

from gst_core.assignment import INSTEAD_OF, Assignment
from gst_core.vocabulary import Symbol

Style = Literal["source", "species", "upper"]

#: The choices, in the order in which they are shown.
STYLES: Final = get_args(Style)

_ORF: Final = re.compile(r"(C(?:\d+|X|Y))ORF(\d+)(.*)")
#: ``zgc:56095``, ``si:dkey-1h24.6``, ``1700001C19Rik``, ``GM12345``: names of clones and models,
#: whose case is part of the name.
_CLONE: Final = re.compile(r".*:.*|\d.*Rik")
_MITOCHONDRIAL: Final = "MT-"


def styled(
    assignments: Iterable[Assignment], clade: str | None, style: Style
) -> Iterator[Assignment]:
    """Write the symbols of assignments in a style.

    Parameters
    ----------
    assignments
        Consumed one at a time.
    clade
        Category of the species; None and those of no committee are written as HGNC does.
    style
        ``species``: as the committee of the clade writes; ``upper``: all capitals; ``source``: as
        the model has them.

    Yields
    ------
    assignment
        The same but for the case of its symbols, wherever it tells them.
    """
    write = writer(clade, style)

    @functools.lru_cache(maxsize=65_536)
    def rewritten(symbol: Symbol) -> Symbol:
        return replace(symbol, symbol=write(symbol.symbol))

    for assignment in assignments:
        shown, settled = assignment.evidence, assignment.settled
        if shown is not None and shown.equals:
            shown = replace(shown, equals=tuple(write(symbol) for symbol in shown.equals))
        if settled.startswith(INSTEAD_OF):
            settled = INSTEAD_OF + write(settled.removeprefix(INSTEAD_OF))
        candidates = tuple((rewritten(symbol), p) for symbol, p in assignment.candidates)
        yield replace(assignment, candidates=candidates, evidence=shown, settled=settled)


def writer(clade: str | None, style: Style) -> Callable[[str], str]:
    """Give the function that writes a symbol of any source in a style."""
    if style == "source":
        return str
    if style == "upper":
        return str.upper
    return _BY_CLADE.get(clade or "", _capitals)


def _capitals(symbol: str) -> str:
    if _CLONE.fullmatch(symbol):
        return symbol
    upper = symbol.upper()
    orf = _ORF.fullmatch(upper)
    return f"{orf[1]}orf{orf[2]}{orf[3]}" if orf else upper


def _title(symbol: str) -> str:
    if _CLONE.fullmatch(symbol):
        return symbol
    upper = symbol.upper()
    if upper.startswith(_MITOCHONDRIAL):
        return "mt-" + upper.removeprefix(_MITOCHONDRIAL).capitalize()
    return upper.capitalize()


def _small(symbol: str) -> str:
    return symbol if _CLONE.fullmatch(symbol) else symbol.lower()


_BY_CLADE: Final[dict[str, Callable[[str], str]]] = {
    "amphibians": _small,
    "rodentia": _title,
    "teleostei": _small,
}
