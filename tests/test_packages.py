"""What packages, workflows and documents repeat of each other is the same."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import runpy
import subprocess
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from gst_core import __version__

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_one_version_stands_everywhere() -> None:
    found = runpy.run_path(str(ROOT / "scripts" / "set_version"))["versions"]()
    assert {version for _, version in found} == {__version__}
    files = {str(path.relative_to(ROOT)) for path, _ in found}
    assert {
        "CITATION.cff",
        "conda/meta.yaml",
        "nextflow.config",
        "containers/Dockerfile",
        "docs/usage.md",
    } <= files
    assert any(name.endswith(".snap") for name in files)


def test_set_version_refuses_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(ROOT / "scripts" / "set_version"))["main"]
    for wrong in (["v1.2.3"], ["1.2"], ["1.2.3", "1.2.4"]):
        assert main(wrong) == 2
        assert "usage" in capsys.readouterr().err
    assert main([]) == 0
    assert capsys.readouterr().out == ""


def test_citation() -> None:
    citation = yaml_of(ROOT / "CITATION.cff")
    assert citation["version"] == __version__
    assert citation["title"] == "GST: gene symbols and cell states for every genome"
    assert [reference["title"] for reference in citation["references"]] == [
        "Gene Symbol Transformer",
        "Transfer learning enables predictions in network biology",
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow(path: Path) -> None:
    workflow = yaml_of(path)
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True]
    # A job that publishes asks for more by itself.
    assert workflow["permissions"] == {"contents": "read"}
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", text)) <= targets
    for job in workflow["jobs"].values():
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
            continue
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "run" in step or re.fullmatch(r"[\w./-]+@[\w./-]+", step["uses"])


def test_workflows_test_and_lint() -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    for target in ("test", "lint", "sanitize", "docs"):
        assert f"run: make {target}" in text


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/releasing.md"])
def test_links_of_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert links
    for link in links:
        assert link.startswith("https://") or ((ROOT / name).parent / link).exists(), link
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"`(?:\w+=\d+ )?make ([a-z][a-z-]*)`", text)) <= targets


def test_hooks_run_what_lint_runs() -> None:
    [repository] = yaml_of(ROOT / ".pre-commit-config.yaml")["repos"]
    entries = " ".join(hook["entry"] for hook in repository["hooks"])
    lint = re.search(r"(?m)^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text())
    assert lint
    for program in re.findall(r"\$\(BIN\)/([\w-]+)", lint[1]):
        assert f".venv/bin/{program}" in entries


@pytest.fixture(scope="module")
def check() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / "check_packages.py"))


def made_wheel(folder: Path, check: dict[str, Any], files: dict[str, bytes]) -> Path:
    """Write a wheel of these files; those of the package that it needs are empty."""
    native = "gst_core/references/native/"
    sources = {f"{native}seeds.c": b"int x;", f"{native}seeds.h": b"int z;"}
    digest = hashlib.sha256(b"int x;int z;").hexdigest().encode()
    elf = b"\x7fELF".ljust(18, b"\0") + (62).to_bytes(2, "little") + digest
    needed = [pattern for pattern in check["NEEDED"] if not pattern.startswith(native)]
    names = [pattern.replace("*", "made") for pattern in needed]
    about = ("METADATA", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE")
    content = dict.fromkeys([*names, *(f"gst_core-1.0.0.dist-info/{n}" for n in about)], b"")
    content |= sources | {"gst_core/references/_native.so": elf} | files
    wheel = folder / "gst_core-1.0.0-py3-none-manylinux_2_17_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return wheel


def faults_of(wheel: Path, check: dict[str, Any]) -> list[str]:
    files = check["packed"](wheel)
    ours = {n: c for n, c in files.items() if n.startswith("gst_core/") and "made.py" not in n}
    ours.pop("gst_core/references/_native.so", None)
    return list(check["faults"](wheel, files, ours))


def test_a_wheel_as_it_should_be(tmp_path: Path, check: dict[str, Any]) -> None:
    assert faults_of(made_wheel(tmp_path, check, {}), check) == []


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"tests/test_x.py": b""}, "tests/test_x.py does not belong there"),
        ({"gst_core/__pycache__/made.py": b""}, "made.py does not belong there"),
        ({"gst_core/references/native/seeds.c": b"int y;"}, "compiled from other sources"),
        ({"gst_core/references/_native.so": b"\x7fELF".ljust(20, b"\xb7")}, "another processor"),
    ],
)
def test_a_wheel_with_a_fault(
    tmp_path: Path, check: dict[str, Any], files: dict[str, bytes], fault: str
) -> None:
    assert any(fault in said for said in faults_of(made_wheel(tmp_path, check, files), check))


def test_a_wheel_for_one_machine_or_without_the_look_up(
    tmp_path: Path, check: dict[str, Any]
) -> None:
    wheel = made_wheel(tmp_path, check, {})
    files = check["packed"](wheel)
    local = wheel.rename(tmp_path / "gst_core-1.0.0-py3-none-linux_x86_64.whl")
    assert any("no tag of all Linux machines" in said for said in check["faults"](local, files, {}))
    binary = files.pop("gst_core/references/_native.so")
    assert binary
    assert any("no compiler" in said for said in check["faults"](local, files, {}))


def test_a_package_that_is_not_this_clone_s(
    tmp_path: Path, check: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check["main"]([]) == 2
    assert check["main"]([str(made_wheel(tmp_path, check, {}))]) == 1
    assert "gst_core/__init__.py is missing" in capsys.readouterr().err


def test_wheels_are_built_and_checked() -> None:
    text = (ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    assert "make wheel-check" in text
    for script in ("scripts/check_packages.py", "scripts/try_wheel"):
        assert script in text
        assert (ROOT / script).is_file()


def test_what_is_published_is_what_wheels_yml_made() -> None:
    """The images' builds leave artifacts of their own, which are no packages."""
    made = yaml_of(ROOT / ".github" / "workflows" / "wheels.yml")["jobs"].values()
    uploads = [step["with"]["name"] for step in steps_with("actions/upload-artifact", made)]
    assert len(uploads) == 2
    released = yaml_of(ROOT / ".github" / "workflows" / "release.yml")["jobs"].values()
    downloads = [step["with"] for step in steps_with("actions/download-artifact", released)]
    assert len(downloads) == 2
    for download in downloads:
        assert all(fnmatch.fnmatchcase(name, download["pattern"]) for name in uploads)
        assert not fnmatch.fnmatchcase("Ensembl~gst~3XKQ.dockerbuild", download["pattern"])


def steps_with(action: str, jobs: Iterable[Any]) -> list[Any]:
    steps = [step for job in jobs for step in job.get("steps", ())]
    return [step for step in steps if step.get("uses", "").startswith(f"{action}@")]


def test_the_notes_of_a_release() -> None:
    script = ROOT / "scripts" / "release_notes"
    done = subprocess.run([script, "1.0.0"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()
    assert "\n## " not in done.stdout
    # The beginning of a version, and one of which nothing is said.
    for version in ("1.0", "9.9.9"):
        done = subprocess.run([script, version], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"nothing of {version}" in done.stderr


def test_the_recipe_of_an_sdist(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "fill_recipe"
    sdist = tmp_path / "gst_core-1.2.3.tar.gz"
    sdist.write_bytes(b"made")
    template = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    checksum = hashlib.sha256(b"made").hexdigest()
    filled = template.replace("0" * 64, checksum)
    assert filled != template
    done = subprocess.run([script, sdist], capture_output=True, text=True, check=True)
    assert done.stdout == filled
    address = f"file://{sdist}"
    done = subprocess.run([script, sdist, address], capture_output=True, text=True, check=True)
    lines = zip(filled.splitlines(), done.stdout.splitlines(), strict=True)
    assert [new for old, new in lines if new != old] == [f"  url: {address}"]
    assert subprocess.run([script, tmp_path / "none"], capture_output=True).returncode == 2


def test_conda_recipe_asks_for_what_the_package_asks_for() -> None:
    functions = {
        "PYTHON": "python",
        "compiler": "compiler-{}".format,
        "stdlib": "stdlib-{}".format,
        "pin_subpackage": lambda name, max_pin: f"{name} pinned to {max_pin}",
    }
    text = (ROOT / "conda" / "meta.yaml").read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(text)
    recipe = yaml.safe_load(template.render(functions))
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, extras = package["project"], package["project"]["optional-dependencies"]
    assert recipe["package"] == {"name": project["name"], "version": __version__}
    assert recipe["source"]["url"].endswith(f"/g/gst-core/gst_core-{__version__}.tar.gz")
    assert re.fullmatch("[0-9a-f]{64}", recipe["source"]["sha256"])

    def ranges(lines: list[str], separator: str) -> dict[str, str]:
        pairs = (re.fullmatch(rf"([\w-]+)(?:\[\w+\])?{separator}(\S.*)", line) for line in lines)
        return {pair[1].lower(): pair[2] for pair in pairs if pair}

    run = ranges(recipe["requirements"]["run"], " ")
    assert run == ranges([*project["dependencies"], *extras["cpu"]], "(?=[<>=])")
    host = ranges(recipe["requirements"]["host"], " ")
    assert host == ranges(package["build-system"]["requires"], "(?=[<>=])")
    optional = ranges(extras["ensembl"], "(?=[<>=])")
    assert recipe["requirements"]["run_constrained"]
    for name, asked in ranges(recipe["requirements"]["run_constrained"], " ").items():
        assert asked == optional[name]
    for command in recipe["test"]["commands"]:
        program = command.split()[0]
        assert program in {*project["scripts"], "pip", "python"}
