"""What the page stands on: the look-up in WebAssembly, and two packages of npm."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gst_core.errors import GstError
from gst_core.references.compiled import SOURCES, digest

#: What the page calls of ``gst_core/references/native``, and the allocator of its library.
_FUNCTIONS: Final = (
    *("count_seeds", "fill_postings", "space_new", "look_up_batch", "count_matches", "show"),
    *("malloc", "free"),
)
# As hatch_build.py has it: no fused operations, the same numbers on every processor.
_OPTIONS: Final = (
    *("--target=wasm32-wasi", "-O3", "-std=c11", "-msimd128", "-ffp-contract=off", "-fwrapv"),
    *("-nostartfiles", "-Wl,--no-entry", "-Wl,-z,stack-size=4194304", "-Wl,--strip-all"),
    *(f"-Wl,--export={name}" for name in _FUNCTIONS),
)
_PACKAGES: Final = "apt install clang lld wasi-libc libclang-rt-dev-wasm32"


def compile_look_up() -> bytes:
    """Compile the look-up to WebAssembly, by clang.

    Raises
    ------
    GstError
        If there is no clang, or it cannot compile for WebAssembly.
    """
    clang = shutil.which(os.environ.get("CLANG", "clang"))
    if clang is None:
        raise GstError(
            "the look-up is compiled to WebAssembly by clang, which is not installed",
            hint=f"{_PACKAGES}, or set CLANG to the clang of a WASI SDK",
        )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "look_up.wasm")
        sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
        command = [clang, *_OPTIONS, f'-DSOURCE_DIGEST="{digest()}"', *sources, "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it says nothing"]
            raise GstError(
                f"clang cannot compile the look-up to WebAssembly: {lines[0]}", hint=_PACKAGES
            )
        return made.read_bytes()


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A package of the npm registry, and the files of it that the page takes.

    Attributes
    ----------
    name, version
        Of the package.
    integrity
        SHA-512 of its archive, base64, as the registry and lock files have it.
    folder
        Where its files go.
    files
        Paths within the package.
    """

    name: str
    version: str
    integrity: str
    folder: str
    files: tuple[str, ...]


PACKAGES: Final = (
    NpmPackage(
        "onnxruntime-web",
        "1.30.0",
        "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        "onnxruntime",
        (
            "dist/ort.wasm.min.mjs",
            "dist/ort-wasm-simd-threaded.mjs",
            "dist/ort-wasm-simd-threaded.wasm",
        ),
    ),
    NpmPackage(
        "pyodide",
        "314.0.7",
        "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A==",
        "pyodide",
        (
            "pyodide.mjs",
            "pyodide.asm.mjs",
            "pyodide.asm.wasm",
            "python_stdlib.zip",
            "pyodide-lock.json",
        ),
    ),
)


def fetch(package: NpmPackage, cache: Path) -> dict[str, bytes]:
    """Get the files of a package: from the cache, else by npm from the registry it is set to.

    Parameters
    ----------
    package
        Which.
    cache
        Folder of archives as ``npm pack`` names them.

    Returns
    -------
    files
        Contents by name without folders.

    Raises
    ------
    GstError
        If there is neither archive nor npm, npm fails, or the archive is not the expected one.
    """
    archive = cache / f"{package.name}-{package.version}.tgz"
    if not archive.is_file():
        _pack(package, cache)
    content = archive.read_bytes()
    found = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != package.integrity:
        raise GstError(
            f"is not {package.name} {package.version} as it was published",
            where=str(archive),
            hint="delete it and start again",
        )
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = {}
        for path in package.files:
            member = tar.extractfile(f"package/{path}")
            assert member is not None  # the archive is the one that was looked at
            files[Path(path).name] = member.read()
    return files


def _pack(package: NpmPackage, cache: Path) -> None:
    wanted = f"{package.name}@{package.version}"
    npm = shutil.which("npm")
    if npm is None:
        raise GstError(
            f"{wanted} is fetched by npm, which is not installed",
            hint=f"install npm, or put the archive that `npm pack {wanted}` gives into {cache}",
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        done = subprocess.run(
            [npm, "pack", "--silent", wanted], cwd=folder, capture_output=True, text=True
        )
        made = list(Path(folder).glob("*.tgz"))
        if done.returncode or not made:
            lines = done.stderr.strip().splitlines() or ["it says nothing"]
            raise GstError(f"npm cannot fetch {wanted}: {lines[-1]}")
        made[0].replace(cache / f"{package.name}-{package.version}.tgz")
