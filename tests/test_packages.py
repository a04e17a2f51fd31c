"""What packages, workflows and documents repeat of each other is the same."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from gst_core import __version__

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_one_version_stands_everywhere() -> None:
    found = runpy.run_path(str(ROOT / "scripts" / "set_version"))["versions"]()
    assert {version for _, version in found} == {__version__}
    files = {str(path.relative_to(ROOT)) for path, _ in found}
    assert {"CITATION.cff", "nextflow.config", "containers/Dockerfile", "docs/usage.md"} <= files
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
    assert "make test" in text
    assert "make lint" in text


@pytest.mark.parametrize("name", ["CONTRIBUTING.md"])
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
