"""Parameters, samplesheet and profiles agree with each other and with their documents."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gst_core import __version__

from .conftest import ROOT, SAMPLE

PROFILES = [
    "docker",
    "podman",
    "apptainer",
    "singularity",
    "conda",
    "gpu",
    "slurm",
    "lsf",
    "awsbatch",
    "googlebatch",
    "kubernetes",
    "secrets",
    "test",
    "test_cells",
    "test_full",
    "stub",
]


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / name).read_text())
    return document


def parameters() -> dict[str, dict[str, Any]]:
    groups = schema("nextflow_schema.json")["$defs"].values()
    return {name: rule for group in groups for name, rule in group["properties"].items()}


def block(text: str, name: str) -> str:
    found = re.search(rf"^{name} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def default_of(text: str) -> object:
    return json.loads(text.replace("'", '"'))


def test_schemas_are_schemas() -> None:
    for name in ("nextflow_schema.json", "assets/schema_input.json"):
        jsonschema.Draft202012Validator.check_schema(schema(name))


def test_every_group_of_parameters_counts() -> None:
    document = schema("nextflow_schema.json")
    assert [part["$ref"] for part in document["allOf"]] == [
        f"#/$defs/{group}" for group in document["$defs"]
    ]


def test_defaults_are_those_of_the_schema() -> None:
    lines = block((ROOT / "nextflow.config").read_text(), "params").splitlines()
    defaults = dict(re.split(r"\s*=\s*", line.strip()) for line in lines if line.strip())
    assert {name: default_of(value) for name, value in defaults.items()} == {
        name: rule.get("default") for name, rule in parameters().items()
    }


def test_every_parameter_and_column_is_documented() -> None:
    usage = (ROOT / "docs/usage.md").read_text()
    for name in parameters():
        assert f"`--{name}`" in usage
    for column in schema("assets/schema_input.json")["items"]["properties"]:
        assert f"| `{column}`" in usage
    for profile in PROFILES:
        assert f"`{profile}`" in usage


def test_bundled_samplesheet_fits_the_schema() -> None:
    with (SAMPLE / "samplesheet.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    jsonschema.validate(rows, schema("assets/schema_input.json"))
    for row in rows:
        assert (SAMPLE / row["fasta"]).is_file()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "two words"),
        ("id", "../up"),
        ("id", ".hidden"),
        ("scientific_name", 'Bos "taurus"'),
        ("scientific_name", "Bos taurus, cow"),
        ("scientific_name", "9913"),
        ("database", "mysql://user:secret@host:3306/core"),
        ("database", "mysql://user@host/core?password=secret"),
        ("database", "mysql://user@host/core?init_command=x"),
        ("database", "mysql:///core"),
        ("database", "sqlite:///relative.db"),
        ("database", "mysql://user@host/core'; touch x; '"),
        ("production_name", "Bos taurus"),
        ("gff3", "annotation.txt"),
        ("species", "Bos taurus"),
    ],
)
def test_samplesheet_schema_refuses(column: str, value: str) -> None:
    row = {"id": "cow", "fasta": "cow.fa", "scientific_name": "Bos taurus"}
    jsonschema.validate([row], schema("assets/schema_input.json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([row | {column: value}], schema("assets/schema_input.json"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "GCA_000002035.4"),
        ("scientific_name", "Canis lupus familiaris"),
        ("scientific_name", "[Candida] auris"),
        ("scientific_name", "Anas platyrhynchos (mallard's)"),
        ("database", "mysql://ensro@mysql-ens.example.org:4519/bos_taurus_core_110_12"),
        ("database", "mysql://localhost/core"),
        ("database", "mysql://ensro@localhost/core?unix_socket=/run/mysqld/mysqld.sock"),
        ("database", "mysql:///core?unix_socket=/run/mysqld/mysqld.sock"),
        ("database", "sqlite:////data/core.db"),
        ("production_name", "bos_taurus_hybrid"),
        ("gff3", "/data/braker.gff3.gz"),
        ("gff3", "ensembl.GTF"),
    ],
)
def test_samplesheet_schema_accepts(column: str, value: str) -> None:
    row = {"id": "cow", "fasta": "cow.fa", "scientific_name": "Bos taurus"}
    jsonschema.validate([row | {column: value}], schema("assets/schema_input.json"))


def test_every_profile_is_there_with_one_file() -> None:
    profiles = block((ROOT / "nextflow.config").read_text(), "profiles")
    found = dict(re.findall(r"^    (\w+)\s+\{ includeConfig '([^']+)' \}$", profiles, re.MULTILINE))
    assert sorted(found) == sorted(PROFILES)
    for name, path in found.items():
        assert path == f"conf/{name}.config"
        assert (ROOT / path).is_file()


@pytest.mark.parametrize(
    "path",
    [ROOT / "nextflow.config", *sorted((ROOT / "conf").iterdir())],
    ids=lambda path: path.name,
)
def test_configuration_needs_no_network(path: Path) -> None:
    text = path.read_text()
    for include in re.findall(r"includeConfig\s+(.*)", text):
        assert "://" not in include
    assert not re.search(r"^\s*plugins\s*\{", text, re.MULTILINE)
    assert not re.search(r"(?i)password\s*=|token\s*=|accessKey", text)


def test_nothing_publishes_on_its_own() -> None:
    """Publication is the `output` block's; `publishDir` would do it twice."""
    for path in [ROOT / "main.nf", *ROOT.glob("modules/**/*.nf"), *ROOT.glob("conf/*.config")]:
        assert "publishDir" not in path.read_text(), path


def test_gpu_options_only_where_a_gpu_was_asked_for() -> None:
    options = {
        "docker": "--gpus all",
        "podman": "--device nvidia.com/gpu=all",
        "apptainer": "--nv",
        "singularity": "--nv",
    }
    for engine, option in options.items():
        text = (ROOT / f"conf/{engine}.config").read_text()
        assert f"task.accelerator ? '{option}' : ''" in text
        assert text.count(option) == 1


def test_schedulers_that_ignore_accelerator_get_an_option() -> None:
    assert "--gres=gpu:" in (ROOT / "conf/slurm.config").read_text()
    assert '-gpu \\"num=' in (ROOT / "conf/lsf.config").read_text()


def test_version_is_the_package_s() -> None:
    config = block((ROOT / "nextflow.config").read_text(), "manifest")
    assert f"version         = '{__version__}'" in config
    assert "nextflowVersion = '!>=25.10.0'" in config
