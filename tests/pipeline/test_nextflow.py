"""The pipeline, run by a real Nextflow with the strict parser; skipped where there is none."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gst_core import __version__

from . import simulated_slurm
from .conftest import ROOT, SAMPLE, RunPipeline, write_samplesheet

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


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_lint_is_clean(nextflow: str) -> None:
    answer = subprocess.run(
        [nextflow, "lint", "-output", "json", "main.nf", "nextflow.config", "modules", "conf"],
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
        fasta = SAMPLE / genomes[record["id"]]["fasta"]
        expected = [line[1:].split()[0] for line in fasta.open() if line.startswith(">")]
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


def test_stub_run_makes_every_file(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    database = {
        "id": "core",
        "scientific_name": "Homo sapiens",
        "database": "mysql://localhost/core",
    }
    sheet = write_samplesheet(tmp_path / "genomes.csv", COW, FISH, database)
    run = run_pipeline("-profile", "stub", "--input", sheet, "--load")
    run.assert_clean()
    assert len(run.tasks("GST_DUMPPROTEINS")) == 1
    assert len(run.tasks("GST_CHECK")) == 1
    for record in run.genomes.values():
        for key in ("symbols", "filtered_symbols", "loaded_symbols", "datachecks"):
            expected = key in ("symbols", "filtered_symbols") or record["database"]
            assert bool(record[key]) == bool(expected)
            if expected:
                assert (run.results / record[key]).is_file()


def test_batches_name_as_single_genomes_do(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    # Two files of the same name, and one genome left over for the last batch.
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(SAMPLE / "gallus_gallus.fa", folder / "bos_taurus.fa")
    hen = {"id": "hen", "fasta": "other/bos_taurus.fa", "scientific_name": "Gallus gallus"}
    fish = FISH | {"taxon_id": "7955"}
    sheet = write_samplesheet(tmp_path / "genomes.csv", COW, fish, hen)
    single = run_pipeline("--input", sheet)
    tables = {id: read_table(single.results / r["symbols"]) for id, r in single.genomes.items()}
    batched = run_pipeline("--input", sheet, "--batch_size", "2")
    batched.assert_clean()
    assert len(batched.tasks("GST_ASSIGN_BATCH")) == 2
    assert batched.tasks("GST_ASSIGN") == []
    assert tables.keys() == {"cow", "fish", "hen"}
    for id, record in batched.genomes.items():
        assert read_table(batched.results / record["symbols"]) == tables[id]


@pytest.mark.parametrize("batch_size", ["1", "3"])
def test_failing_genome_does_not_stop_the_others(
    run_pipeline: RunPipeline, tmp_path: Path, batch_size: str
) -> None:
    sheet = write_samplesheet(tmp_path / "genomes.csv", COW, BAD, FISH)
    run = run_pipeline("--input", sheet, "--batch_size", batch_size)
    assert run.status == 0
    assert {id: record["failed_step"] for id, record in run.genomes.items()} == {
        "bad": "assign",
        "cow": None,
        "fish": None,
    }
    assert "1 of 3 genomes failed: bad (assign)" in run.console
    assert (run.results / "report/gene_symbols.html").is_file()


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param("", ["has no rows"], id="empty"),
        pytest.param("id,fasta,scientific_name\n", ["has no rows"], id="header alone"),
        pytest.param(
            "id,fasta,species\ncow,cow.fa,Bos taurus\n",
            [
                "line 1: there is no column 'species'",
                "line 2, column 'scientific_name': is empty or missing",
                "line 2, column 'fasta': there is no file",
            ],
            id="wrong column",
        ),
        pytest.param(
            "id,fasta,scientific_name,taxon_id\n"
            "cow,{cow},Bos taurus,9913\n"
            "the cow,{cow},Bos taurus,cattle\n"
            "COW,{cow},Bos taurus,\n"
            "hen,,Gallus gallus,\n"
            "dog,{cow},Canis lupus,familiaris,9615\n",
            [
                "line 3, column 'id': 'the cow' does not fit",
                "line 3, column 'taxon_id': 'cattle' is not a whole number",
                "line 4, column 'id': 'COW' is there twice",
                "line 5, column 'fasta': give proteins in 'fasta' or a core database in 'database'",
                "line 6: has 5 fields where the header has 4",
            ],
            id="bad rows",
        ),
    ],
)
def test_bad_samplesheet_stops_before_any_task(
    run_pipeline: RunPipeline, tmp_path: Path, text: str, messages: list[str]
) -> None:
    sheet = tmp_path / "genomes.csv"
    sheet.write_text(text.format(cow=COW["fasta"]))
    run = run_pipeline("--input", sheet)
    assert run.status != 0
    for message in messages:
        assert message in run.console
    assert "Submitted process" not in run.log


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--input: is required"),
        (["--input", "no_such.csv"], "no_such.csv"),
        (["--input", "cow.csv", "--threshold", "1.5"], "--threshold: '1.5' is more than 1"),
        (["--input", "cow.csv", "--threshold", "high"], "`threshold` with type Float"),
        (["--input", "cow.csv", "--batch_size", "0"], "--batch_size: '0' is less than 1"),
        (["--input", "cow.csv", "--publish_mode", "move"], "'move' is not one of copy, "),
        (["--input", "cow.csv", "--treshold", "0.9"], "`treshold`"),
    ],
)
def test_bad_parameter_stops_before_any_task(
    run_pipeline: RunPipeline, tmp_path: Path, arguments: list[str], message: str
) -> None:
    write_samplesheet(tmp_path / "cow.csv", COW)
    run = run_pipeline(*arguments)
    assert run.status != 0
    assert message in run.console
    assert "Submitted process" not in run.log


def test_two_hundred_genomes_on_a_cluster(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    """SLURM with GPUs, in batches, with jobs killed for time, for memory and for good."""
    rows = [COW | {"id": f"genome_{number:03}"} for number in range(200)]
    sheet = write_samplesheet(tmp_path / "genomes.csv", *rows)
    cluster = tmp_path / "cluster"
    kills = {
        "nf-ASSIGN_GST_ASSIGN_BATCH_(genome_000..genome_019)": 140,
        "nf-ASSIGN_GST_ASSIGN_BATCH_(genome_100..genome_119)": 137,
        "nf-ASSIGN_GST_ASSIGN_BATCH_(genome_180..genome_199)": 1,
        "nf-ASSIGN_GST_FILTER_(genome_040..genome_059)": 137,
        "nf-ASSIGN_GST_FILTER_(genome_190)": 1,
    }
    environment = simulated_slurm.install(cluster, kills)
    quick = tmp_path / "quick.config"
    quick.write_text("executor.pollInterval = '1s'\nexecutor.queueStatInterval = '2s'\n")
    arguments = ["-profile", "slurm,gpu,stub", "-c", quick, "--input", sheet, "--batch_size", "20"]
    run = run_pipeline(*arguments, environment=environment)
    assert run.status == 0, run.console

    failed = {id: r["failed_step"] for id, r in run.genomes.items() if r["failed_step"]}
    assert len(run.genomes) == 200
    assert failed == {"genome_190": "filter"}
    # The batch that failed for good was taken apart, the others were tried again with more.
    assert len(run.tasks("GST_ASSIGN")) == 20
    assert len({task["name"] for task in run.tasks("GST_FILTER")}) == 9 + 20
    assert [task["exit"] for task in run.tasks("GST_ASSIGN_BATCH") if task["status"] == "FAILED"]
    jobs = simulated_slurm.options(cluster)
    memory = {line for job in jobs for line in job.splitlines() if "--mem" in line}
    assert {"#SBATCH --mem 2048M", "#SBATCH --mem 4096M"} <= memory
    # A GPU for the jobs that name proteins, and for no other.
    for job in jobs:
        assert ("--gres=gpu:1" in job) == ("GST_ASSIGN" in job)

    again = run_pipeline(*arguments, "-resume", environment=environment)
    assert again.status == 0, again.console
    assert all(record["status"] == "done" for record in again.genomes.values())
    redone = {task["name"].split(":")[-1] for task in again.trace if task["status"] != "CACHED"}
    # What had failed, and what follows from it; the batch that failed is tried as a batch again.
    batch = "(genome_180..genome_199)"
    assert redone == {
        f"GST_ASSIGN_BATCH {batch}",
        f"GST_FILTER {batch}",
        "GST_REPORT (gene_symbols)",
    }


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
        assert settings["process.'withLabel:process_gpu'.accelerator"] == "1"
