"""The official dictionaries of Geneformer: found, verified, read and put together.

They are published by the authors (Apache-2.0) and not part of this package.
"""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gst_core.errors import GstError
from gst_core.files import atomic_write
from gst_core.geneformer.resources import Resources, resources_file
from gst_core.legacy.dictionaries import MAX_BYTES, read_dictionary

#: Where the authors publish them.
DOWNLOAD = "https://huggingface.co/ctheodoris/Geneformer/resolve/main/geneformer"

_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """One official dictionary.

    Attributes
    ----------
    model_version
        ``"V1"`` or ``"V2"``.
    role
        ``tokens``, ``medians``, ``mapping`` or ``symbols``, as :meth:`Resources.build` names them.
    sha256
        Of the published file.
    path
        Below :data:`DOWNLOAD`.
    other_names
        Names that it had at other times.
    """

    model_version: str
    role: str
    sha256: str
    path: str
    other_names: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names it is known by."""
        return (self.path.rpartition("/")[2], *self.other_names)


def _v1(role: str, name: str, sha256: str) -> OfficialFile:
    path = f"gene_dictionaries_30m/{name}_gc30M.pkl"
    return OfficialFile("V1", role, sha256, path, (f"{name}.pkl",))


def _v2(role: str, name: str, sha256: str) -> OfficialFile:
    return OfficialFile("V2", role, sha256, f"{name}_gc104M.pkl", (f"{name}_gc95M.pkl",))


OFFICIAL = (
    _v1(
        "tokens",
        "token_dictionary",
        "ab9dc40973fa5224d77b793e2fd114cacf3d08423ed9c4c49caf0ba9c7f218f1",
    ),
    _v1(
        "medians",
        "gene_median_dictionary",
        "b3b589bb5ec75040d05fc44dd6bf0184cf87f3c362cf158d196a6ed3b7fe5f39",
    ),
    _v1(
        "symbols",
        "gene_name_id_dict",
        "55e67962e79c0039a6c32d43c5c99f38e51964bbcfa32f736150ee1e285c438c",
    ),
    _v1(
        "mapping",
        "ensembl_mapping_dict",
        "eac0fb0b3007267871b6305ac0003ceba19d4f28d85686cb9067ecf142787869",
    ),
    _v2(
        "tokens",
        "token_dictionary",
        "67c445f4385127adfc48dcc072320cd65d6822829bf27dd38070e6e787bc597f",
    ),
    _v2(
        "medians",
        "gene_median_dictionary",
        "a51c53f6a771d64508dfaf61529df70e394c53bd20856926117ae5d641a24bf5",
    ),
    _v2(
        "symbols",
        "gene_name_id_dict",
        "fabfa0c2f49c598c59ae432a32c3499a5908c033756c663b5e0cddf58deea8e1",
    ),
    _v2(
        "mapping",
        "ensembl_mapping_dict",
        "0819bcbd869cfa14279449b037eb9ed1d09a91310e77bd1a19d927465030e95c",
    ),
)
_BY_DIGEST = {official.sha256: official for official in OFFICIAL}
_BY_NAME = {name: official for official in OFFICIAL for name in official.names}

#: What a version cannot do without: V1's mapping leads each Ensembl id to itself.
_NEEDED = {"V1": ("tokens", "medians"), "V2": ("tokens", "medians", "mapping")}


@dataclass(frozen=True, slots=True)
class Found:
    """A file taken for an official one."""

    official: OfficialFile
    path: Path
    sha256: str

    @property
    def verified(self) -> bool:
        """Whether it is the published file to the bit."""
        return self.sha256 == self.official.sha256


def find(folder: Path, *, unverified: bool = False) -> dict[str, dict[str, Found]]:
    """Find official files in a folder, at any depth, by their checksums.

    Parameters
    ----------
    folder
        Where to look.
    unverified
        Take files that have an official name and other content, too. A
        published file is preferred to one of these.

    Returns
    -------
    dict
        Model version to role to file.

    Raises
    ------
    GstError
        If a file has an official name and other content, unless `unverified`;
        if there is no such folder; if nothing was found.
    """
    if not folder.is_dir():
        raise GstError("there is no such folder", where=str(folder))
    found: dict[str, dict[str, Found]] = {}
    strange: list[Found] = []
    for path in _pickles(folder):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if official := _BY_DIGEST.get(digest):
            found.setdefault(official.model_version, {}).setdefault(
                official.role, Found(official, path, digest)
            )
        elif official := _BY_NAME.get(path.name):
            strange.append(Found(official, path, digest))
    for file in strange:
        version, role = file.official.model_version, file.official.role
        if role in found.get(version, {}):
            continue
        _refuse_pointer(file.path)
        if not unverified:
            raise GstError(
                f"is not the official file of Geneformer {version}: its SHA-256 is "
                f"{file.sha256}, not {file.official.sha256}",
                where=str(file.path),
                hint="it may be damaged: download it again; if you know it to be right, "
                "add --unverified",
            )
        found.setdefault(version, {})[role] = file
    if not found:
        raise GstError(
            "holds none of Geneformer's official files",
            where=str(folder),
            hint="they are named as token_dictionary_gc104M.pkl (V2) and "
            "token_dictionary_gc30M.pkl (V1) at huggingface.co/ctheodoris/Geneformer",
        )
    return found


def build(version: str, files: dict[str, Found]) -> Resources:
    """Read one version's files, and put them together.

    Raises
    ------
    GstError
        If one is missing or damaged, or they do not fit each other.
    """
    for role in _NEEDED[version]:
        if role not in files:
            name = next(
                o.names[0] for o in OFFICIAL if (o.model_version, o.role) == (version, role)
            )
            where = str(next(iter(files.values())).path.parent)
            raise GstError(
                f"of Geneformer {version} the file {name} is missing",
                where=where,
                hint="put it beside the others",
            )
    content: dict[str, dict[str, Any]] = {}
    for role, file in files.items():
        content[role] = read_dictionary(file.path)
        wanted = {"tokens": int, "medians": int | float}.get(role, str)
        if not all(isinstance(value, wanted) for value in content[role].values()):
            raise GstError(f"values are not what {role} are", where=str(file.path))
    sources = {file.path.name: file.sha256 for file in files.values()}
    return Resources.build(version, **content, sources=sources)


def set_up(source: Path, folder: Path | None = None, *, unverified: bool = False) -> list[Path]:
    """Make the dictionaries of all versions that a folder has official files of.

    Parameters
    ----------
    source
        Where the official files are.
    folder
        Where to write; see :func:`gst_core.geneformer.resources.resources_folder`.
    unverified
        See :func:`find`.

    Returns
    -------
    list of Path
        The files written.
    """
    made = {
        version: build(version, files)
        for version, files in sorted(find(source, unverified=unverified).items())
    }
    written = []
    for version, resources in made.items():
        path = resources_file(version, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        resources.save(path)
        written.append(path)
    return written


def download(versions: Iterable[str], folder: Path, address: str = DOWNLOAD) -> None:
    """Download official files into a folder; what is there and right is kept.

    Raises
    ------
    GstError
        If the network or the publisher fails, or what comes is not the official file.
    """
    for official in OFFICIAL:
        if official.model_version not in versions:
            continue
        path = folder / official.names[0]
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == official.sha256:
            continue
        url = f"{address}/{official.path}"
        try:
            with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310
                data = response.read(MAX_BYTES + 1)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise GstError(
                f"cannot download: {getattr(error, 'reason', error)}",
                where=url,
                hint="download the files elsewhere and run: geneformer setup --from DIR",
            ) from error
        if hashlib.sha256(data).hexdigest() != official.sha256:
            raise GstError(
                "is no longer the official file that this program knows",
                where=url,
                hint="download the files yourself and run: geneformer setup --from DIR",
            )
        with atomic_write(path, "wb") as file:
            file.write(data)


def _pickles(folder: Path) -> Iterator[Path]:
    """Files that could be official ones, in a fixed order; links to folders are not followed."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            if name.endswith(".pkl") and path.is_file() and path.stat().st_size <= MAX_BYTES:
                yield path


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise GstError(
                "is a pointer of Git LFS, not the file itself",
                where=str(path),
                hint="run in that clone: git lfs pull",
            )
