"""Proteins of UniProt: its FASTA, and its flat file (``.dat``), which knows more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gst_core.annotation.lines import numbered_lines
from gst_core.dataset.entry import Entry, LeftOut, clean_sequence, clean_symbol, find_taxon
from gst_core.dataset.headers import Record, read_records
from gst_core.errors import GstError

GENE_NAME: Final = "UniProtKB Gene Name"

#: ``sp|P04637|P53_HUMAN name OS=... OX=... GN=... PE=1 SV=4``; isoforms are ``P04637-2``.
_ID: Final = re.compile(r"(?:sp|tr)\|([A-Z0-9]+(?:-\d+)?)\|(\S+)")
_FIELD: Final = re.compile(r"\s(OS|OX|GN|PE|SV)=(.*?)(?=\s(?:OS|OX|GN|PE|SV)=|$)")
_EVIDENCE: Final = re.compile(r"\s*\{[^{}]*\}")
_TAXON: Final = re.compile(r"NCBI_TaxID=(\d+)")
_LENGTH: Final = re.compile(r"SEQUENCE\s+(\d+) AA")
#: Committees among the cross-references (DR lines): what the dataset calls them, and where the
#: symbol stands that they gave, counted behind the name of the database.
_COMMITTEES: Final = {
    "HGNC": "HGNC Symbol",
    "MGI": "MGI Symbol",
    "RGD": "RGD Symbol",
    "VGNC": "VGNC Symbol",
    "ZFIN": "ZFIN",
    "Xenbase": "Xenbase",
    "FlyBase": "FlyBase",
    "WormBase": "WormBase",
    "SGD": "SGD",
}
_UNKNOWN_SPECIES: Final = "species that the taxonomy does not know"


def read_fasta(path: Path, left_out: LeftOut) -> Iterator[Entry]:
    """Read a FASTA file of UniProt.

    Parameters
    ----------
    path
        Plain or compressed.
    left_out
        Counts what is not fit to learn from.

    Raises
    ------
    GstError
        If it cannot be read, or is not one of UniProt's.
    """
    for record in read_records(path):
        entry = _of_fasta(record, left_out, str(path))
        if entry is not None:
            yield entry


def _of_fasta(record: Record, left_out: LeftOut, name: str) -> Entry | None:
    found = _ID.match(record.header)
    if found is None:
        raise GstError(
            f"the header '{record.header[:60]}' is not one of UniProt's",
            where=f"{name}, record {record.number:,}",
            hint="expected >sp|ACCESSION|NAME ... OS=... OX=... GN=...",
        )
    fields = {key: value.strip() for key, value in _FIELD.findall(record.header)}
    before = _FIELD.split(record.header[found.end() :], maxsplit=1)[0].strip()
    if "-" in found[1]:
        left_out.add("isoform that is not the canonical one", fields.get("OS", ""))
        return None
    return _entry(
        found[1],
        before,
        fields.get("GN", ""),
        "",
        (GENE_NAME, found[1]),
        (fields.get("OS", ""), fields.get("OX", "")),
        record.sequence,
        left_out,
    )


@dataclass(slots=True)
class _Flat:
    """An entry of the flat file while it is read."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    sequence: list[str] = field(default_factory=list)
    first: int = 0


def read_flat(path: Path, left_out: LeftOut) -> Iterator[Entry]:
    """Read a flat file of UniProt (``.dat``).

    The gene's name comes with the committee that gave it, where UniProt refers to its record
    under the very same symbol.

    Parameters
    ----------
    path
        Plain or compressed.
    left_out
        Counts what is not fit to learn from.

    Raises
    ------
    GstError
        If it cannot be read or is damaged: an entry without accession, species or end, or
        whose sequence has another length than it says.
    """
    name = str(path)
    flat = _Flat()
    number = 0
    for number, raw in numbered_lines(path):
        line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
        if line.startswith("//"):
            entry = _of_flat(flat, left_out, name)
            if entry is not None:
                yield entry
            flat = _Flat()
            continue
        code, value = line[:2], line[5:]
        if not flat.first and line.strip():
            flat.first = number
            if code != "ID":
                raise GstError(
                    f"an entry begins with '{line[:40]}'",
                    where=f"{name}, line {number:,}",
                    hint="a flat file of UniProt has ID there; is it another format?",
                )
        if code == "  ":
            flat.sequence.append(value)
        elif line.strip():
            flat.lines.setdefault(code, []).append(value)
    if flat.first:
        raise GstError(
            "the last entry has no end (//): the file is cut short",
            where=f"{name}, line {number:,}",
            hint="copy or download it again",
        )
    if not number:
        raise GstError("is empty", where=name, hint="copy or download it again")


def _of_flat(flat: _Flat, left_out: LeftOut, name: str) -> Entry | None:
    where = f"{name}, line {flat.first:,}"
    accessions = [a.strip() for a in " ".join(flat.lines.get("AC", [])).split(";") if a.strip()]
    taxon = _TAXON.search(" ".join(flat.lines.get("OX", [])))
    if not accessions or taxon is None:
        raise GstError(
            f"an entry without {'species (OX)' if accessions else 'accession (AC)'}", where=where
        )
    sequence = "".join("".join(flat.sequence).split())
    said = _LENGTH.search(" ".join(flat.lines.get("SQ", [])))
    if said is None or int(said[1]) != len(sequence):
        raise GstError(
            f"the sequence of {accessions[0]} has {len(sequence):,} residues, and says it has "
            f"{said[1] if said else 'none'}",
            where=where,
            hint="copy or download the file again",
        )
    symbol = gene_name(flat.lines.get("GN", []))
    source, gene = _committee(flat.lines.get("DR", []), symbol)
    return _entry(
        accessions[0],
        protein_name(flat.lines.get("DE", [])),
        symbol,
        gene,
        source or (GENE_NAME, accessions[0]),
        (" ".join(flat.lines.get("OS", [])), taxon[1]),
        sequence,
        left_out,
    )


def gene_name(lines: Iterable[str]) -> str:
    """Find the name of an entry's first gene in its GN lines; empty where it has none.

    An entry of several genes has them one after the other, with ``and`` between; UniProt's
    FASTA has the first as well.
    """
    text = ""
    for line in lines:
        if line.strip() == "and":
            break
        text += f"{line} "
    for part in _EVIDENCE.sub("", text).split(";"):
        key, _, value = part.strip().partition("=")
        if key == "Name":
            return value.strip()
    return ""


def protein_name(lines: Iterable[str]) -> str:
    """Find the recommended name of a protein in its DE lines, else the first submitted one."""
    for line in lines:
        head, _, value = line.partition("Full=")
        if value and head.strip() in ("RecName:", "SubName:"):
            return _EVIDENCE.sub("", value).strip().rstrip(";").strip()
    return ""


def _committee(lines: Iterable[str], symbol: str) -> tuple[tuple[str, str] | None, str]:
    """Find who gave the symbol, and the gene's id in Ensembl, among DR lines."""
    source: tuple[str, str] | None = None
    gene = ""
    for line in lines:
        parts = [part.strip() for part in line.rstrip().rstrip(".").split(";")]
        if parts[0] in _COMMITTEES and len(parts) > 2 and source is None:
            if parts[2].casefold() == symbol.casefold():
                source = _COMMITTEES[parts[0]], parts[1]
        elif parts[0] == "Ensembl" and len(parts) > 3 and not gene:
            gene = parts[3].split(" ")[0].rstrip(".")
    return source, gene


def _entry(
    accession: str,
    description: str,
    label: str,
    gene: str,
    source: tuple[str, str],
    species: tuple[str, str],
    sequence: str,
    left_out: LeftOut,
) -> Entry | None:
    name, taxon_id = species[0].partition(" (")[0].strip(" ."), species[1]
    taxon = find_taxon(taxon_id)
    if taxon is None:
        left_out.add(_UNKNOWN_SPECIES, name)
        return None
    symbol, why = clean_symbol(label)
    if not why:
        residues, why = clean_sequence(sequence)
    if why:
        left_out.add(why, name)
        return None
    return Entry(
        stable_id=accession,
        gene=gene,
        transcript="",
        symbol=symbol,
        label=label,
        description=description,
        source=source[0],
        accession=source[1],
        database="UniProtKB",
        species=name,
        taxon_id=int(taxon_id),
        taxon=taxon,
        sequence=residues,
    )
