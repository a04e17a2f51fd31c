"""Databases for the tests: the human test database or one like it, in SQLite and in MariaDB."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gst_core.cli.main import gst
from gst_core.ensembl.schema import WRITTEN
from tests.conftest import SHARED_DATA
from tests.ensembl.made_genome import write_tables
from tests.ensembl.mariadb import Server, running_server

#: genes of the human test database that the tests take the symbols from
UNNAMED = ("ENSG00000131044", "ENSG00000088356", "ENSG00000101336", "ENSG00000126003")

HEADER = "stable_id\tsymbol\tprobability\tdescription\tsource\taccession\n"

#: symbols for UNNAMED, in the order of the genes
SYMBOLS = HEADER + (
    "ENSG00000131044.1\tTTLL9\t0.9912\ttubulin tyrosine ligase like 9\tHGNC Symbol\tHGNC:16118\n"
    "ENSG00000088356.1\tPDRG1\t0.8400\t\tHGNC Symbol\tHGNC:16119\n"
    "ENSG00000101336\tHCK\t1.0000\tHCK proto-oncogene\tHGNC Symbol\tHGNC:4840\n"
    "ENSG00000126003.1\tPLAGL2\t0.7000\tPLAG1 like zinc finger 2\tHGNC Symbol\tHGNC:9047\n"
)

Gst = Callable[..., Result]


@pytest.fixture
def run_gst() -> Gst:
    """Run a gst command in this process; a GstError stays an exception of the result."""

    def run(*arguments: str | Path, **options: Any) -> Result:
        return CliRunner().invoke(gst, list(map(str, arguments)), **options)

    return run


def start_gst(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start gst as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gst_core.cli.main", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        **options,
    )


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GST_DB_PASSWORD", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def symbols(tmp_path: Path) -> Path:
    path = tmp_path / "symbols.tsv"
    path.write_text(SYMBOLS)
    return path


@pytest.fixture(scope="session")
def core_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the table files of Ensembl's human test database or, without it, of one like it."""
    real = SHARED_DATA / "ensembl-core" / "homo_sapiens"
    if real.is_dir():
        return real
    made = tmp_path_factory.mktemp("made") / "homo_sapiens"
    write_tables(made)
    return made


@pytest.fixture(scope="session")
def human_sqlite_template(core_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("human") / "core.db"
    _create(core_tables, f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    connection.execute(_take_symbols())
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def human_sqlite(human_sqlite_template: Path, tmp_path: Path) -> Path:
    """Return a copy of the human test database whose UNNAMED genes have no symbol."""
    return Path(shutil.copy(human_sqlite_template, tmp_path / "core.db"))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Run MariaDB in a temporary folder; skip without it."""
    if shutil.which("mariadb-install-db") is None:
        pytest.skip("no MariaDB here (apt-get install mariadb-server)")
    with running_server() as running:
        yield running


@pytest.fixture(scope="session")
def human_mariadb_template(core_tables: Path, server: Server) -> str:
    server.run("CREATE DATABASE human CHARACTER SET latin1")
    _create(core_tables, server.url("human"))
    server.run(_take_symbols(), "human")
    server.run("CREATE DATABASE template")
    for name in WRITTEN:
        server.run(f"CREATE TABLE template.`{name}` LIKE human.`{name}`")
        server.run(f"INSERT INTO template.`{name}` SELECT * FROM human.`{name}`")
    server.run("CREATE USER reader@localhost IDENTIFIED BY 'r3ader'")
    server.run("GRANT SELECT ON human.* TO reader@localhost")
    return "human"


@pytest.fixture
def human_mariadb(human_mariadb_template: str, server: Server) -> Iterator[str]:
    """Return the name of the same database on the server, as it was made."""
    yield human_mariadb_template
    for name in WRITTEN:
        server.run(f"DELETE FROM human.`{name}`")
        server.run(f"INSERT INTO human.`{name}` SELECT * FROM template.`{name}`")


def _create(core_tables: Path, url: str) -> None:
    arguments = ["db", "create", "--from", core_tables, "--url", url, "--quiet"]
    arguments += ["--external_db", core_tables.parent / "external_db.full.txt"]
    CliRunner().invoke(gst, list(map(str, arguments)), catch_exceptions=False)


def _take_symbols() -> str:
    names = ", ".join(f"'{name}'" for name in UNNAMED)
    return f"UPDATE gene SET display_xref_id = NULL WHERE stable_id IN ({names})"
