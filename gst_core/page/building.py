"""The folder of the page: its own files, the model, the look-up, and what runs them."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.resources import files as resource_files
from pathlib import Path
from typing import Final

import platformdirs

import gst_core
from gst_core.errors import GstError
from gst_core.page.model_data import read_model
from gst_core.page.parts import PACKAGES, compile_look_up, fetch

_STATIC: Final = Path(__file__).with_name("static")
_PACKAGE: Final = Path(gst_core.__file__).parent
#: What of this package runs in the page, by folder; ``page/in_browser.py`` imports it.
_PYTHON: Final = (
    *("__init__.py", "assignment.py", "clades.py", "errors.py", "files.py", "stable_ids.py"),
    *("styles.py", "taxonomy.py", "taxonomy_table.py", "vocabulary.py"),
    *("annotation/*.py", "results/*.py", "sequences/*.py"),
    *("page/__init__.py", "page/in_browser.py", "assets/taxonomy_*"),
)
#: What of Biopython: its tables, which are plain Python.
_BIOPYTHON: Final = ("__init__.py", "Data/__init__.py", "Data/CodonTable.py", "Data/IUPACData.py")
#: What the names of zstandard that are used stand for in Python 3.14's own module.
_ZSTANDARD: Final = '''"""zstandard by the standard library, as far as it is used."""
from compression import zstd
from compression.zstd import ZstdError


class ZstdDecompressor:
    def decompress(self, content):
        return zstd.decompress(content)

    def decompressobj(self):
        return zstd.ZstdDecompressor()
'''
_LICENCES: Final = """This page contains

- GST, Apache License 2.0
- ONNX Runtime, MIT, https://github.com/microsoft/onnxruntime
- Pyodide, MPL 2.0, https://github.com/pyodide/pyodide, with CPython, PSF License
- tables of Biopython, Biopython License Agreement, https://github.com/biopython/biopython
- the NCBI taxonomy, public domain
"""


def default_cache() -> Path:
    """Give the folder where archives of packages are kept."""
    return platformdirs.user_cache_path("gst") / "npm"


def build_page(
    output: str | Path, checkpoint: str | Path | None = None, *, cache: Path | None = None
) -> int:
    """Write the page.

    Parameters
    ----------
    output
        Folder to make; it must not be there, be empty, or hold such a page.
    checkpoint
        Model file; the embedded one without it.
    cache
        Folder of npm archives; :func:`default_cache` without it.

    Returns
    -------
    size
        Bytes of all files.

    Raises
    ------
    GstError
        If the folder holds something else, the model cannot be read, or a part cannot be had. What
        was there before is then left as it is.
    """
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise GstError("is a file", where=str(output), hint="give the folder of the page")
    if output.is_dir() and any(output.iterdir()) and not (output / "offline.js").is_file():
        raise GstError(
            "the folder holds something else than a page",
            where=str(output),
            hint="give another folder",
        )
    content = page_files(checkpoint, cache or default_cache())
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        for name, data in content.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        folder.chmod(0o755)
        old = folder.with_name(f"{folder.name}.old")
        if output.exists():
            output.rename(old)
        folder.rename(output)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise GstError(f"cannot be written: {error.strerror}", where=str(output)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return sum(len(data) for data in content.values())


def page_files(checkpoint: str | Path | None, cache: Path) -> dict[str, bytes]:
    """Make the page's files, by path."""
    model = read_model(checkpoint)
    facts = model.facts | {"program_version": gst_core.__version__}
    content = {
        "look_up.wasm": compile_look_up(),
        "model.json": json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode(),
        "model.bin": model.arrays,
        "network.onnx": model.network,
        "gst.zip": _python(),
        "sample.fa": resource_files("gst_core")
        .joinpath("assets/sample/bos_taurus.fa")
        .read_bytes(),
        "licences.txt": _LICENCES.encode(),
    }
    for package in PACKAGES:
        for name, data in fetch(package, cache).items():
            content[f"{package.folder}/{name}"] = data
    for path in sorted(_STATIC.iterdir()):
        if path.suffix in (".html", ".css", ".mjs"):
            content[path.name] = path.read_bytes()
    content["offline.js"] = _offline((_STATIC / "offline.js").read_text("utf-8"), content)
    return content


def _offline(script: str, content: Mapping[str, bytes]) -> bytes:
    """Tell the service worker which files there are; another content is another version."""
    version = hashlib.sha256()
    for name in sorted(content):
        version.update(name.encode() + b"\0" + hashlib.sha256(content[name]).digest())
    listed = json.dumps(["./", *sorted(content)], indent=2)
    return (
        script.replace("@VERSION@", version.hexdigest()[:16])
        .replace('["@FILES@"]', listed)
        .encode()
    )


def _python() -> bytes:
    """Make the archive of what runs in Python; its dates are fixed, so that it is reproducible."""
    import Bio

    biopython = Path(Bio.__file__).parent
    sources = {
        f"gst_core/{path.relative_to(_PACKAGE)}": path.read_bytes()
        for pattern in _PYTHON
        for path in sorted(_PACKAGE.glob(pattern))
    }
    sources |= {f"Bio/{name}": (biopython / name).read_bytes() for name in _BIOPYTHON}
    sources["zstandard.py"] = _ZSTANDARD.encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in sources.items():
            made.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
