"""Addresses and passwords."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from gst_core.ensembl.connect import _read_option_file, parse_address
from gst_core.errors import GstError
from tests.ensembl.conftest import Gst, start_gst
from tests.ensembl.mariadb import Server

SECRET = "hush-hush"


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://someone:{SECRET}@host/database",
        f"mysql://host/database?password={SECRET}",
        f"mysql://someone:{SECRET}@host:port/database",
    ],
)
def test_a_password_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(GstError) as caught:
        parse_address(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://host/database", "postgresql databases are not read"),
        ("oracle23://host/database", "oracle23 databases are not read"),
        ("core.db", "is not a database URL"),
        ("mysql://host", "names no database"),
        ("sqlite://", "names no database"),
    ],
)
def test_other_addresses_are_refused(url: str, complaint: str) -> None:
    with pytest.raises(GstError, match=complaint):
        parse_address(url)


def test_parts_or_a_url() -> None:
    assert str(parse_address(host="host", port=4527, user="ensro", database="core")) == (
        "mysql://ensro@host:4527/core"
    )
    with pytest.raises(GstError, match="give one or the other"):
        parse_address("sqlite:///core.db", host="host")
    with pytest.raises(GstError, match="no database is named"):
        parse_address(host="host")


def test_a_missing_sqlite_file_is_not_made(tmp_path: Path, run_gst: Gst) -> None:
    path = tmp_path / "core.db"
    for arguments in (["dump"], ["check"], ["unload"]):
        result = run_gst("db", *arguments, "--url", f"sqlite:///{path}")
        assert "core.db: no such database" in str(result.exception)
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path: Path, run_gst: Gst) -> None:
    path = tmp_path / "core.db"
    path.write_text("no database\n" * 100)
    result = run_gst("db", "dump", "--url", f"sqlite:///{path}")
    assert isinstance(result.exception, GstError)
    assert "file is not a database" in str(result.exception)


def test_a_database_without_the_schema(server: Server, run_gst: Gst) -> None:
    server.run("CREATE DATABASE hollow")
    result = run_gst("db", "dump", "--url", server.url("hollow"))
    assert "is this an Ensembl core database?" in str(result.exception)


class TestPassword:
    @pytest.fixture
    def url(self, server: Server, human_mariadb: str) -> str:
        return server.url(human_mariadb, user="reader")

    def count(self, run_gst: Gst, *arguments: str | Path) -> int:
        result = run_gst("db", "dump", "--quiet", *arguments)
        assert result.exit_code == 0, result.exception
        return int(result.stdout.count(">"))

    def test_from_the_environment(
        self, url: str, run_gst: Gst, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GST_DB_PASSWORD", "r3ader")
        assert self.count(run_gst, "--url", url) == 22

    def test_from_a_file_before_the_environment(
        self, url: str, run_gst: Gst, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("GST_DB_PASSWORD", "another")
        password = tmp_path / "password"
        password.write_text("r3ader\n")
        assert self.count(run_gst, "--url", url, "--password_file", password) == 22

    def test_from_the_option_file_with_all_else(
        self, server: Server, url: str, run_gst: Gst, tmp_path: Path
    ) -> None:
        (tmp_path / ".my.cnf").write_text(
            "# mine\n!includedir /etc/mysql/conf.d/\n[client]\nuser = reader\n"
            f"password = 'r3ader'\nsocket = {server.socket}\n[mysqldump]\nquick\n"
        )
        assert self.count(run_gst, "--url", url) == 22
        assert self.count(run_gst, "--database", "human") == 22

    def test_from_an_indented_line(
        self, server: Server, run_gst: Gst, tmp_path: Path, human_mariadb: str
    ) -> None:
        options = tmp_path / ".my.cnf"
        text = f"[client]\nuser=reader\n  password=r3ader\n\t!include x\nsocket={server.socket}\n"
        options.write_text(text)
        assert self.count(run_gst, "--database", human_mariadb) == 22
        options.write_text(text.replace("r3ader", SECRET))
        result = run_gst("db", "dump", "--database", human_mariadb)
        assert "denied for user 'reader'@" in str(result.exception)
        assert SECRET not in str(result.exception)

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ('"pa #ss"', "pa #ss"),
            ("'\"pass\"'", '"pass"'),
            ('"pass" # mine', "pass"),
            ("pa#ss # mine", "pa#ss"),
            ("pass'", "pass'"),
            ("'pass", "'pass"),
            ("pa=ss;", "pa=ss;"),
            ("", ""),
        ],
    )
    def test_quotes_and_comments_of_the_option_file(
        self, tmp_path: Path, text: str, value: str
    ) -> None:
        options = tmp_path / "options"
        options.write_text(f"[client]\npassword = {text}\nport = 3307 # ours\n")
        assert _read_option_file(options) == {"password": value, "port": 3307}

    def test_a_port_that_is_no_number(self, url: str, run_gst: Gst, tmp_path: Path) -> None:
        (tmp_path / ".my.cnf").write_text("[client]\nport = abc\n")
        result = run_gst("db", "dump", "--url", url)
        assert isinstance(result.exception, GstError)
        assert ".my.cnf: is not a readable MySQL option file" in str(result.exception)

    def test_beyond_latin_1(
        self, server: Server, url: str, run_gst: Gst, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GST_DB_PASSWORD", "hush-\u20ac")
        result = run_gst("db", "dump", "--url", url)
        assert "Access denied" in str(result.exception)
        assert "hush" not in str(result.exception)
        with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER euro@localhost IDENTIFIED BY 'hush-\u20ac'")
            cursor.execute("GRANT SELECT ON human.* TO euro@localhost")
        assert self.count(run_gst, "--url", server.url("human", user="euro")) == 22

    def test_an_unreadable_option_file_is_named_and_not_quoted(
        self, url: str, run_gst: Gst, tmp_path: Path
    ) -> None:
        (tmp_path / ".my.cnf").write_text(f"password={SECRET}\n")
        result = run_gst("db", "dump", "--url", url)
        assert ".my.cnf: is not a readable MySQL option file" in str(result.exception)
        assert SECRET not in str(result.exception)

    def test_a_missing_password_file_is_named(self, url: str, run_gst: Gst) -> None:
        result = run_gst("db", "dump", "--url", url, "--password_file", "/nowhere")
        assert "/nowhere: cannot read the password" in str(result.exception)

    def test_a_wrong_one_is_in_no_message(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GST_DB_PASSWORD", SECRET)
        for debug in ([], ["--debug"]):
            process = start_gst(*debug, "db", "dump", "--url", url)
            output, errors = process.communicate(timeout=300)
            assert process.returncode == 1
            assert "Access denied" in errors
            assert SECRET not in output + errors


def test_a_server_that_is_not_there(run_gst: Gst) -> None:
    result = run_gst("db", "dump", "--url", "mysql://ensro@127.0.0.1:9/core")
    assert "check host and port" in str(result.exception)
