"""What there is of a file that is being downloaded, so that it can be gone on with."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from gst_core.files import atomic_write


class Passing(Exception):  # noqa: N818 - a reason to try again, no error yet
    """Something that may be over soon: a dropped connection, a busy server."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


class Part:
    """What there is of a file, and which one of the server's it is.

    Parameters
    ----------
    target
        What the file is called once it is whole; what there is of it lies beside.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.part")
        self._facts = target.with_name(f".{target.name}.part.json")
        self.total: int | None = None

    def size(self) -> int:
        """Bytes that are there."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def resume(self, url: str) -> tuple[int, dict[str, str]]:
        """Say from which byte to go on, and what to send so that it is the same file's."""
        facts: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            facts = json.loads(self._facts.read_text(encoding="utf-8"))
        size = self.size()
        self.total = facts.get("total")
        validator = facts.get("validator")
        if not size or facts.get("url") != url or not (validator or self.total):
            self.discard()
            return 0, {}
        headers = {"Range": f"bytes={size}-"}
        # A server that names no version of its file may still be asked for the rest: the size
        # has to be the same, and the checksum tells in the end.
        return size, headers | ({"If-Range": validator} if validator else {})

    def begin(self, url: str, headers: Any) -> None:
        """Note which file is about to come."""
        self.path.unlink(missing_ok=True)
        length = headers.get("Content-Length", "")
        self.total = int(length) if length.isdigit() else None
        tag = headers.get("ETag", "")
        # If-Range takes no weak tags: they do not promise the same bytes
        validator = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        with atomic_write(self._facts) as file:
            json.dump({"url": url, "total": self.total, "validator": validator}, file)

    def check_size(self) -> None:
        """Make sure that all of it has come."""
        size = self.size()
        if self.total is not None and size < self.total:
            raise Passing(f"{size:,} of {self.total:,} bytes have come")
        if self.total is not None and size > self.total:
            self.discard()
            raise Passing(f"{size:,} bytes have come of a file of {self.total:,}")

    def discard(self) -> None:
        """Begin anew."""
        self.path.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)
        self.total = None

    def finish(self, target: Path) -> None:
        """Give the file its name."""
        self.path.replace(target)
        self._facts.unlink(missing_ok=True)
