"""Time and memory of a program, from its start to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gst_core.errors import GstError

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took.

    Attributes
    ----------
    seconds
        Wall time, start-up included.
    cpu_seconds
        Of all its threads and of the processes it waited for.
    peak_mib
        Largest resident set of any one of these processes, in MiB; never less than the ten
        or so of a bare interpreter, which starts the program.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def use_cores(number: int) -> None:
    """Bind this process, and all it starts, to the first cores that it may use.

    Raises
    ------
    GstError
        If there are not as many.
    """
    cores = sorted(os.sched_getaffinity(0))
    if number > len(cores):
        raise GstError(f"{number} cores asked for, {len(cores)} there")
    os.sched_setaffinity(0, cores[:number])


def run_measured(command: Sequence[str], log: Path) -> Cost:
    """Run a program to its end.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File for all it prints.

    Raises
    ------
    GstError
        If the program is not there or fails.
    """
    program = shutil.which(command[0])
    if program is None:
        raise GstError("cannot be started: not an executable program", where=command[0])
    record = log.with_suffix(".cost")
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(record), program, *command[1:]]
    with log.open("wb") as output:
        subprocess.run(
            launcher, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=True
        )
    cost = json.loads(record.read_text())
    record.unlink()
    if status := cost.pop("status"):
        lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
        raise GstError(
            f"ended with status {status}: {lines[-1]}", where=command[0], hint=f"see {log}"
        )
    return Cost(**cost)
