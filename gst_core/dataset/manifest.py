"""What a dataset says of itself: where it is from, what it holds, what was left out and why."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import gst_core
from gst_core.dataset.table import MANIFEST
from gst_core.errors import GstError
from gst_core.files import atomic_write

FORMAT: Final = "gst-dataset"
VERSION: Final = 1

#: Under which terms each database gives its data, as of when this was written.
LICENCES: Final = {
    "UniProtKB": {
        "name": "CC BY 4.0",
        "url": "https://www.uniprot.org/help/license",
        "attribution": "UniProt Consortium",
    },
    "RefSeq": {
        "name": "public domain",
        "url": "https://www.ncbi.nlm.nih.gov/home/about/policies/",
        "attribution": "NCBI Reference Sequences",
    },
    "Ensembl": {
        "name": "no restrictions (terms of use of EMBL-EBI)",
        "url": "https://www.ebi.ac.uk/about/terms-of-use/",
        "attribution": "Ensembl, EMBL-EBI; genomes by their own depositors",
    },
}


@dataclass(slots=True)
class SourceFile:
    """A file that a dataset was made of.

    Attributes
    ----------
    name
        Of the file.
    size
        In bytes.
    checksum
        Kind and sum, as ``sha256:...`` or ``sum:12345 678``: what it was verified by, or its
        own where nobody published one.
    verified
        Whether somebody's published sum says so.
    url
        Where it came from; empty where it was a file of the user's.
    """

    name: str
    size: int
    checksum: str
    verified: bool = False
    url: str = ""

    @classmethod
    def of(cls, path: Path) -> SourceFile:
        """Describe a file of the user's."""
        return cls(path.name, path.stat().st_size, f"sha256:{sha256(path)}")


@dataclass(slots=True)
class Species:
    """What a dataset has of a species; its number is not told where it has nothing."""

    name: str
    taxon_id: int | None
    clade: str
    proteins: int
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Manifest:
    """The content of ``manifest.json``; ``docs/dataset.md`` describes it.

    Attributes
    ----------
    database
        Where the proteins are from.
    release
        Of the database; empty where nobody said.
    licence
        Under which terms the database gives its data.
    options
        What the user asked for.
    files
        What was read.
    genomes
        Of Ensembl: assembly, database and counts of each.
    species
        By name.
    proteins, symbols
        How many the table has.
    left_out
        How many proteins are not in it, by why.
    notes
        What is to be known of how it was made.
    table
        Size and SHA-256 of the table.
    """

    database: str
    release: str = ""
    licence: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    files: list[SourceFile] = field(default_factory=list)
    genomes: list[dict[str, Any]] = field(default_factory=list)
    species: list[Species] = field(default_factory=list)
    proteins: int = 0
    symbols: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    table: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it into the folder of its dataset."""
        content = {
            "format": FORMAT,
            "format_version": VERSION,
            "made_by": f"gst {gst_core.__version__}",
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            **asdict(self),
            "licence": self.licence or LICENCES.get(self.database, {}),
        }
        with atomic_write(folder / MANIFEST) as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a dataset.

    Raises
    ------
    GstError
        If it is not there, or none of a dataset.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GstError(f"cannot read the manifest: {reason}", where=str(path)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise GstError("is not the manifest of a dataset", where=str(path))
    return content


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
