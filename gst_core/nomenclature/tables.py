"""What nomenclature committees say of genes: HGNC, MGI and ZFIN."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gst_core.errors import GstError
from gst_core.sequences.streams import open_blocks

_HGNC: Final = (
    "hgnc_id", "symbol", "name", "status", "locus_group", "prev_symbol", "alias_symbol",
    "uniprot_ids",
)  # fmt: skip
_HOMOLOGY: Final = ("DB Class Key", "NCBI Taxon ID", "Symbol", "Mouse MGI ID")
_ALLIANCE: Final = ("MGI Accession ID", "Marker Symbol", "Marker Name", "HGNC ID")
_HUMAN, _MOUSE = "9606", "10090"


@dataclass(frozen=True, slots=True)
class HgncGene:
    """A line of HGNC's complete set: an approved human gene.

    Attributes
    ----------
    hgnc_id, symbol, name
        ``HGNC:1100``, ``BRCA1``, ``BRCA1 DNA repair associated``.
    previous, aliases
        Symbols it had, and others it goes by.
    uniprot
        Accessions of its UniProt entries.
    coding
        Whether it is a protein-coding gene; pseudogenes keep proteins in databases.
    silent
        Whether it is a pseudogene, or a gene of an RNA alone.
    """

    hgnc_id: str
    symbol: str
    name: str
    previous: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    uniprot: tuple[str, ...] = ()
    coding: bool = True
    silent: bool = False


@dataclass(frozen=True, slots=True)
class ModelGene:
    """A gene of mouse or zebrafish with its human orthologues.

    Attributes
    ----------
    gene_id, symbol, name
        As MGI or ZFIN has them; the name may be empty.
    human
        Symbols of the human orthologues, sorted.
    """

    gene_id: str
    symbol: str
    name: str
    human: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is known of names.

    Attributes
    ----------
    hgnc
        Approved human genes.
    mouse, zebrafish
        Genes of MGI and of ZFIN.
    """

    hgnc: Sequence[HgncGene] = field(default_factory=list)
    mouse: Sequence[ModelGene] = field(default_factory=list)
    zebrafish: Sequence[ModelGene] = field(default_factory=list)

    @property
    def readthrough(self) -> frozenset[str]:
        """Symbols in upper case of transcripts that run through two genes (NBL1 and MICOS10).

        What resembles one of them is one of the two genes nearly always.
        """
        return frozenset(g.symbol.upper() for g in self.hgnc if "readthrough" in g.name.lower())

    @property
    def silent(self) -> frozenset[str]:
        """Symbols in upper case of human pseudogenes and RNA genes.

        Databases keep proteins of some; other species may have a living gene of that name.
        """
        return frozenset(gene.symbol.upper() for gene in self.hgnc if gene.silent)


def read_tables(
    hgnc: Path | None = None, mgi: Iterable[Path] = (), zfin: Path | None = None
) -> Tables:
    """Read those tables that are given.

    Parameters
    ----------
    hgnc, mgi, zfin
        As for :func:`read_hgnc`, :func:`read_mouse` and :func:`read_zebrafish`.

    Raises
    ------
    GstError
        If a file cannot be read or is another.
    """
    genes = read_hgnc(hgnc) if hgnc else []
    return Tables(genes, read_mouse(mgi, genes), read_zebrafish(zfin) if zfin else [])


def read_hgnc(path: Path) -> list[HgncGene]:
    """Read the approved genes of HGNC's complete set.

    Parameters
    ----------
    path
        ``hgnc_complete_set.txt``, plain or compressed, https://www.genenames.org (CC0).

    Raises
    ------
    GstError
        If a column is missing.
    """
    rows = csv.DictReader(io.StringIO(_text(path), newline=""), delimiter="\t")
    missing = [column for column in _HGNC if column not in (rows.fieldnames or ())]
    if missing:
        raise GstError(
            f"the column {missing[0]} is missing",
            where=str(path),
            hint="give HGNC's complete set, hgnc_complete_set.txt",
        )
    return [
        HgncGene(
            row["hgnc_id"],
            row["symbol"],
            row["name"],
            _listed(row["prev_symbol"]),
            _listed(row["alias_symbol"]),
            _listed(row["uniprot_ids"]),
            row["locus_group"] == "protein-coding gene",
            row["locus_group"] in ("pseudogene", "non-coding RNA"),
        )
        for row in rows
        if row["status"] == "Approved"
    ]


def read_mouse(paths: Iterable[Path], hgnc: Iterable[HgncGene] = ()) -> list[ModelGene]:
    """Read mouse genes and their human orthologues.

    Parameters
    ----------
    paths
        Reports of MGI, https://www.informatics.jax.org, plain or compressed:
        ``HOM_MouseHumanSequence.rpt`` (orthologues), ``HGNC_AllianceHomology.rpt`` (names,
        and orthologues by HGNC id), or both.
    hgnc
        Approved human genes, whose ids the second report needs.

    Raises
    ------
    GstError
        If a file is neither.
    """
    approved = {gene.hgnc_id: gene.symbol for gene in hgnc}
    symbols: dict[str, str] = {}
    names: dict[str, str] = {}
    human: dict[str, set[str]] = {}
    for path in paths:
        header, *lines = [line.split("\t") for line in _text(path).splitlines()] or [[]]
        if set(_HOMOLOGY) <= set(header):
            found = _homology(header, lines, approved)
        elif set(_ALLIANCE) <= set(header):
            found = _alliance(header, lines, approved)
        else:
            raise GstError(
                "not a homology report of MGI",
                where=str(path),
                hint="give HOM_MouseHumanSequence.rpt or HGNC_AllianceHomology.rpt",
            )
        for gene in found:
            symbols[gene.gene_id] = gene.symbol
            names[gene.gene_id] = gene.name or names.get(gene.gene_id, "")
            human.setdefault(gene.gene_id, set()).update(gene.human)
    return [
        ModelGene(gene_id, symbols[gene_id], names[gene_id], tuple(sorted(human[gene_id])))
        for gene_id in symbols
    ]


def _homology(
    header: list[str], lines: list[list[str]], approved: dict[str, str]
) -> Iterator[ModelGene]:
    """Pair mouse and human genes of one class."""
    classes: dict[str, tuple[list[tuple[str, str]], list[str]]] = {}
    for row in _rows(header, lines):
        mice, humans = classes.setdefault(row["DB Class Key"], ([], []))
        if row["NCBI Taxon ID"] == _MOUSE:
            mice.append((row["Mouse MGI ID"], row["Symbol"]))
        elif row["NCBI Taxon ID"] == _HUMAN:
            humans.append(approved.get(row.get("HGNC ID", ""), row["Symbol"]))
    for mice, humans in classes.values():
        for mgi_id, symbol in mice:
            yield ModelGene(mgi_id, symbol, "", tuple(humans))


def _alliance(
    header: list[str], lines: list[list[str]], approved: dict[str, str]
) -> Iterator[ModelGene]:
    for row in _rows(header, lines):
        ids = row["HGNC ID"].replace(",", "|").split("|")
        humans = tuple(approved[one.strip()] for one in ids if one.strip() in approved)
        yield ModelGene(row["MGI Accession ID"], row["Marker Symbol"], row["Marker Name"], humans)


def _rows(header: list[str], lines: list[list[str]]) -> Iterator[dict[str, str]]:
    # The second report ends its lines, and not its header, with a tab.
    for line in lines:
        yield dict(zip(header, [*line, *[""] * (len(header) - len(line))], strict=False))


def read_zebrafish(path: Path) -> list[ModelGene]:
    """Read zebrafish genes and their human orthologues.

    Parameters
    ----------
    path
        ``human_orthos.txt`` of ZFIN, https://zfin.org, plain or compressed: ZFIN id, symbol,
        name and human symbol in the first columns, a line for each piece of evidence.

    Raises
    ------
    GstError
        If a line is another.
    """
    facts: dict[str, tuple[str, str]] = {}
    human: dict[str, set[str]] = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split("\t")
        if len(fields) < 4 or not fields[0].startswith("ZDB-"):
            raise GstError(
                "not a line of ZFIN's human orthologues",
                where=f"{path}, line {number:,}",
                hint="give human_orthos.txt",
            )
        facts[fields[0]] = fields[1], fields[2]
        human.setdefault(fields[0], set()).add(fields[3])
    return [
        ModelGene(gene_id, symbol, name, tuple(sorted(human[gene_id])))
        for gene_id, (symbol, name) in facts.items()
    ]


def _text(path: Path) -> str:
    with open_blocks(path, str(path)) as blocks:
        return b"".join(blocks).decode("utf-8", "replace")


def _listed(cell: str) -> tuple[str, ...]:
    """Take ``"a|b"`` apart, the quotes of older releases included."""
    return tuple(part.strip() for part in cell.strip('"').split("|") if part.strip())
