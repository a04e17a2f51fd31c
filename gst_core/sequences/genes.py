"""Which gene a protein is of, as far as its header or a table says."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

from gst_core.errors import GstError

#: ``gene:ENSG00000244734.4`` (Ensembl), ``gene=HBB`` (gffread), ``[gene=HBB]`` (RefSeq),
#: ``gene_id "g1"`` (GTF's way), ``|ENSG00000244734.4|`` (GENCODE), ``GN=HBB PE=1`` (UniProt, where
#: a name may have spaces and the next field ends it).
_NAMED: Final = re.compile(
    rb"""(?:^|[\s\[;|])gene(?:_id)?(?:[:=]|\s+(?="))\s*"?([^\s\];|"]+)"""
    rb"""|\|(ENS[A-Z]*G\d{11}(?:\.\d+)?)\|"""
    rb"""|\sGN=(\S+(?: (?![A-Z]{2}=)\S+)*)"""
)
#: How programs number the transcripts of a gene: ``g1.t2`` (AUGUSTUS, BRAKER), ``FUN_1-T2``
#: (funannotate), ``x-RB`` and ``x-mRNA-2`` (MAKER).
_NUMBERED: Final = re.compile(r"(.+?)(?:\.t\d+|-T\d+|-R[A-Z]{1,2}|-mRNA-\d+)")
#: A transcript's version (``ENSG00000244734.4``); only of ids whose form is known.
_VERSION: Final = re.compile(r"(ENS[A-Z]*G\d{11})\.\d+")


def gene_of(header: bytes, stable_id: str) -> str:
    """Find the gene that a FASTA header names.

    Parameters
    ----------
    header
        The line without ``>``.
    stable_id
        The record's id.

    Returns
    -------
    gene
        Its id; the protein's own id where nothing names a gene, so that each such protein is a
        gene of its own.
    """
    if found := _NAMED.search(header):
        gene = (found[1] or found[2] or found[3]).decode("utf-8", "replace")
        versioned = _VERSION.fullmatch(gene)
        return versioned[1] if versioned else gene
    numbered = _NUMBERED.fullmatch(stable_id)
    return numbered[1] if numbered else stable_id


def read_gene_map(path: Path) -> dict[str, str]:
    """Read which gene each protein is of.

    Parameters
    ----------
    path
        Two columns, protein and gene, separated by tabs or commas; further columns, blank lines
        and lines that begin with ``#`` are passed over. A first line without a known protein in
        it does no harm.

    Returns
    -------
    genes
        Gene id by protein id.

    Raises
    ------
    GstError
        If a line has one column, or a protein is of two genes.
    """
    genes: dict[str, str] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise GstError("the gene map is not UTF-8 text", where=str(path)) from error
    lines = text.splitlines()
    delimiter = "\t" if any("\t" in line for line in lines[:10]) else ","
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
        where = f"{path}, line {number}"
        if len(cells) < 2 or not cells[0] or not cells[1]:
            raise GstError(
                "a protein without a gene",
                where=where,
                hint="write protein id and gene id, separated by a tab or a comma",
            )
        if genes.setdefault(cells[0], cells[1]) != cells[1]:
            raise GstError(
                f"the protein '{cells[0]}' is of '{genes[cells[0]]}' and of '{cells[1]}'",
                where=where,
                hint="keep one of the lines",
            )
    if not genes:
        raise GstError("the gene map is empty", where=str(path))
    return genes
