"""How many threads a program takes by default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gst_core.processors import available_threads

V1 = "9:memory:/x\n4:cpu,cpuacct:/docker/ab\n"


def at(root: Path, files: dict[str, str], **environment: str) -> int:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return available_threads(root, environment)


@pytest.fixture(autouse=True)
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


def test_without_any_limit(tmp_path: Path) -> None:
    assert at(tmp_path, {}) == 16
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}
    assert at(tmp_path, files) == 16


@pytest.mark.parametrize(
    ("limit", "expected"), [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)]
)
def test_quota_of_version_2(tmp_path: Path, limit: str, expected: int) -> None:
    """Of a container, whose own group is the root that it sees."""
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{limit}\n"}
    assert at(tmp_path, files) == expected


def test_the_least_of_the_groups_above_counts(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/system.slice/job.scope\n",
        "sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/system.slice/job.scope/cpu.max": "800000 100000\n",
    }
    assert at(tmp_path, files) == 3


@pytest.mark.parametrize("folder", ["cpu,cpuacct/docker/ab", "cpu,cpuacct", "cpu"])
def test_quota_of_version_1(tmp_path: Path, folder: str) -> None:
    files = {
        "proc/self/cgroup": V1,
        f"sys/fs/cgroup/{folder}/cpu.cfs_quota_us": "400000\n",
        f"sys/fs/cgroup/{folder}/cpu.cfs_period_us": "100000\n",
    }
    assert at(tmp_path, files) == 4
    assert at(tmp_path, {f"sys/fs/cgroup/{folder}/cpu.cfs_quota_us": "-1\n"}) == 16


def test_slurm(tmp_path: Path) -> None:
    assert at(tmp_path, {}, SLURM_CPUS_ON_NODE="8") == 8
    assert at(tmp_path, {}, SLURM_CPUS_ON_NODE="8", SLURM_CPUS_PER_TASK="2") == 2
    assert at(tmp_path, {}, SLURM_CPUS_ON_NODE="64") == 16
    assert at(tmp_path, {}, SLURM_CPUS_ON_NODE="none") == 16
