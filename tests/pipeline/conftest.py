"""The pipeline's files, and Nextflow where there is one."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gst_core.cli.main import gst

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.parent for path in (ROOT / "modules/ensembl").glob("*/*/main.nf"))
SAMPLE = ROOT / "gst_core/assets/sample"
COW = {
    "id": "cow",
    "fasta": str(SAMPLE / "bos_taurus.fa"),
    "scientific_name": "Bos taurus",
}
FISH = {
    "id": "fish",
    "fasta": str(SAMPLE / "danio_rerio.fa"),
    "scientific_name": "Danio rerio",
}
# A file without a protein: named by no program, however often it is tried.
BAD = {
    "id": "bad",
    "fasta": str(SAMPLE / "README.md"),
    "scientific_name": "Gallus gallus",
}


@dataclass(frozen=True)
class Run:
    """What one run of the pipeline did."""

    status: int
    console: str
    log: str
    results: Path

    @property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.results / "output_manifest.json").read_text())
        return document

    @property
    def genomes(self) -> dict[str, dict[str, Any]]:
        return {record["id"]: record for record in self.manifest["genomes"]}

    @property
    def trace(self) -> list[dict[str, str]]:
        return read_table(self.results / "pipeline_info/execution_trace.tsv")

    def tasks(self, process: str) -> list[dict[str, str]]:
        return [row for row in self.trace if row["name"].split(" ")[0].split(":")[-1] == process]

    def assert_clean(self) -> None:
        """Exit status 0 is no proof: a failed index or publication is only in the log."""
        assert self.status == 0, self.console
        assert self.complaints == []

    @property
    def complaints(self) -> list[str]:
        """Lines of the log that are errors or warnings."""
        return [line for line in self.log.splitlines() if re.search(r"\b(ERROR|WARN) ", line)]


RunPipeline = Callable[..., Run]


@pytest.fixture(scope="session")
def nextflow() -> str:
    """Return the `nextflow` on PATH; skip without one that starts."""
    program = shutil.which("nextflow")
    if program is None:
        pytest.skip("no nextflow on PATH: tests/pipeline/README.md says how to get one")
    answer = subprocess.run(
        [program, "-version"], capture_output=True, text=True, timeout=120, check=False
    )
    found = re.search(r"version (\d+)\.(\d+)", answer.stdout)
    if answer.returncode or not found:
        pytest.skip(f"{program} does not start (without a network it cannot fetch its runtime)")
    if (int(found[1]), int(found[2])) < (25, 10):
        pytest.skip(f"{program} is older than 25.10")
    return program


@pytest.fixture
def run_pipeline(nextflow: str, tmp_path: Path) -> RunPipeline:
    """Return a function that runs main.nf in `tmp_path`, with the strict parser unless told."""

    def run(
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        project: Path = ROOT,
        parser: str = "v2",
    ) -> Run:
        command = [nextflow, "-log", "run.log", "run", project, "-ansi-log", "false", *arguments]
        settings = {
            "NXF_SYNTAX_PARSER": parser,
            "NXF_OFFLINE": "true",
            "NXF_DISABLE_CHECK_LATEST": "true",
        }
        answer = subprocess.run(
            list(map(str, command)),
            cwd=tmp_path,
            env={**os.environ, **settings, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        log = (tmp_path / "run.log").read_text()
        return Run(answer.returncode, answer.stdout + answer.stderr, log, tmp_path / "results")

    return run


@pytest.fixture
def human_core(shared_data: Path, tmp_path: Path) -> Path:
    """Return the human test database in SQLite, some of whose genes have lost their symbols."""
    path = tmp_path / "core.db"
    tables = shared_data / "ensembl-core"
    arguments = ["db", "create", "--from", tables / "homo_sapiens", "--url", f"sqlite:///{path}"]
    arguments += ["--external_db", tables / "external_db.full.txt", "--quiet"]
    CliRunner().invoke(gst, list(map(str, arguments)), catch_exceptions=False)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE gene SET display_xref_id = NULL "
            "WHERE stable_id IN ('ENSG00000131044', 'ENSG00000088356', 'ENSG00000101336')"
        )
    return path


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table with tabs, a row a dictionary."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def ids_of(fasta: str | Path) -> list[str]:
    """Ids of the proteins of a plain FASTA file."""
    lines = Path(fasta).read_text().splitlines()
    return [line[1:].split()[0] for line in lines if line.startswith(">")]


def write_samplesheet(path: Path, *rows: Mapping[str, str]) -> Path:
    """Write a samplesheet whose columns are those of all `rows`."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path
