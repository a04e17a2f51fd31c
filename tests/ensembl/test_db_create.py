"""Databases from table files."""

from __future__ import annotations

import contextlib
import gzip
import sqlite3
from pathlib import Path

import pytest

from gst_core.ensembl.schema import TABLES
from tests.ensembl.conftest import Gst
from tests.ensembl.mariadb import Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small folder of table files with all that such files can hold."""
    folder = tmp_path / "files"
    folder.mkdir()
    rows = (
        "1\tprotein_coding\t1\t1\t1\t9\t1\t\\N\tensembl\t"
        "a\\\tb \\\\ c\\\nd\t1\t1\tG1\t1\t\\N\t\\N\n"
        "2\tprotein_coding\t1\t1\t1\t9\t1\t\\N\tensembl\tna\xefve\t1\t2\tG2\t1\t\\N\t\\N\n"
        "3\tprotein_coding\t1\t1\t1\t9\t1\t\\N\tensembl\t\t1\t2\tG3\\\\\t1\t\\N\t\\N\n"
    )
    (folder / "gene.txt").write_bytes(rows.encode("latin-1"))
    with gzip.open(folder / "ontology_xref.txt.gz", "wt") as file:
        file.write("7\tIEA\t\\N\n")
    (folder / "table.sql").write_text(
        "CREATE TABLE `ontology_xref` (\n  `object_xref_id` int(10) NOT NULL,\n"
        "  `linkage_type` varchar(3) DEFAULT NULL,\n  `source_xref_id` int(10) DEFAULT NULL,\n"
        "  UNIQUE KEY `object_source_type_idx` (`object_xref_id`),\n"
        "  KEY `source_idx` (`source_xref_id`)\n) ENGINE=MyISAM;\n"
    )
    return folder


def read(path: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_values_are_what_the_database_wrote(folder: Path, tmp_path: Path, run_gst: Gst) -> None:
    path = tmp_path / "core.db"
    result = run_gst("db", "create", "--from", folder, "--url", f"sqlite:///{path}")
    assert result.exit_code == 0, result.exception
    assert "gene: 3 rows" in result.stderr
    rows = read(path, "SELECT stable_id, description, display_xref_id, version FROM gene")
    assert rows == [
        ("G1", "a\tb \\ c\nd", None, 1),
        ("G2", "na\xefve", None, 1),
        ("G3\\", "", None, 1),
    ]
    # The columns' order is that of the SQL file.
    assert read(path, "SELECT object_xref_id, source_xref_id, linkage_type FROM ontology_xref") == [
        (7, None, "IEA")
    ]
    [(tables,)] = read(
        path, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    assert tables == len(TABLES)


def test_a_database_that_is_not_empty_is_left_alone(
    folder: Path, human_sqlite: Path, run_gst: Gst
) -> None:
    before = human_sqlite.read_bytes()
    result = run_gst("db", "create", "--from", folder, "--url", f"sqlite:///{human_sqlite}")
    assert "has tables already" in str(result.exception)
    assert human_sqlite.read_bytes() == before


def test_a_line_with_other_columns_is_named(folder: Path, server: Server, run_gst: Gst) -> None:
    with (folder / "gene.txt").open("a") as file:
        file.write("4\tprotein_coding\n")
    server.run("CREATE DATABASE broken")
    result = run_gst("db", "create", "--from", folder, "--url", server.url("broken"))
    assert "gene.txt, line 5: has 2 columns, the table has 16" in str(result.exception)
    assert server.run("SHOW TABLES", "broken") == []
    server.run("DROP DATABASE broken")


def test_a_folder_without_table_files(tmp_path: Path, run_gst: Gst) -> None:
    result = run_gst(
        "db", "create", "--from", tmp_path, "--url", f"sqlite:///{tmp_path / 'core.db'}"
    )
    assert "holds no gene.txt" in str(result.exception)
    assert not (tmp_path / "core.db").exists()


def test_sources_that_are_lacking_are_added(
    core_tables: Path, human_sqlite: Path, run_gst: Gst
) -> None:
    own = core_tables / "external_db.txt"
    rows = read(human_sqlite, "SELECT db_name, external_db_id FROM external_db")
    for line in own.read_text().splitlines():
        number, name = line.split("\t")[:2]
        assert (name, int(number)) in rows
    assert ("HGNC", 1100) in rows
    assert len({number for _, number in rows}) == len(rows)


def test_the_mouse_database(shared_data: Path, tmp_path: Path, run_gst: Gst) -> None:
    path = tmp_path / "core.db"
    folder = shared_data / "ensembl-core" / "mus_musculus"
    result = run_gst("db", "create", "--from", folder, "--url", f"sqlite:///{path}", "--quiet")
    assert result.exit_code == 0, result.exception
    result = run_gst("db", "dump", "--url", f"sqlite:///{path}", "--species", "mus_musculus")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "none of its 1 protein-coding genes has a translation" in str(result.exception)
