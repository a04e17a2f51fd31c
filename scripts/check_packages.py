"""Checks what is in wheels and sdists: check_packages.py FILE...

Every file of ``gst_core`` must be inside as it is in this clone, nothing else, and in a wheel the
library compiled from the very sources beside it, for the processor that the wheel's name says.
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 40_000_000
BINARY = "gst_core/references/_native.so"
#: What an installation cannot do without; each must match files.
NEEDED = (
    "gst_core/assets/model/*.onnx",
    "gst_core/assets/*.blocks",
    "gst_core/assets/sample/*.fa",
    "gst_core/page/static/*.mjs",
    "gst_core/page/static/*.html",
    "gst_core/references/native/*.c",
    "gst_core/references/native/*.h",
    "gst_core/results/templates/*",
)
BESIDE_IN_SDIST = {
    *("CHANGELOG.md", "LICENSE", "NOTICE", "PKG-INFO", "README.md", ".gitignore"),
    *(
        "bin/_run",
        "bin/geneformer",
        "bin/gst",
        "bin/gst_assign",
        "hatch_build.py",
        "pyproject.toml",
    ),
}
#: `e_machine` of ELF files, by the end of a wheel's name.
MACHINES = {"x86_64": 62, "aarch64": 183}


def wanted() -> dict[str, bytes]:
    """Return the package's files in this clone, by name."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / "gst_core").rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".so"}
    }


def packed(package: Path) -> dict[str, bytes]:
    """Return the files of a wheel or an sdist, by name; of an sdist without its first folder."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    with tarfile.open(package) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {
            member.name.partition("/")[2]: stream.read()
            for member in files
            if (stream := archive.extractfile(member))
        }


def faults(
    package: Path, files: dict[str, bytes], package_files: dict[str, bytes]
) -> Iterator[str]:
    """Say what is wrong with a package whose `files` should hold `package_files`."""
    if package.stat().st_size > LARGEST:
        yield f"{package.stat().st_size:,} bytes, more than {LARGEST:,}"
    for pattern in NEEDED:
        if not any(Path(name).match(pattern) for name in files):
            yield f"nothing like {pattern}"
    for name, content in package_files.items():
        if files.get(name) != content:
            yield f"{name} is {'another file than here' if name in files else 'missing'}"
    beside = {name for name in files if name not in package_files}
    if package.suffix != ".whl":
        yield from (f"{name} does not belong there" for name in sorted(beside - BESIDE_IN_SDIST))
        yield from (f"{name} is missing" for name in sorted(BESIDE_IN_SDIST - beside))
        return
    described = f"{'-'.join(package.name.split('-')[:2])}.dist-info/"
    for name in sorted(beside - {BINARY}):
        if not name.startswith(described):
            yield f"{name} does not belong there"
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"):
        if described + name not in files:
            yield f"{name} is missing"
    yield from _binary_faults(package, files)


def _binary_faults(package: Path, files: dict[str, bytes]) -> Iterator[str]:
    tag = package.stem.split("-", 2)[2]
    machine = next((number for end, number in MACHINES.items() if tag.endswith(end)), None)
    if not tag.startswith("py3-none-manylinux") or machine is None:
        yield f"{tag} is no tag of all Linux machines of a kind"
    binary = files.get(BINARY)
    if binary is None:
        yield f"{BINARY} is missing: no compiler where it was built"
        return
    if int.from_bytes(binary[18:20], "little") != machine:
        yield f"{BINARY} is for another processor than {tag}"
    native = sorted(name for name in files if Path(name).match("references/native/*.[ch]"))
    digest = hashlib.sha256(b"".join(files[name] for name in native)).hexdigest()
    if digest.encode() not in binary:
        yield f"{BINARY} was compiled from other sources"


def main(packages: list[str]) -> int:
    """Check each package; return the exit status."""
    if not packages:
        print("check_packages: usage: check_packages.py WHEEL_OR_SDIST...", file=sys.stderr)
        return 2
    failed = 0
    for package in map(Path, packages):
        files = packed(package)
        found = list(faults(package, files, wanted()))
        failed += bool(found)
        for fault in found:
            print(f"check_packages: {package.name}: {fault}", file=sys.stderr)
        if not found:
            print(f"{package.name}: {len(files)} files, {package.stat().st_size / 1e6:.1f} MB")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
