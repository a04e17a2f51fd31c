"""One transaction that writes to a core database: all of it, or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, text

from gst_core.ensembl import schema
from gst_core.ensembl.connect import LOCK_TIMEOUT, Address, open_database
from gst_core.ensembl.failures import database_failures
from gst_core.errors import GstError

_ENGINES = text(
    "SELECT table_name, engine, table_type FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_name IN :names"
)


@contextlib.contextmanager
def write_transaction(
    address: Address, *, lock_timeout: int = LOCK_TIMEOUT, convert_to_innodb: bool = False
) -> Iterator[Connection]:
    """Open a transaction that is committed when the block ends, and else rolled back.

    Only one program at a time is let in: loads of one genome that ran at once
    would each see the database without the other's symbols.

    Parameters
    ----------
    address
        The database.
    lock_timeout
        Seconds to wait for another program's locks.
    convert_to_innodb
        Convert tables that know no transactions; else they are an error. They
        stay converted, however the transaction ends.

    Yields
    ------
    connection
        A connection within the transaction.

    Raises
    ------
    GstError
        If the database refuses; it is then as it was before.
    """
    engine = open_database(address, "write", lock_timeout=lock_timeout)
    with contextlib.ExitStack() as stack:
        with database_failures(address, "nothing was changed"):
            connection = stack.enter_context(engine.connect())
            if not address.is_sqlite:
                _enter_alone(connection, address, lock_timeout)
                _require_transactions(connection, address, convert_to_innodb)
                # So that the reads that follow see what was committed meanwhile.
                connection.rollback()
            yield connection
        with database_failures(
            address,
            "the connection broke while the server was committing, so all is loaded or nothing; "
            "run it again, which loads nothing twice",
        ):
            connection.commit()


def _enter_alone(connection: Connection, address: Address, lock_timeout: int) -> None:
    """Take a lock that the server releases when this connection ends, however it ends."""
    name = f"gst:{address.url.database}"[:64]
    entered = connection.scalar(
        text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": lock_timeout}
    )
    if entered != 1:
        raise GstError(
            "another gst db load or unload is at work",
            where=str(address),
            hint="run it again when that is done, or raise --lock_timeout",
        )


def _require_transactions(connection: Connection, address: Address, convert: bool) -> None:
    rows = connection.execute(_ENGINES, {"names": schema.WRITTEN}).all()
    views = sorted(name for name, _, kind in rows if "VIEW" in kind)
    if views:
        raise GstError(
            f"{', '.join(views)} are views, and what they show may know no transactions",
            where=str(address),
            hint="name the database that the tables are in",
        )
    without = sorted(name for name, engine, _ in rows if engine != "InnoDB")
    if not without:
        return
    if not convert:
        raise GstError(
            f"the tables {', '.join(without)} are not InnoDB, and know no transactions",
            where=str(address),
            hint="run it again with --convert_to_innodb, which keeps every row as it is",
        )
    for name in without:
        connection.exec_driver_sql(f"ALTER TABLE `{name}` ENGINE = InnoDB, ROW_FORMAT = DYNAMIC")
