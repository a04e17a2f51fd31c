"""Draw the bundled sample of real proteins from UniProtKB/Swiss-Prot.

Usage: python scripts/build_sample.py [SHARED_DATA] [SAMPLE_FOLDER]

The rule: of each species named below, all Swiss-Prot records with a gene name
take part, whatever their length and whether or not a model knows the symbol.
They are ordered by the SHA-256 of their accession and the first ones are
taken, so that the draw is random in what matters, nobody chose, and any
version of Python repeats it. The four genera that the benchmark holds out
give most of the proteins; the others widen the range of clades.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from gst_core.files import atomic_write

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "proteins/swissprot_eukaryota.fasta.zst"
#: species -> proteins to draw; the held-out genera first
SPECIES = {
    "Bos taurus": 60,
    "Gallus gallus": 60,
    "Xenopus laevis": 30,
    "Xenopus tropicalis": 30,
    "Danio rerio": 60,
    "Felis catus": 20,
    "Monodelphis domestica": 20,
    "Meleagris gallopavo": 20,
    "Salmo salar": 20,
    "Tetraodon nigroviridis": 20,
}
HEADER = re.compile(r">sp\|(?P<accession>\S+)\|\S+ OS=(?P<species>.+?) OX=\d+ GN=(?P<symbol>.+)")


class Protein(NamedTuple):
    """A Swiss-Prot record with a gene name."""

    accession: str
    species: str
    symbol: str
    sequence: str


def read_swissprot(path: Path) -> Iterator[Protein]:
    """Yield the records that have a gene name; a sequence is one line there."""
    with path.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        for line in lines:
            if match := HEADER.fullmatch(line.rstrip("\n")):
                yield Protein(
                    match["accession"], match["species"], match["symbol"], next(lines).strip()
                )


def draw(proteins: Iterator[Protein]) -> dict[str, list[Protein]]:
    """Draw each species' share by the rule above, then order it by accession."""
    pools: dict[str, list[Protein]] = {species: [] for species in SPECIES}
    for protein in proteins:
        if protein.species in pools:
            pools[protein.species].append(protein)
    drawn = {}
    for species, pool in pools.items():
        pool.sort(key=lambda p: hashlib.sha256(p.accession.encode()).digest())
        drawn[species] = sorted(pool[: SPECIES[species]])
    return drawn


def write(drawn: dict[str, list[Protein]], folder: Path) -> None:
    """Write a FASTA file a species, the samplesheet and the table of known symbols."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        atomic_write(folder / "samplesheet.csv") as sheet_file,
        atomic_write(folder / "known_symbols.tsv") as known_file,
    ):
        sheet = csv.writer(sheet_file, lineterminator="\n")
        sheet.writerow(["id", "fasta", "scientific_name"])
        known = csv.writer(known_file, delimiter="\t", lineterminator="\n")
        known.writerow(["stable_id", "symbol", "species"])
        for species, proteins in drawn.items():
            name = species.lower().replace(" ", "_")
            sheet.writerow([name, f"{name}.fa", species])
            with atomic_write(folder / f"{name}.fa") as fasta:
                for protein in proteins:
                    residues = "\n".join(textwrap.wrap(protein.sequence, 60))
                    fasta.write(f">{protein.accession} OS={species}\n{residues}\n")
                    known.writerow([protein.accession, protein.symbol, species])


def main() -> None:
    """Build the sample from the shared data, into the package unless told otherwise."""
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "data")
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "gst_core/assets/sample")
    drawn = draw(read_swissprot(shared / SOURCE))
    write(drawn, folder)
    for species, proteins in drawn.items():
        print(f"{species}\t{len(proteins)}", file=sys.stderr)


if __name__ == "__main__":
    main()
