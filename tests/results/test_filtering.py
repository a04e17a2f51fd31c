"""``gst filter`` writes what the original's filter script wrote, but for its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gst_core.cli.filter import filter_assignments
from gst_core.results.filtering import gene_description
from gst_core.vocabulary import looks_like_date

HEADER = "stable_id\tsymbol\tprobability\tdescription\tsource\n"

#: Lines in which the original is wrong: symbols spelt NA and nan came out empty, 007 as
#: a number, and a missing description as the word nan.
MENDED = {
    "ENSG6.1\t\t": "ENSG6.1\tNA\t",
    "ENSG7.1\t\t": "ENSG7.1\tnan\t",
    "ENSG2.1\t7\t": "ENSG2.1\t007\t",
    "\tnan [Ensembl": "\t[Ensembl",
}


def mended(text: str) -> str:
    for wrong, right in MENDED.items():
        text = text.replace(wrong, right)
    return text


def run(*arguments: object) -> str:
    result = CliRunner().invoke(filter_assignments, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    return result.stderr


def inputs(folder: Path) -> dict[str, Path]:
    tables = {name: folder / f"filter/filter_{name}.csv" for name in ("edge", "numeric")}
    tables["header_only"] = folder / "filter/filter_header_only.csv"
    for name in ("transformer", "mlp"):
        tables[name] = folder / f"expected/{name}_humans_symbols.csv"
    return tables


@pytest.mark.parametrize("name", ["edge", "numeric", "header_only", "transformer", "mlp"])
@pytest.mark.parametrize("threshold", ["0.7", "0.9"])
def test_filtered(shared_data: Path, tmp_path: Path, name: str, threshold: str) -> None:
    legacy = shared_data / "legacy-gst"
    table = tmp_path / "genome_symbols.csv"
    table.write_bytes(inputs(legacy)[name].read_bytes())
    run("--symbol_assignments", table, "--threshold", threshold)
    expected = (legacy / f"filter/{name}_filtered_{threshold}.csv").read_text()
    assert (tmp_path / "genome_symbols_filtered.csv").read_text() == mended(expected)


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("edge", "edge_description"),
        ("numeric", "numeric_description"),
        ("header_only", "header_only_description"),
        ("transformer", "transformer_description"),
        # Earlier versions of pandas print another last digit than they read.
        ("mlp", "mlp_description.pandas3"),
    ],
)
def test_described(shared_data: Path, tmp_path: Path, name: str, golden: str) -> None:
    legacy = shared_data / "legacy-gst"
    table = tmp_path / "genome_symbols.csv"
    table.write_bytes(inputs(legacy)[name].read_bytes())
    run("--symbol_assignments", table)
    expected = (legacy / f"filter/{golden}.csv").read_text()
    assert (tmp_path / "genome_symbols_description.csv").read_text() == mended(expected)


def test_threshold_zero_keeps_everything(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"{HEADER}a\tGH1\t0.0000\tgrowth hormone 1\tHGNC Symbol\n")
    said = run("--symbol_assignments", table, "--threshold", "0", "--output", tmp_path / "o.tsv")
    assert "1 of 1 assignments" in said
    expected = f"{HEADER}a\tGH1\t0.0\tgrowth hormone 1\tHGNC Symbol\n"
    assert (tmp_path / "o.tsv").read_text() == expected


def test_further_columns_are_kept(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"{HEADER[:-1]}\taccession\na\tGH1\t0.9\td\ts\tHGNC:4261\n")
    run("--symbol_assignments", table, "--threshold", "0.5")
    assert (tmp_path / "t_filtered.csv").read_text() == table.read_text()


@pytest.mark.parametrize("threshold", ["-0.1", "1.5", "high", "nan"])
def test_a_threshold_that_is_none_is_wrong_usage(tmp_path: Path, threshold: str) -> None:
    arguments = ["--symbol_assignments", str(tmp_path / "t.csv"), "--threshold", threshold]
    assert CliRunner().invoke(filter_assignments, arguments).exit_code == 2


def test_descriptions_of_genes() -> None:
    assert gene_description("a", 1.0) == "a [Ensembl NN prediction with score 100.0%]"
    assert gene_description("", 0.25) == "[Ensembl NN prediction with score 25.0%]"


def test_many_tables_go_to_a_folder_each_under_its_name(tmp_path: Path) -> None:
    """Whatever the ids: nothing of `a` comes into what is written for `a_filtered`."""
    tables = [tmp_path / "in" / f"{name}.tsv" for name in ("a", "a_filtered", "b, (c)")]
    tables[0].parent.mkdir()
    for table in tables:
        table.write_text(f"{HEADER}{table.stem}\tGH1\t0.9\td\ts\nlow\tX\t0.1\t\t\n")
    repeated = [part for table in tables for part in ("--symbol_assignments", table)]
    run(*repeated, "--threshold", "0.7", "--output", f"{tmp_path}/out/")
    for table in tables:
        written = tmp_path / "out" / f"{table.stem}_filtered.tsv"
        assert written.read_text() == f"{HEADER}{table.stem}\tGH1\t0.9\td\ts\n"
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_results_never_take_the_place_of_tables(tmp_path: Path) -> None:
    texts = {"a.csv": f"{HEADER}a\tGH1\t0.9\td\ts\n", "a_filtered.csv": f"{HEADER}"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    repeated = [part for name in texts for part in ("--symbol_assignments", str(tmp_path / name))]
    result = CliRunner().invoke(filter_assignments, [*repeated, "--threshold", "0.7"])
    assert "overwrite an input" in str(result.exception)
    arguments = [*repeated[:2], "--threshold", "0.7", "--output", repeated[1]]
    result = CliRunner().invoke(filter_assignments, arguments)
    assert "overwrite an input" in str(result.exception)
    (tmp_path / "a.tsv").write_text(HEADER)
    twins = ["--symbol_assignments", str(tmp_path / "a.tsv"), *repeated[:2]]
    result = CliRunner().invoke(filter_assignments, [*twins, "--output", f"{tmp_path}/out/"])
    assert "would be the same file" in str(result.exception)
    assert {n: (tmp_path / n).read_text() for n in texts} == texts


def test_a_table_that_is_damaged_does_not_stop_the_others(tmp_path: Path) -> None:
    for name, text in (("bad", "no table\n"), ("good", f"{HEADER}a\tGH1\t0.9\td\ts\n")):
        (tmp_path / f"{name}.tsv").write_text(text)
    repeated = [p for n in ("bad", "good") for p in ("--symbol_assignments", f"{tmp_path}/{n}.tsv")]
    arguments = [*repeated, "--threshold", "0.7", "--output", f"{tmp_path}/out/"]
    result = CliRunner().invoke(filter_assignments, arguments)
    assert result.exit_code == 1
    assert "1 of 2 tables failed" in str(result.exception)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good_filtered.tsv"]


def test_dates_of_a_spreadsheet_are_told(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"{HEADER}a\tDEC1\t0.9\t\t\nb\t2-Sep\t0.9\t\t\nc\tMar-01\t0.9\t\t\n")
    said = run("--symbol_assignments", table, "--threshold", "0.7")
    assert "2 symbols look like dates that a spreadsheet has made of them" in said
    assert "first '2-Sep' in line 3" in said
    assert (tmp_path / "t_filtered.csv").read_text() == table.read_text()


@pytest.mark.parametrize("symbol", ["2-Sep", "02-SEP-24", "Sep-02", "1/03/2024", "2024-03-01"])
def test_what_looks_like_a_date(symbol: str) -> None:
    assert looks_like_date(symbol)


@pytest.mark.parametrize(
    "symbol", ["SEPT2", "SEPTIN2", "MARCHF1", "DEC1", "NKX2-5", "si:ch211-1.2"]
)
def test_what_does_not(symbol: str) -> None:
    assert not looks_like_date(symbol)
