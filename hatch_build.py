"""Compiles ``gst_core/references/native`` on installation, where there is a compiler.

Without one the package works as well: numpy and Biopython do what the library would.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("gst_core", "references")
# No fused operations: the same numbers on every processor. A score that 16 bits do not hold wraps
# before it is noticed.
OPTIONS = ("-O3", "-std=c11", "-ffp-contract=off", "-fwrapv", "-shared", "-fPIC")


class CompileNative(BuildHookInterface):
    """Puts ``_native.so`` beside its sources, and into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; hatchling calls it before a wheel or an editable installation is made."""
        del version
        binary = Path(self.root, FOLDER, "_native.so")
        binary.unlink(missing_ok=True)
        if not self._compile(Path(self.root, FOLDER, "native"), binary):
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
        build_data["artifacts"].append(str(FOLDER / binary.name))

    def _compile(self, sources: Path, binary: Path) -> bool:
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if not compiler or shutil.which(compiler[0]) is None:
            self.app.display_warning("no C compiler: references are looked up more slowly")
            return False
        content = b"".join(path.read_bytes() for path in sorted(sources.glob("*.[ch]")))
        digest = f'-DSOURCE_DIGEST="{hashlib.sha256(content).hexdigest()}"'
        files = [str(path) for path in sorted(sources.glob("*.c"))]
        with tempfile.TemporaryDirectory(dir=sources.parent) as folder:
            made = Path(folder, binary.name)
            command = [*compiler, *OPTIONS, digest, *files, "-o", str(made), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                self.app.display_warning(
                    f"references are looked up more slowly: {done.stderr.strip()}"
                )
                return False
            made.replace(binary)
        return True
