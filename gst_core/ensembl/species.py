"""The species of a core database; a database may hold many."""

from __future__ import annotations

from sqlalchemy import Connection, select

from gst_core.ensembl import schema
from gst_core.errors import GstError


def choose_species(
    connection: Connection, species_id: int | None = None, production_name: str | None = None
) -> int:
    """Return the ``species_id`` to work on.

    Parameters
    ----------
    connection
        A connection to the database.
    species_id
        The number, where the user gives it.
    production_name
        The ``species.production_name``, where the user gives that.

    Raises
    ------
    GstError
        If there is no such species, or several and none was chosen.
    """
    systems, meta = schema.coord_system, schema.meta
    known = set(connection.scalars(select(systems.c.species_id).distinct()))
    rows = connection.execute(
        select(meta.c.meta_value, meta.c.species_id).where(
            meta.c.meta_key == "species.production_name"
        )
    )
    names: dict[str, int] = {row.meta_value: row.species_id for row in rows}
    listing = ", ".join(sorted(names) or map(str, sorted(known)))
    if production_name is not None:
        species_id = names.get(production_name)
        if species_id is None:
            raise GstError(
                f"the database has no species '{production_name}'",
                where="--species",
                hint=f"it has {listing}" if listing else "it has none",
            )
    if species_id is None:
        if len(known) > 1:
            raise GstError(
                f"the database holds {len(known)} species",
                hint=f"choose one with --species or --species_id: {_shorten(listing)}",
            )
        return next(iter(known), 1)
    if species_id not in known:
        raise GstError(
            f"the database has no species {species_id}",
            where="--species_id",
            hint=f"it has {', '.join(map(str, sorted(known))) or 'none'}",
        )
    return species_id


def _shorten(text: str, width: int = 300) -> str:
    return text if len(text) <= width else f"{text[:width]} ..."
