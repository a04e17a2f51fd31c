"""``gst demo``, with a stand-in for the model: everything around it is real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gst_core.cli.main import gst
from gst_core.errors import GstError
from gst_core.evaluation import demo

# Names every second protein rightly at 0.95, the others wrongly at 0.6.
STAND_IN = """
import csv, sys, pathlib
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
folder = pathlib.Path(options["--manifest"]).parent
rows = csv.DictReader(open(folder / "known_symbols.tsv"), delimiter="\\t")
known = {row["stable_id"]: row["symbol"] for row in rows}
for genome in csv.DictReader(open(options["--manifest"])):
    with open(folder / (genome["id"] + "_symbols.csv"), "w") as out:
        print("stable_id symbol probability description source".replace(" ", "\\t"), file=out)
        lines = open(folder / genome["fasta"])
        ids = [line[1:].split()[0] for line in lines if line.startswith(">")]
        for i, name in enumerate(ids):
            row = (known[name].upper(), "0.9500") if i % 2 == 0 else ("WRONG", "0.6000")
            print(name, *row, "", "", sep="\\t", file=out)
pathlib.Path(options["--report"]).write_text("report")
"""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ASSIGN", (sys.executable, "-c", STAND_IN))


@pytest.mark.usefixtures("stand_in")
def test_sums_up_the_sample(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    result = CliRunner().invoke(gst, ["demo", "--output", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["0.5", "340", "100.0%", "170", "50.0%"] in lines
    assert ["0.95", "170", "50.0%", "170", "100.0%"] in lines
    assert ["0.99", "0", "0.0%", "0", "-"] in lines
    assert ["Bos", "taurus", "60", "30", "50.0%", "30", "100.0%"] in lines
    assert "340 proteins of 10 species in" in result.stdout
    assert "\x1b" not in result.stdout  # plain where no terminal is
    assert (folder / "report.html").is_file()


@pytest.mark.usefixtures("stand_in")
def test_counts_are_by_species(tmp_path: Path) -> None:
    demo.copy_sample(tmp_path)
    result = demo.summarise_sample(tmp_path, demo.assign_sample(tmp_path))
    assert list(result.genomes)[:2] == ["Bos taurus", "Gallus gallus"]
    assert sum(s.sequences for s in result.genomes.values()) == result.total.sequences == 340
    assert result.total.known_at(0) == 340
    assert result.seconds > 0


def test_a_failure_of_the_program_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "ASSIGN", (sys.executable, "-c", "raise SystemExit(1)"))
    with pytest.raises(GstError, match="ended with status 1"):
        CliRunner().invoke(gst, ["demo", "--output", str(tmp_path)], catch_exceptions=False)
