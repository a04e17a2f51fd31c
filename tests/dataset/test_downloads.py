"""Downloads from a server that fails as servers do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from gst_core.dataset.checksums import checksum_of
from gst_core.dataset.downloads import Library
from gst_core.dataset.http import USER_AGENT, Client, NotThereError, Patience, UnreachableError
from gst_core.errors import GstError
from tests.dataset.release_tree import sum_line
from tests.dataset.server import Fault, Server, serving

CONTENT = bytes(i * 7 % 251 for i in range(60_000))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served" / "pub"
    folder.mkdir(parents=True)
    (folder / "file.gz").write_bytes(CONTENT)
    (folder / "CHECKSUMS").write_text(sum_line(folder / "file.gz"))
    with serving(tmp_path / "served") as running:
        yield running


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def library(tmp_path: Path, said: list[str]) -> Library:
    return Library(tmp_path / "kept", _client(said))


def _client(said: list[str], attempts: int = 4) -> Client:
    patience = Patience(attempts, timeout=0.3, first=0.001, longest=0.01)
    return Client(2, patience, say=said.append)


def test_a_file_is_fetched_verified_and_kept(server: Server, library: Library) -> None:
    fetched = library.fetch_verified(f"{server.url}/pub", "file.gz")
    assert fetched.path.read_bytes() == CONTENT
    assert fetched.source.verified
    assert fetched.source.checksum == str(checksum_of(fetched.path, "sum"))
    assert server.headers[0]["User-Agent"] == USER_AGENT
    asked = len(server.asked)
    assert library.fetch_verified(f"{server.url}/pub", "file.gz") == fetched
    assert len(server.asked) == asked
    assert {path.name for path in fetched.path.parent.iterdir() if path.name[0] != "."} == {
        "CHECKSUMS",
        "file.gz",
    }


@pytest.mark.parametrize("tags", [True, False])
def test_dropped_and_stalled_connections_are_gone_on_with(
    tags: bool, server: Server, library: Library, said: list[str]
) -> None:
    server.tags = tags
    server.faults["file.gz"] = [
        *(Fault(stop_after=9_000) for _ in range(3)),
        Fault(stall_after=5_000),
        Fault(stop_after=0),
    ]
    assert library.fetch(f"{server.url}/pub/file.gz").read_bytes() == CONTENT
    starts = [own for path, own in server.asked if path.endswith("file.gz")]
    places = (9_000, 18_000, 27_000, 32_000, 32_000)
    assert starts == ["", *(f"bytes={place}-" for place in places)]
    assert server.sent == len(CONTENT)
    assert all(("If-Range" in sent) == tags for sent in server.headers[1:])
    assert any("nothing has come for too long" in line for line in said)


def test_a_server_that_knows_no_ranges_sends_all_of_it_again(
    server: Server, library: Library
) -> None:
    server.ranges = False
    server.faults["file.gz"] = [Fault(stop_after=9_000)]
    assert library.fetch(f"{server.url}/pub/file.gz").read_bytes() == CONTENT
    assert server.sent == len(CONTENT) + 9_000


@pytest.mark.parametrize("tags", [True, False])
def test_a_file_that_changes_on_the_way_is_never_mixed(
    tags: bool, server: Server, tmp_path: Path, said: list[str]
) -> None:
    server.tags = tags
    server.faults["file.gz"] = [Fault(stop_after=9_000)]
    with pytest.raises(GstError, match="after 1 attempts"):
        Library(tmp_path / "kept", _client(said, attempts=1)).fetch(f"{server.url}/pub/file.gz")
    other = b"other" + CONTENT[::-1]
    (server.folder / "pub" / "file.gz").write_bytes(other)
    library = Library(tmp_path / "kept", _client(said))
    assert library.fetch(f"{server.url}/pub/file.gz").read_bytes() == other


def test_what_is_there_already_is_not_asked_for_again(
    server: Server, tmp_path: Path, library: Library
) -> None:
    """All bytes had come when the program was killed, before the file got its name."""
    server.faults["file.gz"] = [Fault(stop_after=9_000)]
    target = library.fetch(f"{server.url}/pub/file.gz")
    facts = target.with_name(".file.gz.part.json")
    server.faults["file.gz"] = [Fault(stop_after=9_000)]
    with pytest.raises(GstError):
        Library(tmp_path / "again", _client([], attempts=1)).fetch(f"{server.url}/pub/file.gz")
    part = tmp_path / "again" / target.relative_to(tmp_path / "kept").parent / ".file.gz.part"
    part.write_bytes(CONTENT)
    assert not facts.exists()
    sent = server.sent
    again = Library(tmp_path / "again", _client([])).fetch(f"{server.url}/pub/file.gz")
    assert again.read_bytes() == CONTENT
    assert server.sent == sent


def test_a_busy_server_is_given_the_time_that_it_asks_for(
    server: Server, library: Library, said: list[str]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1.9), usegmt=True)
    server.faults["file.gz"] = [
        Fault(503),
        Fault(429, (("Retry-After", "0"),)),
        Fault(503, (("Retry-After", soon),)),
        Fault(502, (("Retry-After", "nonsense"),)),
    ][1:]
    began = time.monotonic()
    assert library.fetch(f"{server.url}/pub/file.gz").read_bytes() == CONTENT
    assert time.monotonic() - began > 0.2
    assert [line.split(": ")[1].split(";")[0] for line in said] == [
        "the server answers 429",
        "the server answers 503",
        "the server answers 502",
    ]


def test_a_server_that_asks_for_hours_is_left_alone(server: Server, library: Library) -> None:
    server.faults["file.gz"] = [Fault(503, (("Retry-After", "7200"),))]
    with pytest.raises(GstError, match="come back in 120 minutes"):
        library.fetch(f"{server.url}/pub/file.gz")
    assert server.times("file.gz") == 1


def test_after_enough_attempts_it_is_an_error_that_says_what_to_do(
    server: Server, library: Library
) -> None:
    server.faults["file.gz"] = [Fault(503)] * 4
    with pytest.raises(GstError, match="after 4 attempts: the server answers 503") as raised:
        library.fetch(f"{server.url}/pub/file.gz")
    assert "goes on where it stopped" in str(raised.value)


@pytest.mark.parametrize(("status", "kind"), [(404, NotThereError), (403, GstError)])
def test_a_refusal_is_not_asked_again(
    status: int, kind: type[GstError], server: Server, library: Library
) -> None:
    server.faults["file.gz"] = [Fault(status)]
    with pytest.raises(kind, match=r"file\.gz"):
        library.fetch(f"{server.url}/pub/file.gz")
    assert server.times("file.gz") == 1


def test_no_server_at_all_is_an_error(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    library = Library(tmp_path, _client(said, attempts=2))
    with pytest.raises(UnreachableError) as raised:
        library.fetch("http://127.0.0.1:9/pub/file.gz")
    reason = "Failed to establish a new connection: [Errno 111] Connection refused"
    assert raised.value.what == f"cannot be downloaded, after 2 attempts: {reason}"
    assert len(said) == 1
    assert f": {reason}; trying again in" in said[0]
    # a name that has no address anywhere (RFC 2606)
    with pytest.raises(UnreachableError, match=r"attempts: Failed to resolve 'nowhere\.invalid'"):
        library.fetch("http://nowhere.invalid/pub/file.gz")


def test_what_a_server_does_is_said_without_names_of_objects(
    server: Server, library: Library, said: list[str]
) -> None:
    server.faults["file.gz"] = [Fault(stop_after=9_000), Fault(stall_after=0), Fault(503)]
    library.fetch(f"{server.url}/pub/file.gz")
    reasons = [line.partition("file.gz: ")[2].partition("; trying")[0] for line in said]
    assert reasons == [
        "the connection broke off",
        "nothing has come for too long",
        "the server answers 503",
    ]
    server.faults["CHECKSUMS"] = [Fault(503)] * 9
    with pytest.raises(GstError, match="after 4 attempts: the server answers 503") as raised:
        library.fetch(f"{server.url}/pub/CHECKSUMS")
    assert not isinstance(raised.value, UnreachableError)


def test_a_wrong_checksum_is_mended_by_another_download(server: Server, library: Library) -> None:
    server.faults["file.gz"] = [Fault(changed=True)]
    fetched = library.fetch_verified(f"{server.url}/pub", "file.gz")
    assert fetched.path.read_bytes() == CONTENT
    assert (server.times("file.gz"), server.times("CHECKSUMS")) == (2, 2)


def test_a_checksum_that_stays_wrong_names_the_file_and_both_sums(
    server: Server, library: Library, tmp_path: Path
) -> None:
    right = checksum_of(server.folder / "pub" / "file.gz", "sum")
    server.faults["file.gz"] = [Fault(changed=True)] * 2
    with pytest.raises(GstError, match=r"pub/file\.gz") as raised:
        library.fetch_verified(f"{server.url}/pub", "file.gz")
    assert str(right) in str(raised.value)
    assert str(raised.value).count("sum:") == 2
    assert not list(tmp_path.glob("kept/**/file.gz"))


def test_a_copy_that_was_damaged_later_is_fetched_again(server: Server, library: Library) -> None:
    fetched = library.fetch_verified(f"{server.url}/pub", "file.gz")
    fetched.path.write_bytes(CONTENT[:-1])
    assert library.fetch_verified(f"{server.url}/pub", "file.gz").path.read_bytes() == CONTENT


def test_a_server_without_checksums_is_believed_and_that_is_said(
    server: Server, library: Library
) -> None:
    (server.folder / "pub" / "CHECKSUMS").unlink()
    fetched = library.fetch_verified(f"{server.url}/pub", "file.gz")
    assert not fetched.source.verified
    assert fetched.source.checksum.startswith("sha256:")


def test_a_page_in_place_of_checksums_is_an_error(server: Server, library: Library) -> None:
    (server.folder / "pub" / "CHECKSUMS").write_text("<html>Please log in</html>")
    with pytest.raises(GstError, match="no line of checksums"):
        library.fetch_verified(f"{server.url}/pub", "file.gz")


def test_a_folder_serves_as_well_and_nothing_is_written_to_it(
    server: Server, library: Library
) -> None:
    folder = server.folder / "pub"
    before = sorted(folder.iterdir())
    fetched = library.fetch_verified(str(folder), "file.gz")
    assert (fetched.path, fetched.source.verified) == (folder / "file.gz", True)
    assert library.fetch(f"file://{folder}/file.gz") == folder / "file.gz"
    assert sorted(folder.iterdir()) == before
    (folder / "file.gz").write_bytes(b"x")
    with pytest.raises(GstError, match="the checksum of"):
        library.fetch_verified(str(folder), "file.gz")
    with pytest.raises(NotThereError):
        library.fetch(str(folder / "none"))


def test_no_address_leads_out_of_the_cache(library: Library) -> None:
    for url in ("http://127.0.0.1:9/a/%2e%2e/b", "http://127.0.0.1:9/", "http://h/a%2Fb"):
        with pytest.raises(GstError, match="no address of a file"):
            library.fetch(url)


def test_two_threads_fetch_a_file_once(server: Server, library: Library) -> None:
    server.delay = 0.002
    url = f"{server.url}/pub/file.gz"
    threads = [threading.Thread(target=library.fetch, args=(url,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.times("file.gz") == 1


def test_a_download_that_is_stopped_keeps_what_has_come(server: Server, tmp_path: Path) -> None:
    stop = threading.Event()
    client = Client(1, Patience(timeout=0.3), stop)
    library = Library(tmp_path / "kept", client, lambda _: stop.set())
    with pytest.raises(GstError, match="was stopped"):
        library.fetch(f"{server.url}/pub/file.gz")
    (part,) = tmp_path.glob("kept/**/.file.gz.part")
    assert part.stat().st_size > 0


def test_the_proxy_of_the_environment_is_asked(
    server: Server, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = server.url.replace("http://", "http://user:secret@")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(NotThereError, match=r"^http://nowhere\.invalid/pub/file\.gz"):
        library.fetch("http://nowhere.invalid/pub/file.gz")
    assert server.asked[-1][0] == "http://nowhere.invalid/pub/file.gz"
    assert server.headers[-1]["proxy-authorization"].startswith("Basic ")
