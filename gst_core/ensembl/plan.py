"""What a load will do, row by row, decided before anything is written."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import Connection

from gst_core.ensembl.assignment_table import AssignedSymbol
from gst_core.ensembl.collation import accession_keys
from gst_core.ensembl.genes import Feature, GeneRow, find_features, find_genes, symbol_holders
from gst_core.ensembl.source_map import Accession, Accessions
from gst_core.ensembl.text_limits import TextLimits
from gst_core.ensembl.undo import Undo
from gst_core.ensembl.xrefs import StoredXref, external_db_ids, find_xrefs

Duplicates = Literal["keep", "best", "none"]


class Outcome(enum.StrEnum):
    """What becomes of a row."""

    LOAD = "load"
    HAS_SYMBOL = "has_symbol"
    REPEATED_GENE = "repeated_gene"
    DUPLICATE_SYMBOL = "duplicate_symbol"
    UNKNOWN_GENE = "unknown_gene"
    OTHER_VERSION = "other_version"
    NO_ACCESSION = "no_accession"
    NO_EXTERNAL_DB = "no_external_db"
    SHARED_ACCESSION = "shared_accession"
    NOT_STORABLE = "not_storable"

    @property
    def is_problem(self) -> bool:
        """Whether something is amiss with the row, rather than nothing to do."""
        return self in _PROBLEMS


_PROBLEMS = {
    Outcome.UNKNOWN_GENE,
    Outcome.OTHER_VERSION,
    Outcome.NO_ACCESSION,
    Outcome.NO_EXTERNAL_DB,
    Outcome.SHARED_ACCESSION,
    Outcome.NOT_STORABLE,
}


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row of the table and what becomes of it.

    Attributes
    ----------
    assigned
        The row.
    outcome
        What becomes of it.
    detail
        Why, or what is worth knowing; empty where nothing is.
    gene
        The gene, where it is in the database.
    accession, external_db_id
        Where the symbol's cross-reference belongs.
    xref
        The cross-reference, where the database has it already.
    feature
        Where the stable id is not a gene's: the transcript or translation that has it.
    """

    assigned: AssignedSymbol
    outcome: Outcome
    detail: str = ""
    gene: GeneRow | None = None
    accession: Accession | None = None
    external_db_id: int | None = None
    xref: StoredXref | None = None
    feature: Feature | None = None

    @property
    def description(self) -> str:
        """The gene's new description."""
        return gene_description(self.assigned.description, self.assigned.probability)

    @property
    def undo(self) -> Undo:
        """What to remember of the gene."""
        assert self.gene is not None
        return Undo(self.gene.description, self.gene.display_xref_id, self.xref is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows with what becomes of them.

    Attributes
    ----------
    rows
        The rows at or above the threshold, in the table's order.
    below_threshold
        How many there were below.
    versioned
        How many stable ids carried the version that the database has.
    shared
        Symbols that several genes of the genome bear, or would, with the genes.
    """

    rows: list[PlannedRow]
    below_threshold: int = 0
    versioned: int = 0
    shared: dict[str, list[str]] = field(default_factory=dict)

    @property
    def to_load(self) -> list[PlannedRow]:
        """The rows that will be written."""
        return [row for row in self.rows if row.outcome is Outcome.LOAD]

    @property
    def problems(self) -> list[PlannedRow]:
        """The rows that something is amiss with."""
        return [row for row in self.rows if row.outcome.is_problem]

    def outcomes(self) -> Counter[Outcome]:
        """Count the rows by outcome."""
        return Counter(row.outcome for row in self.rows)


def gene_description(description: str, probability: float) -> str:
    """Return the description of a gene with an assigned symbol.

    The score has at most 15 significant digits, as production's loader prints it.
    """
    score = f"{100 * round(probability, 4):.15g}"
    return f"{description} [Ensembl NN prediction with score {score}%]"


def make_plan(
    connection: Connection,
    table: Iterable[AssignedSymbol],
    accessions: Accessions,
    *,
    species_id: int,
    threshold: float,
    duplicates: Duplicates = "keep",
    lock: bool = False,
) -> Plan:
    """Decide what becomes of each assigned symbol.

    Parameters
    ----------
    connection
        The database.
    table
        The assigned symbols.
    accessions
        The accessions known.
    species_id
        Species whose genes are meant.
    threshold
        Probability from which on a symbol is loaded.
    duplicates
        What to do where several genes would bear one symbol: load it for all,
        for the most probable, or for none. A gene that bears it already counts
        as the most probable.
    lock
        Keep others from changing these genes until the transaction ends.
    """
    table = list(table)
    selected = [row for row in table if row.symbol and row.probability >= threshold]
    sources = external_db_ids(connection)
    limits = TextLimits.of(connection)
    names = {row.stable_id for row in selected}
    names = {name for name in names if limits.can_be_asked("gene", "stable_id", name)}
    genes = find_genes(connection, names, species_id, lock=lock)
    features = find_features(connection, names - set(genes))
    rows = [
        _plan_row(row, genes.get(row.stable_id), accessions, sources, limits)
        if row.stable_id not in features
        else _plan_feature(row, features[row.stable_id])
        for row in selected
    ]
    rows = _one_row_a_gene(rows)
    storable = {r.assigned.symbol for r in rows if r.outcome is Outcome.LOAD}
    holders = symbol_holders(connection, storable, species_id)
    rows, shared = _settle_duplicates(rows, holders, duplicates)
    rows = _with_stored_xrefs(connection, rows)
    keys = accession_keys(
        connection,
        {r.accession.accession for r in rows if r.outcome is Outcome.LOAD and r.accession},
    )
    rows = _one_symbol_an_accession(rows, keys)
    versioned = sum(
        row.gene is not None and row.assigned.stable_id != row.gene.stable_id for row in rows
    )
    return Plan(rows, len(table) - len(selected), versioned, shared)


def _plan_row(
    row: AssignedSymbol,
    gene: GeneRow | None,
    accessions: Accessions,
    sources: dict[str, int],
    limits: TextLimits,
) -> PlannedRow:
    if gene is None:
        return PlannedRow(row, Outcome.UNKNOWN_GENE, "not in the database")
    planned = PlannedRow(row, Outcome.LOAD, gene=gene)
    if gene.other_version:
        return replace(
            planned,
            outcome=Outcome.OTHER_VERSION,
            detail=f"the database has version {gene.version}",
        )
    if gene.label is not None or gene.display_xref_id:
        return replace(planned, outcome=Outcome.HAS_SYMBOL, detail=gene.label or "")
    accession = accessions.find(row.symbol, row.source, row.accession)
    if accession is None:
        return replace(planned, outcome=Outcome.NO_ACCESSION, detail=row.source)
    planned = replace(planned, accession=accession)
    if accession.db_name not in sources:
        return replace(planned, outcome=Outcome.NO_EXTERNAL_DB, detail=accession.db_name)
    planned = replace(planned, external_db_id=sources[accession.db_name])
    problem = limits.problem(accession.accession, row.symbol, row.description, planned.description)
    if problem is None and not planned.undo.fits:
        problem = "the gene's present description is too long to be kept for gst db unload"
    if problem is not None:
        return replace(planned, outcome=Outcome.NOT_STORABLE, detail=problem)
    return planned


def _plan_feature(row: AssignedSymbol, feature: Feature) -> PlannedRow:
    detail = f"a {feature.kind} of the gene {feature.gene}"
    return PlannedRow(row, Outcome.UNKNOWN_GENE, detail, feature=feature)


def _one_row_a_gene(rows: list[PlannedRow]) -> list[PlannedRow]:
    """Keep the most probable of several rows for one gene; the first of equals."""
    best: dict[int, PlannedRow] = {}
    for row in rows:
        if row.outcome is Outcome.LOAD and row.gene is not None:
            held = best.setdefault(row.gene.gene_id, row)
            if row.assigned.probability > held.assigned.probability:
                best[row.gene.gene_id] = row
    return [
        row
        if row.outcome is not Outcome.LOAD or row.gene is None or best[row.gene.gene_id] is row
        else replace(
            row,
            outcome=Outcome.REPEATED_GENE,
            detail=f"line {best[row.gene.gene_id].assigned.line} is for the same gene",
        )
        for row in rows
    ]


def _settle_duplicates(
    rows: list[PlannedRow], holders: dict[str, list[str]], policy: Duplicates
) -> tuple[list[PlannedRow], dict[str, list[str]]]:
    groups: dict[str, list[PlannedRow]] = {}
    for row in rows:
        if row.outcome is Outcome.LOAD:
            groups.setdefault(row.assigned.symbol.casefold(), []).append(row)
    shared: dict[str, list[str]] = {}
    losers: dict[int, str] = {}
    for symbol, group in groups.items():
        present = holders.get(symbol, [])
        if len(group) + len(present) < 2:
            continue
        names = present + [r.gene.stable_id for r in group if r.gene is not None]
        shared[group[0].assigned.symbol] = names
        if policy == "keep":
            continue
        best = max(group, key=lambda r: r.assigned.probability)
        winner = best if policy == "best" and not present else None
        losers.update({id(r): ", ".join(names) for r in group if r is not winner})
    return [
        replace(row, outcome=Outcome.DUPLICATE_SYMBOL, detail=losers[id(row)])
        if id(row) in losers
        else row
        for row in rows
    ], shared


def _with_stored_xrefs(connection: Connection, rows: list[PlannedRow]) -> list[PlannedRow]:
    keys = {
        (row.external_db_id, row.accession.accession)
        for row in rows
        if row.outcome is Outcome.LOAD and row.accession and row.external_db_id is not None
    }
    stored = find_xrefs(connection, keys)
    result = []
    for row in rows:
        if row.outcome is Outcome.LOAD and row.accession and row.external_db_id is not None:
            xref = stored.get((row.external_db_id, row.accession.accession))
            differs = xref is not None and xref.display_label != row.assigned.symbol
            detail = (
                f"its xref is labelled {xref.display_label}" if xref and differs else row.detail
            )
            row = replace(row, xref=xref, detail=detail)
        result.append(row)
    return result


def _one_symbol_an_accession(rows: list[PlannedRow], keys: dict[str, str]) -> list[PlannedRow]:
    """Keep the symbol of the most probable row, where several want one new cross-reference.

    A cross-reference has one label: the other genes would show a symbol that is
    not theirs. `keys` says what the schema's unique key makes of an accession.
    """
    best: dict[tuple[int | None, str], PlannedRow] = {}
    for row in rows:
        if row.outcome is Outcome.LOAD and row.accession and row.xref is None:
            key = row.external_db_id, keys[row.accession.accession]
            held = best.setdefault(key, row)
            if row.assigned.probability > held.assigned.probability:
                best[key] = row
    result = []
    for row in rows:
        if row.outcome is Outcome.LOAD and row.accession and row.xref is None:
            kept = best[row.external_db_id, keys[row.accession.accession]]
            if (row.accession, row.assigned.symbol) != (kept.accession, kept.assigned.symbol):
                where = f"{kept.assigned.symbol} in line {kept.assigned.line}"
                detail = f"{row.accession.accession} is that of {where}"
                row = replace(row, outcome=Outcome.SHARED_ACCESSION, detail=detail)
        result.append(row)
    return result
