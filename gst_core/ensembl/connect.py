"""Connections to core databases: addresses, passwords, sessions.

A password is read from the environment, a file or ``~/.my.cnf``, and only
there: command lines are seen by everyone on a machine, and end up in logs.
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from gst_core.errors import GstError

PASSWORD_VARIABLE = "GST_DB_PASSWORD"  # noqa: S105 - a name, not a password
#: seconds to wait for another program's locks
LOCK_TIMEOUT = 60

#: options of a MySQL option file by their names there, and PyMySQL's
_CLIENT_OPTIONS = {
    "user": "user",
    "password": "password",
    "host": "host",
    "port": "port",
    "socket": "unix_socket",
}

#: What a server's URL may say after its ``?``, all of it about the way there. Other options of
#: the driver run statements (``init_command``), read files (``read_default_file``), hold a
#: password (``passwd``) or take transactions away (``autocommit``).
_QUERY_KEYS = (
    "unix_socket",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_key",
    "ssl_cipher",
    "ssl_check_hostname",
)
_PASSWORD_KEYS = ("password", "passwd", "pwd", "ssl_key_password")

#: Set for each session, whatever the server's own: strict, for MySQL otherwise stores what fits
#: and says nothing; without ``ANSI_QUOTES`` and ``NO_BACKSLASH_ESCAPES``, which change what
#: quoted text means.
_SQL_MODE = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"

Mode = Literal["read", "write", "create"]


@dataclass(frozen=True)
class Address:
    """Where a core database is; the password is not part of it.

    Attributes
    ----------
    url
        SQLAlchemy URL without a password, with the driver filled in.
    password_file
        File whose first line is the password.
    option_file
        MySQL option file whose ``[client]`` section may give user, password,
        host, port and socket.
    """

    url: URL
    password_file: Path | None = None
    option_file: Path = Path("~/.my.cnf")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite's rather than a server."""
        return self.url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        """Return the address as it may be shown."""
        plain = self.url.set(drivername=self.url.get_backend_name(), query={})
        return plain.render_as_string(hide_password=True)


def parse_address(
    url: str | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    user: str | None = None,
    database: str | None = None,
    password_file: Path | None = None,
) -> Address:
    """Make an address from a URL, or from its parts as Ensembl's programs take them.

    Raises
    ------
    GstError
        If both or neither are given, if the URL is not one of MySQL or SQLite,
        or if it holds a password.
    """
    if url is None:
        if database is None:
            raise GstError(
                "no database is named",
                hint="give --url mysql://user@host:port/database, --url sqlite:///core.db, "
                "or --host, --port, --user and --database",
            )
        parsed = URL.create("mysql+pymysql", user, None, host, port, database)
        return Address(parsed, password_file)
    if any(part is not None for part in (host, port, user, database)):
        raise GstError(
            "--url says all that --host, --port, --user and --database say",
            hint="give one or the other",
        )
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The text is not repeated: someone may have put a password into it.
        raise GstError(
            "is not a database URL",
            where="--url",
            hint="write mysql://user@host:port/database or sqlite:///core.db",
        ) from None
    if parsed.password is not None or any(key in parsed.query for key in _PASSWORD_KEYS):
        raise GstError(
            "holds a password, which everyone on this machine can see",
            where="--url",
            hint=f"leave it out, and put it in the environment variable {PASSWORD_VARIABLE}, "
            "in a file (--password_file) or in ~/.my.cnf",
        )
    if backend in ("mysql", "mariadb"):
        parsed = parsed.set(drivername="mysql+pymysql")
    elif backend != "sqlite":
        raise GstError(
            f"{backend} databases are not read", where="--url", hint="use MySQL or SQLite"
        )
    if not parsed.database:
        raise GstError("names no database", where="--url", hint="end it in /DATABASE")
    _check_query(parsed, backend)
    return Address(parsed, password_file)


def _check_query(url: URL, backend: str) -> None:
    """Let nothing through to the driver that is not about the way to the server."""
    allowed = () if backend == "sqlite" else _QUERY_KEYS
    for key, value in url.query.items():
        # The value is not repeated, as above.
        if key not in allowed:
            raise GstError(
                f"the option '{key}' cannot be given",
                where="--url",
                hint=f"after ? there may be {', '.join(allowed)}"
                if allowed
                else "leave out what follows the ?",
            )
        if not isinstance(value, str):
            raise GstError(f"the option '{key}' is there twice", where="--url", hint="give it once")


def open_database(
    address: Address, mode: Mode = "read", *, lock_timeout: int = LOCK_TIMEOUT
) -> Engine:
    """Make an engine; nothing is connected before its first use.

    No connection outlives its use: a server that sees a connection close rolls
    back and lets go of every lock, and that is what makes a killed load harmless.
    """
    if address.is_sqlite:
        return _open_sqlite(address, mode, lock_timeout)
    options = _client_options(address)
    options |= {"charset": "utf8mb4", "connect_timeout": 10, "autocommit": False}
    # By the driver, for SQLAlchemy asks what quotes mean as soon as there is a connection.
    options["sql_mode"] = _SQL_MODE
    engine = create_engine(address.url, poolclass=NullPool, connect_args=options)

    @event.listens_for(engine, "connect")
    def set_session(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = %s", (lock_timeout,))
            cursor.execute("SET SESSION lock_wait_timeout = %s", (lock_timeout,))

    return engine


def _open_sqlite(address: Address, mode: Mode, lock_timeout: int) -> Engine:
    path = Path(address.url.database or "").expanduser()
    if mode != "create" and not path.is_file():
        raise GstError(
            "no such database",
            where=str(path),
            hint=f"make one: gst db create --from FOLDER --url {address}",
        )
    access = {"read": "ro", "write": "rw", "create": "rwc"}[mode]
    url = URL.create(
        "sqlite", database=f"file:{path.resolve()}", query={"mode": access, "uri": "true"}
    )
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": lock_timeout})

    # The driver's own idea of when a transaction begins leaves out reads, so
    # what a load decides could rest on rows that have changed since.
    @event.listens_for(engine, "connect")
    def leave_transactions_alone(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")

    return engine


def _client_options(address: Address) -> dict[str, Any]:
    """Fill in what the URL leaves open; PyMySQL's own names."""
    options = _read_option_file(address.option_file.expanduser())
    for field, part in (("user", "username"), ("host", "host"), ("port", "port")):
        if getattr(address.url, part):
            options.pop(field, None)
    if address.url.host or "unix_socket" in address.url.query:
        options.pop("unix_socket", None)
    if address.password_file is not None:
        options["password"] = _first_line(address.password_file)
    elif PASSWORD_VARIABLE in os.environ:
        options["password"] = os.environ[PASSWORD_VARIABLE]
    if "password" in options:
        # PyMySQL encodes text in latin-1, and quotes it where that fails.
        options["password"] = options["password"].encode("utf-8", "surrogateescape")
    return options


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not a text file"
        raise GstError(
            f"cannot read the password: {reason}", where=str(path), hint="check --password_file"
        ) from None
    return lines[0] if lines else ""


def _read_option_file(path: Path) -> dict[str, Any]:
    """Read the ``[client]`` section of a MySQL option file; nothing if there is none."""
    # configparser would take an indented line for more of the value above it, and
    # a password that is part of a user's name is shown when the user is refused.
    parser = configparser.RawConfigParser(allow_no_value=True, strict=False, delimiters=("=",))
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        parser.read_string("\n".join(line for line in lines if not line.startswith("!")))
        if not parser.has_section("client"):
            return {}
        options: dict[str, Any] = {}
        for name, field in _CLIENT_OPTIONS.items():
            value = parser.get("client", name, fallback=None)
            if value is not None:
                options[field] = _option_value(value)
        if "port" in options:
            options["port"] = int(options["port"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, configparser.Error):
        # What is wrong is not repeated: the line may be the password's.
        raise GstError(
            "is not a readable MySQL option file",
            where=str(path),
            hint="check its section [client], and that its port is a number",
        ) from None
    return options


def _option_value(text: str) -> str:
    """Take the quotes or the comment off a value; a ``#`` within quotes is neither."""
    if text[:1] in ("'", '"'):
        value, partner, _ = text[1:].partition(text[0])
        if partner:
            return value
    return text.partition(" #")[0].rstrip()
