"""A real Nextflow names annotations: rows with gff3 and genome, beside rows with proteins."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from gst_core.sequences import read_proteins
from tests.annotation import made

from .conftest import COW, FISH, ROOT, SAMPLE, RunPipeline, read_table, write_samplesheet


def write_annotations(folder: Path) -> None:
    """Write a genome around the cow's proteins with two annotations, and one of another genome."""
    proteins = [p.residues.decode() for p in read_proteins(SAMPLE / "bos_taurus.fa")]
    genome, genes = made.make_genome(proteins[:12])
    (folder / "the genome.fa").write_text(made.fasta(genome))
    lines = "".join(made.helixer(gene) for gene in genes)
    with gzip.open(folder / "helixer (1).gff3.gz", "wt") as file:
        file.write("##gff-version 3\n" + lines)
    (folder / "whole.gff3").write_text("##gff-version 3\n" + lines.replace("chr", "elsewhere"))
    (folder / "braker.gtf").write_text("".join(made.braker_gtf(gene) for gene in genes))


def test_annotations_come_back_with_names(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    write_annotations(tmp_path)
    annotated = {"genome": "the genome.fa", "scientific_name": "Bos taurus"}
    sheet = write_samplesheet(
        tmp_path / "genomes.csv",
        COW | {"gff3": "braker.gtf"},
        FISH,
        annotated | {"id": "helixer", "gff3": "helixer (1).gff3.gz"},
        annotated | {"id": "braker", "gff3": "braker.gtf", "taxon_id": "9913"},
        annotated | {"id": "torn", "gff3": "whole.gff3"},
    )
    run = run_pipeline("--input", sheet, "--batch_size", "5", "--threshold", "0.999")
    assert run.status == 1
    failed = {id: record["failed_step"] for id, record in run.genomes.items()}
    assert failed.pop("torn") == "assign"
    assert set(failed.values()) == {None}
    assert "elsewhere" in run.genomes["torn"]["error"]
    # Proteins are named as a batch, annotations one by one.
    assert [task["name"].split()[-1] for task in run.tasks("GST_ASSIGN_BATCH")] == ["(cow..fish)"]

    for id, name in {"helixer": "helixer (1).gff3.gz", "braker": "braker.gtf"}.items():
        record = run.genomes[id]
        table = read_table(run.results / record["symbols"])
        assert len(table) == 12
        named = run.results / record["named_annotation"]
        alone = tmp_path / f"alone_{named.name}"
        command = [sys.executable, "-m", "gst_core.cli.assign", "--gff3", tmp_path / name]
        command += ["--genome", tmp_path / annotated["genome"], "--scientific_name", "Bos taurus"]
        command += ["--output", alone, "--threshold", "0.999", "--quiet"]
        subprocess.run(list(map(str, command)), cwd=ROOT, check=True, timeout=120)
        assert named.read_bytes() == alone.read_bytes()
        text = (
            gzip.decompress(named.read_bytes()) if id == "helixer" else named.read_bytes()
        ).decode()
        assert sum("gst_symbol" in line for line in text.splitlines()) > 0
    # Beside proteins an annotation is only handed on.
    assert run.genomes["cow"]["named_annotation"] is None
    assert run.genomes["cow"]["gff3"].endswith("/braker.gtf")
