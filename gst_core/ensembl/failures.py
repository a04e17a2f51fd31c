"""What database servers say when they fail, in one line that says what to do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gst_core.ensembl.connect import Address
from gst_core.errors import GstError

#: MySQL's error numbers (the server's, and from 2000 the client's)
_HINTS = {
    1044: "ask for the privilege, or use another user",
    1045: "check the user, and the password in GST_DB_PASSWORD, --password_file or ~/.my.cnf",
    1049: "check the database's name",
    1054: "is this a current Ensembl core schema?",
    1062: "another load was faster, or the schema lets no second analysis attach an xref",
    1114: "free space on the server's disk, then run it again",
    1142: "ask for the privilege, or use another user",
    1143: "ask for the privilege, or use another user",
    1146: "is this an Ensembl core database?",
    1153: "raise the server's max_allowed_packet above the longest DNA sequence",
    1267: "the text does not fit the database's character set",
    1205: "another program holds locks; run it again later, or raise --lock_timeout",
    1213: "another program wrote to the same rows; run it again",
    1290: "use a server that takes writes",
    2003: "check host and port, and that the server runs",
    2006: "run it again; where it happens again, raise the server's max_allowed_packet",
    2013: "run it again; where it happens again, raise the server's max_allowed_packet",
}
_SQLITE_HINTS = {
    "database is locked": "another program writes to it; run it again later",
    "readonly database": "check the permissions of the file and its folder",
    "is full": "free space on the disk, then run it again",
    "disk I/O error": "free space on the disk, then run it again",
    "no such table": "is this an Ensembl core database?",
    "no such column": "is this a current Ensembl core schema?",
    "not a database": "name a file of SQLite's",
}


@contextlib.contextmanager
def database_failures(address: Address, consequence: str = "") -> Iterator[None]:
    """Turn what SQLAlchemy raises into a :class:`GstError`.

    Only the driver's own message is shown: SQLAlchemy's carries the statement
    with its parameters, thousands of rows long.

    Parameters
    ----------
    address
        The database, for the message.
    consequence
        What the failure means for the database, e.g. that nothing was changed.
    """
    try:
        yield
    except DBAPIError as error:
        what, hint = _explain(error)
        what = f"{what} ({consequence})" if consequence else what
        raise GstError(what, where=str(address), hint=hint) from error
    except SQLAlchemyError as error:
        raise GstError(str(error).splitlines()[0], where=str(address)) from error


def _explain(error: DBAPIError) -> tuple[str, str | None]:
    arguments = error.orig.args if error.orig is not None else ()
    if len(arguments) >= 2 and isinstance(arguments[0], int):
        return str(arguments[1]), _HINTS.get(arguments[0])
    message = str(arguments[0]) if arguments else type(error).__name__
    hints = (hint for part, hint in _SQLITE_HINTS.items() if part in message)
    return message, next(hints, None)
