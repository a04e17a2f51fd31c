"""What a real Nextflow does when genomes fail: the others are finished, the failed are named."""

from __future__ import annotations

import html
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from . import simulated_slurm
from .conftest import (
    BAD,
    COW,
    FISH,
    ROOT,
    SAMPLE,
    RunPipeline,
    ids_of,
    read_table,
    write_samplesheet,
)


def test_batch_keeps_genomes_apart_and_good_tables(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    """Ids that are another's with an ending of ours, files with odd names, and one bad genome."""
    odd = tmp_path / 'it\'s (a) "cow" & <b>; #1, fish|hen!.fa'
    shutil.copy(SAMPLE / "danio_rerio.fa", odd)
    folder = tmp_path / "other"
    folder.mkdir()
    shutil.copy(SAMPLE / "gallus_gallus.fa", folder / "bos_taurus.fa")
    rows = [
        COW | {"id": "a"},
        FISH | {"id": "a_filtered", "fasta": str(odd), "taxon_id": "7955"},
        {"id": "a_symbols", "fasta": "other/bos_taurus.fa", "scientific_name": "Gallus gallus"},
        FISH | {"id": "a_filtered_filtered"},
    ]
    sheet = write_samplesheet(tmp_path / "genomes.csv", *rows, BAD)
    run = run_pipeline("--input", sheet, "--batch_size", "3")

    # The batches are [a, a_filtered, a_filtered_filtered] and [a_symbols, bad].
    assert len(run.tasks("GST_ASSIGN_BATCH")) == 2
    assert [task["name"].split()[-1] for task in run.tasks("GST_ASSIGN")] == ["(bad)"]
    for row in rows:
        record = run.genomes[row["id"]]
        assert record["status"] == "done"
        table = read_table(run.results / record["symbols"])
        assert [line["stable_id"] for line in table] == ids_of(tmp_path / row["fasta"])
        kept = [line["stable_id"] for line in table if float(line["probability"]) >= 0.7]
        filtered = read_table(run.results / record["filtered_symbols"])
        assert [line["stable_id"] for line in filtered] == kept
        assert table == named_alone(tmp_path / row["fasta"], row["scientific_name"], tmp_path)

    # The program's own sentence is on the screen, in the manifest and in the report.
    assert run.status == 1
    assert {id for id, record in run.genomes.items() if record["failed_step"]} == {"bad"}
    assert run.genomes["bad"]["failed_step"] == "assign"
    sentence = run.genomes["bad"]["error"]
    assert "README.md" in sentence
    assert "1 of 5 genomes failed:" in run.console
    assert f"bad (assign): {sentence}" in run.console
    assert sentence in html.unescape((run.results / "report/gene_symbols.html").read_text())
    [complaint] = run.complaints
    assert "FAIL_RUN" in complaint


def named_alone(fasta: Path, species: str, folder: Path) -> list[dict[str, str]]:
    """Name proteins by the program itself."""
    output = folder / "alone.tsv"
    command = [sys.executable, "-m", "gst_core.cli.assign", "--sequences_fasta", fasta]
    command += ["--scientific_name", species, "--output", output, "--quiet"]
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, timeout=120)
    return read_table(output)


def test_run_in_which_all_fail_has_failed_unless_told(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    core = {
        "id": "core",
        "scientific_name": "Homo sapiens",
        "database": f"sqlite:///{tmp_path}/no.db",
    }
    arguments = ["--input", write_samplesheet(tmp_path / "genomes.csv", BAD, core), "--load"]
    run = run_pipeline(*arguments)
    assert run.status == 1
    failed = {id: record["failed_step"] for id, record in run.genomes.items()}
    assert failed == {"bad": "assign", "core": "dump"}
    assert "no.db" in run.genomes["core"]["error"]
    assert "2 of 2 genomes failed:" in run.console
    assert (run.results / "report/gene_symbols.html").is_file()

    again = run_pipeline(*arguments, "--ignore_failures", "-resume")
    assert again.status == 0
    assert "2 of 2 genomes failed:" in again.console
    assert again.manifest == run.manifest
    assert "core" in (again.results / "report/gene_symbols.html").read_text()


def test_clone_without_programs_fails_and_says_why(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    ignored = shutil.ignore_patterns(
        ".venv", ".git", "*.py", "benchmarks", "tests", "docs", ".nf-test*"
    )
    shutil.copytree(ROOT, clone, ignore=ignored)
    sheet = write_samplesheet(tmp_path / "genomes.csv", COW)
    path = f"{tmp_path}:/usr/bin:/bin"
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    run = run_pipeline("--input", sheet, environment={"PATH": path}, project=clone)
    assert run.status == 1
    assert "make setup" in run.genomes["cow"]["error"]


def test_symbols_are_loaded_and_old_faults_are_not_the_loads(
    run_pipeline: RunPipeline, human_core: Path, tmp_path: Path
) -> None:
    row = {
        "id": "human",
        "scientific_name": "Homo sapiens",
        "database": f"sqlite:///{human_core}",
    }
    sheet = write_samplesheet(tmp_path / "genomes.csv", row)
    run = run_pipeline("--input", sheet, "--load", "--one_to_one", "--symbol_style", "upper")
    run.assert_clean()
    record = run.genomes["human"]
    outcomes = [line["outcome"] for line in read_table(run.results / record["loaded_symbols"])]
    assert "load" in outcomes
    # Datachecks that failed before the load are no failures of it.
    document = (run.results / record["datachecks"]).read_text()
    assert "# TODO failed before" in document
    with sqlite3.connect(human_core) as connection:
        [[named]] = connection.execute(
            "SELECT COUNT(*) FROM gene WHERE stable_id = 'ENSG00000101336' "
            "AND display_xref_id IS NOT NULL"
        )
    assert named


def test_two_hundred_genomes_on_a_cluster(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    """SLURM with GPUs, in batches, with jobs killed for time, for memory and for good."""
    rows = [COW | {"id": f"genome_{number:03}"} for number in range(200)]
    sheet = write_samplesheet(tmp_path / "genomes.csv", *rows)
    cluster = tmp_path / "cluster"
    kills = {
        "nf-NAME_PROTEINS_NAME_IN_BATCHES_GST_ASSIGN_BATCH_(genome_000..genome_019)": 140,
        "nf-NAME_PROTEINS_NAME_IN_BATCHES_GST_ASSIGN_BATCH_(genome_100..genome_119)": 137,
        "nf-NAME_PROTEINS_NAME_IN_BATCHES_GST_ASSIGN_BATCH_(genome_180..genome_199)": 1,
        "nf-NAME_PROTEINS_GST_FILTER_(genome_040..genome_059)": 137,
        "nf-NAME_PROTEINS_GST_FILTER_(genome_190)": 1,
    }
    environment = simulated_slurm.install(cluster, kills)
    quick = tmp_path / "quick.config"
    quick.write_text(
        "executor.pollInterval = '1s'\nexecutor.queueStatInterval = '2s'\n"
        "process { withName: 'GST_ASSIGN' { accelerator = [request: 1, type: 'a100'] } }\n"
    )
    arguments = ["-profile", "slurm,gpu,stub", "-c", quick, "--input", sheet, "--batch_size", "20"]
    run = run_pipeline(*arguments, environment=environment)
    assert run.status == 1, run.console

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
        assert ("--gres=gpu:a100:1" in job) == ("GST_ASSIGN" in job)

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
