"""``gst report`` as a user calls it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from gst_core.cli.main import gst
from gst_core.errors import GstError

HEADER = "stable_id\tsymbol\tprobability\tdescription\tsource\n"


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    pig = tmp_path / "pig_symbols.csv"
    pig.write_text(HEADER + "P1\tTP53\t0.9512\t\t\nP2\tNA\t0.4000\t\t\nP3\tGH1\t1.0000\t\t\n")
    hen = tmp_path / "hen.tsv"
    hen.write_text(HEADER + "Q1\tgh\t0.7512\t\t\n")
    return [str(pig), str(hen)]


def test_tables_to_page_multiqc_and_genome_table(tables: list[str], tmp_path: Path) -> None:
    sheet = tmp_path / "samplesheet.csv"
    sheet.write_text("id,fasta,scientific_name\npig,pig.fa,Sus scrofa\n")
    known = tmp_path / "known.tsv"
    known.write_text("stable_id\tsymbol\tspecies\nP1\tTp53\tx\nP2\tTP63\tx\n")
    out = tmp_path / "out.html"
    result = CliRunner().invoke(
        gst,
        [
            "report",
            *tables,
            *("--output", str(out)),
            *("--multiqc", str(tmp_path / "mqc")),
            *("--genome_table", str(tmp_path / "genomes.tsv")),
            *("--samplesheet", str(sheet)),
            *("--known_symbols", str(known)),
            *("--title", "Farm"),
        ],
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"2 tables, 4 proteins: {out}\n"
    page = out.read_text(encoding="utf-8")
    assert "<h1>Farm</h1>" in page
    assert "<i>Sus scrofa</i>" in page
    assert len(list((tmp_path / "mqc").glob("*_mqc.json"))) == 2
    with (tmp_path / "genomes.tsv").open(newline="") as file:
        pig, hen = csv.DictReader(file, delimiter="\t")
    assert (pig["id"], pig["scientific_name"], pig["proteins"]) == ("pig", "Sus scrofa", "3")
    assert (pig["known"], pig["right_0.5"], pig["right_0.99"]) == ("2", "1", "0")
    assert (hen["id"], hen["named_0.7"], hen["named_0.9"]) == ("hen", "1.0000", "0.0000")


def test_one_table_is_no_plural(tables: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    result = CliRunner().invoke(gst, ["report", tables[1], "--output", str(out)])
    assert result.stderr == f"1 table, 1 protein: {out}\n"


def test_a_damaged_table_is_named_and_no_page_is_left(tables: list[str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(HEADER + "P1\tTP53\n")
    out = tmp_path / "out.html"
    with pytest.raises(GstError, match=r"bad\.csv, line 2"):
        CliRunner().invoke(
            gst, ["report", *tables, str(bad), "--output", str(out)], catch_exceptions=False
        )
    assert not out.exists()


def test_without_tables_it_is_wrong_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(gst, ["report", "--output", str(tmp_path / "r")]).exit_code == 2


def report(*arguments: object) -> object:
    return CliRunner().invoke(gst, ["report", *map(str, arguments)])


def test_failed_genomes_clades_and_the_threshold_of_the_run(
    tables: list[str], tmp_path: Path
) -> None:
    sheet, failures = tmp_path / "s.csv", tmp_path / "f.json"
    sheet.write_text("id,database,scientific_name\npig,,Sus scrofa\nowl,,Tyto alba\n")
    failures.write_text('[{"id": "owl", "step": "assign", "error": "o.fa: is empty"}]')
    page, table = tmp_path / "r.html", tmp_path / "g.tsv"
    options = ["--samplesheet", sheet, "--failures", failures, "--threshold", "0.955"]
    result = report(*tables, *options, "--output", page, "--genome_table", table)
    assert result.exit_code == 0, result
    text = " ".join(page.read_text().split())
    assert "3 genomes, 1 of them failed" in text
    assert "<i>Tyto alba</i>" in text
    assert "o.fa: is empty" in text
    assert "25.0% <small>1 at 0.955 or more" in text  # of four proteins, GH1 alone
    with table.open(newline="") as file:
        assert [row["clade"] for row in csv.DictReader(file, delimiter="\t")] == ["mammalia", ""]


def test_a_report_of_failures_alone(tmp_path: Path) -> None:
    failures, page = tmp_path / "f.json", tmp_path / "r.html"
    failures.write_text('[{"id": "owl"}, {"id": "<b>"}]')
    assert report("--failures", failures, "--output", page).exit_code == 0
    assert "&lt;b&gt;" in page.read_text()
    failures.write_text("{}")
    assert report("--failures", failures, "--output", page).exit_code == 0
    failures.write_text("[1]")
    assert "no list of failures" in str(report("--failures", failures, "--output", page).exception)


def test_ids_are_names_of_tables_and_each_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("a.tsv", "a_symbols.tsv", "a_symbols.csv", "d/a.tsv"):
        (tmp_path / name).write_text(HEADER)
    page, table = tmp_path / "r.html", tmp_path / "g.tsv"
    pair = [tmp_path / "a.tsv", tmp_path / "a_symbols.tsv"]
    assert report(*pair, "--output", page, "--genome_table", table).exit_code == 0
    with table.open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file, delimiter="\t")] == ["a", "a_symbols"]
    for other in ("a_symbols.csv", "d/a.tsv"):
        result = report(tmp_path / "a.tsv", tmp_path / other, "--output", page)
        assert "both tables of a genome 'a'" in str(result.exception)


def test_a_report_takes_no_tables_place(tables: list[str], tmp_path: Path) -> None:
    before = Path(tables[0]).read_text()
    for options in (
        ["--output", tables[0]],
        ["--output", tmp_path / "x", "--genome_table", tmp_path / "x"],
        ["--output", "/nonexistent/r.html"],
    ):
        assert isinstance(report(*tables, *options).exception, GstError)
    assert Path(tables[0]).read_text() == before
    assert not (tmp_path / "x").exists()
