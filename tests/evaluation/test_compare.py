"""``gst compare`` and ``gst evaluate`` against the original's outputs."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from gst_core.cli.compare import compare as compare_command
from gst_core.cli.evaluate import evaluate_genomes
from gst_core.errors import GstError
from gst_core.evaluation.comparison import (
    Comparison,
    Statistics,
    by_threshold,
    read_known_symbols,
    statistics,
)
from gst_core.evaluation.precision_recall import curve

CHECKPOINTS = {"transformer": "gst_transformer.ckpt", "mlp": "mlp_10_min_frequency.ckpt"}


@pytest.fixture
def legacy(shared_data: Path) -> Path:
    return shared_data / "legacy-gst"


CASES = Path(__file__).resolve().parents[1] / "data" / "cases"


def run(command: object, *arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in arguments])  # type: ignore[arg-type]
    assert result.exit_code == 0, (result.output, result.exception)
    return result


@pytest.mark.parametrize(
    ("name", "with_checkpoint"), [("transformer", True), ("transformer", False), ("mlp", True)]
)
def test_compare(legacy: Path, tmp_path: Path, name: str, with_checkpoint: bool) -> None:
    table = tmp_path / "humans_symbols.csv"
    shutil.copyfile(legacy / f"expected/{name}_humans_symbols.csv", table)
    known = legacy / "compare/canonical_translations_xrefs.tsv"
    arguments = ["--assignments_csv", table, "--known_symbols", known]
    arguments += ["--scientific_name", "Homo sapiens"]
    if with_checkpoint:
        arguments += ["--checkpoint", legacy / "checkpoints" / CHECKPOINTS[name]]
    output = run(compare_command, *arguments).stdout
    golden = f"{name}_humans{'' if with_checkpoint else '_no_checkpoint'}_compare.csv"
    expected = (legacy / "compare" / golden).read_text()
    assert (tmp_path / "humans_symbols_compare.csv").read_text() == expected
    # The same numbers and words; only the width of the columns is ours.
    log = (legacy / "compare" / f"{name}_humans_compare.log").read_text()
    assert output.split()[: len(log.split())] == log.split()


def test_what_the_original_lacks(legacy: Path, tmp_path: Path) -> None:
    table = legacy / "expected/transformer_humans_symbols.csv"
    known = legacy / "compare/canonical_translations_xrefs.tsv"
    paths = {name: tmp_path / name for name in ("c.csv", "t.tsv", "j.json", "p.svg")}
    arguments = ["--assignments_csv", table, "--known_symbols", known, "--output", paths["c.csv"]]
    arguments += ["--thresholds", paths["t.tsv"], "--json", paths["j.json"]]
    run(compare_command, *arguments, "--plot", paths["p.svg"])
    (genome,) = json.loads(paths["j.json"].read_text())["genomes"]
    assert (genome["assignments"], genome["exact_matches"], genome["fuzzy_matches"]) == (
        130,
        89,
        20,
    )
    lines = [line.split("\t") for line in paths["t.tsv"].read_text().splitlines()]
    assert lines[0][:3] == ["threshold", "num_assignments", "num_exact_matches"]
    assert len(lines) == len(genome["thresholds"]) + 1
    # Against the comparison table, counted in another way
    rows = [row.split("\t") for row in paths["c.csv"].read_text().splitlines()[1:]]
    at = {line[0]: line for line in lines}["0.90"]
    left = [row for row in rows if float(row[3]) >= 0.9]
    exact = sum(row[4] == "exact_match" for row in left)
    assert (int(at[1]), int(at[2])) == (len(left), exact)
    assert genome["unknown_symbols"] is None
    assert "unknown_symbols" not in lines[0]
    assert at[-2:] == [f"{exact / len(left):.4f}", f"{exact / len(rows):.4f}"]
    assert paths["p.svg"].read_text().startswith("<?xml")


def test_unknown_symbols_are_counted(legacy: Path, tmp_path: Path) -> None:
    """As often as the original's own comparison table says ``unknown``."""
    arguments = ["--assignments_csv", legacy / "expected/transformer_humans_symbols.csv"]
    arguments += ["--known_symbols", legacy / "compare/canonical_translations_xrefs.tsv"]
    arguments += ["--checkpoint", legacy / "checkpoints" / CHECKPOINTS["transformer"]]
    arguments += ["--output", tmp_path / "c.csv", "--json", tmp_path / "j.json"]
    run(compare_command, *arguments, "--thresholds", tmp_path / "t.tsv")
    golden = (legacy / "compare/transformer_humans_compare.csv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in golden]
    unknown = [float(row[3]) for row in rows if row[-1] == "unknown"]
    assert unknown
    (genome,) = json.loads((tmp_path / "j.json").read_text())["genomes"]
    assert genome["unknown_symbols"] == len(unknown)
    with (tmp_path / "t.tsv").open() as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    for row, counted in zip(table, genome["thresholds"], strict=True):
        left = sum(probability >= float(row["threshold"]) for probability in unknown)
        assert int(row["unknown_symbols"]) == counted["unknown_symbols"] == left


@pytest.mark.parametrize("with_checkpoint", [True, False])
def test_an_empty_comparison_keeps_its_columns(
    legacy: Path, tmp_path: Path, with_checkpoint: bool
) -> None:
    (tmp_path / "known.tsv").write_text("id\tsymbol\n")
    arguments = ["--assignments_csv", legacy / "expected/transformer_humans_symbols.csv"]
    arguments += ["--known_symbols", tmp_path / "known.tsv", "--output", tmp_path / "c.csv"]
    arguments += ["--json", tmp_path / "j.json"]
    if with_checkpoint:
        arguments += ["--checkpoint", legacy / "checkpoints" / CHECKPOINTS["transformer"]]
    run(compare_command, *arguments)
    (header,) = (tmp_path / "c.csv").read_text().splitlines()
    assert header.endswith("fuzzy_match\tknown_symbol" if with_checkpoint else "fuzzy_match")
    (genome,) = json.loads((tmp_path / "j.json").read_text())["genomes"]
    assert genome["unknown_symbols"] == (0 if with_checkpoint else None)


@pytest.fixture
def assemblies(legacy: Path, tmp_path: Path) -> Path:
    """The original's four genomes, with what its database answered for each."""
    known = (legacy / "compare/canonical_translations_xrefs.tsv").read_text().splitlines()
    parts = {
        "Homo sapiens": known[1:],
        "Danio rerio": known[1:61],
        "Mus musculus": known[61:],
        "Gallus gallus": [],
    }
    lines = (legacy / "evaluate/assemblies_metadata.tsv").read_text().splitlines()
    table = [f"{lines[0]}\tassignments\tknown_symbols"]
    for line in lines[1:5]:
        name = line.split("\t")[1]
        (tmp_path / f"{name}.known.tsv").write_text("\n".join([known[0], *parts[name], ""]))
        table.append(f"{line}\t{name}.csv\t{name}.known.tsv")
    (tmp_path / "assemblies.tsv").write_text("\n".join([*table, ""]))
    return tmp_path / "assemblies.tsv"


@pytest.mark.parametrize("name", ["transformer", "mlp"])
def test_evaluate(legacy: Path, tmp_path: Path, assemblies: Path, name: str) -> None:
    # The original's tables for rodents and birds are not among the golden files, but its
    # comparisons are: what they compare is put back into a result table.
    for species in ("Homo sapiens", "Danio rerio", "Mus musculus"):
        golden = legacy / f"evaluate/{name}.{species.replace(' ', '_')}_compare.csv"
        rows = [line.split("\t") for line in golden.read_text().splitlines()[1:]]
        text = "".join(f"{row[0]}\t{row[2]}\t{row[3]}\t\t\n" for row in rows)
        header = "stable_id\tsymbol\tprobability\tdescription\tsource\n"
        (tmp_path / f"{species}.csv").write_text(header + text)
    shutil.copyfile(legacy / f"expected/{name}_humans_symbols.csv", tmp_path / "Gallus gallus.csv")
    checkpoint = legacy / "checkpoints" / CHECKPOINTS[name]
    arguments = ["--assemblies", assemblies, "--checkpoint", checkpoint]
    arguments += ["--output", tmp_path / "out", "--plot"]
    first = run(evaluate_genomes, *arguments)
    for species in ("Homo_sapiens", "Danio_rerio", "Mus_musculus"):
        expected = (legacy / f"evaluate/{name}.{species}_compare.csv").read_text()
        assert (tmp_path / f"out/{species}_compare.csv").read_text() == expected
    log = (legacy / f"evaluate/{name}_evaluate.log").read_text()
    for line in log.splitlines():
        if " assignments, " in line or " weighted averages: " in line:
            # The later version adds the seconds it took.
            assert re.sub(r", [\d.]+ sec assignment time$", "", line) in first.stdout
    assert (tmp_path / "out/precision_recall.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "out/genomes.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            table = tmp_path / f"out/{row['scientific_name'].replace(' ', '_')}_compare.csv"
            unknown = table.read_text().count("\tunknown\n") if table.exists() else 0
            assert int(row["unknown_symbols"]) == unknown
    clades = [line.split("\t")[0] for line in (tmp_path / "out/clades.tsv").open()]
    assert clades == ["clade", "humans", "rodentia", "teleostei"]
    # The original stops with an error when its outputs are there already.
    assert run(evaluate_genomes, *arguments).stdout == first.stdout


def write_genomes(folder: Path, *species: str) -> Path:
    """Write a table of assemblies: one protein each, known by a symbol of its own."""
    lines = ["scientific_name\tclade\tassignments\tknown_symbols\n"]
    for number, name in enumerate(species):
        header = "stable_id\tsymbol\tprobability\tdescription\tsource\n"
        (folder / f"{number}.csv").write_text(f"{header}P{number}\tS{number}\t0.9000\t\t\n")
        (folder / f"{number}.tsv").write_text(f"id\tsymbol\nP{number}\tS{number}\n")
        lines.append(f"{name}\tmammalia\t{number}.csv\t{number}.tsv\n")
    (folder / "assemblies.tsv").write_text("".join(lines))
    return folder / "assemblies.tsv"


def test_assemblies_of_one_species_have_a_table_each(tmp_path: Path) -> None:
    # One species is called as the second assembly of another would be.
    names = ["Sus scrofa", "Sus scrofa 2", "Sus scrofa", "Bos taurus", "Sus scrofa"]
    table = write_genomes(tmp_path, *names)
    run(evaluate_genomes, "--assemblies", table, "--output", tmp_path / "out")
    files = ["Sus_scrofa", "Sus_scrofa_2", "Sus_scrofa_3", "Bos_taurus", "Sus_scrofa_4"]
    written = {path.name for path in (tmp_path / "out").glob("*_compare.csv")}
    assert written == {f"{file}_compare.csv" for file in files}
    for number, file in enumerate(files):
        assert f"\nP{number}\t" in (tmp_path / "out" / f"{file}_compare.csv").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scientific_name\tassignments\n", "no column known_symbols"),
        ("scientific_name\tassignments\tknown_symbols\nHomo sapiens\t\tk.tsv\n", "no assignments"),
        ("scientific_name\tassignments\tknown_symbols\nNo such thing\ta\tk\n", "No such thing"),
        ("scientific_name\tassignments\tknown_symbols\nMyotis \xe9\ta\tk\n", "can't decode"),
        ("scientific_name\tassignments\tknown_symbols\n" + 200_000 * "a", "field larger"),
    ],
)
def test_a_damaged_table_of_assemblies(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.tsv").write_text(text, encoding="latin-1")
    arguments = ["--assemblies", str(tmp_path / "a.tsv"), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(evaluate_genomes, arguments)
    assert isinstance(result.exception, GstError)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_known_symbols(tmp_path: Path) -> None:
    path = tmp_path / "known.tsv"
    path.write_text("id\tsymbol\nA.2\tGH1\nA\tLEP\nB\t\nC\tINS\tmore\n")
    assert read_known_symbols(path) == {"A.2": "GH1", "A": "LEP", "C": "INS"}
    path.write_text("id\tsymbol\nA\n")
    with pytest.raises(GstError, match=r"known\.tsv, line 2"):
        read_known_symbols(path)
    path.write_bytes(b"id\tsymbol\nA\t\xff\n")
    with pytest.raises(GstError, match=r"known\.tsv"):
        read_known_symbols(path)


@pytest.mark.parametrize(
    ("known", "assigned", "exact", "fuzzy"),
    [
        ("gh", "GH", True, False),
        ("gh", "GH1", False, True),
        ("MT-ATP8", "mt-atp", False, True),
        ("GH1", "LEP", False, False),
        ("GH1", "", False, False),
    ],
)
def test_exact_and_fuzzy(known: str, assigned: str, exact: bool, fuzzy: bool) -> None:
    comparison = Comparison("p", known, assigned, 0.5)
    assert (comparison.exact, comparison.fuzzy) == (exact, fuzzy)


def test_nothing_to_compare_is_no_division_by_zero() -> None:
    assert str(Statistics(0, 0, 0)).startswith("0 assignments, 0 exact matches (0.00%)")
    assert [(row.precision, row.recall) for row in by_threshold([], [0.5])] == [(1.0, 0.0)]


comparisons = st.lists(
    st.builds(
        Comparison,
        st.just("p"),
        st.sampled_from(["A", "AB", "C"]),
        st.sampled_from(["A", "AB", "C"]),
        st.sampled_from([0.0, 0.1, 0.5, 0.5001, 0.9, 1.0]),
    ),
    min_size=1,
)


@given(comparisons)
def test_the_curve_agrees_with_the_table(rows: list[Comparison]) -> None:
    thresholds, recall, precision = curve(rows)
    table = by_threshold(rows, thresholds)
    assert recall == [row.recall for row in table]
    assert precision == [row.precision for row in table]
    assert thresholds == sorted({row.probability for row in rows}, reverse=True)


@given(comparisons, comparisons)
def test_statistics_add_up(one: list[Comparison], other: list[Comparison]) -> None:
    assert statistics(one) + statistics(other) == statistics(one + other)


def test_ids_with_dots_are_not_cut(tmp_path: Path) -> None:
    """Genes of EVidenceModeler are numbered after a dot."""
    table, known = (
        CASES / "compare_dotted_ids_assignments.tsv",
        CASES / "compare_dotted_ids_known.tsv",
    )
    arguments = ["--assignments_csv", table, "--known_symbols", known]
    result = run(compare_command, *arguments, "--output", tmp_path / "o.csv")
    assert "3 assignments, 3 exact matches (100.00%)" in result.stdout
    for option in ("--output", "--json", "--thresholds", "--plot"):
        again = CliRunner().invoke(compare_command, [*map(str, arguments), option, str(known)])
        assert "overwrite an input" in str(again.exception)
