"""CHECKSUMS files of Ensembl's servers, and the sums that stand in them.

Ensembl's are what ``sum`` prints: the BSD checksum of 16 bits, the size in blocks of 1,024 bytes,
and the file's name. Some divisions and mirrors have MD5 or SHA-256 in place of the two numbers.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gst_core.errors import GstError

Kind = Literal["sum", "md5", "sha1", "sha256", "sha512"]

_SUM_LINE: Final = re.compile(r"\s*(\d{1,5})\s+(\d+)\s+(?:\./)?(\S.*?)\s*")
_DIGEST_LINE: Final = re.compile(r"([0-9a-fA-F]{32,128})\s+[* ]?(?:\./)?(\S.*?)\s*")
#: ``MD5 (name) = digest``, as BSD's programs and ``--tag`` print it.
_TAGGED_LINE: Final = re.compile(r"(?:MD5|SHA1|SHA256|SHA512) \((.+)\) = ([0-9a-fA-F]{32,128})\s*")
_BY_LENGTH: Final[dict[int, Kind]] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_BLOCK: Final = 1024
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum of a file.

    Attributes
    ----------
    kind
        ``sum`` or the digest.
    value
        ``12345 678`` (sum and blocks) or the digest in small letters.
    """

    kind: Kind
    value: str

    def __str__(self) -> str:
        """Kind and value, as a manifest has them."""
        return f"{self.kind}:{self.value}"


def parse_checksums(text: str, name: str = "CHECKSUMS") -> dict[str, Checksum]:
    """Read the lines of a CHECKSUMS file.

    Parameters
    ----------
    text
        Its content.
    name
        What errors call it.

    Returns
    -------
    sums
        By file name; folders before the name stay part of it.

    Raises
    ------
    GstError
        If a line is none of a checksum, as in an error page of a server.
    """
    sums = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        found = _parse_line(line)
        if found is None:
            raise GstError(
                f"'{line.strip()[:60]}' is no line of checksums",
                where=f"{name}, line {number:,}",
                hint="expected what sum or md5sum print: checksum, blocks and name",
            )
        sums[found[0]] = found[1]
    return sums


def _parse_line(line: str) -> tuple[str, Checksum] | None:
    if found := _SUM_LINE.fullmatch(line):
        if int(found[1]) > 0xFFFF:
            return None
        return found[3], Checksum("sum", f"{int(found[1])} {int(found[2])}")
    digest, name = "", ""
    if found := _DIGEST_LINE.fullmatch(line.strip()):
        digest, name = found[1], found[2]
    elif found := _TAGGED_LINE.fullmatch(line.strip()):
        digest, name = found[2], found[1]
    kind = _BY_LENGTH.get(len(digest))
    return (name, Checksum(kind, digest.lower())) if kind else None


def checksum_of(path: Path, kind: Kind) -> Checksum:
    """Compute a checksum of a file."""
    if kind == "sum":
        size = path.stat().st_size
        return Checksum("sum", f"{_bsd_sum(path)} {-(-size // _BLOCK)}")
    with path.open("rb") as file:
        return Checksum(kind, hashlib.file_digest(file, kind).hexdigest())


def _bsd_sum(path: Path) -> int:
    """Compute the 16 bits of ``sum -r``, by the program where there is one: it is far faster."""
    program = shutil.which("sum")
    if program is not None:
        with path.open("rb") as file:
            done = subprocess.run([program], stdin=file, capture_output=True, check=False)
        first = done.stdout.split()[:1]
        if done.returncode == 0 and first and first[0].isdigit():
            return int(first[0])
    return bsd_sum(path)


def bsd_sum(path: Path) -> int:
    """Compute the BSD checksum: before each byte is added, the sum is rotated right by one bit."""
    total = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            for byte in piece:
                total = ((total >> 1) + ((total & 1) << 15) + byte) & 0xFFFF
    return total
