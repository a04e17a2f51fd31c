"""What is taken for what; and what the commands say of that and of reliability."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gst_core.cli.compare import compare
from gst_core.cli.evaluate import evaluate_genomes
from gst_core.evaluation.comparison import Comparison
from gst_core.evaluation.confusion import (
    ConfusedFamily,
    ConfusedPair,
    common_family,
    confused_families,
    confused_pairs,
)


@pytest.mark.parametrize(
    ("one", "other", "family"),
    [
        ("HOXA1", "HOXB1", "HOX"),
        ("hoxa1a", "HOXB1", "HOX"),
        ("TP53", "TP63", "TP"),
        ("CYP2C9", "CYP3A4", "CYP"),
        ("OR4K1", "OR5A2", "OR"),
        ("KRT1", "KRTAP1", "KRT"),
        ("HLA-A", "HLA-DRB1", "HLA"),
        ("GH", "GH1", "GH"),
        # shared by chance
        ("TNF", "TNR", ""),
        ("TP53", "TPM1", ""),
        ("C3", "C5", ""),
        ("LEP", "INS", ""),
        # no names
        ("si:ch211-1a2.3", "si:dkey-5b4.6", ""),
        ("7SK", "7SL", ""),
        ("", "INS", ""),
    ],
)
def test_families(one: str, other: str, family: str) -> None:
    assert common_family(one, other) == common_family(other, one) == family


def rows(*pairs: tuple[str, str]) -> list[Comparison]:
    return [Comparison(f"P{n}", known, assigned, 0.5) for n, (known, assigned) in enumerate(pairs)]


def test_pairs_are_counted_by_direction_without_regard_to_case() -> None:
    compared = rows(
        ("TP63", "TP53"),
        ("INS", "ins"),
        ("LEP", ""),
        ("hoxa1", "Hoxb1"),
        ("HOXA1", "HOXB1"),
        ("HOXB1", "HOXA1"),
    )
    assert confused_pairs(compared) == [
        ConfusedPair("HOXA1", "HOXB1", "HOX", 2),
        ConfusedPair("HOXB1", "HOXA1", "HOX", 1),
        ConfusedPair("TP63", "TP53", "TP", 1),
    ]


def test_families_take_in_their_subfamilies_and_leave_strangers_out() -> None:
    compared = rows(
        ("HOXA1", "HOXA2"),
        ("HOXA1", "HOXB1"),
        ("HOXB1", "HOXB2"),
        ("HOXB1", "HOXB2"),
        # TPM is not the family TP with a letter more
        ("TP53", "TP63"),
        ("TPM1", "TPM2"),
        ("TPM1", "TPM3"),
        ("LEP", "INS"),
    )
    pairs = confused_pairs(compared)
    assert confused_families(pairs) == [
        ConfusedFamily("HOX", 4, 3),
        ConfusedFamily("TPM", 2, 2),
        ConfusedFamily("TP", 1, 1),
    ]
    # Nothing but HOXA: there is no HOX to join it to.
    assert confused_families(confused_pairs(compared[:1])) == [ConfusedFamily("HOXA", 1, 1)]


SYMBOLS = st.sampled_from(["HOXA1", "HOXB1", "hoxa1", "TP53", "TP63", "LEP", ""])


@given(st.lists(st.tuples(SYMBOLS.filter(bool), SYMBOLS)))
def test_every_wrong_name_is_counted_once(pairs: list[tuple[str, str]]) -> None:
    compared = rows(*pairs)
    counted = confused_pairs(compared)
    wrong = [row for row in compared if row.assigned and not row.exact]
    assert sum(pair.proteins for pair in counted) == len(wrong)
    assert len({(pair.known, pair.assigned) for pair in counted}) == len(counted)
    within = sum(pair.proteins for pair in counted if pair.family)
    assert sum(family.proteins for family in confused_families(counted)) == within


@pytest.fixture
def genome(tmp_path: Path) -> SimpleNamespace:
    """Twelve proteins known as HOXA1 to HOXA12 and called HOXB..., two right ones, one unnamed."""
    header = "stable_id\tsymbol\tprobability\tdescription\tsource\n"
    named = [f"P{n}\tHOXB{n}\t0.6000\t\t\n" for n in range(1, 13)]
    named += ["P13\tINS\t0.9000\t\t\n", "P14\tLEP\t0.9000\t\t\n", "P15\t\t0.0000\t\t\n"]
    known = [f"P{n}\tHOXA{n}\n" for n in range(1, 13)] + ["P13\tINS\nP14\tLEP\nP15\tGH1\n"]
    table, symbols = tmp_path / "a.csv", tmp_path / "k.tsv"
    table.write_text(header + "".join(named))
    symbols.write_text("id\tsymbol\n" + "".join(known))
    assemblies = tmp_path / "assemblies.tsv"
    assemblies.write_text(
        "scientific_name\tclade\tassignments\tknown_symbols\n"
        "Sus scrofa\tmammalia\ta.csv\tk.tsv\nBos taurus\tmammalia\ta.csv\tk.tsv\n"
    )
    return SimpleNamespace(table=table, known=symbols, assemblies=assemblies)


#: Over 14 named proteins: 12 at 0.6 of which none is right, 2 at 0.9 that both are.
ERROR = (12 * 0.6 + 2 * 0.1) / 14


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_evaluate(genome: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--assemblies", str(genome.assemblies), "--output", str(out), "--plot"]
    result = CliRunner().invoke(evaluate_genomes, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    symbols, families = result.stdout.split("most confused ")[1:]
    # Ten of the twelve pairs, under a title and a header.
    assert len(symbols.strip().splitlines()) == 12
    assert families.split() == [
        "families:",
        "family",
        "num_proteins",
        "num_pairs",
        "HOX",
        "24",
        "12",
    ]
    assert f"expected calibration error: {ERROR:.4f}" in result.stdout
    pairs = read(out / "confused_symbols.tsv")
    assert len(pairs) == 12
    assert pairs[0] == {
        "known_symbol": "HOXA1",
        "assigned_symbol": "HOXB1",
        "family": "HOX",
        "num_proteins": "2",
    }
    (family,) = read(out / "confused_families.tsv")
    assert family == {"family": "HOX", "num_proteins": "24", "num_pairs": "12"}
    bins = read(out / "reliability.tsv")
    assert len(bins) == 10
    assert {b["up_to"]: b["num_assignments"] for b in bins if b["share_right"]} == {
        "0.6": "24",
        "0.9": "4",
    }
    assert (out / "precision_recall.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads((out / "evaluation.json").read_text())
    assert len(document["confused_symbols"]) == 12
    assert document["confused_families"] == [{"family": "HOX", "proteins": 24, "pairs": 12}]
    assert document["reliability"]["expected_calibration_error"] == pytest.approx(ERROR)
    assert document["reliability"]["bins"][0] == {
        "above": 0.0,
        "up_to": 0.1,
        "assignments": 0,
        "mean_probability": None,
        "share_right": None,
    }


def test_compare(genome: SimpleNamespace, tmp_path: Path) -> None:
    arguments = ["--assignments_csv", genome.table, "--known_symbols", genome.known]
    arguments += ["--plot", tmp_path / "p.svg", "--json", tmp_path / "j.json"]
    result = CliRunner().invoke(compare, [str(a) for a in arguments])
    assert result.exit_code == 0, (result.output, result.exception)
    assert f"expected calibration error: {ERROR:.4f}" in result.stdout
    assert "HOXA1            HOXB1     HOX" in result.stdout
    document = json.loads((tmp_path / "j.json").read_text())
    assert document["confused_families"] == [{"family": "HOX", "proteins": 12, "pairs": 12}]


def test_nothing_known_is_nothing_confused(genome: SimpleNamespace, tmp_path: Path) -> None:
    genome.known.write_text("id\tsymbol\n")
    out = tmp_path / "out"
    arguments = ["--assemblies", str(genome.assemblies), "--output", str(out), "--plot"]
    result = CliRunner().invoke(evaluate_genomes, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    assert "confused" not in result.stdout
    assert "calibration" not in result.stdout
    assert read(out / "confused_symbols.tsv") == read(out / "confused_families.tsv") == []
    document = json.loads((out / "evaluation.json").read_text())
    assert document["reliability"]["expected_calibration_error"] is None
