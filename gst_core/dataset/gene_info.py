"""NCBI's tables of genes: ``gene_info``, and ``gene2refseq`` that says whose a protein is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gst_core.annotation.lines import numbered_lines
from gst_core.errors import GstError

ENTREZ: Final = "EntrezGene"

#: Committees by the names that NCBI has for them in ``dbXrefs``; ids keep their prefix where it
#: is part of them, ``HGNC:HGNC:5`` being HGNC:5.
_COMMITTEES: Final = {
    "HGNC": "HGNC Symbol",
    "MGI": "MGI Symbol",
    "RGD": "RGD Symbol",
    "VGNC": "VGNC Symbol",
    "ZFIN": "ZFIN",
    "Xenbase": "Xenbase",
    "FLYBASE": "FlyBase",
    "WormBase": "WormBase",
    "SGD": "SGD",
    "CGNC": "CGNC",
}
_ACCESSION: Final = re.compile(r"[A-Z]{2}_\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class NcbiGene:
    """A gene as NCBI has it.

    Attributes
    ----------
    gene_id, taxon_id
        Their numbers, as text.
    symbol, description
        The current symbol, and the gene's full name.
    source, accession
        The committee that gave the symbol and its id; else EntrezGene and the gene's number.
    kind
        ``type_of_gene``: ``protein-coding``, ``pseudo``, ...
    designations
        Names that proteins of the gene bear.
    """

    gene_id: str
    taxon_id: str
    symbol: str
    description: str
    source: str
    accession: str
    kind: str
    designations: tuple[str, ...]


@dataclass(slots=True)
class NcbiGenes:
    """Genes by their number, and by what their proteins are called."""

    genes: dict[str, NcbiGene] = field(default_factory=dict)
    by_symbol: dict[tuple[str, str], str] = field(default_factory=dict)
    #: taxon id and protein name to gene ids; more than one where the name tells nothing
    by_name: defaultdict[tuple[str, str], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def add(self, gene: NcbiGene) -> None:
        """Take a gene in."""
        self.genes[gene.gene_id] = gene
        self.by_symbol.setdefault((gene.taxon_id, gene.symbol.upper()), gene.gene_id)
        for name in {gene.description, *gene.designations}:
            if name:
                self.by_name[gene.taxon_id, name.lower()].add(gene.gene_id)


def read_gene_info(path: Path, taxa: set[str] | None = None) -> NcbiGenes:
    """Read ``gene_info``, or one of its parts as ``Homo_sapiens.gene_info.gz``.

    Parameters
    ----------
    path
        Plain or compressed.
    taxa
        Taxon ids of the genes to keep; all by default. The whole file has 60 million genes.

    Raises
    ------
    GstError
        If it cannot be read, or is no such table.
    """
    genes = NcbiGenes()
    wanted = ("tax_id", "GeneID", "Symbol", "dbXrefs", "description", "type_of_gene")
    for row in _rows(path, wanted, taxa):
        genes.add(_gene(row))
    if not genes.genes:
        raise GstError(
            "has no gene of the species of the proteins" if taxa else "has no gene",
            where=str(path),
            hint="give the gene_info of these species, or the whole file",
        )
    return genes


def read_gene2refseq(path: Path, taxa: set[str] | None = None) -> dict[str, str]:
    """Read whose gene a protein is of: ``gene2refseq`` or ``gene2accession``.

    Returns
    -------
    genes
        Gene id by accession without version.
    """
    found = {}
    for row in _rows(path, ("tax_id", "GeneID", "protein_accession.version"), taxa):
        accession = row["protein_accession.version"].partition(".")[0]
        if accession not in ("-", ""):
            found[accession] = row["GeneID"]
    return found


def _rows(path: Path, wanted: tuple[str, ...], taxa: set[str] | None) -> Iterator[dict[str, str]]:
    columns: list[str] | None = None
    for number, raw in numbered_lines(path):
        cells = raw.rstrip(b"\r\n").decode("utf-8", "replace").split("\t")
        if columns is None:
            columns = [cells[0].lstrip("#"), *cells[1:]]
            if missing := [name for name in wanted if name not in columns]:
                raise GstError(
                    f"has no column '{missing[0]}'",
                    where=f"{path}, line {number:,}",
                    hint=f"expected the header #{wanted[0]}, {', '.join(wanted[1:])}, as NCBI's",
                )
            continue
        if cells == [""]:
            continue
        if len(cells) != len(columns):
            raise GstError(
                f"{len(cells)} columns where the header has {len(columns)}",
                where=f"{path}, line {number:,}",
                hint="is the file cut short?",
            )
        if taxa is None or cells[columns.index("tax_id")] in taxa:
            yield dict(zip(columns, cells, strict=True))
    if columns is None:
        raise GstError("is empty", where=str(path), hint="copy or download it again")


def _gene(row: dict[str, str]) -> NcbiGene:
    given = {name: "" if value == "-" else value for name, value in row.items()}
    symbol = given["Symbol"]
    source, accession = ENTREZ, given["GeneID"]
    # the committee's symbol is in a column of its own where there is one
    if given.get("Symbol_from_nomenclature_authority", "") in ("", symbol):
        for reference in given["dbXrefs"].split("|"):
            database, _, own = reference.partition(":")
            if database in _COMMITTEES and given.get("Symbol_from_nomenclature_authority", symbol):
                source, accession = _COMMITTEES[database], own
                break
    description = given.get("Full_name_from_nomenclature_authority") or given["description"]
    names = given.get("Other_designations", "").split("|")
    return NcbiGene(
        *(given["GeneID"], given["tax_id"], symbol, description, source, accession),
        *(given["type_of_gene"], (given["description"], *names)),
    )


def is_refseq(accession: str) -> bool:
    """Whether a text is an accession of RefSeq's."""
    return _ACCESSION.fullmatch(accession) is not None
