"""Compiles ``gst_core/references/words.c`` on installation, where there is a compiler.

Without one the package works as well, to the same results: numpy does what the library would.
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


class CompileWords(BuildHookInterface):
    """Puts ``_words.so`` beside its source, and into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; hatchling calls it before a wheel or an editable installation is made."""
        del version
        source = Path(self.root, FOLDER, "words.c")
        binary = source.with_name("_words.so")
        binary.unlink(missing_ok=True)
        if not self._compile(source, binary):
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
        build_data["artifacts"].append(str(FOLDER / binary.name))

    def _compile(self, source: Path, binary: Path) -> bool:
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if not compiler or shutil.which(compiler[0]) is None:
            self.app.display_warning("no C compiler: words are looked up more slowly")
            return False
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        with tempfile.TemporaryDirectory(dir=source.parent) as folder:
            made = Path(folder, binary.name)
            options = ["-O3", "-std=c11", "-shared", "-fPIC", f'-DSOURCE_DIGEST="{digest}"']
            command = [*compiler, *options, str(source), "-o", str(made)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                self.app.display_warning(f"words are looked up more slowly: {done.stderr.strip()}")
                return False
            made.replace(binary)
        return True
