"""One file over HTTP: gone on with where it was stopped, tried again where a server falters."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import os
import random
import re
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

import gst_core
from gst_core.dataset.partial import Part, Passing
from gst_core.errors import GstError, display
from gst_core.files import named_when_full

USER_AGENT: Final = f"gst-dataset/{gst_core.__version__} (Gene Symbol Transformer)"
_PIECE: Final = 1 << 16
#: Answers that may be another the next time.
_PASSING: Final = frozenset((408, 425, 429, 500, 502, 503, 504))
#: A connection as urllib3 shows it before what became of it.
_CONNECTION: Final = re.compile(r"^<?\w[\w.]*Connection\b[^)>]*[)>]: ")
_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
#: Whoever asks to wait longer than that wants us to come another day.
_LONGEST_WAIT: Final = 3600.0


class NotThereError(GstError):
    """A server says that it does not have a file."""


class UnreachableError(GstError):
    """No connection to a server comes about: it has nothing else for us either."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    attempts
        Attempts in a row that bring nothing before a file is given up.
    timeout
        Seconds without a byte.
    first, longest
        Seconds: the pause after failure `n` is drawn between 0 and ``first * 2 ** n``, `longest`
        at most (exponential back-off with full jitter).
    """

    attempts: int = 8
    timeout: float = 60.0
    first: float = 1.0
    longest: float = 60.0


class Client:
    """Downloads files, several at a time.

    Parameters
    ----------
    connections
        Connections that a host gets at the same time.
    patience
        How long it is waited for.
    stop
        Set by whoever wants all downloads to end.
    say
        Called with a sentence where something is tried again.
    """

    def __init__(
        self,
        connections: int = 4,
        patience: Patience | None = None,
        stop: threading.Event | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._connections = connections
        self._patience = patience or Patience()
        self._stop = stop or threading.Event()
        self._say = say
        self._pools: dict[str, Any] = {}
        self._lock = threading.Lock()

    def download(
        self, url: str, target: Path, on_bytes: Callable[[int], None] = lambda _: None
    ) -> None:
        """Download a file; it appears under its name when it is whole.

        What a killed download has left (``.NAME.part``) is gone on with, if the server still has
        the same file.

        Parameters
        ----------
        url
            Where it is.
        target
            Where it is to be, in a folder that is there.
        on_bytes
            Called with the number of bytes of each piece; a negative one takes bytes back.

        Raises
        ------
        NotThereError
            If the server has no such file.
        GstError
            If it refuses it, or falters too often, or the disk is full.
        UnreachableError
            If no attempt has come as far as to the server.
        """
        part = Part(target)
        failures = 0
        while True:
            before = part.size()
            try:
                with named_when_full(str(target)):
                    self._attempt(url, part, on_bytes)
                    part.finish(target)
                return
            except (urllib3.exceptions.HTTPError, Passing, ConnectionError, TimeoutError) as error:
                # what has come further may go on for as long as it does
                failures = 0 if part.size() > before else failures
                failures += 1
                if self._stop.is_set():
                    raise GstError("the download was stopped", where=url) from error
                reason = _reason(error)
                if failures >= self._patience.attempts:
                    kind = UnreachableError if _is_unreachable(error) else GstError
                    raise kind(
                        f"cannot be downloaded, after {failures} attempts: {reason}",
                        where=url,
                        hint="check the network and the proxy, and run the same command again: "
                        "it goes on where it stopped",
                    ) from error
                wait = self._wait(failures, error)
                self._say(f"{url}: {reason}; trying again in {wait:.1f} s")
                self._stop.wait(wait)

    def _wait(self, failures: int, error: Exception) -> float:
        patience = self._patience
        # Jitter spreads clients out; nothing here is secret.
        longest = min(patience.longest, patience.first * 2**failures)
        drawn = random.uniform(0, longest)  # noqa: S311
        return max(drawn, error.wait if isinstance(error, Passing) else 0.0)

    def _attempt(self, url: str, part: Part, on_bytes: Callable[[int], None]) -> None:
        start, headers = part.resume(url)
        response = self._pool(url).request(
            "GET",
            url,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
            preload_content=False,
            timeout=urllib3.Timeout(
                connect=min(20.0, self._patience.timeout), read=self._patience.timeout
            ),
            retries=urllib3.Retry(
                total=None, connect=0, read=0, status=0, other=0, redirect=5, raise_on_status=False
            ),
        )
        try:
            first = self._check(response, url, part, start)
            if first is None:
                return
            with part.path.open("r+b" if first else "wb") as file:
                file.seek(first)
                file.truncate()
                # never unpacked: some servers call a .gz file an encoding of another
                while piece := response.read1(_PIECE, decode_content=False):
                    file.write(piece)
                    file.flush()
                    on_bytes(len(piece))
                    if self._stop.is_set():
                        raise Passing("stopped")
                os.fsync(file.fileno())
            part.check_size()
        finally:
            # what is left of an answer would be read before the connection is used again
            response.close()
            response.release_conn()

    def _check(self, response: Any, url: str, part: Part, start: int) -> int | None:
        """Say from which byte on the answer is; None where nothing is missing."""
        status = response.status
        if status == 206:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            total = int(found[3]) if found and found[3] != "*" else None
            if found is None or int(found[1]) != start or part.total not in (None, total):
                part.discard()
                raise Passing("the server sent another piece than the one asked for")
            return start
        if status == 416:
            # nothing behind what is there: all of it, or another file
            if part.total is not None and part.size() == part.total:
                return None
            part.discard()
            raise Passing("the server has another file than before")
        if status == 200:
            part.begin(url, response.headers)
            return 0
        if status in _PASSING:
            raise Passing(f"the server answers {status}", _retry_after(response.headers, url))
        if status in (404, 410):
            raise NotThereError(
                "the server has no such file",
                where=url,
                hint="check the release, the division and --server",
            )
        raise GstError(
            f"the server answers {status}", where=url, hint="check the address and --server"
        )

    def _pool(self, url: str) -> Any:
        """Give the connections to use for an address, through the proxy of the environment."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = urllib.request.getproxies().get(parts.scheme, "")
        if proxy and urllib.request.proxy_bypass(host):
            proxy = ""
        with self._lock:
            pool = self._pools.get(proxy)
            if pool is None:
                options: dict[str, Any] = {"maxsize": self._connections, "block": True}
                if proxy:
                    user = urlsplit(proxy)
                    if user.username:
                        options["proxy_headers"] = urllib3.make_headers(
                            proxy_basic_auth=f"{user.username}:{user.password or ''}"
                        )
                    pool = urllib3.ProxyManager(proxy, **options)
                else:
                    pool = urllib3.PoolManager(**options)
                self._pools[proxy] = pool
        return pool


def _retry_after(headers: Any, url: str) -> float:
    """Seconds that a server asks to wait: a number, or a date.

    Raises
    ------
    GstError
        If they are so many that it does not want us now.
    """
    value = headers.get("Retry-After", "").strip()
    seconds = 0.0
    if value.isdigit():
        seconds = float(value)
    elif value:
        with contextlib.suppress(ValueError, TypeError):
            date = email.utils.parsedate_to_datetime(value)
            now = datetime.fromtimestamp(time.time(), UTC)
            seconds = max((date - now).total_seconds(), 0.0)
    if seconds > _LONGEST_WAIT:
        raise GstError(
            f"the server asks to come back in {seconds / 60:,.0f} minutes",
            where=url,
            hint="run the same command then: it goes on where it stopped",
        )
    return seconds


def _is_unreachable(error: Exception) -> bool:
    # what urllib3 makes of names without address and of refused connections is of this kind too
    cause = getattr(error, "reason", None) or error
    return isinstance(cause, urllib3.exceptions.ConnectTimeoutError)


def _reason(error: Exception) -> str:
    """Say what happened, without Python's words for its objects."""
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        # behind the connection that it was
        return display(_CONNECTION.sub("", str(cause)))[:160]
    if isinstance(cause, urllib3.exceptions.TimeoutError):
        return "nothing has come for too long"
    if isinstance(cause, urllib3.exceptions.ProtocolError):
        # urllib3 has the words first, and then the object that they were made of
        broken = cause.args[1] if len(cause.args) > 1 else None
        if isinstance(broken, http.client.IncompleteRead):
            return "the connection broke off"
    text = str(cause.args[0] if cause.args else type(cause).__name__)
    return display(text)[:160]
