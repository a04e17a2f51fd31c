"""What tables and spelling propose as the symbol of a label, before sequences are asked."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from gst_core.nomenclature.mapping import Rule
from gst_core.nomenclature.spelling import normal_form
from gst_core.nomenclature.tables import HgncGene, ModelGene, Tables

#: Placeholders for genes that have no name yet: of NCBI, of sequencing projects, of positions
#: on a chromosome, and of transcripts that run through two genes.
_PROVISIONAL: Final = re.compile(
    r"LOC\d+(-.+)?|.+-LOC\d+|(FLJ|MGC|KIAA|HGC|DKFZ|EM:)[\d.PA-Z:]*\d[A-Z\d.]*|C(\d+|X|Y)ORF\d+"
)

#: MHC genes have the species before the human gene's name: Patr-A, Mamu-DRA (IPD-MHC).
_MHC: Final = re.compile(r"[A-Z]{4}-([A-Z]+\d*)")

#: Suffixes of copies, the base being what stands before: Xenopus ``-a``, ``.L``, ``.1``,
#: ``.1.L``; teleost ``a``, ``b``, ``aa``; and a number where the base ends in a letter.
_SUFFIXES: Final = (
    re.compile(r"(.{2,}?)(?:[-.](?:[A-H]|[LS]|\d{1,2}))+"),
    re.compile(r"(.{2,})[A-D]"),
    re.compile(r"(.{2,})[A-D]{2}"),
    re.compile(r"(.+[A-Z])[1-9]"),
)


@dataclass(frozen=True, slots=True)
class Borne:
    """What is known of the proteins that bear a label.

    Attributes
    ----------
    clades
        Theirs.
    all_human
        Whether no other species has it.
    entries
        Symbols, in upper case, of the genes to which HGNC gives the UniProt entries of the
        human ones.
    """

    clades: Set[str | None]
    all_human: bool
    entries: Set[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A symbol that a label may stand for.

    Attributes
    ----------
    rule
        What proposes it; :attr:`Rule.COPY` where the label may be a copy of it.
    symbol
        In upper case.
    sure
        Whether HGNC names the very protein: that one relative is nearer says nothing then.
    named
        Whether the label says itself that it is a copy: the same. A copy may have changed
        more than another gene of the family.
    alone
        Whether it holds where the symbol has no protein to compare with.
    """

    rule: Rule
    symbol: str
    sure: bool = False
    named: bool = False
    alone: bool = False


class _Model:
    """Genes of a model species by their symbols."""

    def __init__(
        self, rule: Rule, clade: str, genes: Iterable[ModelGene], approved: Mapping[str, HgncGene]
    ) -> None:
        self.rule = rule
        self.clade = clade
        self._human: defaultdict[str, set[str]] = defaultdict(set)
        self._genes: defaultdict[str, set[str]] = defaultdict(set)
        for gene in genes:
            # A human pseudogene lends its name to no living gene.
            named = (approved.get(symbol.upper()) for symbol in gene.human)
            own = {human.symbol.upper() for human in named if human and human.coding}
            self._human[gene.symbol.upper()] |= own
            for symbol in own:
                self._genes[symbol].add(gene.symbol.upper())

    def orthologues(self, label: str) -> Set[str]:
        return self._human.get(label, set())

    def knows(self, label: str) -> bool:
        return label in self._human

    def proposal(self, label: str) -> Proposal | None:
        human = self.orthologues(label)
        if len(human) != 1:
            return None
        (symbol,) = human
        if len(self._genes[symbol]) > 1 or is_copy_name(label, symbol):
            return Proposal(Rule.COPY, symbol)
        # Where the species has another gene of that name, this one is something else.
        return None if self.knows(symbol) else Proposal(self.rule, symbol)


class Proposals:
    """All that is proposed for labels.

    Parameters
    ----------
    tables
        What committees say.
    labels
        All labels, in upper case.
    """

    def __init__(self, tables: Tables, labels: Iterable[str]) -> None:
        self.approved: dict[str, HgncGene] = {}
        for gene in tables.hgnc:
            self.approved.setdefault(gene.symbol.upper(), gene)
        self._previous = _owners((g, g.previous) for g in self.approved.values())
        self._aliases = _owners((g, g.aliases) for g in self.approved.values())
        self._entries = _owners((g, g.uniprot) for g in self.approved.values())
        self._stems: defaultdict[str, set[str]] = defaultdict(set)
        for symbol, gene in self.approved.items():
            if gene.coding:
                for stem in {base for base, _ in _bases(symbol)}:
                    self._stems[normal_form(stem)].add(symbol)
        self._spellings: defaultdict[str, set[str]] = defaultdict(set)
        for symbol in self.approved:
            self._spellings[normal_form(symbol)].add(symbol)
        self._labels: defaultdict[str, set[str]] = defaultdict(set)
        for label in labels:
            self._labels[normal_form(label)].add(label)
        self._models = (
            _Model(Rule.MOUSE, "rodentia", tables.mouse, self.approved),
            _Model(Rule.ZEBRAFISH, "teleostei", tables.zebrafish, self.approved),
        )

    def entry(self, accession: str) -> Set[str]:
        """Give the genes that HGNC gives a UniProt entry to."""
        return self._entries.get(accession.upper(), set())

    def renames(self, label: str, borne: Borne) -> Iterator[Proposal]:
        """Propose symbols for a label that is not approved, the best first."""
        for symbol in _only(self._spellings[normal_form(label)], borne):
            # SOX3-B may be SOX3B, or a copy of SOX3.
            plain = not _SUFFIXES[0].fullmatch(label)
            yield self._of_table(Rule.SPELLING, symbol, borne, alone=plain)
        models = [model for model in self._models if model.clade in borne.clades]
        for symbol in _only(self._previous.get(label, set()), borne):
            if self._lives(symbol, borne) and self._is_compatible(label, symbol, models, borne):
                yield self._of_table(Rule.PREVIOUS, symbol, borne, alone=True)
        for model in models:
            proposal = model.proposal(label)
            if proposal is not None and proposal.rule is not Rule.COPY:
                yield proposal
        for symbol in _only(self._aliases.get(label, set()), borne):
            if self._lives(symbol, borne) and self._is_compatible(label, symbol, models, borne):
                yield self._of_table(Rule.ALIAS, symbol, borne, alone=False)
        for symbol in _only(borne.entries, borne):
            if self._lives(symbol, borne):
                yield Proposal(Rule.ACCESSION, symbol, sure=True)

    def families(self, label: str, borne: Borne) -> list[str]:
        """Give the approved symbols of which a label may be any, in the order of the alphabet.

        ``ND1`` is an alias of two genes; ``HBA`` may be HBA1 or HBA2.
        """
        named = (self._previous, self._aliases)
        symbols = set().union(*(owners.get(label, set()) for owners in named))
        symbols |= self._stems.get(normal_form(label), set())
        return sorted(symbol for symbol in symbols if self._lives(symbol, borne))

    def is_provisional(self, label: str, borne: Borne) -> bool:
        """Tell whether a label is a placeholder of human genome projects.

        Human labels of two approved symbols are of transcripts that run through both genes.
        """
        left, _, right = label.partition("-")
        joined = borne.all_human and left in self.approved and right in self.approved
        return joined or _PROVISIONAL.fullmatch(label) is not None

    def copies(self, label: str, borne: Borne) -> Iterator[Proposal]:
        """Propose symbols or labels, of which a label may be a copy, the best first."""
        for model in self._models:
            proposal = model.proposal(label) if model.clade in borne.clades else None
            if proposal is not None and proposal.rule is Rule.COPY:
                yield proposal
        mhc = _MHC.fullmatch(label)
        if mhc and f"HLA-{mhc[1]}" in self.approved:
            yield Proposal(Rule.COPY, f"HLA-{mhc[1]}", named=True)
        for base, named in _bases(label):
            for other in sorted(self._labels.get(normal_form(base), set()) - {label}):
                yield Proposal(Rule.COPY, other, named=named)
            # The copy may bear a name that the gene itself has no more. Where the gene has got
            # a suffix of that kind itself, they are a family: COX8 is COX8A, and COX8B another.
            for owners in (self._previous, self._aliases):
                for symbol in _only(owners.get(base, set()), borne):
                    if not is_copy_name(symbol, base):
                        yield Proposal(Rule.COPY, symbol)

    def _of_table(self, rule: Rule, symbol: str, borne: Borne, alone: bool) -> Proposal:
        return Proposal(
            rule, symbol, symbol in borne.entries, alone=alone and self._lives(symbol, borne)
        )

    def _lives(self, symbol: str, borne: Borne) -> bool:
        """Tell whether a gene may lend its name: pseudogenes lend none to other species."""
        return self.approved[symbol].coding or borne.all_human

    def _is_compatible(
        self, label: str, symbol: str, models: Sequence[_Model], borne: Borne
    ) -> bool:
        """Whether no model species has a gene of that name which is something else."""
        if symbol in borne.entries:
            return True
        return all(
            symbol in model.orthologues(label) for model in models if model.orthologues(label)
        )


def is_mhc_of_species(label: str, base: str) -> bool:
    """Tell whether a label, in upper case, is that of an HLA gene with a species before it."""
    match = _MHC.fullmatch(label)
    return match is not None and base == f"HLA-{match[1]}"


def is_copy_name(label: str, symbol: str) -> bool:
    """Whether a label is a symbol with the suffix of a copy."""
    wanted = normal_form(symbol)
    return any(normal_form(base) == wanted for base, _ in _bases(label))


def _bases(label: str) -> Iterator[tuple[str, bool]]:
    """Give what stands before the suffix of a copy, and whether it can be nothing else."""
    for suffix in _SUFFIXES:
        if match := suffix.fullmatch(label):
            # Numbers also count the members of families: HBE4, MX3.
            yield match[1], not label[-1].isdigit()


def _owners(
    genes: Iterable[tuple[HgncGene, Sequence[str]]],
) -> dict[str, set[str]]:
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for gene, names in genes:
        for name in names:
            owners[name.upper()].add(gene.symbol.upper())
    return dict(owners)


def _only(symbols: Set[str], borne: Borne) -> Iterator[str]:
    """Give the one symbol there is, or the one of several that HGNC ties to a human protein."""
    for choice in (symbols, symbols & borne.entries):
        if len(choice) == 1:
            yield from choice
            return
