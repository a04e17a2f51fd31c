"""Time and memory of a program, from its start to its end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError


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
        Largest resident set of any one of these processes, in MiB.
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
    with log.open("wb") as output:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        except OSError as error:
            raise GstError(f"cannot be started: {error.strerror}", where=command[0]) from error
        # wait4 and not getrusage(RUSAGE_CHILDREN): that one never forgets an earlier child.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
        raise GstError(
            f"ended with status {process.returncode}: {lines[-1]}",
            where=command[0],
            hint=f"see {log}",
        )
    return Cost(
        seconds=round(seconds, 3),
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
        peak_mib=round(usage.ru_maxrss / 1024, 1),
    )
