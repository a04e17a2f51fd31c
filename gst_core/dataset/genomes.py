"""The genomes of a release: ``species_EnsemblVertebrates.txt`` and its like."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gst_core.errors import GstError

_WANTED: Final = ("species", "taxonomy_id", "assembly", "core_db")
_CORE: Final = re.compile(r"\w+_core(?:_\d+)+\w*")


@dataclass(frozen=True, slots=True)
class Genome:
    """A genome of a release.

    Attributes
    ----------
    species
        Production name: ``homo_sapiens``.
    name
        The name it is displayed under.
    taxon_id
        NCBI's.
    assembly, accession
        Name and accession of the assembly.
    core_db, species_id
        Its core database, and its number there.
    """

    species: str
    name: str
    taxon_id: int
    assembly: str
    accession: str
    core_db: str
    species_id: int

    @property
    def folder(self) -> str:
        """Its folder below ``fasta`` and ``gff3``: those of a collection lie together."""
        collection, core, _ = self.core_db.partition("_core_")
        if core and collection.endswith("_collection"):
            return f"{collection}/{self.species}"
        return self.species

    @property
    def file_stem(self) -> str:
        """How the names of its files begin."""
        return self.species[:1].upper() + self.species[1:]


def parse_genomes(text: str, name: str) -> list[Genome]:
    """Read the table of a release's genomes.

    Columns are found by their names, which have changed over the years; lines may end in a tab
    more than the header.

    Parameters
    ----------
    text
        The content of the file.
    name
        What errors call it.

    Raises
    ------
    GstError
        If it is no such table, or has no genome.
    """
    genomes = []
    columns: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        where = f"{name}, line {number:,}"
        if not columns:
            columns = {cell.lstrip("#"): place for place, cell in enumerate(cells)}
            if missing := [column for column in _WANTED if column not in columns]:
                raise GstError(
                    f"has no column '{missing[0]}'",
                    where=where,
                    hint=f"expected a header with {', '.join(_WANTED)}, as Ensembl's table has it",
                )
            continue
        genomes.append(_genome(cells, columns, where))
    if not genomes:
        raise GstError("has no genome", where=name, hint="check the release and --server")
    return genomes


def _genome(cells: list[str], columns: dict[str, int], where: str) -> Genome:
    def cell(column: str) -> str:
        place = columns.get(column, len(cells))
        return cells[place] if place < len(cells) else ""

    database = cell("core_db")
    # Some releases have more or fewer flags than their header: the database tells by its form.
    if not _CORE.fullmatch(database):
        database = next((c for c in cells if _CORE.fullmatch(c)), "")
    after = cells.index(database) + 1 if database else len(cells)
    species_id = cells[after] if after < len(cells) else "1"
    taxon_id = cell("taxonomy_id")
    species = cell("species")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", species) or species.startswith(".") or not database:
        raise GstError(
            "a genome without production name or core database",
            where=where,
            hint="is it Ensembl's table of species?",
        )
    if not (taxon_id.isascii() and taxon_id.isdigit()):
        raise GstError(f"'{taxon_id}' is no taxon id", where=where)
    return Genome(
        species,
        cell("name"),
        int(taxon_id),
        cell("assembly"),
        cell("assembly_accession"),
        database,
        int(species_id) if species_id.isascii() and species_id.isdigit() else 1,
    )


def choose_genomes(genomes: Sequence[Genome], asked: Iterable[str]) -> list[Genome]:
    """Find the genomes that a user asks for; all where nothing is asked.

    Parameters
    ----------
    genomes
        Those of the release.
    asked
        Production names, scientific names or taxon ids; a scientific name stands for the genome
        of that very production name where there is one, a taxon id for all of its genomes.

    Raises
    ------
    GstError
        If there is none of that name.
    """
    wanted = list(asked)
    if not wanted:
        return list(genomes)
    chosen: dict[str, Genome] = {}
    by_name = {genome.species.lower(): genome for genome in genomes}
    for text in wanted:
        key = re.sub(r"[\s_]+", "_", text.strip().lower())
        if key in by_name:
            found = [by_name[key]]
        elif key.isdigit():
            found = [genome for genome in genomes if genome.taxon_id == int(key)]
        else:
            found = [g for g in genomes if g.name.lower() == text.strip().lower()]
        if not found:
            alike = difflib.get_close_matches(key, by_name, n=3, cutoff=0.7)
            raise GstError(
                f"the release has no genome '{text}'",
                where="--species",
                hint=f"did you mean {' or '.join(alike)}?"
                if alike
                else "give a production name, as homo_sapiens, or a taxon id",
            )
        chosen |= {genome.species: genome for genome in found}
    return [genome for genome in genomes if genome.species in chosen]
