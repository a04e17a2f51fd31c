"""Loads that are killed, cut off, refused or given rubbish: all of it is there, or nothing."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from click.testing import CliRunner

from gst_core.cli.main import gst
from tests.ensembl.conftest import HEADER, SYMBOLS, UNNAMED, Gst, start_gst
from tests.ensembl.mariadb import Proxy, Server

#: where a load is stopped: what the statement begins with, and whether it still arrives
MOMENTS = [
    ("SELECT gene.gene_id", False),
    ("INSERT INTO analysis", True),
    ("INSERT INTO xref", True),
    ("INSERT INTO object_xref", False),
    ("UPDATE gene", False),
    ("UPDATE gene", True),
    ("COMMIT", False),
    ("COMMIT", True),
]


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[Proxy]:
    proxy = Proxy(server, tmp_path / "proxy")
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def expected(
    server: Server, human_mariadb_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the database before a load and after, leaving it as it is before."""
    table = tmp_path_factory.mktemp("expected") / "symbols.tsv"
    table.write_text(SYMBOLS)
    before = server.snapshot(human_mariadb_template)
    url = server.url(human_mariadb_template)
    for arguments in (("load", "--symbol_assignments", str(table)), ("unload",)):
        if arguments[0] == "unload":
            after = without_numbers(server.snapshot(human_mariadb_template))
        result = CliRunner().invoke(gst, ["db", arguments[0], "--url", url, *arguments[1:]])
        assert result.exit_code == 0, result.exception
    assert server.snapshot(human_mariadb_template) == before
    return without_numbers(before), after


def without_numbers(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs from one load to the next: numbers given, and the time."""
    symbols = {row[0]: row[2:4] for row in snapshot["xref"]}
    analyses = {row[0]: row[2] for row in snapshot["analysis"]}
    links = [
        (row[1], row[2], symbols.get(row[3]), analyses.get(row[5]))
        for row in snapshot["object_xref"]
    ]
    genes = [(row[0], symbols.get(row[7], row[7]), row[9]) for row in snapshot["gene"]]
    return {
        "xref": sorted(row[1:] for row in snapshot["xref"]),
        "analysis": sorted(str(row[2:]) for row in snapshot["analysis"]),
        "object_xref": sorted(links, key=repr),
        "gene": genes,
        "others": snapshot["others"],
    }


def load(url: str, table: Path, *options: str) -> subprocess.Popen[str]:
    return start_gst("db", "load", "--url", url, "--symbol_assignments", table, *options)


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def settled(server: Server) -> None:
    """Wait until the server has let go of every connection but ours."""
    wait_until(
        lambda: server.run("SELECT count(*) FROM information_schema.processlist "
                           "WHERE db = 'human'")[0][0] == 0
    )  # fmt: skip


def stop_at(proxy: Proxy, moment: tuple[str, bool], stop: Callable[[], None]) -> None:
    start, arrives = moment

    def act(statement: str) -> None:
        if statement.startswith(start):
            stop()

    setattr(proxy, "after" if arrives else "before", act)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m[0]}-{'after' if m[1] else 'before'}")
def test_a_killed_load_has_loaded_all_or_nothing(
    server: Server,
    human_mariadb: str,
    proxy: Proxy,
    symbols: Path,
    expected: tuple[dict[str, Any], dict[str, Any]],
    moment: tuple[str, bool],
    run_gst: Gst,
) -> None:
    processes: list[subprocess.Popen[str]] = []

    def kill() -> None:
        wait_until(lambda: bool(processes))
        processes[0].kill()
        processes[0].wait()

    stop_at(proxy, moment, kill)
    processes.append(load(server.url(human_mariadb, path=proxy.path), symbols))
    processes[0].communicate(timeout=300)
    assert processes[0].returncode == -9
    settled(server)
    found = without_numbers(server.snapshot(human_mariadb))
    before, after = expected
    if moment == ("COMMIT", True):
        assert found in (before, after)
    else:
        assert found == before
    # And the next load is none the worse for it.
    url = server.url(human_mariadb)
    result = run_gst("db", "load", "--url", url, "--symbol_assignments", symbols)
    assert result.exit_code == 0, result.exception
    assert without_numbers(server.snapshot(human_mariadb)) == after


@pytest.mark.parametrize("moment", [MOMENTS[2], MOMENTS[4], MOMENTS[6]], ids=lambda m: m[0])
def test_a_connection_cut_by_the_server_changes_nothing(
    server: Server,
    human_mariadb: str,
    proxy: Proxy,
    symbols: Path,
    expected: tuple[dict[str, Any], dict[str, Any]],
    moment: tuple[str, bool],
) -> None:
    def cut() -> None:
        for (connection,) in server.run(
            "SELECT id FROM information_schema.processlist WHERE db = 'human'"
        ):
            server.run(f"KILL CONNECTION {connection}")

    stop_at(proxy, moment, cut)
    process = load(server.url(human_mariadb, path=proxy.path), symbols)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("gst: error: mysql://root@localhost/human: ")
    assert "run it again" in last
    assert "Traceback" not in errors
    settled(server)
    assert without_numbers(server.snapshot(human_mariadb)) == expected[0]


def test_a_user_that_may_only_read_can_read_and_no_more(
    server: Server, human_mariadb: str, symbols: Path, run_gst: Gst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GST_DB_PASSWORD", "r3ader")
    url = server.url(human_mariadb, user="reader")
    assert run_gst("db", "dump", "--url", url).exit_code == 0
    assert "TAP version 14" in run_gst("db", "check", "--url", url).stdout
    plan = run_gst("db", "load", "--url", url, "--symbol_assignments", symbols, "--dry_run")
    assert plan.exit_code == 0
    assert "TTLL9" in plan.stdout
    arguments = ("load", "--symbol_assignments", symbols)
    for command in (arguments, ("unload",)):
        before = server.snapshot(human_mariadb)
        result = run_gst("db", command[0], "--url", url, *command[1:])
        assert result.exit_code == 1
        assert "denied to user" in str(result.exception)
        assert "(nothing was changed)" in str(result.exception)
        assert server.snapshot(human_mariadb) == before
        # So that there is something to unload.
        monkeypatch.delenv("GST_DB_PASSWORD")
        as_root = run_gst("db", *arguments, "--url", server.url(human_mariadb))
        assert as_root.exit_code == 0, as_root.exception
        monkeypatch.setenv("GST_DB_PASSWORD", "r3ader")


def test_a_lock_that_another_program_holds_is_waited_for_and_then_named(
    server: Server, human_mariadb: str, symbols: Path, run_gst: Gst
) -> None:
    before = server.snapshot(human_mariadb)
    with contextlib.closing(server.connect(human_mariadb)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT * FROM gene WHERE stable_id = '{UNNAMED[2]}' FOR UPDATE")
        result = run_gst(
            "db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", symbols,
            "--lock_timeout", "1",
        )  # fmt: skip
    assert result.exit_code == 1
    assert "another program holds locks" in str(result.exception)
    assert server.snapshot(human_mariadb) == before


def test_a_load_waits_for_another_and_then_gives_up(
    server: Server, human_mariadb: str, symbols: Path, run_gst: Gst
) -> None:
    with contextlib.closing(server.connect()) as other, other.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK('gst:human', 1)")
        result = run_gst(
            "db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", symbols,
            "--lock_timeout", "1",
        )  # fmt: skip
    assert "another gst db load or unload is at work" in str(result.exception)


def test_loads_at_the_same_time_come_one_after_the_other(
    server: Server, human_mariadb: str, tmp_path: Path
) -> None:
    processes = []
    for number in range(3):
        table = tmp_path / f"{number}.tsv"
        table.write_text(
            HEADER
            + "".join(
                f"{gene}\tSYM{number}{i}\t0.9\t\tHGNC Symbol\tHGNC:9{number}{i}\n"
                for i, gene in enumerate(UNNAMED)
            )
        )
        processes.append(load(server.url(human_mariadb), table))
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, errors
    assert sorted("4 symbols loaded" in error for error in errors) == [False] * 2 + [True]
    rows = server.run(
        "SELECT count(*), count(DISTINCT left(display_label, 4)) FROM object_xref "
        "JOIN analysis USING (analysis_id) JOIN xref USING (xref_id) "
        "WHERE logic_name = 'gene_symbol_classifier'",
        human_mariadb,
    )
    assert rows == [(4, 1)]


def test_a_full_disk_changes_nothing(human_sqlite: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.tsv"
    long = "x" * 50_000
    table.write_text(SYMBOLS.replace("HCK proto-oncogene", long))
    before = human_sqlite.read_bytes()
    limit = len(before) + 16_384

    def no_file_grows_beyond() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = start_gst(
        "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table,
        preexec_fn=no_file_grows_beyond,
    )  # fmt: skip
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors
    assert "free space on the disk" in errors
    # Reading rolls back what was left half done.
    with contextlib.closing(sqlite3.connect(human_sqlite)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert human_sqlite.read_bytes() == before


def test_a_full_disk_of_the_server_changes_nothing(
    server: Server, human_mariadb: str, tmp_path: Path, run_gst: Gst
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(SYMBOLS.replace("HCK proto-oncogene", "x" * 60_000))
    with full_disk(server, human_mariadb):
        before = server.snapshot(human_mariadb)
        arguments = ("db", "load", "--url", server.url(human_mariadb), "--symbol_assignments")
        result = run_gst(*arguments, table)
        assert result.exit_code == 1
        assert "The table 'xref' is full (nothing was changed)" in str(result.exception)
        assert "free space on the server's disk" in str(result.exception)
        assert server.snapshot(human_mariadb) == before
    assert run_gst(*arguments, table).exit_code == 0


@contextlib.contextmanager
def full_disk(server: Server, database: str) -> Iterator[None]:
    """Let no file of the server's grow, with the table `xref` full to the brim."""
    file = server.data / database / "xref.ibd"
    fill = (
        "INSERT INTO xref (external_db_id, dbprimary_acc, display_label, description) "
        "SELECT 1100, concat('HGNC:', uuid_short()), 'filler', repeat('x', 60000) "
        "FROM template.xref LIMIT {}"
    )
    largest = max(path.stat().st_size for path in server.data.glob("*") if path.is_file())
    # The limit holds for the log as well, which has its size from the beginning.
    while file.stat().st_size <= largest:
        server.run(fill.format(100), database)
    limit = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (file.stat().st_size, limit[1]))
    try:
        with contextlib.suppress(pymysql.err.OperationalError):
            while True:
                server.run(fill.format(1), database)
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, limit)


def test_a_killed_load_into_sqlite_leaves_it_as_it_was(human_sqlite: Path, symbols: Path) -> None:
    before = contents(human_sqlite)
    with contextlib.closing(sqlite3.connect(human_sqlite, isolation_level=None)) as reader:
        # Whoever reads keeps a writer from committing.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM gene").fetchall()
        process = load(f"sqlite:///{human_sqlite}", symbols)
        journal = human_sqlite.with_name("core.db-journal")
        wait_until(lambda: journal.exists() and journal.stat().st_size > 0)
        time.sleep(0.5)
        process.kill()
        process.communicate()
    assert contents(human_sqlite) == before


def contents(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_tables_without_transactions_are_refused_and_can_be_converted(
    server: Server, human_mariadb: str, symbols: Path, run_gst: Gst
) -> None:
    for name in ("gene", "xref"):
        server.run(f"ALTER TABLE `{name}` ENGINE = MyISAM", human_mariadb)
    before = server.snapshot(human_mariadb)
    arguments = ("db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", symbols)
    result = run_gst(*arguments)
    assert result.exit_code == 1
    assert "gene, xref are not InnoDB" in str(result.exception)
    assert server.snapshot(human_mariadb) == before
    # A load that will write nothing converts nothing.
    strict = symbols.with_name("strict.tsv")
    strict.write_text(SYMBOLS + "ENSG00000999999\tNEW\t0.9\t\tHGNC Symbol\tHGNC:1\n")
    result = run_gst(*arguments[:-1], strict, "--convert_to_innodb", "--strict")
    assert "something is amiss with 1 rows" in str(result.exception)
    nothing = symbols.with_name("nothing.tsv")
    nothing.write_text(HEADER)
    result = run_gst(*arguments[:-1], nothing, "--convert_to_innodb")
    assert "there is no row in it" in str(result.exception)
    assert engines(server) == {"gene": "MyISAM", "xref": "MyISAM"}
    result = run_gst(*arguments, "--convert_to_innodb", "--threshold", "1")
    assert engines(server) == {"gene": "InnoDB", "xref": "InnoDB"}
    assert "1 symbols loaded" in result.stderr
    for name in ("gene", "xref"):
        server.run(f"ALTER TABLE `{name}` ENGINE = MyISAM", human_mariadb)
    result = run_gst("db", "unload", "--url", arguments[3])
    assert "run it again with --convert_to_innodb" in str(result.exception)
    result = run_gst("db", "unload", "--url", arguments[3], "--convert_to_innodb")
    assert result.exit_code == 0, result.exception
    assert "1 genes have their symbols taken back" in result.stderr
    assert server.snapshot(human_mariadb) == before


def engines(server: Server) -> dict[str, str]:
    return dict(
        server.run(
            "SELECT table_name, engine FROM information_schema.tables "
            "WHERE table_schema = 'human' AND table_name IN ('gene', 'xref')"
        )
    )


class TestTables:
    """Tables that are damaged, or mean harm."""

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            (SYMBOLS[:-30], "line 5: the last line has no end"),
            (SYMBOLS.replace("\t0.8400\t\tHGNC Symbol\tHGNC:16119", ""), "line 3: has 2 fields"),
            (SYMBOLS.replace("HCK proto", '"HCK" proto'), "line 4: cannot be read"),
            (SYMBOLS.replace("HCK proto", '"HCK proto'), "cannot be read"),
            (SYMBOLS.replace("0.8400", "high"), "line 3: 'high' is not a probability"),
            (SYMBOLS.replace("0.8400", "1.84"), "line 3: '1.84' is not a probability"),
            (SYMBOLS.replace("0.8400", "nan"), "line 3: 'nan' is not a probability"),
            (SYMBOLS.replace("PDRG1", ""), "line 3: the symbol is empty"),
            (SYMBOLS.replace("ENSG00000088356.1", " "), "line 3: the stable id is empty"),
            (SYMBOLS.partition("\n")[2], "does not begin with the header"),
            ("", "does not begin with the header"),
            (SYMBOLS.replace("PDRG1", "PDR\0G1"), "line 3: the symbol 'PDR\\x00G1' holds"),
        ],
    )
    def test_a_damaged_one_is_refused(
        self, human_sqlite: Path, tmp_path: Path, run_gst: Gst, text: str, complaint: str
    ) -> None:
        table = tmp_path / "table.tsv"
        table.write_text(text)
        before = human_sqlite.read_bytes()
        result = run_gst(
            "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table
        )
        assert result.exit_code == 1
        assert complaint in str(result.exception)
        assert human_sqlite.read_bytes() == before

    def test_bytes_that_are_no_text(self, human_sqlite: Path, tmp_path: Path, run_gst: Gst) -> None:
        table = tmp_path / "table.tsv"
        table.write_bytes(SYMBOLS.encode().replace(b"HCK proto", b"\xff\xfe"))
        result = run_gst(
            "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table
        )
        assert "table.tsv: is not UTF-8 text" in str(result.exception)

    @pytest.mark.parametrize(
        "symbol", ["x'); DROP TABLE gene; -- ", "%s", ":name", "\\", "a\\'b", '"q"', "100%"]
    )
    def test_a_symbol_is_only_a_symbol(
        self, server: Server, human_mariadb: str, tmp_path: Path, run_gst: Gst, symbol: str
    ) -> None:
        table = tmp_path / "table.tsv"
        quoted = '"' + symbol.replace('"', '""') + '"'
        table.write_text(SYMBOLS.replace("HCK\t", f"{quoted}\t"))
        result = run_gst(
            "db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", table
        )
        assert result.exit_code == 0, result.exception
        rows = server.run(
            "SELECT display_label FROM xref WHERE dbprimary_acc = 'HGNC:4840'", human_mariadb
        )
        assert rows == [(symbol.strip(),)]

    @pytest.mark.parametrize("text", ["\N{DNA DOUBLE HELIX}", "\N{GREEK SMALL LETTER ALPHA}"])
    def test_what_the_columns_cannot_hold_is_listed(
        self, server: Server, human_mariadb: str, tmp_path: Path, run_gst: Gst, text: str
    ) -> None:
        table = tmp_path / "table.tsv"
        table.write_text(SYMBOLS.replace("HCK proto", f"HCK {text}"))
        before = server.snapshot(human_mariadb)
        arguments = (
            "db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", table,
        )  # fmt: skip
        result = run_gst(*arguments, "--strict")
        assert result.exit_code == 1
        assert f"xref.description (latin1) cannot hold {text!a}" in result.stderr
        assert server.snapshot(human_mariadb) == before
        assert "3 symbols loaded" in run_gst(*arguments).stderr

    def test_what_they_can_hold_is_stored(
        self, server: Server, human_mariadb: str, tmp_path: Path, run_gst: Gst
    ) -> None:
        table = tmp_path / "table.tsv"
        table.write_text(SYMBOLS.replace("HCK proto", "HCK \u20ac \u00df"))
        run_gst("db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", table)
        rows = server.run(
            "SELECT description FROM xref WHERE dbprimary_acc = 'HGNC:4840'", human_mariadb
        )
        assert rows == [("HCK \u20ac \u00df-oncogene",)]

    def test_a_tab_in_a_description_is_refused(
        self, server: Server, human_mariadb: str, tmp_path: Path, run_gst: Gst
    ) -> None:
        table = tmp_path / "table.tsv"
        table.write_text(SYMBOLS.replace("HCK proto-oncogene", '"HCK\tproto-oncogene"'))
        before = server.snapshot(human_mariadb)
        result = run_gst(
            "db", "load", "--url", server.url(human_mariadb), "--symbol_assignments", table
        )
        assert result.exit_code == 1
        assert "holds a control character" in str(result.exception)
        assert server.snapshot(human_mariadb) == before
