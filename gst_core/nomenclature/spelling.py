"""How a symbol is written: whose capitalisation counts, and what spellings have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

#: Whose capitalisation is kept, best first: species with a nomenclature committee of their
#: own (human, mouse, rat, chicken, both clawed frogs, zebrafish).
_AUTHORITIES: Final = (9606, 10090, 10116, 9031, 8355, 8364, 7955)
_SEPARATORS: Final = re.compile(r"[-._/ ]")


def normal_form(symbol: str) -> str:
    """Give what spellings of one symbol share: capitals without separators."""
    return _SEPARATORS.sub("", symbol.upper())


def choose_spelling(by_taxon: Mapping[int, Counter[str]]) -> str:
    """Choose the capitalisation of one symbol.

    Parameters
    ----------
    by_taxon
        How many proteins of a species (NCBI taxon id) have which spelling.

    Returns
    -------
    spelling
        The most frequent of the first species with a nomenclature committee that has the
        symbol, else of all; of equally frequent ones the first of the alphabet.
    """
    for taxon_id in _AUTHORITIES:
        if taxon_id in by_taxon:
            return _most_frequent(by_taxon[taxon_id])
    return _most_frequent(sum(by_taxon.values(), Counter()))


def _most_frequent(counts: Counter[str]) -> str:
    return min(counts, key=lambda symbol: (-counts[symbol], symbol))
