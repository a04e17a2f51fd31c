"""``gst compare`` and ``gst evaluate`` with the symbols of a core database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gst_core.errors import GstError
from tests.ensembl.conftest import UNNAMED, Gst

NAMED = """
SELECT g.stable_id, tr.stable_id, tl.stable_id, x.display_label FROM gene g
JOIN transcript tr ON tr.transcript_id = g.canonical_transcript_id
JOIN translation tl ON tl.translation_id = tr.canonical_translation_id
JOIN xref x ON x.xref_id = g.display_xref_id WHERE g.biotype = 'protein_coding' ORDER BY g.gene_id
"""


def named(database: Path) -> list[tuple[str, str, str, str]]:
    """Ids of gene, canonical transcript, translation, and the symbol, as the original asked."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(NAMED).fetchall()


def write_assignments(path: Path, symbols: dict[str, str]) -> Path:
    rows = "".join(f"{name}\t{symbol}\t0.9000\t\t\n" for name, symbol in symbols.items())
    path.write_text(f"stable_id\tsymbol\tprobability\tdescription\tsource\n{rows}")
    return path


def compared(folder: Path) -> list[list[str]]:
    text = (folder / "a_compare.csv").read_text()
    return [line.split("\t")[:3] for line in text.splitlines()[1:]]


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_ids_of_genes_transcripts_and_translations(
    human_sqlite: Path, tmp_path: Path, run_gst: Gst, kind: int
) -> None:
    rows = named(human_sqlite)
    assert len(rows) > 5
    right = {f"{row[kind]}.7": row[3] for row in rows}
    wrong = next(iter(right))
    table = write_assignments(tmp_path / "a.csv", {**right, wrong: "NOSUCH", "other": "HBB"})
    url = f"sqlite:///{human_sqlite}"
    done = run_gst("compare", "--assignments_csv", table, "--known_symbols", url)
    assert done.exit_code == 0, done.exception
    assert f"{len(rows)} assignments, {len(rows) - 1} exact matches" in done.stdout
    assert f"{len(rows)} genes with known symbols" in done.stderr
    assert [row[:2] for row in compared(tmp_path)] == [[name, s] for name, s in right.items()]


def test_a_table_of_the_same_symbols_gives_the_same(
    human_sqlite: Path, tmp_path: Path, run_gst: Gst
) -> None:
    rows = named(human_sqlite)
    table = write_assignments(tmp_path / "a.csv", {row[2]: row[3] for row in rows[:-1]})
    known = tmp_path / "known.tsv"
    lines = "".join(f"{row[2]}\t{row[3]}\n" for row in rows)
    known.write_text(f"translation.stable_id\tXref_symbol\n{lines}")
    said = []
    for source in (known, f"sqlite:///{human_sqlite}"):
        arguments = ["--known_symbols", source, "--scientific_name", "Homo sapiens"]
        done = run_gst("compare", "--assignments_csv", table, *arguments)
        said.append((done.stdout, (tmp_path / "a_compare.csv").read_text()))
    assert said[0] == said[1]


def test_symbols_that_were_loaded_are_not_known(
    human_sqlite: Path, symbols: Path, tmp_path: Path, run_gst: Gst
) -> None:
    before = named(human_sqlite)
    url = f"sqlite:///{human_sqlite}"
    load = run_gst("db", "load", "--url", url, "--symbol_assignments", symbols)
    assert load.exit_code == 0, load.exception
    assert {row[0] for row in named(human_sqlite)} == {row[0] for row in before} | set(UNNAMED)
    every = {row[0]: row[3] for row in named(human_sqlite)}
    table = write_assignments(tmp_path / "a.csv", every)
    done = run_gst("compare", "--assignments_csv", table, "--known_symbols", url)
    assert f"{len(before)} genes with known symbols; 4 with assigned ones" in done.stderr
    assert {row[0] for row in compared(tmp_path)} == {row[0] for row in before}


def test_evaluate_takes_both(human_sqlite: Path, tmp_path: Path, run_gst: Gst) -> None:
    rows = named(human_sqlite)
    write_assignments(tmp_path / "a.csv", {row[0]: row[3] for row in rows})
    write_assignments(tmp_path / "b.csv", {"p1": "HBB", "p2": "HBA1"})
    (tmp_path / "known.tsv").write_text("id\tsymbol\np1\tHBB\np2\tHBA2\n")
    assemblies = tmp_path / "assemblies.tsv"
    assemblies.write_text(
        "scientific_name\tassignments\tknown_symbols\tspecies\n"
        f"Homo sapiens\ta.csv\tsqlite:///{human_sqlite}\thomo_sapiens\n"
        "Sus scrofa\tb.csv\tknown.tsv\t\n"
    )
    done = run_gst("evaluate", "--assemblies", assemblies, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    document = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    counted = {e["scientific_name"]: e["assignments"] for e in document["genomes"]}
    assert counted == {"Homo sapiens": len(rows), "Sus scrofa": 2}


def test_what_is_wrong_is_said_with_where(human_sqlite: Path, tmp_path: Path, run_gst: Gst) -> None:
    table = write_assignments(tmp_path / "a.csv", {"x": "HBB"})
    compare = ("compare", "--assignments_csv", table, "--known_symbols")
    url = f"sqlite:///{human_sqlite}"

    def error(*arguments: str | Path) -> str:
        done = run_gst(*arguments)
        assert isinstance(done.exception, GstError), done.output
        return str(done.exception)

    said = error(*compare, "mysql://me:s3cret@server/core")
    assert said.startswith("--known_symbols: holds a password")
    assert "s3cret" not in said
    assert "no such database" in error(*compare, f"sqlite:///{tmp_path}/none.db")
    assert "has no species 'felis_catus'" in error(*compare, url, "--species", "felis_catus")
    with closing(sqlite3.connect(human_sqlite)) as connection:
        connection.execute("UPDATE gene SET display_xref_id = NULL")
        connection.commit()
    assert "no protein-coding gene has a symbol" in error(*compare, url)
    assert not (tmp_path / "a_compare.csv").exists()

    (tmp_path / "known.tsv").write_text("id\tsymbol\nx\tHBB\n")
    done = run_gst(*compare, tmp_path / "known.tsv", "--species_id", "1")
    assert done.exit_code == 2
    assert "in a database" in done.output
    assemblies = tmp_path / "assemblies.tsv"
    header = "scientific_name\tassignments\tknown_symbols\n"
    assemblies.write_text(f"{header}Sus scrofa\ta.csv\tftp://server/known.tsv\n")
    said = error("evaluate", "--assemblies", assemblies, "--output", tmp_path / "out")
    assert said.startswith(f"{assemblies}, Sus scrofa: ")


def test_mariadb(human_mariadb: str, server: object, tmp_path: Path, run_gst: Gst) -> None:
    url = server.url(human_mariadb)  # type: ignore[attr-defined]
    table = write_assignments(tmp_path / "a.csv", {"ENSG00000101350.3": "X"})
    done = run_gst("compare", "--assignments_csv", table, "--known_symbols", url)
    assert done.exit_code == 0, done.exception
    assert "1 assignments" in done.stdout
