"""Where Ensembl's divisions are on its servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_GENOMES: Final = "https://ftp.ensemblgenomes.ebi.ac.uk/pub"
_GENOMES_MYSQL: Final = "mysql://anonymous@mysql-eg-publicsql.ebi.ac.uk:4157"


@dataclass(frozen=True, slots=True)
class Division:
    """A part of Ensembl.

    Attributes
    ----------
    name
        As users call it.
    full_name
        As Ensembl calls it.
    server
        Address of the folder that holds the releases.
    mysql
        Address of the public databases.
    releases
        Path of a release, ``{release}`` standing for its number.
    """

    name: str
    full_name: str
    server: str
    mysql: str
    releases: str

    def folder(self, release: int, server: str | None = None) -> str:
        """Give the address of a release, on the public server or on a mirror with its tree."""
        base = (server or self.server).rstrip("/")
        return f"{base}/{self.releases.format(release=release)}"

    @property
    def species_table(self) -> str:
        """Name of the table of a release's genomes."""
        return f"species_{self.full_name}.txt"


DIVISIONS: Final = {
    "vertebrates": Division(
        "vertebrates",
        "EnsemblVertebrates",
        "https://ftp.ensembl.org/pub",
        "mysql://anonymous@ensembldb.ensembl.org:3306",
        "release-{release}",
    ),
    **{
        name: Division(
            name,
            f"Ensembl{name.capitalize()}",
            _GENOMES,
            _GENOMES_MYSQL,
            f"{name}/release-{{release}}",
        )
        for name in ("metazoa", "plants", "fungi", "protists")
    },
}
