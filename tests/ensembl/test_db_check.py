"""Every datacheck finds what it is for."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from gst_core.ensembl.checks import DATACHECKS
from tests.ensembl.conftest import Gst
from tests.ensembl.mariadb import Server

#: an xref of HGNC's that is beyond reproach, attached to a gene
XREF = (
    "INSERT INTO xref (xref_id, external_db_id, dbprimary_acc, display_label, version, "
    "description, info_type, info_text) "
    "VALUES (9000000, {source}, '{accession}', '{label}', '0', '{description}', 'NONE', '')"
)
LINK = (
    "INSERT INTO object_xref (ensembl_id, ensembl_object_type, xref_id, analysis_id) "
    "VALUES ({target}, '{kind}', 9000000, 1282)"
)
SHOW = "UPDATE gene SET display_xref_id = 9000000 WHERE gene_id = 18256"
HGNC, ENTREZ = 1100, 10


def xref(
    source: int = HGNC,
    accession: str = "HGNC:1",
    label: str = "A1BG",
    description: str = "alpha-1-B glycoprotein",
) -> str:
    return XREF.format(source=source, accession=accession, label=label, description=description)


def link(target: int = 18256, kind: str = "Gene") -> str:
    return LINK.format(target=target, kind=kind)


def describe(text: str) -> str:
    return f"UPDATE gene SET description = '{text}' WHERE gene_id = 18256"


def again() -> str:
    """Return the statement for a second version of the same xref."""
    return xref().replace("9000000", "9000001").replace("'0'", "'1'")


#: datacheck, what breaks it, and words of the test that fails
BREAKAGES = [
    ("XrefTypes", [xref(), link(), link(21716, "Transcript")], "(db_name) = (HGNC)"),
    ("HGNCNumeric", [xref(label="HGNC:1"), link()], "HGNC:1"),
    ("HGNCTypes", [xref(), link(21716, "Transcript")], "All HGNC xrefs assigned to Genes"),
    ("DuplicateXref", [xref(), again()], "HGNC:1"),
    ("XrefPrefixes", [xref(accession="1")], "pattern: ^HGNC:"),
    ("XrefFormat", [xref(label="<i>A</i>")], "HTML markup: (display_label) = (<i>A</i>)"),
    ("XrefFormat", [xref(accession="")], "dbprimary_acc has no empty string values"),
    ("XrefFormat", [xref(label="")], "display_label has no empty string values"),
    ("XrefFormat", [xref(label="A\tB")], "display_labels have newlines"),
    ("XrefFormat", [xref(description="one\ntwo")], "descriptions have newlines"),
    ("XrefFormat", [xref(description="x {ECO:0000256} y")], "ECO:"),
    ("DisplayXrefFormat", [xref(ENTREZ, "1", "100"), SHOW], "names are not numeric"),
    ("GeneDescriptions", [describe("a\tb")], "Non-printing character"),
    ("GeneDescriptions", [describe("by Uniprot")], 'Incorrect "UniProt" format'),
    ("StableIdDisplayXref", [xref(label="ENSG00000131044"), SHOW], "No gene found with stable_id"),
    ("UniProtDisplayXref", [], "No Genes display_xref are attached to Uniprot/*"),
    ("UnreviewedXrefs", [xref(2202, "Unreviewed")], "Unreviewed as their"),
    ("ObjectXrefNull", [xref(), link().replace("1282", "NULL")], "linked to an analysis"),
    ("ForeignKeys", [xref(), link(99)], "object_xref.ensembl_id rows linked to gene.gene_id"),
    ("ForeignKeys", [xref(source=31)], "All xref.external_db_id rows linked to external_db"),
]  # fmt: skip
ADVISORY = {"DuplicateXref", "DisplayXrefExists", "ObjectXrefNull"}


def change(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def failed_lines(tap: str) -> str:
    """Return the failed tests with what is said of them, without what the database has itself."""
    return "\n".join(
        line for line in tap.splitlines() if line.lstrip().startswith(("not ok", "#  "))
    )


@pytest.mark.parametrize(("name", "statements", "words"), BREAKAGES)
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_datacheck_finds_what_it_is_for(
    request: pytest.FixtureRequest,
    run_gst: Gst,
    kind: str,
    name: str,
    statements: list[str],
    words: str,
) -> None:
    if kind == "sqlite":
        path: Path = request.getfixturevalue("human_sqlite")
        change(path, *statements)
        url = f"sqlite:///{path}"
    else:
        server: Server = request.getfixturevalue("server")
        database: str = request.getfixturevalue("human_mariadb")
        for statement in statements:
            server.run(statement, database)
        url = server.url(database)
    result = run_gst("db", "check", "--url", url, "--datacheck", name)
    assert words in failed_lines(result.stdout)
    critical = name not in ADVISORY
    assert result.exit_code == (1 if critical else 0)
    assert f"not ok 1 - {name}" + ("" if critical else " # TODO advisory") in result.stdout


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BREAKAGES}))
def test_and_nothing_else(human_sqlite: Path, run_gst: Gst, name: str) -> None:
    """A cross-reference in good order breaks nothing that was not broken."""
    before = run_gst(
        "db", "check", "--url", f"sqlite:///{human_sqlite}", "--datacheck", name
    ).stdout
    change(human_sqlite, xref(), link(), SHOW)
    after = run_gst("db", "check", "--url", f"sqlite:///{human_sqlite}", "--datacheck", name).stdout
    assert after == before


def test_names_severities_and_both_formats(human_sqlite: Path, run_gst: Gst) -> None:
    url = f"sqlite:///{human_sqlite}"
    result = run_gst("db", "check", "--url", url, "--format", "json")
    report = json.loads(result.stdout)
    assert report["database"] == url
    assert report["species_id"] == 1
    found = {check["name"]: check for check in report["datachecks"]}
    assert list(found) == [
        "XrefTypes", "HGNCNumeric", "HGNCTypes", "DuplicateXref", "XrefPrefixes", "XrefFormat",
        "DisplayXrefFormat", "DisplayXrefExists", "GeneDescriptions", "StableIdDisplayXref",
        "UniProtDisplayXref", "UnreviewedXrefs", "ObjectXrefNull", "ForeignKeys",
    ]  # fmt: skip
    assert {name for name, c in found.items() if c["severity"] == "advisory"} == ADVISORY
    types = found["XrefTypes"]
    assert types["status"] == "failed"
    assert types["tests"][1]["rows"] == 48
    assert len(types["tests"][1]["first_rows"]) == 10
    tap = run_gst("db", "check", "--url", url).stdout
    assert tap.startswith(f"TAP version 14\n1..{len(DATACHECKS)}\n# Subtest: XrefTypes\n")
    assert "48 rows in all" in tap
    assert "3 critical datachecks fail (XrefTypes, UniProtDisplayXref, ForeignKeys)" in str(
        result.exception
    )


def test_names_are_wanted_of_vertebrates_alone(human_sqlite: Path, run_gst: Gst) -> None:
    arguments = ("db", "check", "--url", f"sqlite:///{human_sqlite}", "--datacheck",
                 "DisplayXrefExists")  # fmt: skip
    statements = [
        "DELETE FROM meta WHERE meta_key = 'species.division'",
        "UPDATE gene SET display_xref_id = NULL",
        "UPDATE transcript SET display_xref_id = NULL",
    ]
    change(human_sqlite, *statements)
    assert "ok 1 - DisplayXrefExists # SKIP Display xrefs are not" in run_gst(*arguments).stdout
    change(
        human_sqlite,
        "INSERT INTO meta (species_id, meta_key, meta_value) "
        "VALUES (1, 'species.division', 'EnsemblVertebrates')",
    )
    result = run_gst(*arguments)
    assert result.exit_code == 0
    assert "not ok 1 - genes have names set via display_xref_id" in result.stdout
    assert "not ok 1 - DisplayXrefExists # TODO advisory" in result.stdout
