#!/usr/bin/env python3
"""Build the taxonomy table of the package from the NCBI taxonomy dump.

Run from the root of the repository; ``docs/taxonomy.md`` describes the result:

    PYTHONPATH=. python scripts/build_taxonomy.py nodes.dmp.gz names.dmp.gz
"""

from __future__ import annotations

import array
import gzip
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import zstandard

from gst_core.clades import CLADE_OF_TAXON, LEGACY_CLADE_OF_TAXON
from gst_core.files import atomic_write
from gst_core.taxonomy import ASSETS, IDS_FILE, NAMES_FILE, normalise

ROOT, CELLULAR, BACTERIA, ARCHAEA, VIRUSES = 1, 131567, 2, 2157, 10239
EUKARYOTA, VERTEBRATA = 2759, 7742
#: Outside Eukaryota only these have a line, for all that is below them.
WHOLE_DOMAINS = frozenset((ROOT, CELLULAR, BACTERIA, ARCHAEA, VIRUSES))
SPECIES_AND_BELOW = frozenset(("species", "subspecies", "varietas", "forma"))
#: The other name classes hold authorities, common names and specimens.
NAME_CLASSES = frozenset(
    (
        "scientific name",
        "synonym",
        "equivalent name",
        "misspelling",
        "genbank synonym",
        "anamorph",
        "teleomorph",
        "genbank anamorph",
    )
)
#: A synonym with a year is a citation, and nobody types one.
YEAR = re.compile(r"\b(1[6789]|20)\d\d\b")
BINOMIAL = re.compile(r"[a-z-]+ [a-z-]{3,}")


@dataclass
class Node:
    """A taxon of the dump; names in the order scientific name, then the others sorted."""

    parent: int
    rank: str
    names: list[str] = field(default_factory=list)


def read_dump(nodes_file: Path, names_file: Path) -> dict[int, Node]:
    """Read both files of the dump."""
    nodes: dict[int, Node] = {}
    for taxon_id, parent, rank, *_ in _rows(nodes_file):
        nodes[int(taxon_id)] = Node(int(parent), rank)
    other: dict[int, set[str]] = defaultdict(set)
    for taxon_id, name, _, name_class in _rows(names_file):
        if name_class == "scientific name":
            nodes[int(taxon_id)].names.append(name)
        elif name_class in NAME_CLASSES and not YEAR.search(name):
            other[int(taxon_id)].add(name)
    for number, node in nodes.items():
        node.names = _distinct([*node.names, *sorted(other[number])])
    return nodes


def _rows(file: Path) -> Iterator[list[str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.removesuffix("\t|\n").split("\t|\t")


def _distinct(names: list[str]) -> list[str]:
    """Drop what differs in case only, and add the spelling that is looked up."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name.lower(), name)
        kept.setdefault(normalise(name), normalise(name))
    return list(kept.values())


@dataclass
class Line:
    """A taxon that gets a line of the table."""

    taxon_id: int
    clade: str
    legacy_clade: str
    genus: str
    below: list[str] = field(default_factory=list)


def choose_lines(nodes: dict[int, Node]) -> tuple[dict[int, Line], dict[int, int]]:
    """Walk the tree from its root, ancestors first, children by taxon id.

    Returns
    -------
    lines
        By taxon id, in the order of the walk: all of Vertebrata, genera and above in the
        rest of Eukaryota, and the domains.
    owner
        For every taxon, the taxon whose line answers for it.
    """
    children: dict[int, list[int]] = defaultdict(list)
    for taxon_id, node in nodes.items():
        if taxon_id != ROOT:
            children[node.parent].append(taxon_id)
    lines: dict[int, Line] = {}
    owner: dict[int, int] = {}
    # taxon, owner, clade, legacy clade, genus, and whether it is in Eukaryota, in Vertebrata
    # and below a genus or a species
    stack = [(ROOT, ROOT, "", "", "", False, False, False)]
    while stack:
        taxon_id, own, clade, legacy, genus, eukaryote, vertebrate, low = stack.pop()
        node = nodes[taxon_id]
        clade = CLADE_OF_TAXON.get(taxon_id, clade)
        eukaryote |= taxon_id == EUKARYOTA
        vertebrate |= taxon_id == VERTEBRATA
        if node.rank == "genus":
            genus = node.names[0]
        high = not low and node.rank not in SPECIES_AND_BELOW
        if taxon_id in WHOLE_DOMAINS or (eukaryote and (vertebrate or high)):
            own = taxon_id
            lines[taxon_id] = Line(taxon_id, clade, legacy, genus)
        owner[taxon_id] = own
        # What the original sees of this taxon it sees from below.
        legacy = LEGACY_CLADE_OF_TAXON.get(taxon_id, legacy)
        low |= node.rank == "genus" or node.rank in SPECIES_AND_BELOW
        stack.extend(
            (child, own, clade, legacy, genus, eukaryote, vertebrate, low)
            for child in sorted(children[taxon_id], reverse=True)
        )
    return lines, owner


def add_misleading_species(
    nodes: dict[int, Node], lines: dict[int, Line], owner: dict[int, int]
) -> None:
    """Give a line the species below it that the first word of their name does not lead to.

    Among them are species of genera whose name two genera bear (Ficus, Oenanthe), species
    that moved to another genus, by their old name, and those without a genus.
    """
    named: dict[str, set[int]] = defaultdict(set)
    for taxon_id in lines:
        for name in nodes[taxon_id].names:
            named[name.lower()].add(taxon_id)
    for taxon_id, own in owner.items():
        if taxon_id in lines or own in WHOLE_DOMAINS:
            continue
        for name in nodes[taxon_id].names:
            key = normalise(name)
            if BINOMIAL.fullmatch(key) and named.get(key.split()[0]) != {own}:
                lines[own].below.append(key)


def build(nodes: dict[int, Node]) -> tuple[bytes, bytes]:
    """Make the two parts of the table; see :class:`gst_core.taxonomy.Taxonomy`."""
    lines, owner = choose_lines(nodes)
    add_misleading_species(nodes, lines, owner)
    text = bytearray()
    offset: dict[int, int] = {}
    for taxon_id, line in lines.items():
        offset[taxon_id] = len(text)
        node = nodes[taxon_id]
        fields = (str(taxon_id), line.clade, line.legacy_clade, line.genus, node.rank)
        parts = ["|".join(fields), *node.names]
        if line.below:
            parts += ["", *sorted(set(line.below))]
        text += "\t".join(parts).encode("ascii") + b"\n"
    ids = array.array("I", bytes(4 * (max(nodes) + 1)))
    for taxon_id, own in owner.items():
        ids[taxon_id] = offset[own] + 1
    if sys.byteorder == "big":
        ids.byteswap()
    return bytes(text), ids.tobytes()


@click.command()
@click.argument("nodes", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("names", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(nodes: Path, names: Path) -> None:
    """Write the taxonomy table into the package from NODES.dmp.gz and NAMES.dmp.gz."""
    compressor = zstandard.ZstdCompressor(level=19)
    for file, content in zip((NAMES_FILE, IDS_FILE), build(read_dump(nodes, names)), strict=True):
        with atomic_write(ASSETS / file, "wb") as output:
            output.write(compressor.compress(content))
        click.echo(f"{ASSETS / file}: {(ASSETS / file).stat().st_size} bytes", err=True)


if __name__ == "__main__":
    main()
