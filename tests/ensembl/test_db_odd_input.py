"""Tables, URLs and databases that are not as one thinks: nothing wrong in silence."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from gst_core.ensembl.connect import parse_address
from gst_core.errors import GstError
from tests.ensembl.conftest import HEADER, SYMBOLS, UNNAMED, Gst
from tests.ensembl.mariadb import Server

GREEK = "\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER BETA}"
ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"


def write(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.tsv"


def outcomes(stdout: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(stdout), delimiter="\t")
    return {row["stable_id"]: row["outcome"] for row in rows}


class TestCharacterSets:
    """MariaDB's tables are latin1, as Ensembl's are."""

    def load(self, server: Server, database: str, run_gst: Gst, table: Path, *more: str) -> str:
        arguments = ("--url", server.url(database), "--symbol_assignments", table, *more)
        result = run_gst("db", "load", *arguments)
        assert result.exit_code == 0, result.exception
        return str(result.stdout if more else result.stderr)

    def test_what_latin1_lacks_is_listed_and_the_rest_loaded(
        self, server: Server, human_mariadb: str, run_gst: Gst, table: Path
    ) -> None:
        write(
            table,
            f"{UNNAMED[0]}\t{GREEK}\t0.9\td\tHGNC Symbol\tHGNC:7",
            f"{UNNAMED[1]}\tPDRG1\t0.9\td\tHGNC Symbol\tHGNC:16119",
            f"{UNNAMED[2]}\tHCK\t0.9\tthe {GREEK} kinase\tHGNC Symbol\tHGNC:4840",
            f"{UNNAMED[3]}\tPLAGL2\t0.9\t\tHGNC Symbol\tHGNC:{GREEK}",
            f"ENSG{GREEK}\tPLAGL2\t0.9\t\tHGNC Symbol\tHGNC:9047",
        )
        printed = self.load(server, human_mariadb, run_gst, table, "--dry_run")
        assert list(outcomes(printed).values()) == [
            "not_storable", "load", "not_storable", "not_storable", "unknown_gene",
        ]  # fmt: skip
        said = self.load(server, human_mariadb, run_gst, table)
        assert "3 symbols or descriptions do not fit into the database" in said
        assert "xref.display_label (latin1) cannot hold" in said
        assert "1 symbols loaded" in said

    @pytest.mark.parametrize("first", [0.9, 0.7])
    def test_keys_that_the_collation_takes_for_equal(
        self, server: Server, human_mariadb: str, run_gst: Gst, table: Path, first: float
    ) -> None:
        write(
            table,
            f"{UNNAMED[0]}\tAB1\t{first}\td\tHGNC Symbol\tHGNC:e1",
            f"{UNNAMED[1]}\tAB2\t0.8\td\tHGNC Symbol\tHGNC:{ACUTE}1",
        )
        said = self.load(server, human_mariadb, run_gst, table)
        assert "1 symbols have the accession of another symbol in the table" in said
        assert "1 symbols loaded" in said
        # The other one is there now, and its cross-reference is taken as it is stored.
        plan = self.load(server, human_mariadb, run_gst, table, "--dry_run")
        assert sorted(outcomes(plan).values()) == ["has_symbol", "load"]
        assert "\treused\t" in plan
        assert "1 symbols loaded" in self.load(server, human_mariadb, run_gst, table)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            "X\tAB1\t0.9\td\tHGNC Symbol\tHGNC:1\x1b[31m",
            r"accession 'HGNC:1\\x1b\[31m' holds a con",
        ),
        ('X\tAB1\t0.9\t"d\ne"\tHGNC Symbol\tHGNC:1', r"description 'd\\ne' holds a control"),
        ("X\tAB1\t0.9\td\tHGNC\x07\tHGNC:1", "source .* holds a control character"),
        ("X\t2-Sep\t0.9\td\tHGNC Symbol\tHGNC:1", "line 2: the symbol '2-Sep' is a date"),
        ("X\tMar-01\t0.9\td\tHGNC Symbol\tHGNC:1", "'Mar-01' is a date"),
    ],
)
def test_text_that_is_refused(
    human_sqlite: Path, run_gst: Gst, table: Path, row: str, complaint: str
) -> None:
    write(table, row)
    result = run_gst(
        "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table
    )
    assert isinstance(result.exception, GstError)
    with pytest.raises(GstError, match=complaint):
        raise result.exception


class TestNothingToLoad:
    def run(self, database: Path, run_gst: Gst, table: Path, *more: str) -> str:
        url = f"sqlite:///{database}"
        result = run_gst("db", "load", "--url", url, "--symbol_assignments", table, *more)
        assert result.exit_code == 1
        return str(result.exception)

    def test_protein_ids(self, human_sqlite: Path, run_gst: Gst, table: Path) -> None:
        write(
            table,
            "ENSP00000308980.1\tTTLL9\t0.9\t\tHGNC Symbol\tHGNC:16118",
            "ENST00000310998\tTTLL9\t0.8\t\tHGNC Symbol\tHGNC:16118",
            "ENSP00000252021.9\tTTLL9\t0.1\t\tHGNC Symbol\tHGNC:16118",
        )
        for more in ((), ("--dry_run",), ("--convert_to_innodb",)):
            said = self.run(human_sqlite, run_gst, table, *more)
            assert "none of the 2 stable ids is that of a gene of this species" in said
            assert "1 are those of translations" in said
            assert "1 are those of transcripts" in said
            assert "gst db dump" in said

    def test_some_protein_ids_say_whose_they_are(
        self, human_sqlite: Path, run_gst: Gst, table: Path
    ) -> None:
        table.write_text(SYMBOLS + "ENSP00000308980.1\tTTLL9\t0.9\t\tHGNC Symbol\tHGNC:16118\n")
        url = f"sqlite:///{human_sqlite}"
        result = run_gst("db", "load", "--url", url, "--symbol_assignments", table)
        assert result.exit_code == 0
        assert f"(line 6: a translation of the gene {UNNAMED[0]})" in result.stderr

    def test_ids_of_another_genome(self, human_sqlite: Path, run_gst: Gst, table: Path) -> None:
        write(table, "ENSBTAG1\tTTLL9\t0.9\t\tHGNC Symbol\tHGNC:16118")
        said = self.run(human_sqlite, run_gst, table)
        assert "check that the table and the database are of one genome" in said

    def test_no_rows(self, human_sqlite: Path, run_gst: Gst, table: Path) -> None:
        write(table)
        assert "there is no row in it" in self.run(human_sqlite, run_gst, table)

    def test_rows_with_something_amiss_alone(
        self, human_sqlite: Path, run_gst: Gst, table: Path
    ) -> None:
        write(
            table,
            f"{UNNAMED[0]}\tNEW\t0.9\t\tHGNC Symbol\t",
            "ENSG00000999999\tNEW\t0.9\t\tHGNC Symbol\tHGNC:1",
        )
        assert "amiss with all 2 rows" in self.run(human_sqlite, run_gst, table)

    def test_a_dump_without_a_protein(
        self, human_sqlite: Path, run_gst: Gst, tmp_path: Path
    ) -> None:
        connection = sqlite3.connect(human_sqlite)
        connection.execute("UPDATE gene SET biotype = 'pseudogene'")
        connection.commit()
        connection.close()
        output = tmp_path / "proteins.fa"
        arguments = ("--url", f"sqlite:///{human_sqlite}", "--output", output)
        result = run_gst("db", "dump", *arguments)
        assert result.exit_code == 1
        assert "none of its 0 protein-coding genes has a translation" in str(result.exception)
        assert not output.exists()


@pytest.mark.parametrize(
    "query",
    ["init_command=DROP%20x", "read_default_file=/etc/x", "pwd=hush", "autocommit=1",
     "local_infile=1", "ssl_key_password=hush", "charset=latin1", "unix_socket=a&unix_socket=b"],
)  # fmt: skip
def test_url_options_are_an_allowed_list(query: str) -> None:
    with pytest.raises(GstError) as caught:
        parse_address(f"mysql://someone@host/database?{query}")
    said = str(caught.value)
    assert "password" in said or query.partition("=")[0] in said
    assert "hush" not in said
    assert "DROP" not in said


def test_url_options_about_the_way_there() -> None:
    query = "unix_socket=/run/s&ssl_ca=/etc/ca.pem&ssl_cert=c.pem&ssl_key=k.pem"
    address = parse_address(f"mysql://someone@host/database?{query}")
    assert set(address.url.query) == {"unix_socket", "ssl_ca", "ssl_cert", "ssl_key"}
    with pytest.raises(GstError, match="leave out what follows"):
        parse_address("sqlite:///core.db?mode=rwc")


class TestServers:
    def test_views_over_tables_without_transactions_are_refused(
        self, server: Server, human_mariadb: str, run_gst: Gst, symbols: Path
    ) -> None:
        server.run("CREATE DATABASE viewed")
        for (name,) in server.run("SHOW TABLES", human_mariadb):
            server.run(f"CREATE VIEW viewed.`{name}` AS SELECT * FROM {human_mariadb}.`{name}`")
        arguments = ("--url", server.url("viewed"), "--symbol_assignments", symbols)
        result = run_gst("db", "load", *arguments)
        server.run("DROP DATABASE viewed")
        assert result.exit_code == 1
        assert "analysis, gene, object_xref, xref are views" in str(result.exception)

    def test_modes_and_packets_of_the_server(
        self, server: Server, core_tables: Path, run_gst: Gst
    ) -> None:
        """Quotes mean names, backslashes nothing, and a packet holds a megabyte."""
        before = server.run("SELECT @@global.sql_mode, @@global.max_allowed_packet")[0]
        server.run("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
        server.run("SET GLOBAL max_allowed_packet = 1048576")
        server.run("CREATE DATABASE moody")
        try:
            arguments = ("--from", core_tables, "--url", server.url("moody"), "--quiet")
            result = run_gst("db", "create", *arguments)
            assert result.exit_code == 0, result.exception
            assert len(run_gst("db", "dump", "--url", server.url("moody")).stdout) > 1000
        finally:
            server.run("DROP DATABASE moody")
            server.run(f"SET GLOBAL sql_mode = '{before[0]}'")
            server.run(f"SET GLOBAL max_allowed_packet = {before[1]}")


class TestBaseline:
    def test_what_failed_before_is_no_failure(
        self, human_sqlite: Path, run_gst: Gst, symbols: Path, tmp_path: Path
    ) -> None:
        url = f"sqlite:///{human_sqlite}"
        before = tmp_path / "before.json"
        report = run_gst("db", "check", "--url", url, "--format", "json")
        assert report.exit_code == 1
        before.write_text(report.stdout)
        assert run_gst("db", "load", "--url", url, "--symbol_assignments", symbols).exit_code == 0
        arguments = ("db", "check", "--url", url, "--baseline", before)
        result = run_gst(*arguments)
        assert result.exit_code == 0, result.exception
        assert " - ForeignKeys # TODO failed before" in result.stdout
        checks = json.loads(run_gst(*arguments, "--format", "json").stdout)["datachecks"]
        assert {c["name"] for c in checks if c["failed_before"]} >= {"XrefTypes", "ForeignKeys"}
        connection = sqlite3.connect(human_sqlite)
        connection.execute("INSERT INTO object_xref (ensembl_id, ensembl_object_type, xref_id) "
                           "VALUES (99, 'Gene', 1)")  # fmt: skip
        connection.commit()
        connection.close()
        result = run_gst(*arguments)
        assert result.exit_code == 1
        assert "1 critical datachecks fail (ForeignKeys)" in str(result.exception)

    @pytest.mark.parametrize("text", ["", "{}", '{"datachecks": [{"name": 1, "tests": [{}]}]}'])
    def test_a_baseline_that_is_none(
        self, human_sqlite: Path, run_gst: Gst, tmp_path: Path, text: str
    ) -> None:
        path = tmp_path / "before.json"
        path.write_text(text)
        result = run_gst("db", "check", "--url", f"sqlite:///{human_sqlite}", "--baseline", path)
        assert "is not a report of gst db check" in str(result.exception)
