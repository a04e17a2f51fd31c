"""What the database's unique keys take for equal, asked of the database itself."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

from gst_core.ensembl.genes import chunks

_COLLATION = text(
    "SELECT character_set_name, collation_name FROM information_schema.columns "
    "WHERE table_schema = DATABASE() AND table_name = 'xref' AND column_name = 'dbprimary_acc'"
)
#: values a query; each is a column of its result
_COLUMNS = 500


def accession_keys(connection: Connection, accessions: Iterable[str]) -> dict[str, str]:
    """Return for each accession what ``xref`` compares: equal keys are one to its unique index.

    MySQL's collations fold case, and accents too (``HGNC:e1`` and ``HGNC:é1`` are equal in
    ``latin1_swedish_ci``), each by rules of its own.

    Parameters
    ----------
    connection
        The database.
    accessions
        Accessions that its column can hold.
    """
    values = sorted(set(accessions))
    if connection.dialect.name == "sqlite" or all(value.isascii() for value in values):
        return {value: value.casefold() for value in values}
    characters, collation = connection.execute(_COLLATION).one()
    keys: dict[str, str] = {}
    for some in chunks(values, _COLUMNS):
        # The names are the server's own.
        weights = ", ".join(
            f"HEX(WEIGHT_STRING(CONVERT(:v{i} USING {characters}) COLLATE {collation}))"
            for i in range(len(some))
        )
        row = connection.execute(
            text(f"SELECT {weights}"),
            {f"v{i}": value for i, value in enumerate(some)},
        ).one()
        keys.update(zip(some, row, strict=True))
    return keys
