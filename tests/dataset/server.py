"""A web server of a folder that fails as servers do, and writes down what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

RANGE = re.compile(r"bytes=(\d+)-")


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    Attributes
    ----------
    status
        Answer with this instead, with `headers`.
    stop_after
        Bytes of the body after which the connection is closed.
    stall_after
        Bytes of the body after which nothing comes any more.
    changed
        Flip a byte of the body.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    stop_after: int = -1
    stall_after: int = -1
    changed: bool = False


@dataclass
class Server:
    """The server.

    Attributes
    ----------
    folder
        What it serves.
    url
        Its address.
    faults
        By the end of a path, what goes wrong with the next answers, one after the other.
    asked
        Path and Range of each request.
    """

    folder: Path
    url: str = ""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    ranges: bool = True
    tags: bool = True
    delay: float = 0.0  # seconds between pieces of 4 KiB
    open_now: int = 0
    most_open: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def times(self, end: str) -> int:
        """How often a path that ends so was asked for."""
        return sum(path.endswith(end) for path, _ in self.asked)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a folder within the block."""
    server = Server(folder)
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            with server.lock:
                server.asked.append((self.path, self.headers.get("Range", "")))
                server.headers.append(dict(self.headers))
                server.open_now += 1
                server.most_open = max(server.most_open, server.open_now)
                fault = next(
                    (
                        own.pop(0)
                        for end, own in server.faults.items()
                        if own and self.path.endswith(end)
                    ),
                    Fault(),
                )
            try:
                self._answer(fault)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with server.lock:
                    server.open_now -= 1

        def _answer(self, fault: Fault) -> None:
            path = server.folder / unquote(self.path).lstrip("/")
            if fault.status or not path.is_file():
                self.send_response(fault.status or 404)
                for name, value in fault.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = path.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if fault.changed:
                body = body[:-9] + bytes([body[-9] ^ 1]) + body[-8:]
            wanted = RANGE.fullmatch(self.headers.get("Range", ""))
            same = self.headers.get("If-Range", tag) == tag
            start = int(wanted[1]) if wanted and server.ranges and same else 0
            if wanted and server.ranges and same and start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if server.tags:
                self.send_header("ETag", tag)
            # as Apache sends .gz files: to be left as they are all the same
            self.send_header("Content-Encoding", "x-gzip")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = len(body)
            if fault.stop_after >= 0:
                end = min(end, start + fault.stop_after)
            if fault.stall_after >= 0:
                end = min(end, start + fault.stall_after)
            for place in range(start, end, 4096):
                piece = body[place : min(place + 4096, end)]
                self.wfile.write(piece)
                with server.lock:
                    server.sent += len(piece)
                if server.delay:
                    time.sleep(server.delay)
            if fault.stall_after >= 0:
                ended.wait(5)
            if end < len(body):
                self.close_connection = True
                self.connection.close()

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Clients that go are what these tests are about."""

    http = Quiet(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        http.shutdown()
        http.server_close()
        thread.join()
