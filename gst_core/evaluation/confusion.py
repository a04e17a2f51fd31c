"""Which symbols, and which families of them, are taken for each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gst_core.evaluation.comparison import Comparison

#: Letters that differ at their end must share this many: HOXA1 and HOXB1 do, TNF and TNR do not.
_KIN: Final = 3
#: Equal letters before the first digit must be this many: CD4 and CD8 are, C3 and F8 are not.
_EQUAL: Final = 2

# Clone names such as si:ch211-1a2.3 begin with the name of a library, not of a family.
_LETTERS: Final = re.compile(r"[A-Z]+(?![A-Z:])")


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """A symbol in place of another.

    Attributes
    ----------
    known, assigned
        In upper case.
    family
        That they share, see :func:`common_family`; empty where none is to be seen.
    proteins
        That are known by the one and got the other.
    """

    known: str
    assigned: str
    family: str
    proteins: int


@dataclass(frozen=True, slots=True)
class ConfusedFamily:
    """A family whose members are taken for each other.

    Attributes
    ----------
    family
        The letters its symbols begin with.
    proteins
        That got the symbol of another member.
    pairs
        Different pairs of known and assigned symbol.
    """

    family: str
    proteins: int
    pairs: int


def common_family(one: str, other: str) -> str:
    """Tell by their spelling which family two symbols share; empty where none is to be seen.

    The letters before the first digit or sign are compared. Where they are equal, they are the
    family: CYP2C9 and CYP3A4 are CYP, TP53 and TP63 are TP. Where they differ at the end, the
    family is what both begin with: HOXA1 and HOXB1 are HOX, KRT1 and KRTAP1 are KRT. The first
    takes two letters at least and the second three, as fewer are shared by chance. HOXA1 and
    HOXA2 alone would be HOXA; :func:`confused_families` joins that to HOX where it knows of it.

    Only names are read: members that are called differently (MYH9 and MYO5A) are not seen.
    """
    found = [_LETTERS.match(symbol.upper()) for symbol in (one, other)]
    stems = [match.group() for match in found if match]
    if len(stems) < 2:
        return ""
    shared = 0
    for a, b in zip(*stems, strict=False):
        if a != b:
            break
        shared += 1
    return stems[0][:shared] if shared >= (_EQUAL if stems[0] == stems[1] else _KIN) else ""


def confused_pairs(comparisons: Iterable[Comparison]) -> list[ConfusedPair]:
    """Count what was assigned in place of what, the most frequent first.

    Whatever is no exact match counts, another spelling of the same gene too; proteins that got
    no symbol do not. Upper and lower case are the same.
    """
    counts = Counter(
        (row.known.upper(), row.assigned.upper())
        for row in comparisons
        if row.assigned and not row.exact
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    families = _joined({pair: common_family(*pair) for pair in counts})
    return [ConfusedPair(*pair, families[pair], count) for pair, count in ordered]


def confused_families(pairs: Iterable[ConfusedPair]) -> list[ConfusedFamily]:
    """Sum pairs by family, that with most proteins first; pairs of no family are left out."""
    proteins: Counter[str] = Counter()
    members: Counter[str] = Counter()
    for pair in pairs:
        if pair.family:
            proteins[pair.family] += pair.proteins
            members[pair.family] += 1
    ordered = sorted(proteins.items(), key=lambda item: (-item[1], item[0]))
    return [ConfusedFamily(family, count, members[family]) for family, count in ordered]


def _joined(families: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Join subfamilies that one letter tells apart (HOXA) to the family seen beside them (HOX)."""
    known = {family for family in families.values() if len(family) >= _KIN}

    def widest(family: str) -> str:
        while family[:-1] in known:
            family = family[:-1]
        return family

    return {pair: widest(family) for pair, family in families.items()}


def pair_table(pairs: Sequence[ConfusedPair]) -> list[list[str]]:
    """Tabulate pairs: a header, then a line each."""
    lines = [[p.known, p.assigned, p.family, str(p.proteins)] for p in pairs]
    return [["known_symbol", "assigned_symbol", "family", "num_proteins"], *lines]


def family_table(families: Sequence[ConfusedFamily]) -> list[list[str]]:
    """Tabulate families: a header, then a line each."""
    lines = [[f.family, str(f.proteins), str(f.pairs)] for f in families]
    return [["family", "num_proteins", "num_pairs"], *lines]
