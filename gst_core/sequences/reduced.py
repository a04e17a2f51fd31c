"""Reduced alphabets: residues that replace each other often count as one letter."""

from __future__ import annotations

from typing import Final

#: Residue groups of Murphy, Wallqvist and Levy (2000), Protein Eng. 13:149, by size.
MURPHY_15: Final = (
    "LVIM",
    "C",
    "A",
    "G",
    "S",
    "T",
    "P",
    "FY",
    "W",
    "E",
    "D",
    "N",
    "Q",
    "KR",
    "H",
)
MURPHY_10: Final = ("LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H")

#: Ambiguous and rare residues, read as the common one they most resemble.
ALIASES: Final = {"U": "C", "O": "K", "B": "D", "Z": "E", "J": "L"}


def residue_groups(groups: tuple[str, ...], alphabet: str) -> tuple[int, ...]:
    """Group index of every letter of an alphabet; -1 for X, ``*`` and padding.

    Parameters
    ----------
    groups
        Letters that count as one.
    alphabet
        Residue letters in the order of their codes; one more code, padding,
        follows.

    Returns
    -------
    indices
        ``len(alphabet) + 1`` integers.
    """
    table = {letter: index for index, group in enumerate(groups) for letter in group}
    return (*(table.get(ALIASES.get(letter, letter), -1) for letter in alphabet), -1)
