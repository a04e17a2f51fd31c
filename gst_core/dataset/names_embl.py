"""Names of genes from Ensembl's EMBL files, which say nothing of canonical transcripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from gst_core.annotation.lines import numbered_lines
from gst_core.dataset.names import GeneName, GeneNames, named
from gst_core.errors import GstError

#: A feature begins in column 6, its qualifiers in column 22.
_KEY: Final = slice(5, 21)
_VALUE: Final = slice(21, None)
_QUALIFIER: Final = re.compile(r"/(\w+)=?")
#: Qualifiers that may be broken between words, where a space belongs.
_TEXT: Final = frozenset(("note",))

Feature = tuple[str, dict[str, list[str]]]


def read_embl(paths: Iterable[Path]) -> GeneNames:
    """Read the genes of EMBL files of Ensembl's, those of a genome together.

    A gene counts as protein-coding where it has a CDS: EMBL files name no biotype.

    Parameters
    ----------
    paths
        Plain or compressed.

    Raises
    ------
    GstError
        If a file cannot be read or is cut short, or none of them has a gene.
    """
    found: dict[str, GeneName] = {}
    coding: set[str] = set()
    paths = list(paths)
    for path in paths:
        for kind, qualifiers in read_features(path):
            gene = qualifiers.get("gene", [""])[0]
            if kind == "gene" and gene:
                label = qualifiers.get("locus_tag", [""])[0]
                found[gene] = named(label, qualifiers.get("note", [""])[0])
            elif kind == "CDS":
                coding.add(gene)
    if not found:
        raise GstError(
            "there is no gene in it",
            where=", ".join(map(str, paths)),
            hint="expected Ensembl's EMBL files (.dat.gz)",
        )
    return GeneNames({gene: name for gene, name in found.items() if gene in coding})


def read_features(path: Path) -> Iterator[Feature]:
    """Read the features of an EMBL file: their keys, and their qualifiers' values.

    Parameters
    ----------
    path
        Plain or compressed.

    Raises
    ------
    GstError
        If an entry has no end.
    """
    key = ""
    lines: list[str] = []
    open_since = number = 0
    for number, raw in numbered_lines(path):
        if not raw.startswith(b"FT"):
            if key:
                yield key, qualifiers_of(lines)
                key, lines = "", []
            if raw.startswith(b"//"):
                open_since = 0
            elif raw.startswith(b"ID "):
                open_since = number
            continue
        line = raw.rstrip(b"\r\n").decode("utf-8", "replace")
        if own := line[_KEY].strip():
            if key:
                yield key, qualifiers_of(lines)
            key, lines = own, []
        else:
            lines.append(line[_VALUE].strip())
    if open_since:
        raise GstError(
            f"the entry of line {open_since:,} has no end (//): the file is cut short",
            where=f"{path}, line {number:,}",
            hint="copy or download it again",
        )


def qualifiers_of(lines: Iterable[str]) -> dict[str, list[str]]:
    """Read the qualifiers of a feature.

    Parameters
    ----------
    lines
        What stands from column 22 on, in order, without the location's first line.

    Returns
    -------
    qualifiers
        Values by name, without their quotes.
    """
    found: dict[str, list[str]] = {}
    name = value = ""
    quoted = False

    def finish() -> None:
        if name:
            text = value[1:] if value.startswith('"') else value
            text = text[:-1] if value.startswith('"') and text.endswith('"') else text
            found.setdefault(name, []).append(text.replace('""', '"'))

    for line in lines:
        # within quotes a line may begin with a slash as well
        match = None if quoted else _QUALIFIER.match(line)
        if match is not None:
            finish()
            name, value = match[1], line[match.end() :]
        elif name:
            value += f" {line}" if name in _TEXT and value else line
        quoted = value.startswith('"') and not _closed(value)
    finish()
    return found


def _closed(value: str) -> bool:
    """Whether a quoted value has its last quote; two are one within it."""
    quotes = len(value) - len(value.rstrip('"'))
    if len(value) == quotes:  # nothing but quotes: the first opens
        return quotes % 2 == 0
    return quotes % 2 == 1
