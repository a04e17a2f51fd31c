"""How many threads a program may keep busy here."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def available_threads(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> int:
    """Count the processors that this process may use: the least that anyone allows.

    The system's affinity, the CPU quotas of its control groups (version 1 and 2; containers
    and clusters set them) and SLURM's allocation (``SLURM_CPUS_PER_TASK``, else
    ``SLURM_CPUS_ON_NODE``) are asked. A part of a processor counts as one.

    Parameters
    ----------
    root
        Where ``proc`` and ``sys`` lie.
    environment
        The variables of the process.
    """
    allowed = [len(os.sched_getaffinity(0)), *_quotas(root)]
    slurm = environment.get("SLURM_CPUS_PER_TASK") or environment.get("SLURM_CPUS_ON_NODE", "")
    if slurm.isascii() and slurm.isdigit():
        allowed.append(int(slurm))
    return max(1, min(allowed))


def _quotas(root: Path) -> Iterator[int]:
    """Quotas of the process's control groups and those above them, in processors."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            for folder in _upwards(root / "sys/fs/cgroup", path):
                quota, _, period = _read(folder / "cpu.max").partition(" ")
                yield from _processors(quota, period)
        elif "cpu" in controllers.split(","):
            for mount in (controllers, "cpu", "cpu,cpuacct"):
                for folder in _upwards(root / "sys/fs/cgroup" / mount, path):
                    quota = _read(folder / "cpu.cfs_quota_us")
                    yield from _processors(quota, _read(folder / "cpu.cfs_period_us"))


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """Give the folder of a group and those above it, to the mount: all that a container sees."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for length in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:length])


def _processors(quota: str, period: str) -> Iterator[int]:
    # "max" and -1 stand for no quota
    if quota.strip().isdigit() and period.strip().isdigit() and int(period):
        yield math.ceil(int(quota) / int(period))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
