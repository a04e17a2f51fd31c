"""What MultiQC is given: the custom content it documents, with the numbers of the tables."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gst_core.results import Genome
from gst_core.results.multiqc import write_multiqc
from gst_core.results.report import Report
from gst_core.results.summary import Summary


def two_genomes(*, known: bool = False) -> Report:
    report = Report()
    for name, probabilities in (("bos", (0.2, 0.6, 0.95, 0.99)), ("gallus", (0.1, 1.0))):
        summary = Summary()
        for number, p in enumerate(probabilities):
            summary.add(f"P{number}", "TP53", p, known_symbol="tp53" if known else "")
        report.add(Genome(name), summary)
    return report


def test_curve_and_statistics(tmp_path: Path) -> None:
    paths = write_multiqc(two_genomes(known=True), tmp_path / "new")
    curve, statistics = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
    assert all(path.name.endswith("_mqc.json") for path in paths)
    assert curve["plot_type"] == "linegraph"
    assert curve["data"]["bos"]["0"] == 100
    assert curve["data"]["bos"]["0.6"] == 75
    assert curve["data"]["bos"]["1"] == 0
    assert curve["data"]["gallus"]["1"] == 50
    assert statistics["plot_type"] == "generalstats"
    assert statistics["data"]["bos"] == {
        "proteins": 4,
        "named_0.9": 50,
        "symbols": 1,
        "right_0.9": 50,
    }
    described = {name for column in statistics["pconfig"] for name in column}
    assert described == set(statistics["data"]["bos"])


def test_nothing_is_said_of_right_ones_where_nothing_is_known(tmp_path: Path) -> None:
    _, statistics = write_multiqc(two_genomes(), tmp_path)
    assert "right" not in statistics.read_text()


@pytest.mark.skipif(shutil.which("multiqc") is None, reason="MultiQC is not installed")
def test_multiqc_takes_them(tmp_path: Path) -> None:
    write_multiqc(two_genomes(known=True), tmp_path)
    subprocess.run(
        ["multiqc", "--quiet", "--outdir", str(tmp_path / "out"), str(tmp_path)],
        check=True,
        timeout=120,
    )
    data = json.loads((tmp_path / "out/multiqc_data/multiqc_data.json").read_text())
    assert "gst_curve_plot" in data["report_plot_data"]
    text = json.dumps(data["report_general_stats_data"])
    assert "named_0.9" in text
    assert "bos" in text
