"""Which symbol a label stands for, and why: the mapping, and its table for curators."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, TypeVar

from gst_core.errors import GstError
from gst_core.files import atomic_write

_COLUMNS: Final = ("label", "symbol", "rule", "copy_of", "proteins", "likeness", "against")


class Rule(StrEnum):
    """What decided the symbol of a label."""

    #: HGNC has approved the label itself.
    APPROVED = "approved"
    #: It differs from an approved symbol in separators alone.
    SPELLING = "spelling"
    #: HGNC has approved another symbol since.
    PREVIOUS = "previous"
    #: MGI's symbol of a mouse gene with one human orthologue, which has no other in mouse.
    MOUSE = "mouse"
    #: The same of ZFIN.
    ZEBRAFISH = "zebrafish"
    #: HGNC knows it as an alias of one approved symbol.
    ALIAS = "alias"
    #: Several approved symbols have it as an alias, or begin with it: the most alike one.
    FAMILY = "family"
    #: HGNC names the UniProt entry of the human protein that bears it.
    ACCESSION = "accession"
    #: A copy of a gene that keeps its symbol; see :attr:`Entry.copy_of`.
    COPY = "copy"
    #: A placeholder that no committee has: its proteins are left out.
    PROVISIONAL = "provisional"
    #: None of these.
    KEPT = "kept"

    @property
    def renames(self) -> bool:
        """Whether the symbol is another than the label."""
        return self not in (Rule.APPROVED, Rule.COPY, Rule.PROVISIONAL, Rule.KEPT)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A label and its symbol.

    Attributes
    ----------
    label
        In upper case, as labels are compared.
    symbol
        The symbol it stands for, as it is to be written.
    rule
        What decided.
    copy_of
        The symbol of which this is a copy; empty for anything but copies.
    proteins
        Proteins that bear the label.
    likeness
        Of these to the proteins of the symbol, or of the one it is a copy of; NaN where
        there are none, or nothing had to be compared.
    against
        Accession of the protein among those that is most alike.
    """

    label: str
    symbol: str
    rule: Rule
    copy_of: str = ""
    proteins: int = 0
    likeness: float = math.nan
    against: str = ""


class Canonical:
    """The symbols that labels stand for; labels that it does not know stand for themselves.

    Parameters
    ----------
    entries
        One a label.
    chance
        Likeness below which proteins were taken for unrelated; NaN where not known.
    """

    def __init__(self, entries: Iterable[Entry], chance: float = math.nan) -> None:
        self._entries = {entry.label: entry for entry in entries}
        self.chance = chance
        # A model trained on symbols answers in symbols: their copies must be known as well.
        self._copies = {e.symbol.upper(): e.copy_of for e in self if e.copy_of}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, label: str) -> Entry:
        """Look a label up, without regard to case.

        Raises
        ------
        KeyError
            If no protein bears it.
        """
        return self._entries[label.upper()]

    def symbol(self, label: str) -> str:
        """Give the symbol of a label: as written where nothing renames it."""
        entry = self._entries.get(label.upper())
        return entry.symbol if entry is not None and entry.rule.renames else label

    def copy_of(self, label: str) -> str:
        """Give the symbol of which a label's symbol is a copy; empty where it is none."""
        return self._copies.get(self.symbol(label).upper(), "")

    def base(self, label: str) -> str:
        """Give the symbol of a label, in upper case, copies counted as what they are copies of."""
        return (self.copy_of(label) or self.symbol(label)).upper()

    def is_provisional(self, label: str) -> bool:
        """Tell whether a label is a placeholder, which names nothing."""
        entry = self._entries.get(label.upper())
        return entry is not None and entry.rule is Rule.PROVISIONAL

    def counts(self) -> dict[Rule, tuple[int, int]]:
        """Count labels and proteins by rule, in the order of :class:`Rule`."""
        labels = Counter(entry.rule for entry in self)
        proteins: Counter[Rule] = Counter()
        for entry in self:
            proteins[entry.rule] += entry.proteins
        return {rule: (labels[rule], proteins[rule]) for rule in Rule}


class _Labelled(Protocol):
    """A protein with a label; a data class."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def symbol(self) -> str: ...


P = TypeVar("P", bound=_Labelled)


def relabel(proteins: Iterable[P], canonical: Canonical) -> list[P]:
    """Give proteins the symbols that their labels stand for.

    Parameters
    ----------
    proteins
        Data classes with a field ``symbol``, as ``LabelledProtein``.
    canonical
        The symbols of labels. Copies keep a symbol of their own.

    Returns
    -------
    proteins
        In the same order; those whose symbol stays are the same objects, those whose label is
        a placeholder are left out.
    """
    relabelled = []
    for protein in proteins:
        if canonical.is_provisional(protein.symbol):
            continue
        symbol = canonical.symbol(protein.symbol)
        same = symbol == protein.symbol
        relabelled.append(protein if same else dataclasses.replace(protein, symbol=symbol))
    return relabelled


def write_canonical(path: Path, canonical: Canonical) -> None:
    """Write a table that a curator can check: tab-separated, a line a label.

    Raises
    ------
    GstError
        If the file cannot be written.
    """
    with atomic_write(path) as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(_COLUMNS)
        for entry in canonical:
            likeness = "" if math.isnan(entry.likeness) else f"{entry.likeness:.3f}"
            facts = dataclasses.asdict(entry) | {"likeness": likeness}
            table.writerow(facts[column] for column in _COLUMNS)


def read_canonical(path: Path) -> Canonical:
    """Read what :func:`write_canonical` wrote, and a curator may have changed.

    Raises
    ------
    GstError
        If it is no such table, or renames a label to one that it renames in turn.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if tuple(rows.fieldnames or ()) != _COLUMNS:
                raise GstError(
                    "not a table of symbols", where=str(path), hint="make one with gst symbols"
                )
            entries = [_entry(row, f"{path}, line {rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError) as error:
        raise GstError("cannot be read as text", where=str(path), hint=str(error)) from error
    canonical = Canonical(entries)
    for entry in canonical:
        symbol = canonical.symbol(entry.symbol)
        if symbol.upper() != entry.symbol.upper():
            raise GstError(
                f"'{entry.label}' becomes '{entry.symbol}', and that becomes '{symbol}'",
                where=str(path),
                hint="give both lines one symbol",
            )
    return canonical


def _entry(row: dict[str, str], where: str) -> Entry:
    try:
        return Entry(
            row["label"].upper(),
            row["symbol"],
            Rule(row["rule"]),
            row["copy_of"],
            int(row["proteins"]),
            float(row["likeness"] or math.nan),
            row["against"] or "",
        )
    except (TypeError, ValueError) as error:
        raise GstError(str(error), where=where, hint="mend the line") from error
