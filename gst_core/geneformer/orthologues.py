"""Tables of orthologues: which human gene stands for a gene of another species, one to one."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError
from gst_core.geneformer.resources import Resources


@dataclass(frozen=True, slots=True)
class Orthologues:
    """What a table says.

    Attributes
    ----------
    human
        Gene of the species -> name of its human gene, of one-to-one pairs alone.
    pairs
        Different pairs in the table.
    """

    human: dict[str, str]
    pairs: int


def read_orthologues(path: Path, genes: Collection[str], resources: Resources) -> Orthologues:
    """Read the one-to-one pairs of a table.

    Which column is whose is told by content: one has the species' genes as the counts have them,
    the other human genes. A header does no harm; an empty field is no pair.

    Parameters
    ----------
    path
        Columns separated by tabs or commas, as BioMart writes them: symbols or Ensembl ids.
    genes
        Names of the species' genes.
    resources
        Knows human genes.

    Raises
    ------
    GstError
        If no column has genes of the counts, or none has human genes.
    """
    rows = _rows(path)
    width = max((len(row) for row in rows), default=0)
    columns = [
        [row[number] if number < len(row) else "" for row in rows] for number in range(width)
    ]
    known = set(genes)
    own = [sum(value in known for value in column) for column in columns]
    if not any(own):
        raise GstError(
            "no column has genes of the counts",
            where=str(path),
            hint=f"the counts name genes as {', '.join(sorted(known)[:3])}",
        )
    species = own.index(max(own))
    human = [
        0 if number == species else int((resources.ensembl_of(column) != "").sum())
        for number, column in enumerate(columns)
    ]
    if not any(human):
        raise GstError(
            "no column has human genes",
            where=str(path),
            hint="give human symbols or Ensembl ids in one column",
        )
    theirs = columns[human.index(max(human))]
    found = resources.ensembl_of(theirs)
    pairs = {
        (gene, str(ensembl), name)
        for gene, ensembl, name in zip(columns[species], found, theirs, strict=True)
        if gene and ensembl
    }
    # Two names of one human gene are one pair.
    unique = {(gene, ensembl) for gene, ensembl, _ in pairs}
    of_species = Counter(gene for gene, _ in unique)
    of_human = Counter(ensembl for _, ensembl in unique)
    return Orthologues(
        {
            gene: ensembl
            for gene, ensembl in sorted(unique)
            if of_species[gene] == of_human[ensembl] == 1
        },
        len(unique),
    )


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GstError(f"cannot read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise GstError("is not UTF-8 text", where=str(path)) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    delimiter = "\t" if any("\t" in line for line in lines[:10]) else ","
    return [[field.strip() for field in row] for row in csv.reader(lines, delimiter=delimiter)]
