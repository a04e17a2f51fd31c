"""Start a program, wait for it, and write down what it took: ``launcher.py RECORD PROGRAM ...``.

Linux counts the memory of the process that starts a program into the program's own peak.
So it must not be a benchmark that holds gigabytes that starts it, but this: a bare
interpreter of some ten MiB, which imports nothing but the standard library's least.
"""

import json
import os
import sys
import time

record, *command = sys.argv[1:]
start = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
# Not getrusage(RUSAGE_CHILDREN): that one never forgets an earlier child.
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - start
with open(record, "w") as file:  # noqa: PTH123 - pathlib alone would cost two MiB
    json.dump(
        {
            "status": os.waitstatus_to_exitcode(status),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "peak_mib": round(usage.ru_maxrss / 1024, 1),
        },
        file,
    )
