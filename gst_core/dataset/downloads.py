"""Files of a server in a folder of the user's: fetched once, verified, and kept."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from gst_core.dataset.checksums import Checksum, checksum_of, parse_checksums
from gst_core.dataset.http import Client, NotThereError
from gst_core.dataset.manifest import SourceFile
from gst_core.errors import GstError
from gst_core.files import atomic_write, make_folder

CHECKSUMS: Final = "CHECKSUMS"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is there.

    Attributes
    ----------
    path
        Where.
    source
        What a manifest says of it.
    """

    path: Path
    source: SourceFile


class Library:
    """Copies of a server's files, or the files themselves where the server is a folder.

    Parameters
    ----------
    folder
        Where copies are kept: ``HOST/PATH``, as on the server.
    client
        Fetches what is not there.
    on_bytes
        Called with the number of bytes of each piece that comes.
    """

    def __init__(
        self, folder: Path, client: Client, on_bytes: Callable[[int], None] = lambda _: None
    ) -> None:
        self._folder = folder
        self._client = client
        self._on_bytes = on_bytes

    def fetch(self, url: str, *, fresh: bool = False) -> Path:
        """Fetch a file that nobody has published a checksum of.

        Parameters
        ----------
        url
            An address, or a path.
        fresh
            Fetch it even where it is there.

        Raises
        ------
        NotThereError
            If the server has no such file.
        """
        if (own := _local(url)) is not None:
            if not own.is_file():
                raise NotThereError("no such file", where=url, hint="check --server")
            return own
        target = self._place(url)
        with _locked(target):
            if fresh or not target.is_file():
                self._client.download(url, target, self._on_bytes)
        return target

    def checksums(self, folder: str, *, fresh: bool = False) -> dict[str, Checksum] | None:
        """Read the CHECKSUMS of a folder of the server; None where it has none.

        Raises
        ------
        GstError
            If what is there is something else.
        """
        url = f"{folder}/{CHECKSUMS}"
        try:
            path = self.fetch(url, fresh=fresh)
        except NotThereError:
            return None
        try:
            return parse_checksums(path.read_text(encoding="utf-8", errors="replace"), url)
        except GstError:
            if not fresh and _local(url) is None:
                return self.checksums(folder, fresh=True)
            raise

    def fetch_verified(self, folder: str, name: str) -> Fetched:
        """Fetch a file, and verify it by the CHECKSUMS beside it.

        A file that was verified before is not read again. One whose checksum is wrong is fetched
        once more, and so is CHECKSUMS, which may be older than it.

        Raises
        ------
        NotThereError
            If the server has no such file.
        GstError
            If its checksum stays wrong; nothing is left of it then.
        """
        url = f"{folder}/{name}"
        wrong: tuple[Checksum, Checksum] | None = None
        for fresh in (False, True):
            expected = (self.checksums(folder, fresh=fresh) or {}).get(name)
            path = self.fetch(url)
            if expected is None:
                sum_ = checksum_of(path, "sha256")
                return Fetched(path, _source(path, url, sum_, verified=False))
            mark = path.with_name(f".{path.name}.verified")
            if _is_verified(path, mark, expected):
                return Fetched(path, _source(path, url, expected, verified=True))
            found = checksum_of(path, expected.kind)
            if found == expected:
                if _local(url) is None:
                    with atomic_write(mark) as file:
                        json.dump({"checksum": str(expected), "size": path.stat().st_size}, file)
                return Fetched(path, _source(path, url, expected, verified=True))
            wrong = found, expected
            if _local(url) is not None:
                break
            path.unlink(missing_ok=True)
            mark.unlink(missing_ok=True)
        assert wrong is not None
        raise GstError(
            f"the checksum of {name} is {wrong[0]}, and {CHECKSUMS} says {wrong[1]}",
            where=url,
            hint="the file on the server is damaged or about to be replaced: try again later, "
            "or another --server",
        )

    def _place(self, url: str) -> Path:
        parts = urlsplit(url)
        names = [unquote(name) for name in parts.path.split("/") if name]
        if any(name in (".", "..") or "/" in name or "\0" in name for name in names) or not names:
            raise GstError("is no address of a file", where=url, hint="check --server")
        host = parts.netloc.rpartition("@")[2].replace(":", "_")
        target = self._folder.joinpath(host, *names)
        make_folder(target.parent)
        return target


def _local(url: str) -> Path | None:
    """Give the path of a file that needs no fetching."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme in ("http", "https") else Path(url)


def _source(path: Path, url: str, checksum: Checksum, *, verified: bool) -> SourceFile:
    where = "" if _local(url) is not None else url
    return SourceFile(path.name, path.stat().st_size, str(checksum), verified, where)


def _is_verified(path: Path, mark: Path, expected: Checksum) -> bool:
    try:
        facts = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(facts == {"checksum": str(expected), "size": path.stat().st_size})


@contextlib.contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Keep other programs from fetching the same file into the same folder."""
    with target.with_name(f".{target.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
