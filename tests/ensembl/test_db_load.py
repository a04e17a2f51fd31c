"""Symbols into the human test database, and out of it again."""

from __future__ import annotations

import contextlib
import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gst_core.ensembl.connect import open_database, parse_address
from gst_core.ensembl.schema import WRITTEN, create_schema
from gst_core.ensembl.source_map import DB_NAMES, PRIORITY, Accession, Accessions
from gst_core.vocabulary import Symbol, Vocabulary
from tests.ensembl.conftest import HEADER, SYMBOLS, UNNAMED, Gst
from tests.ensembl.mariadb import Server


class Database:
    """A database under test, whichever it is."""

    def __init__(self, url: str, query: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self.url = url
        self.query = query

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: sorted(self.query(f"SELECT * FROM {name}"), key=repr) for name in WRITTEN}


def sqlite_database(path: Path) -> Database:
    def query(statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(statement).fetchall()

    return Database(f"sqlite:///{path}", query)


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    if request.param == "sqlite":
        return sqlite_database(request.getfixturevalue("human_sqlite"))
    server: Server = request.getfixturevalue("server")
    name: str = request.getfixturevalue("human_mariadb")
    return Database(server.url(name), lambda statement: server.run(statement, name))


def loaded(database: Database) -> list[tuple[Any, ...]]:
    return database.query(
        "SELECT g.stable_id, e.db_name, x.dbprimary_acc, x.display_label, x.description, "
        "x.version, x.info_type, x.info_text, g.description "
        "FROM object_xref ox JOIN analysis a ON a.analysis_id = ox.analysis_id "
        "JOIN gene g ON g.gene_id = ox.ensembl_id AND ox.ensembl_object_type = 'Gene' "
        "JOIN xref x ON x.xref_id = ox.xref_id AND x.xref_id = g.display_xref_id "
        "JOIN external_db e ON e.external_db_id = x.external_db_id "
        "WHERE a.logic_name = 'gene_symbol_classifier' ORDER BY g.gene_id"
    )


def test_a_load_writes_what_production_writes(
    database: Database, symbols: Path, run_gst: Gst
) -> None:
    result = run_gst("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    assert result.exit_code == 0, result.exception
    assert result.stdout == ""
    assert "4 symbols loaded" in result.stderr
    score = "[Ensembl NN prediction with score"
    constant = ("0", "NONE", "")
    ttll9, pdrg1, hck, plagl2 = "TTLL9", "PDRG1", "HCK", "PLAGL2"
    assert loaded(database) == [
        (UNNAMED[0], "HGNC", "HGNC:16118", ttll9, "tubulin tyrosine ligase like 9", *constant,
         f"tubulin tyrosine ligase like 9 {score} 99.12%]"),
        (UNNAMED[1], "HGNC", "HGNC:16119", pdrg1, None, *constant, f" {score} 84%]"),
        (UNNAMED[2], "HGNC", "HGNC:4840", hck, "HCK proto-oncogene", *constant,
         f"HCK proto-oncogene {score} 100%]"),
        (UNNAMED[3], "HGNC", "HGNC:9047", plagl2, "PLAG1 like zinc finger 2", *constant,
         f"PLAG1 like zinc finger 2 {score} 70%]"),
    ]  # fmt: skip
    analysis = database.query(
        "SELECT program, program_version, created IS NULL FROM analysis "
        "WHERE logic_name = 'gene_symbol_classifier'"
    )
    assert [(program, bool(none)) for program, _, none in analysis] == [("gst", False)]
    assert analysis[0][1]


def test_a_second_load_changes_nothing(database: Database, symbols: Path, run_gst: Gst) -> None:
    arguments = ("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    run_gst(*arguments)
    after = database.snapshot()
    result = run_gst(*arguments)
    assert result.exit_code == 0
    assert "0 symbols loaded" in result.stderr
    assert "4 genes have a symbol already" in result.stderr
    assert database.snapshot() == after


def test_unload_takes_out_exactly_what_load_put_in(
    database: Database, symbols: Path, run_gst: Gst
) -> None:
    # One cross-reference is there already, unused; one gene shows the 0 of old databases.
    database.query(
        "INSERT INTO xref (external_db_id, dbprimary_acc, display_label, version, info_type, "
        "info_text) VALUES (1100, 'HGNC:4840', 'HCK', '0', 'NONE', '')"
    )
    database.query(f"UPDATE gene SET display_xref_id = 0 WHERE stable_id = '{UNNAMED[3]}'")
    before = database.snapshot()
    descriptions = {row[0] for row in database.query("SELECT description FROM gene")}
    assert len(descriptions) > 2, "genes with descriptions of their own belong to this test"
    run_gst("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    assert len(loaded(database)) == 4
    result = run_gst("db", "unload", "--url", database.url)
    assert result.exit_code == 0, result.exception
    assert "4 genes have their symbols taken back, 3 xrefs are deleted" in result.stderr
    assert database.snapshot() == before
    again = run_gst("db", "unload", "--url", database.url)
    assert "0 genes have their symbols taken back" in again.stderr


def test_unload_keeps_what_was_changed_since(
    database: Database, symbols: Path, run_gst: Gst
) -> None:
    run_gst("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    database.query(f"UPDATE gene SET description = 'curated' WHERE stable_id = '{UNNAMED[0]}'")
    database.query(
        f"INSERT INTO external_synonym SELECT display_xref_id, 'P61' FROM gene "
        f"WHERE stable_id = '{UNNAMED[2]}'"
    )
    result = run_gst("db", "unload", "--url", database.url)
    rows = database.query(
        f"SELECT description, display_xref_id FROM gene WHERE stable_id = '{UNNAMED[0]}'"
    )
    assert rows == [("curated", None)]
    assert "3 xrefs are deleted" in result.stderr
    kept = database.query("SELECT display_label FROM xref WHERE dbprimary_acc = 'HGNC:4840'")
    assert kept == [("HCK",)]
    database.query("DELETE FROM external_synonym WHERE synonym = 'P61'")


def test_unload_takes_out_what_was_loaded_for_genes_that_are_gone(
    database: Database, symbols: Path, run_gst: Gst
) -> None:
    before = database.snapshot()
    run_gst("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    database.query(f"DELETE FROM gene WHERE stable_id = '{UNNAMED[0]}'")
    result = run_gst("db", "unload", "--url", database.url)
    assert "3 genes have their symbols taken back, 4 xrefs are deleted" in result.stderr
    after = database.snapshot()
    assert len(after.pop("gene")) == len(before.pop("gene")) - 1
    assert after == before


def test_a_stored_xref_is_reused(
    database: Database, symbols: Path, tmp_path: Path, run_gst: Gst
) -> None:
    database.query(
        "INSERT INTO xref (external_db_id, dbprimary_acc, display_label, version, info_type, "
        "info_text) VALUES (1100, 'HGNC:4840', 'JTK9', NULL, 'NONE', '')"
    )
    plan = tmp_path / "plan.tsv"
    result = run_gst(
        "db", "load", "--url", database.url, "--symbol_assignments", symbols, "--plan", plan
    )
    assert result.exit_code == 0, result.exception
    count = database.query("SELECT count(*) FROM xref WHERE dbprimary_acc = 'HGNC:4840'")
    assert count == [(1,)]
    assert "\treused\t" in plan.read_text()
    assert "its xref is labelled JTK9" in plan.read_text()


def test_a_dry_run_prints_the_plan_and_does_nothing(
    database: Database, symbols: Path, run_gst: Gst
) -> None:
    before = database.snapshot()
    result = run_gst(
        "db", "load", "--url", database.url, "--symbol_assignments", symbols, "--dry_run"
    )
    rows = list(csv.DictReader(io.StringIO(result.stdout), delimiter="\t"))
    assert [(row["stable_id"], row["outcome"], row["accession"], row["xref"]) for row in rows] == [
        ("ENSG00000131044.1", "load", "HGNC:16118", "new"),
        ("ENSG00000088356.1", "load", "HGNC:16119", "new"),
        ("ENSG00000101336", "load", "HGNC:4840", "new"),
        ("ENSG00000126003.1", "load", "HGNC:9047", "new"),
    ]
    assert rows[0]["description"] == (
        "tubulin tyrosine ligase like 9 [Ensembl NN prediction with score 99.12%]"
    )
    assert database.snapshot() == before


def test_problems_are_listed_and_strict_stops(
    database: Database, tmp_path: Path, run_gst: Gst
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(
        SYMBOLS
        + "ENSG00000999999\tNEW\t0.9\t\tHGNC Symbol\tHGNC:1\n"
        + "ENSG00000174873.7\tNEW\t0.9\t\tHGNC Symbol\tHGNC:1\n"
        + "ENSG00000167097.1\tNEW\t0.9\t\tHGNC Symbol\t\n"
        + "ENSG00000101350.1\tNEW\t0.9\t\tXenbase\tXB-1\n"
        + "ENSG00000101367.1\tLOW\t0.6999\t\tHGNC Symbol\tHGNC:1\n"
    )
    before = database.snapshot()
    arguments = ("db", "load", "--url", database.url, "--symbol_assignments", table)
    result = run_gst(*arguments, "--strict")
    assert result.exit_code == 1
    assert "something is amiss with 3 rows" in str(result.exception)
    assert database.snapshot() == before
    result = run_gst(*arguments)
    assert result.exit_code == 0, result.exception
    for line in (
        "1 rows are below the threshold",
        "1 stable ids are not in the database: ENSG00000999999 NEW (line 6: not in the database)",
        "1 stable ids have another version in the database: ENSG00000174873.7 NEW "
        "(line 7: the database has version 1)",
        "1 symbols have no accession: ENSG00000167097.1 NEW (line 8: HGNC Symbol)",
        "1 genes have a symbol already",
    ):
        assert line in result.stderr
    assert len(loaded(database)) == 4


def test_a_source_that_external_db_lacks_is_listed(
    database: Database, tmp_path: Path, run_gst: Gst
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(HEADER + f"{UNNAMED[0]}\tttll9\t0.9\t\tVGNC Symbol\tVGNC:1\n")
    result = run_gst("db", "load", "--url", database.url, "--symbol_assignments", table)
    assert "1 symbols belong to a source that the table external_db lacks" in result.stderr
    assert "VGNC" in result.stderr


@pytest.mark.parametrize(
    ("policy", "winners"),
    [("keep", [UNNAMED[0], UNNAMED[1]]), ("best", [UNNAMED[1]]), ("none", [])],
)
def test_one_symbol_for_several_genes(
    database: Database, tmp_path: Path, run_gst: Gst, policy: str, winners: list[str]
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(
        HEADER
        + f"{UNNAMED[0]}\tHBA1\t0.8\t\tHGNC Symbol\tHGNC:4823\n"
        + f"{UNNAMED[1]}\tHBA1\t0.9\t\tHGNC Symbol\tHGNC:4823\n"
    )
    result = run_gst(
        "db", "load", "--url", database.url, "--symbol_assignments", table, "--duplicates", policy
    )
    assert [row[0] for row in loaded(database)] == winners
    assert f"HBA1 ({UNNAMED[0]}, {UNNAMED[1]})" in result.stderr
    assert database.query("SELECT count(*) FROM xref WHERE display_label = 'HBA1'") == [
        (1 if winners else 0,)
    ]


def test_a_gene_that_bears_the_symbol_already_keeps_it(
    database: Database, tmp_path: Path, run_gst: Gst
) -> None:
    # DNMT3B's gene shows this label.
    [(holder, label)] = database.query(
        "SELECT stable_id, display_label FROM gene JOIN xref ON display_xref_id = xref_id "
        "WHERE gene_id = 18272"
    )
    table = tmp_path / "table.tsv"
    assigned = label.lower()
    assert assigned != label
    table.write_text(HEADER + f"{UNNAMED[0]}\t{assigned}\t0.99\t\tHGNC Symbol\tHGNC:2979\n")
    result = run_gst(
        "db", "load", "--url", database.url, "--symbol_assignments", table, "--duplicates", "best"
    )
    assert loaded(database) == []
    assert f"{assigned} ({holder}, {UNNAMED[0]})" in result.stderr


def test_the_most_probable_of_several_rows_for_a_gene(
    database: Database, tmp_path: Path, run_gst: Gst
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(
        HEADER
        + f"{UNNAMED[0]}\tONE\t0.8\t\tHGNC Symbol\tHGNC:1\n"
        + f"{UNNAMED[0]}.1\tTWO\t0.9\t\tHGNC Symbol\tHGNC:2\n"
    )
    result = run_gst("db", "load", "--url", database.url, "--symbol_assignments", table)
    assert [row[3] for row in loaded(database)] == ["TWO"]
    assert "1 rows are for a gene with a more probable row" in result.stderr


def test_one_accession_for_two_symbols(database: Database, tmp_path: Path, run_gst: Gst) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(
        HEADER
        + f"{UNNAMED[0]}\tFIRST\t0.8\t\tHGNC Symbol\tHGNC:9001\n"
        + f"{UNNAMED[1]}\tSECOND\t0.9\t\tHGNC Symbol\tHGNC:9001\n"
        + f"{UNNAMED[2]}\tSECOND\t0.8\t\tHGNC Symbol\thgnc:9001\n"
    )
    before = database.snapshot()
    arguments = ("db", "load", "--url", database.url, "--symbol_assignments", table)
    result = run_gst(*arguments, "--strict")
    assert "something is amiss with 2 rows" in str(result.exception)
    assert f"{UNNAMED[0]} FIRST (line 2: HGNC:9001 is that of SECOND in line 3)" in result.stderr
    assert database.snapshot() == before
    assert "\tshared_accession\t" in run_gst(*arguments, "--dry_run").stdout
    assert run_gst(*arguments).exit_code == 0
    assert [(row[0], row[3]) for row in loaded(database)] == [(UNNAMED[1], "SECOND")]


def test_a_failing_datacheck_rolls_back(database: Database, tmp_path: Path, run_gst: Gst) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(SYMBOLS.replace("HGNC:4840", "4840"))
    before = database.snapshot()
    result = run_gst("db", "load", "--url", database.url, "--symbol_assignments", table)
    assert result.exit_code == 1
    assert "the datacheck XrefPrefixes would fail" in str(result.exception)
    assert "4840" in str(result.exception)
    assert database.snapshot() == before


def test_what_failed_before_does_not_count(database: Database, symbols: Path, run_gst: Gst) -> None:
    assert run_gst("db", "check", "--url", database.url).exit_code == 1
    result = run_gst("db", "load", "--url", database.url, "--symbol_assignments", symbols)
    assert result.exit_code == 0


def test_production_and_gst_write_the_same(shared_data: Path, tmp_path: Path, run_gst: Gst) -> None:
    """The recorded calls of production's loader, against what lands in a database."""
    folder = shared_data / "legacy-gst"
    assignments = folder / "filter" / "transformer_filtered_0.7.csv"
    calls = [
        line.split("\t") for line in (folder / "load" / "load_calls.tsv").read_text().splitlines()
    ]
    genes = {call[1]: call for call in calls if call[0] == "GENE"}
    expected = {
        genes[call[1]][2]: (call[6], call[4], call[5], call[7], genes[call[1]][3])
        for call in calls
        if call[0] == "XREF"
    }
    with assignments.open(newline="") as file:
        names = [row["stable_id"] for row in csv.DictReader(file, delimiter="\t")]
    assert len(names) > len(expected) > 140
    path = tmp_path / "core.db"
    _empty_genome(path, names, named=set(names) - set(expected))
    result = run_gst(
        "db", "load", "--url", f"sqlite:///{path}", "--symbol_assignments", assignments,
        "--primary_ids_file", folder / "load" / "display_name_dbprimary_acc.dat",
    )  # fmt: skip
    assert result.exit_code == 0, result.exception
    found = {
        row[0]: (row[1], row[2], row[3], row[4] or "", row[8])
        for row in sqlite_database(path).query(
            "SELECT stable_id, db_name, dbprimary_acc, display_label, x.description, 0, 0, 0, "
            "g.description FROM gene g JOIN xref x ON x.xref_id = g.display_xref_id "
            "JOIN external_db USING (external_db_id) WHERE g.description LIKE '%Ensembl NN%'"
        )
    }
    # Production takes the quotes around a field for a part of it.
    quoted = {name for name, row in expected.items() if '"' in row[3]}
    assert quoted
    for name in quoted:
        expected[name] = tuple(
            next(csv.reader([text.partition(" [")[0]]))[0] + (f" [{rest}" if rest else "")
            for text in expected[name]
            for rest in [text.partition(" [")[2]]
        )
    assert found == expected


def _empty_genome(path: Path, names: list[str], named: set[str]) -> None:
    """Create a database whose genes have these stable ids; some have a symbol."""
    create_schema(open_database(parse_address(f"sqlite:///{path}"), "create"))
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO coord_system VALUES (1, 1, 'contig', '', 1, '')")
    connection.execute("INSERT INTO seq_region VALUES (1, 'one', 1, 1000)")
    connection.execute("INSERT INTO analysis (analysis_id, logic_name) VALUES (1, 'ensembl')")
    sources = ("HGNC", "ZFIN_ID", "Xenbase", "EntrezGene", "Uniprot_gn")
    for number, source in enumerate(sources, start=1):
        connection.execute(
            "INSERT INTO external_db (external_db_id, db_name, status, priority, type) "
            "VALUES (?, ?, 'KNOWN', 1, 'MISC')",
            (number, source),
        )
    connection.execute(
        "INSERT INTO xref (xref_id, external_db_id, dbprimary_acc, display_label) "
        "VALUES (1, 1, 'HGNC:0', 'EXISTING')"
    )
    for number, name in enumerate(names, start=1):
        connection.execute(
            "INSERT INTO gene (gene_id, biotype, analysis_id, seq_region_id, seq_region_start, "
            "seq_region_end, seq_region_strand, display_xref_id, source, is_current, "
            "canonical_transcript_id, stable_id) "
            "VALUES (?, 'protein_coding', 1, 1, 1, 9, 1, ?, 'ensembl', 1, ?, ?)",
            (number, 1 if name in named else None, number, name),
        )
        connection.execute(
            "INSERT INTO transcript (transcript_id, gene_id, analysis_id, seq_region_id, "
            "seq_region_start, seq_region_end, seq_region_strand, biotype) "
            "VALUES (?, ?, 1, 1, 1, 9, 1, 'protein_coding')",
            (number, number),
        )
    connection.commit()
    connection.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model file that has a vocabulary, and little else."""
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    same = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    made = onnx.helper.make_model(
        onnx.helper.make_graph([node], "nothing", [value], [same]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    vocabulary = Vocabulary(
        [
            Symbol("TTLL9", "tubulin tyrosine ligase like 9", "HGNC Symbol", "HGNC:16118"),
            Symbol("PDRG1", "", "HGNC Symbol", ""),
            Symbol("HCK", "HCK proto-oncogene", "HGNC Symbol", "HGNC:4840"),
        ]
    )
    onnx.helper.set_model_props(
        made, {"gst.format": "test", "gst.vocabulary": vocabulary.to_json()}
    )
    onnx.save(made, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_accessions_come_from_a_model_and_first_from_a_file(
    human_sqlite: Path, tmp_path: Path, run_gst: Gst, model: Path
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("".join(f"{line.rpartition(chr(9))[0]}\n" for line in SYMBOLS.splitlines()))
    ids = tmp_path / "ids.tsv"
    ids.write_text("HCK\tEntrezGene\t3055\nHCK\tHGNC\tHGNC:1\nPLAGL2\tUniprot_gn\tQ9UPG8\n")
    result = run_gst(
        "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table,
        "--model", model, "--primary_ids_file", ids, "--dry_run",
    )  # fmt: skip
    rows = csv.DictReader(io.StringIO(result.stdout), delimiter="\t")
    assert [(row["symbol"], row["db_name"], row["accession"]) for row in rows] == [
        ("TTLL9", "HGNC", "HGNC:16118"),
        ("PDRG1", "", ""),
        ("HCK", "HGNC", "HGNC:1"),
        ("PLAGL2", "Uniprot_gn", "Q9UPG8"),
    ]


def test_a_protein_without_residues_has_no_symbol(
    human_sqlite: Path, tmp_path: Path, run_gst: Gst
) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(SYMBOLS + "ENSG00000174873.1\t\t0.0000\t\t\t\n")
    result = run_gst(
        "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", table,
        "--threshold", "0",
    )  # fmt: skip
    assert result.exit_code == 0, result.exception
    assert "4 symbols loaded" in result.stderr


@pytest.mark.parametrize(
    ("line", "number"), [("HCK\tHGNC\n", 2), ("HCK\t\tHGNC:1\n", 2), ("A B C D\n", 2)]
)
def test_a_damaged_ids_file_is_refused(
    human_sqlite: Path, tmp_path: Path, symbols: Path, run_gst: Gst, line: str, number: int
) -> None:
    ids = tmp_path / "ids.tsv"
    ids.write_text(f"TTLL9\tHGNC\tHGNC:16118\n{line}")
    result = run_gst(
        "db", "load", "--url", f"sqlite:///{human_sqlite}", "--symbol_assignments", symbols,
        "--primary_ids_file", ids,
    )  # fmt: skip
    assert f"ids.tsv, line {number}: is not a symbol, a database and an accession" in str(
        result.exception
    )


class TestSources:
    def test_the_symbols_own_comes_first(self) -> None:
        accessions = Accessions()
        accessions.add("ACTB", "HGNC", "HGNC:132")
        accessions.add("ACTB", "ZFIN_ID", "ZDB-GENE-1")
        assert accessions.find("ACTB", "ZFIN") == Accession("ZFIN_ID", "ZDB-GENE-1")

    def test_then_they_are_sought_in_productions_order(self) -> None:
        accessions = Accessions()
        for db_name in reversed(PRIORITY):
            accessions.add("ACTB", db_name, f"{db_name}:1")
            assert accessions.find("ACTB", "unheard of") == Accession(db_name, f"{db_name}:1")

    def test_every_source_leads_to_a_place_in_that_order(self) -> None:
        assert set(DB_NAMES.values()) == set(PRIORITY)

    def test_what_the_result_says_goes_before_all(self) -> None:
        accessions = Accessions()
        accessions.add("ACTB", "HGNC", "HGNC:132")
        assert accessions.find("ACTB", "HGNC Symbol", "HGNC:5") == Accession("HGNC", "HGNC:5")
        assert accessions.find("ACTB", "unheard of", "5") == Accession("HGNC", "HGNC:132")

    def test_none(self) -> None:
        assert Accessions().find("ACTB", "HGNC Symbol") is None
