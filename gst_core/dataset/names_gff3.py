"""Names of genes, and their canonical transcripts, from Ensembl's GFF3."""

from __future__ import annotations

from pathlib import Path

from gst_core.annotation.lines import FASTA, attributes_of, numbered_lines
from gst_core.dataset.names import GeneNames, named
from gst_core.errors import GstError

_GENE = b"ID=gene:"
_CANONICAL = b"Ensembl_canonical"
_CODING = "protein_coding"


def read_gff3(path: Path) -> GeneNames:
    """Read the genes of a GFF3 file of Ensembl's.

    Only lines of genes, and of transcripts with the tag ``Ensembl_canonical``, are looked at.

    Parameters
    ----------
    path
        Plain or compressed.

    Raises
    ------
    GstError
        If it cannot be read, or no line in it is a gene of Ensembl's.
    """
    names = GeneNames()
    seen = False
    for number, line in numbered_lines(path):
        if line.startswith(FASTA):
            break
        gene = _GENE in line
        if not gene and _CANONICAL not in line:
            continue
        columns = line.rstrip(b"\r\n").split(b"\t")
        if line.startswith(b"#") or len(columns) != 9:
            if line.startswith(b"#"):
                continue
            raise GstError(
                f"{len(columns)} columns where GFF3 has 9",
                where=f"{path}, line {number:,}",
                hint="is the file cut short?",
            )
        attributes = attributes_of(columns[8], "gff3")
        own = attributes.get("ID", [""])[0]
        if own.startswith("gene:"):
            seen = True
            if attributes.get("biotype", [_CODING])[0] == _CODING:
                names.genes[own.removeprefix("gene:")] = named(
                    ",".join(attributes.get("Name", [])),
                    ",".join(attributes.get("description", [])),
                )
        elif own.startswith("transcript:") and _CANONICAL.decode() in attributes.get("tag", []):
            names.canonical.add(own.removeprefix("transcript:"))
    if not seen:
        raise GstError(
            "has no gene of Ensembl's (ID=gene:...)",
            where=str(path),
            hint="is it another program's GFF3?",
        )
    return names
