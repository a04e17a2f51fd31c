"""Programs that stand in for SLURM's, so that a cluster's run can be tried without one.

Jobs run on this machine, a few at a time. Each job's #SBATCH lines are kept,
and the first attempts of chosen jobs end as a scheduler ends them, for time
(exit status 140) or memory (137), or fail of themselves.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

SBATCH = """#!/bin/sh
# Reads the job from standard input or a file; answers with its number.
set -eu
cd "$SIMULATED_SLURM"
number=$(mktemp job.XXXXXXXX); id=$(printf '%s' "$number" | cksum | cut -d' ' -f1)
for last; do :; done
if [ -n "${last:-}" ] && [ -f "$OLDPWD/$last" ]; then cat "$OLDPWD/$last"; else cat; fi > "$id.sh"
rm "$number"
name=$(sed -n 's/^#SBATCH -J //p' "$id.sh")
log=$(sed -n 's/^#SBATCH -o //p' "$id.sh")
grep '^#SBATCH' "$id.sh" > "$id.options"
: > "running.$id"
(
    exec > /dev/null 2>&1
    cd "${log%/*}"
    outcome=$(sed -n "s/^$name //p" "$SIMULATED_SLURM/kills")
    if [ -n "$outcome" ] && mkdir "$SIMULATED_SLURM/killed.$name" 2> /dev/null; then
        : > .command.begin
        echo "$outcome" > .exitcode
    else
        flock "$SIMULATED_SLURM/slot.$((id % SLOTS))" bash "$SIMULATED_SLURM/$id.sh"
    fi
    rm "$SIMULATED_SLURM/running.$id"
) &
echo "Submitted batch job $id"
"""
SQUEUE = """#!/bin/sh
cd "$SIMULATED_SLURM"
for job in running.*; do
    [ -e "$job" ] && echo "${job#running.} R"
done
exit 0
"""
SCANCEL = "#!/bin/sh\nexit 0\n"


def install(folder: Path, kills: dict[str, int], slots: int = 4) -> dict[str, str]:
    """Put sbatch, squeue and scancel into `folder`; return the environment that uses them.

    Parameters
    ----------
    folder
        Made if it is not there; the jobs' options are kept in it as ``*.options``.
    kills
        Name of a job to the exit status that its first attempt ends with.
    slots
        Jobs at a time.
    """
    folder.mkdir()
    for name, text in {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL}.items():
        program = folder / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    lines = [f"{job} {status}\n" for job, status in kills.items()]
    (folder / "kills").write_text("".join(lines))
    return {
        "SIMULATED_SLURM": str(folder),
        "SLOTS": str(slots),
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }


def options(folder: Path) -> list[str]:
    """Return the #SBATCH lines of all jobs, one text a job."""
    return [path.read_text() for path in sorted(folder.glob("*.options"))]
