"""The modules keep nf-core's conventions, and meta.yml says what main.nf does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gst_core import __version__
from gst_core.cli.assign import assign
from gst_core.cli.geneformer.main import geneformer
from gst_core.cli.main import gst
from tests.ensembl.made_genome import write_tables

from .conftest import MODULES, ROOT

DIRECTIVES = {"tag", "label", "conda", "container"}
LABELS = {"process_single", "process_medium"}

# Those that have a use for a GPU, as their scripts say.
GPU_MODULES = [
    module for module in MODULES if "task.accelerator" in (module / "main.nf").read_text()
]

PROGRAMS = {"gst": gst, "geneformer": geneformer}

each_module = pytest.mark.parametrize(
    "module", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}"
)


def sections(module: Path) -> dict[str, str]:
    """Split a process into its sections; the directives are those of ''."""
    text = (module / "main.nf").read_text()
    process = re.search(r"^process (\w+) \{\n(.*)^\}", text, re.DOTALL | re.MULTILINE)
    assert process is not None
    parts = re.split(r"^    (input|output|when|script|stub):\n", process[2], flags=re.MULTILINE)
    return {"name": process[1], "": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def meta(module: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((module / "meta.yml").read_text())
    return document


def names_in(channel: str) -> list[str]:
    """Names of the elements of one input or output declaration."""
    return re.findall(r"(?:val|path|eval)\((?:\"([^\"]+)\"|'([^']+)'|(\w+))", channel)


def flat(matches: list[tuple[str, ...]]) -> list[str]:
    return [next(filter(None, match)) for match in matches]


def test_every_module_is_found() -> None:
    assert {module.parent.name for module in MODULES} == {"gst", "geneformer"}


@each_module
def test_process_is_named_after_its_folder(module: Path) -> None:
    expected = f"{module.parent.name}_{module.name}"
    assert sections(module)["name"] == expected.upper()
    assert meta(module)["name"] == expected


@each_module
def test_directives_are_only_those_of_the_convention(module: Path) -> None:
    directives = re.findall(r"^    (\w+) ", sections(module)[""], re.MULTILINE)
    assert set(directives) == DIRECTIVES
    labels = set(re.findall(r"^    label '(\w+)'", sections(module)[""], re.MULTILINE))
    assert labels <= LABELS
    assert len(labels) == 1


@each_module
def test_script_follows_the_convention(module: Path) -> None:
    parts = sections(module)
    assert parts["when"].strip() == "task.ext.when == null || task.ext.when"
    assert "task.ext.args ?: ''" in parts["script"]
    for section in ("script", "stub"):
        assert "prefix = task.ext.prefix ?: " in parts[section]
    assert "touch " in parts["stub"]


@each_module
def test_versions_go_to_the_topic(module: Path) -> None:
    output = sections(module)["output"]
    [version] = [line for line in output.splitlines() if "topic: versions" in line]
    tool = re.search(r"val\('(\w+)'\), eval\('\1 --version'\), emit: versions_\1,", version)
    assert tool is not None


@each_module
def test_meta_lists_the_inputs(module: Path) -> None:
    declared = [flat(names_in(line)) for line in sections(module)["input"].splitlines()]
    # `val threshold` and `path primary_ids` stand without brackets
    declared = [
        names or line.split()[1:2]
        for names, line in zip(declared, sections(module)["input"].splitlines(), strict=True)
        if line.strip()
    ]
    described = [
        [next(iter(element)) for element in channel] if isinstance(channel, list) else [*channel]
        for channel in meta(module)["input"]
    ]
    assert described == declared


@each_module
def test_meta_lists_the_outputs(module: Path) -> None:
    declared = {}
    for line in filter(str.strip, sections(module)["output"].splitlines()):
        emit = re.search(r"emit: (\w+)", line)
        assert emit is not None
        declared[emit[1]] = flat(names_in(line))
    described = {
        emit: [next(iter(element)) for element in elements]
        for emit, [elements] in meta(module)["output"].items()
    }
    assert described == declared
    versions = next(names for emit, names in declared.items() if emit.startswith("versions_"))
    [topic] = meta(module)["topics"]["versions"]
    assert [next(iter(element)) for element in topic] == versions


@each_module
def test_files_have_ontologies(module: Path) -> None:
    described = [*meta(module)["input"], *meta(module)["output"].values()]
    files = [
        properties
        for name, properties in walk(described)
        if isinstance(properties, dict) and properties.get("type") == "file"
    ]
    assert files or module.name == "check"
    for properties in files:
        assert properties["ontologies"], properties
        for ontology in properties["ontologies"]:
            assert re.fullmatch(r"http://edamontology\.org/format_\d{4}", ontology["edam"])


def walk(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, list):
        return [pair for element in node for pair in walk(element)]
    if isinstance(node, dict):
        return [*node.items(), *(pair for value in node.values() for pair in walk(value))]
    return []


@each_module
def test_software_is_pinned_to_this_version(module: Path) -> None:
    images = re.findall(r"docker\.io/ensemblorg/gst:([^'\"]+)", sections(module)[""])
    assert images
    assert {image.partition("-")[0] for image in images} == {__version__}
    for environment in module.glob("environment*.yml"):
        dependencies = yaml.safe_load(environment.read_text())["dependencies"]
        [pip] = [entry for entry in dependencies if isinstance(entry, dict)]
        assert [re.sub(r"\[\w+\]", "", requirement) for requirement in pip["pip"]] == [
            f"gst-core=={__version__}"
        ]


@each_module
def test_nf_test_has_a_snapshot_of_a_stub(module: Path) -> None:
    for test in module.glob("tests/*.nf.test"):
        text = test.read_text()
        assert 'options "-stub"' in text
        snapshot = test.with_name(test.name + ".snap").read_text()
        named = set(re.findall(r'test\("([^"]+)"\)', text))
        assert {name for name in named if "stub" in name} <= set(yaml.safe_load(snapshot))


def test_core_database_of_the_modules_tests_is_the_made_one(tmp_path: Path) -> None:
    write_tables(tmp_path / "homo_sapiens")
    made = ROOT / "tests/config/made_core"
    for path in sorted(tmp_path.rglob("*.*")):
        assert (made / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()


def test_profile_gpu_names_every_module_with_a_use_for_one() -> None:
    [selector] = re.findall(r"withName: '([^']+)'", (ROOT / "conf/gpu.config").read_text())
    assert sorted(selector.split("|")) == sorted(sections(module)["name"] for module in GPU_MODULES)


def test_gpu_module_has_its_own_test() -> None:
    for module in GPU_MODULES:
        assert (module / "tests/main.gpu.nf.test").is_file()
        assert "accelerator" in (module / "tests/nextflow.gpu.config").read_text()


@pytest.mark.parametrize("module", GPU_MODULES, ids=lambda path: path.name)
def test_device_is_never_left_to_chance(module: Path) -> None:
    """A GPU job that lost its GPU must fail, so `--device` is always given."""
    script = sections(module)["script"]
    assert "task.accelerator ? 'cuda' : 'cpu'" in script
    assert "--device ${device}" in script


@each_module
def test_commands_take_the_options_they_get(module: Path) -> None:
    """Every option in a module's script is one of the command's own."""
    script = sections(module)["script"]
    called = re.search(
        r"^ +(gst_assign|(?:gst|geneformer)(?: [a-z]+)+) \\\\$", script, re.MULTILINE
    )
    assert called is not None
    command = find_command(called[1].split())
    known = {option for parameter in command.params for option in parameter.opts}
    used = set(re.findall(r"--[a-z0-9_]+", script)) - {"--version"}
    assert used <= known


def find_command(words: list[str]) -> click.Command:
    if words[0] == "gst_assign":
        return assign
    command: click.Command | None = PROGRAMS[words[0]]
    for word in words[1:]:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None, f"there is no command '{' '.join(words)}'"
    return command
