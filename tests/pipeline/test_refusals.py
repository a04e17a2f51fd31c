"""Samplesheets and parameters that a real Nextflow refuses before any task starts."""

from __future__ import annotations

import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .conftest import COW, RunPipeline, write_samplesheet


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param("", ["has no rows"], id="empty"),
        pytest.param("\nid,fasta,scientific_name\n , ,\n", ["has no rows"], id="header alone"),
        pytest.param(
            "\nid,fasta,species,fasta\n\n , ,,\ncow,cow.fa,Bos taurus,cow.fa\n",
            [
                "line 2: there is no column 'species'",
                "line 2: the column 'fasta' is there 2 times",
                "line 5, column 'scientific_name': is empty or missing",
                "line 5, column 'fasta': there is no file",
            ],
            id="blank lines, wrong columns",
        ),
        pytest.param(
            "id,fasta,scientific_name,taxon_id\n"
            "cow,{cow},Bos taurus,9913\n"
            "the cow,{cow},Bos taurus,cattle\n"
            "\n"
            "COW,{cow},Bos taurus,\n"
            "hen,,Gallus gallus,\n"
            "dog,{cow},Canis lupus,familiaris,9615\n"
            'cat,{cow},"Felis catus,\n'
            "ox,x[1]$y.fa,Bos taurus,\n",
            [
                "line 3, column 'id': 'the cow' does not fit",
                "line 3, column 'taxon_id': 'cattle' is not a whole number",
                "line 5, column 'id': 'COW' is there twice",
                "line 6, column 'fasta': give proteins in 'fasta', an annotation in 'gff3'",
                "line 7: has 5 fields where the header has 4",
                "line 9, column 'fasta': '",
                "x[1]$y.fa' does not fit; Nextflow cannot hand over files",
                "line 8: has 1 field where the header has 4; its quotes may not match",
            ],
            id="bad rows",
        ),
    ],
)
def test_bad_samplesheet(
    run_pipeline: RunPipeline, tmp_path: Path, text: str, messages: list[str]
) -> None:
    sheet = tmp_path / "genomes.csv"
    sheet.write_text(text.format(cow=COW["fasta"]))
    run = run_pipeline("--input", sheet)
    assert run.status == 1
    for message in messages:
        assert message in run.console
    assert "Submitted process" not in run.log


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ([], ["--input: is required"]),
        (["--input", "no_such.csv"], ["--input: there is no file ", "/no_such.csv"]),
        (
            [
                "--input",
                "cow.csv",
                "--threshold",
                "1.5",
                "--batch_size",
                "0",
                "--publish_mode",
                "move",
                "--treshold",
                "0.9",
                "--checkpoint",
                "no.onnx",
                "--symbol_style",
                "lower",
                "--one_to_one",
                "perhaps",
            ],
            [
                "--threshold: '1.5' is more than 1",
                "--batch_size: '0' is less than 1",
                "--publish_mode: 'move' is not one of copy, ",
                "--treshold: there is no such parameter",
                "--checkpoint: there is no file ",
                "--symbol_style: 'lower' is not one of source, species, upper",
                "--one_to_one: 'perhaps' is neither true nor false",
            ],
        ),
        (
            ["--input", "cow.csv", "--outdir", "", "--checkpoint", "--symbol_style"],
            [
                "3 faults in the parameters:",
                "--outdir: has no value; left out, it is results",
                "--checkpoint: has no value",
                "--symbol_style: has no value; left out, it is source",
            ],
        ),
        (["--input"], ["1 fault in the parameters:", "--input: has no value"]),
        (["--input", "cow.csv", "--threshold", "high"], ["--threshold: 'high' is not a number"]),
        (["--input", "cow.csv", "--load"], ["--load: no row has a 'database'"]),
    ],
)
def test_bad_parameter(
    run_pipeline: RunPipeline, tmp_path: Path, arguments: list[str], messages: list[str]
) -> None:
    write_samplesheet(tmp_path / "cow.csv", COW)
    run = run_pipeline(*arguments)
    assert run.status == 1
    for message in messages:
        assert message in run.console
    assert "Submitted process" not in run.log


@pytest.mark.parametrize(
    "arguments",
    [["-output-dir", "elsewhere"], ["-c", "my.config"]],
    ids=["option", "configuration"],
)
def test_results_in_two_folders(
    run_pipeline: RunPipeline, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "my.config").write_text("params.outdir = 'mine'\n")
    sheet = write_samplesheet(tmp_path / "cow.csv", COW)
    run = run_pipeline("--input", sheet, *arguments)
    assert run.status == 1
    stated, published = (
        ("results", "elsewhere") if "-output-dir" in arguments else ("mine", "results")
    )
    assert f"--outdir: is {stated}, but results would go to {tmp_path / published};" in run.console
    assert "Submitted process" not in run.log


@pytest.mark.parametrize("folder", ["{}/absolute", "./my results/", "../of these"])
def test_results_in_the_folder_as_it_is_written(
    run_pipeline: RunPipeline, tmp_path: Path, folder: str
) -> None:
    sheet = write_samplesheet(tmp_path / "cow.csv", COW)
    written = folder.format(tmp_path)
    run = run_pipeline("-profile", "stub", "--input", sheet, "--outdir", written)
    run.assert_clean()
    for path in ("output_manifest.json", "pipeline_info/execution_trace.tsv"):
        assert (tmp_path / written / path).is_file()


def test_parameters_of_a_file_without_a_value(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    """Forms of web pages write every parameter into the file, those left empty too."""
    write_samplesheet(tmp_path / "cow.csv", COW)
    given = {"input": "cow.csv", "checkpoint": "", "primary_ids": None, "cell_label": ""}
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps(given | {"outdir": None, "load": None, "batch_size": ""}))
    run = run_pipeline("-profile", "stub", "-params-file", parameters)
    assert run.status == 1
    for message in (
        "3 faults in the parameters:",
        "--outdir: has no value; left out, it is results",
        "--load: has no value; left out, it is false",
        "--batch_size: has no value; left out, it is 1",
    ):
        assert message in run.console

    parameters.write_text(json.dumps(given))
    run_pipeline("-profile", "stub", "-params-file", parameters).assert_clean()


def test_parameters_of_other_types_than_they_seem(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    """Nextflow makes numbers of names that look so, and YAML's quotes make words of booleans."""
    write_samplesheet(tmp_path / "2024", COW)
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"one_to_one": "false"}))
    run = run_pipeline("-params-file", parameters, "--input", "2024", "--outdir", "2025")
    assert (run.status, run.complaints) == (0, [])
    assert (tmp_path / "2025/output_manifest.json").is_file()
    [script] = [
        text
        for path in (tmp_path / "work").glob("*/*/.command.sh")
        if "gst_assign" in (text := path.read_text())
    ]
    assert "--one_to_one" not in script


def test_counts_and_what_embeds_them_come_together(
    run_pipeline: RunPipeline, tmp_path: Path
) -> None:
    cells = write_samplesheet(tmp_path / "cells.csv", COW | {"counts": "no_cells"})
    run = run_pipeline("--input", cells)
    assert run.status == 1
    assert "line 2, column 'counts': there is no file or folder" in run.console
    assert "--geneformer_model: is needed for the 'counts' of cells" in run.console
    assert "--geneformer_resources: is needed for the 'counts' of cells" in run.console
    alone = write_samplesheet(tmp_path / "cow.csv", COW)
    run = run_pipeline("--input", alone, "--geneformer_model", tmp_path)
    assert run.status == 1
    assert "--geneformer_model: no row has 'counts' of cells to embed" in run.console


def test_samplesheet_of_a_web_server(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    """Relative paths start at its address, and faults name it."""
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(COW["fasta"], folder / "cow.fa")
    cow = COW | {"fasta": "cow.fa"}
    write_samplesheet(folder / "bad.csv", cow, COW | {"id": "calf", "fasta": "calf.fa"})
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        write_samplesheet(
            folder / "good.csv", cow, COW | {"id": "ox", "fasta": f"{address}/cow.fa"}
        )
        refused = run_pipeline("-profile", "stub", "--input", f"{address}/bad.csv")
        run = run_pipeline("-profile", "stub", "--input", f"{address}/good.csv")
        server.shutdown()
    assert refused.status == 1
    assert f"1 fault in the samplesheet {address}/bad.csv:" in refused.console
    assert f"line 3, column 'fasta': there is no file {address}/calf.fa" in refused.console
    run.assert_clean()
    found = {id: (record["status"], record["fasta"]) for id, record in run.genomes.items()}
    assert found == dict.fromkeys(("cow", "ox"), ("done", f"{address}/cow.fa"))


def test_password_in_a_samplesheet_is_not_shown(run_pipeline: RunPipeline, tmp_path: Path) -> None:
    addresses = [
        "mysql://me:zwerglobo@host/core",
        "mysql://me:zwerg@lobo@host/c",
        "mysql://me:zwerg/lobo@host/c",
        "mysql://me@h/c?passwd=zwerglobo",
        "mysql://me@h/c?ssl_key=x&PASSWORD=zwerglobo",
        "mysql://:zwerglobo@h/c",
    ]
    rows = [
        {"id": f"core{number}", "scientific_name": "Homo sapiens", "database": address}
        for number, address in enumerate(addresses)
    ]
    run = run_pipeline("--input", write_samplesheet(tmp_path / "genomes.csv", *rows))
    assert run.status == 1
    for line, _row in enumerate(rows, 2):
        assert f"line {line}, column 'database'" in run.console
    for text in (run.console, run.log):
        assert "zwerg" not in text
        assert "lobo" not in text
