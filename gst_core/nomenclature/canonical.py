"""From raw labels to symbols: tables propose, sequences have to agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gst_core.nomenclature.mapping import Canonical, Entry, Rule
from gst_core.nomenclature.proposals import Borne, Proposal, Proposals, is_copy_name
from gst_core.nomenclature.spelling import choose_spelling
from gst_core.nomenclature.tables import Tables
from gst_core.nomenclature.words import Similarities
from gst_core.taxonomy import Taxon

#: How alike a symbol's proteins must be, as a share of what the most alike other approved
#: symbol has, which may have proteins of nearer species. Below it the label is a relative's.
_SHARE: Final = 0.8
_HUMAN: Final = 9606


class LabelledSequence(Protocol):
    """What has to be known of a protein."""

    @property
    def accession(self) -> str:
        """In its database; may be empty."""

    @property
    def symbol(self) -> str:
        """The label, as its database writes it."""

    @property
    def codes(self) -> NDArray[np.uint8]:
        """Residue codes, ``(length,)``."""

    @property
    def taxon(self) -> Taxon:
        """Species."""


def canonicalise(proteins: Iterable[LabelledSequence], tables: Tables) -> Canonical:
    """Find the symbol that each label stands for.

    A label that HGNC has approved is left alone. Another is renamed where a table names one
    approved symbol for it, and where its proteins are more alike to that symbol's than
    chance allows and hardly less than to those of any other approved symbol. A copy keeps
    its symbol, and is tied to the symbol of which it is a copy in the same way.

    Parameters
    ----------
    proteins
        All labelled proteins: what is missing cannot speak for or against.
    tables
        What nomenclature committees say.

    Returns
    -------
    canonical
        With an entry for each label, in the order of the alphabet. Applying it twice is
        applying it once.
    """
    return _Decisions(list(proteins), tables).made()


class _Decisions:
    def __init__(self, proteins: Sequence[LabelledSequence], tables: Tables) -> None:
        self._proteins = proteins
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for row, protein in enumerate(proteins):
            rows[protein.symbol.upper()].append(row)
        self._rows = dict(sorted(rows.items()))
        self._numbers = {label: number for number, label in enumerate(self._rows)}
        self._proposals = Proposals(tables, self._rows)
        symbols = np.empty(len(proteins), dtype=np.int64)
        for label, own in self._rows.items():
            symbols[own] = self._numbers[label]
        self._similarities = Similarities([protein.codes for protein in proteins], symbols)
        self._approved = np.array([label in self._proposals.approved for label in self._rows])
        self._chance = self._similarities.chance() if len(proteins) else 0.0
        self._likeness: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def made(self) -> Canonical:
        """Decide: renames first, for a copy may be one of a label that was renamed."""
        entries = {label: self._renamed(label) for label in self._rows}
        for label, entry in entries.items():
            if entry.rule is Rule.KEPT:
                entries[label] = self._copied(entry, entries)
        # Of copies of copies, the first original; what stands before a suffix is shorter.
        for label in sorted(entries, key=len):
            entry = entries[label]
            original = entries.get(entry.copy_of.upper())
            if original is not None and original.copy_of:
                entries[label] = _with_original(entry, original.copy_of)
        return Canonical(entries.values(), self._chance)

    def _renamed(self, label: str) -> Entry:
        approved = self._proposals.approved
        count = len(self._rows[label])
        if label in approved:
            return Entry(label, approved[label].symbol, Rule.APPROVED, proteins=count)
        for proposal in self._proposals.renames(label, self._borne(label)):
            symbol = proposal.symbol
            if symbol in self._rows:
                if self._agree(label, [symbol], proposal):
                    return self._entry(label, approved[symbol].symbol, proposal, [symbol])
            elif proposal.sure or proposal.alone:
                return Entry(label, approved[symbol].symbol, proposal.rule, proteins=count)
        borne = self._borne(label)
        if self._proposals.is_provisional(label, borne):
            return Entry(label, self._spelling(label), Rule.PROVISIONAL, proteins=count)
        family = [s for s in self._proposals.families(label, borne) if s in self._rows]
        if family:
            half = self._of(label)[0]
            # Of equally alike ones the first; none but the family may be more alike.
            symbol = max(family, key=lambda s: half[self._numbers[s]])
            likeness = half[self._numbers[symbol]]
            if likeness > self._chance and likeness >= half[self._approved].max():
                proposal = Proposal(Rule.FAMILY, symbol)
                return self._entry(label, approved[symbol].symbol, proposal, [symbol])
        return Entry(label, self._spelling(label), Rule.KEPT, proteins=count)

    def _copied(self, kept: Entry, entries: dict[str, Entry]) -> Entry:
        for proposal in self._proposals.copies(kept.label, self._borne(kept.label)):
            base = entries.get(proposal.symbol)
            if base is None or (
                base.rule.renames
                and not proposal.named
                and is_copy_name(base.symbol.upper(), base.label)
            ):
                # MBL is MBL2 today; MBL1 is another of the family, and no copy of it.
                continue
            others = sorted({base.label, base.symbol.upper()} & self._rows.keys())
            if self._agree(kept.label, others, proposal):
                return self._entry(kept.label, kept.symbol, proposal, others, base.symbol)
        return kept

    def _entry(
        self,
        label: str,
        symbol: str,
        proposal: Proposal,
        others: Sequence[str],
        copy_of: str = "",
    ) -> Entry:
        numbers = [self._numbers[other] for other in others]
        closest = self._similarities.closest(self._rows[label], numbers)
        return Entry(
            label,
            symbol,
            proposal.rule,
            copy_of,
            len(self._rows[label]),
            float(self._of(label)[0][numbers].max()),
            self._proteins[closest].accession,
        )

    def _agree(self, label: str, others: Sequence[str], proposal: Proposal) -> bool:
        """Whether a label's proteins are of the family of others, and of no nearer one."""
        numbers = [self._numbers[other] for other in others]
        half, best = self._of(label)
        if proposal.sure:
            return bool(best[numbers].max() > self._chance)
        alike = half[numbers].max()
        strangers = self._approved.copy()
        strangers[numbers] = False
        nearest = 0.0 if proposal.named else half[strangers].max(initial=0.0)
        return bool(alike > self._chance and alike >= _SHARE * nearest)

    def _of(self, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if label not in self._likeness:
            # One at a time: kept for all labels they would fill gigabytes.
            self._likeness = {label: self._similarities.of_group(self._rows[label])}
        return self._likeness[label]

    def _borne(self, label: str) -> Borne:
        own = [self._proteins[row] for row in self._rows[label]]
        human = [protein for protein in own if protein.taxon.taxon_id == _HUMAN]
        entries = [self._proposals.entry(p.accession) for p in human if p.accession]
        return Borne(
            {protein.taxon.clade for protein in own},
            len(human) == len(own),
            set().union(*entries),
        )

    def _spelling(self, label: str) -> str:
        spellings: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for row in self._rows[label]:
            protein = self._proteins[row]
            spellings[protein.taxon.taxon_id][protein.symbol] += 1
        return choose_spelling(spellings)


def _with_original(entry: Entry, original: str) -> Entry:
    return Entry(
        entry.label, entry.symbol, entry.rule, original, entry.proteins, entry.likeness,
        entry.against,
    )  # fmt: skip
