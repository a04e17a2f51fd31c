"""A MariaDB server for the tests, and a proxy that can act between two statements."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from gst_core.ensembl.schema import TABLES, WRITTEN

#: first byte of a command packet that carries SQL
COM_QUERY = b"\x03"


@dataclass(frozen=True)
class Server:
    """A running server; its root has no password and comes in by the socket alone."""

    socket: Path
    data: Path
    pid: int

    def url(self, database: str, user: str = "root", path: Path | None = None) -> str:
        return f"mysql://{user}@localhost/{database}?unix_socket={path or self.socket}"

    def connect(self, database: str | None = None) -> Any:
        return pymysql.connect(
            user="root", unix_socket=str(self.socket), database=database, autocommit=True
        )

    def run(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        with (
            contextlib.closing(self.connect(database)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())

    def snapshot(self, database: str) -> dict[str, Any]:
        """Everything in a database: rows where loads write, checksums elsewhere."""
        others = ", ".join(f"`{name}`" for name in sorted(set(TABLES) - set(WRITTEN)))
        rows: dict[str, Any] = {
            name: sorted(self.run(f"SELECT * FROM `{name}`", database), key=repr)
            for name in WRITTEN
        }
        return rows | {"others": self.run(f"CHECKSUM TABLE {others}", database)}


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    memory = Path("/dev/shm")
    # Containers often have no more than 64 MB there.
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    folder = Path(tempfile.mkdtemp(prefix="gst", dir=memory if roomy else None))
    data, path = folder / "data", folder / "s"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
               # A root without /etc/hosts cannot look up its own name.
               "--skip-name-resolve", "--force",
               "--auth-root-authentication-method=normal"]  # fmt: skip
    as_root = ["--user=root"] if folder.owner() == "root" else []
    subprocess.run([*install, *as_root], check=True, capture_output=True)
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [server, "--no-defaults", f"--datadir={data}", f"--socket={path}", "--skip-networking",
             f"--pid-file={folder / 'pid'}", "--innodb-buffer-pool-size=32M",
             "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=16M", *as_root],
            stdout=log, stderr=log,
            # Python ignores SIGXFSZ, and so shall the server: a write beyond the
            # limit of a file's size then fails as on a full disk.
            restore_signals=False,
        )  # fmt: skip
        running = Server(path, data, process.pid)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    running.run("SELECT 1")
                    break
                except pymysql.err.OperationalError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError((folder / "log").read_text()[-2000:]) from None
                    time.sleep(0.1)
            yield running
        finally:
            process.terminate()
            process.wait(60)
            shutil.rmtree(folder)


class Proxy:
    """Passes a client's packets on to the server, and tells of each statement first.

    `before` and `after` are called with the statement, just before it is passed
    on and just after. A statement whose client is gone by then is not passed on.
    """

    def __init__(self, server: Server, path: Path) -> None:
        self.before: Callable[[str], None] = lambda statement: None
        self.after: Callable[[str], None] = lambda statement: None
        self.path = path
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server.socket))
                for target in (self._upstream, self._downstream):
                    threading.Thread(target=target, args=(client, server), daemon=True).start()

    def _upstream(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while header := _read(client, 4):
                body = _read(client, int.from_bytes(header[:3], "little"))
                is_query = header[3] == 0 and body[:1] == COM_QUERY
                statement = body[1:].decode("utf-8", "replace") if is_query else ""
                self.before(statement)
                if _is_gone(client):
                    break
                server.sendall(header + body)
                self.after(statement)
        _shut(client, server)

    def _downstream(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        _shut(client, server)


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


def _is_gone(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def _shut(*connections: socket.socket) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
