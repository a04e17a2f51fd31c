"""The pipeline, run by a real Nextflow; skipped where there is none."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gst_core import __version__

from .conftest import COW, FISH, ROOT, SAMPLE, RunPipeline, ids_of, read_table, write_samplesheet


def test_lint_is_clean(nextflow: str) -> None:
    answer = subprocess.run(
        [
            nextflow,
            "lint",
            "-output",
            "json",
            "main.nf",
            "nextflow.config",
            "modules",
            "subworkflows",
            "conf",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    findings = json.loads(answer.stdout[answer.stdout.index("{") :])
    assert answer.returncode == 0
    assert not findings.get("errors")
    assert not findings.get("warnings")


def test_sample_is_named_and_nothing_is_done_twice(run_pipeline: RunPipeline) -> None:
    run = run_pipeline("-profile", "test")
    run.assert_clean()

    with (SAMPLE / "samplesheet.csv").open(newline="") as file:
        genomes = {row["id"]: row for row in csv.DictReader(file)}
    assert run.genomes.keys() == genomes.keys()
    for record in run.genomes.values():
        assert (record["status"], record["failed_step"]) == ("done", None)
        expected = ids_of(SAMPLE / genomes[record["id"]]["fasta"])
        table = read_table(run.results / record["symbols"])
        assert list(table[0]) == ["stable_id", "symbol", "probability", "description", "source"]
        assert [row["stable_id"] for row in table] == expected
        confident = [row["stable_id"] for row in table if float(row["probability"]) >= 0.7]
        filtered = read_table(run.results / record["filtered_symbols"])
        assert [row["stable_id"] for row in filtered] == confident

    report = run.results / "report"
    assert "Monodelphis domestica" in (report / "gene_symbols.html").read_text()
    for name in ("gst_curve_mqc.json", "gst_statistics_mqc.json"):
        assert json.loads((report / name).read_text())["data"].keys() == genomes.keys()
    versions = yaml.safe_load((run.results / "pipeline_info/software_mqc_versions.yml").read_text())
    assert versions["GST_ASSIGN"] == {"gst_assign": __version__}
    for name in ("execution_report.html", "execution_timeline.html"):
        assert (run.results / "pipeline_info" / name).stat().st_size

    again = run_pipeline("-profile", "test", "-resume")
    again.assert_clean()
    assert {task["status"] for task in again.trace} == {"CACHED"}
    assert again.manifest == run.manifest


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_stub_run_makes_every_file(run_pipeline: RunPipeline, tmp_path: Path, parser: str) -> None:
    database = {
        "id": "core",
        "scientific_name": "Homo sapiens",
        "database": "mysql://localhost/core",
    }
    sheet = write_samplesheet(tmp_path / "genomes.csv", COW, FISH, database)
    run = run_pipeline("-profile", "stub", "--input", sheet, "--load", parser=parser)
    run.assert_clean()
    assert len(run.tasks("GST_DUMPPROTEINS")) == 1
    assert len(run.tasks("GST_CHECK")) == 1
    for record in run.genomes.values():
        for key in ("symbols", "filtered_symbols", "loaded_symbols", "datachecks"):
            expected = key in ("symbols", "filtered_symbols") or record["database"]
            assert bool(record[key]) == bool(expected)
            if expected:
                assert (run.results / record[key]).is_file()


@pytest.mark.parametrize("way", ["environment", "secret"])
def test_password_is_in_no_file_of_a_run(
    run_pipeline: RunPipeline, nextflow: str, tmp_path: Path, way: str
) -> None:
    password = "kept-to-itself"
    environment = {"NXF_SECRETS_FILE": str(tmp_path / "store.json")}
    arguments = ["--input", str(tmp_path / "databases.csv")]
    if way == "secret":
        command = [nextflow, "secrets", "set", "GST_DB_PASSWORD", password]
        subprocess.run(command, env={**os.environ, **environment}, timeout=120, check=True)
        arguments += ["-profile", "secrets"]
    else:
        environment["GST_DB_PASSWORD"] = password
    # Nothing listens on port 1: the task must fail, having had the password.
    address = "mysql://ensadmin@127.0.0.1:1/core"
    row = {"id": "core", "scientific_name": "Homo sapiens", "database": address}
    write_samplesheet(tmp_path / "databases.csv", row)
    run = run_pipeline(*arguments, environment=environment)
    assert run.genomes["core"]["failed_step"] == "dump"
    assert list((tmp_path / "work").rglob(".command.sh"))
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "store.json" and path.suffix != ".secrets":
            assert password.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    "profiles",
    [
        "docker,gpu",
        "podman,gpu",
        "apptainer,gpu,slurm",
        "singularity,gpu,lsf",
        "conda",
        "awsbatch,gpu",
        "googlebatch,gpu",
        "kubernetes,gpu",
        "secrets,test",
        "test_full",
        "stub",
    ],
)
def test_profiles_are_read_offline(nextflow: str, tmp_path: Path, profiles: str) -> None:
    answer = subprocess.run(
        [nextflow, "config", "-flat", "-profile", profiles, str(ROOT)],
        cwd=tmp_path,
        env={
            **os.environ,
            "NXF_OFFLINE": "true",
            "NXF_SYNTAX_PARSER": "v2",
            # The executors of clouds are plugins, which a fresh Nextflow would have to fetch.
            "NXF_PLUGINS_DEFAULT": "false",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    settings = dict(line.split(" = ", 1) for line in answer.stdout.splitlines() if " = " in line)
    engine = {"docker", "podman", "apptainer", "singularity", "conda"} & set(profiles.split(","))
    for name in engine:
        assert settings[f"{name}.enabled"] == "true"
    if "gpu" in profiles:
        names = "GST_ASSIGN|GENEFORMER_EMBED|GENEFORMER_PERTURB"
        assert settings[f"process.'withName:{names}'.accelerator"] == "1"


@pytest.mark.parametrize(
    "profiles", ["gpu,slurm,test_cells", "slurm,gpu,test_cells", "gpu,test_cells"]
)
def test_one_gpu_task_at_a_time_on_one_machine_only(
    run_pipeline: RunPipeline, profiles: str
) -> None:
    run = run_pipeline("-profile", profiles, "--batch_size", "2", "-preview")
    assert run.status == 0, run.console
    made = dict(re.findall(r"Creating process '(?:\w+:)*(\w+)': maxForks=(\d+);", run.log))
    expected = "0" if "slurm" in profiles else "1"
    for process in ("GST_ASSIGN", "GST_ASSIGN_BATCH", "GENEFORMER_EMBED"):
        assert made[process] == expected
    assert made["GENEFORMER_TOKENIZE"] == "0"
