"""What is compared: DIAMOND's best hit, and gst_assign, each as a program of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.protocol.files import Candidate, read_rows, write_candidates, write_json
from benchmarks.protocol.measure import run_measured
from gst_core.errors import GstError
from gst_core.results.table import read_table

#: What a pipeline calls.
GST_ASSIGN: Final = str(Path(__file__).resolve().parents[2] / "bin" / "gst_assign")
#: Symbols that are kept of each method's answer.
TOP_K: Final = 5

_HIT: Final = ("qseqid", "sseqid", "pident", "bitscore")


def diamond_version(program: str) -> str:
    """Ask DIAMOND for its version.

    Raises
    ------
    GstError
        If it cannot be run.
    """
    try:
        answer = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise GstError(
            "DIAMOND cannot be run", where=program, hint="install it: apt install diamond-aligner"
        ) from error
    return answer.stdout.strip().removeprefix("diamond version ")


def make_database(program: str, split: Path, threads: int, afresh: bool) -> None:
    """Index a split's training sequences for DIAMOND, measured; once unless `afresh`."""
    database = split / "training.dmnd"
    command = [program, "makedb", "--in", str(split / "training.fasta"), "--db", str(database)]
    command += ["--threads", str(threads)]
    run = _Run(command, diamond_version(program), [split / "training.fasta"])
    record = split / "training.dmnd.json"
    if run.is_needed(record, afresh):
        with run.measured(record):
            pass


def search(program: str, split: Path, name: str, mode: str, threads: int, afresh: bool) -> None:
    """Name a query set by the symbols of DIAMOND's hits, best first; once unless `afresh`.

    DIAMOND reports up to 25 targets a query, its default; asked for one alone, it takes
    as long and gives the same first hit.

    Parameters
    ----------
    program
        DIAMOND's name or path.
    split
        Folder of the split, with the database.
    name
        Of the query set.
    mode
        ``sensitive``, ``fast``, ...: DIAMOND's own options.
    threads
        Of DIAMOND.
    """
    folder = split / name
    method = f"diamond_{mode}"
    hits = folder / f"{method}.hits"
    command = [program, "blastp", f"--{mode}", "--threads", str(threads)]
    command += ["--db", str(split / "training.dmnd"), "--query", str(folder / "queries.fasta")]
    command += ["--out", str(hits), "--outfmt", "6", *_HIT]

    inputs = [split / "training.fasta", folder / "queries.fasta"]
    run = _Run(command, diamond_version(program), inputs)
    record = folder / f"{method}.json"
    if run.is_needed(record, afresh):
        with run.measured(record):
            symbols = {row["id"]: row["symbol"] for row in read_rows(split / "training.tsv")}
            write_candidates(folder / f"{method}.tsv", _symbols_of_hits(hits, symbols))
            hits.unlink()


def _symbols_of_hits(
    hits: Path, symbols: dict[str, str]
) -> Iterator[tuple[str, Sequence[Candidate]]]:
    """Keep the best hit of each symbol, the first :data:`TOP_K` symbols of each query."""
    found: dict[str, dict[str, Candidate]] = {}
    with hits.open() as file:
        for line in file:
            query, target, identity, score = line.rstrip("\n").split("\t")
            symbol = symbols[target]
            own = found.setdefault(query, {})
            own.setdefault(symbol.upper(), Candidate(symbol, float(score), float(identity)))
    return ((query, list(own.values())[:TOP_K]) for query, own in found.items())


def assign(checkpoint: Path, split: Path, name: str, threads: int, afresh: bool) -> None:
    """Name a query set with gst_assign, each protein under its species; once unless `afresh`.

    Parameters
    ----------
    checkpoint
        The model, trained on no sequence outside the split's training sequences.
    split
        Folder of the split.
    name
        Of the query set.
    threads
        Of gst_assign.
    """
    folder = split / name
    table = folder / "gst.table"
    command = [GST_ASSIGN, "--manifest", str(folder / "manifest.csv"), "--output", str(table)]
    command += ["--top_k", str(TOP_K), "--threads", str(threads), "--quiet"]
    command += ["--checkpoint", str(checkpoint)]
    version = subprocess.run([GST_ASSIGN, "--version"], capture_output=True, text=True, check=True)
    run = _Run(command, version.stdout.strip(), [folder / "queries.fasta", checkpoint])
    record = folder / "gst.json"
    if run.is_needed(record, afresh):
        with run.measured(record):
            write_candidates(folder / "gst.tsv", _symbols_of_rows(table))
            table.unlink()


def _symbols_of_rows(table: Path) -> Iterator[tuple[str, Sequence[Candidate]]]:
    for row in read_table(table):
        candidates = [Candidate(row.symbol, row.probability)] if row.symbol else []
        for rank in range(2, TOP_K + 1):
            if symbol := row.extra.get(f"symbol_{rank}"):
                candidates.append(Candidate(symbol, float(row.extra[f"probability_{rank}"])))
        yield row.stable_id, candidates


@dataclass(frozen=True, slots=True)
class _Run:
    """A command, and what its result depends on."""

    command: list[str]
    version: str
    inputs: list[Path]

    def is_needed(self, record: Path, afresh: bool) -> bool:
        """Whether there is no record of this command over inputs of this content."""
        if afresh or not record.exists():
            return True
        before = json.loads(record.read_text())
        return any(before.get(key) != value for key, value in self._what().items())

    @contextlib.contextmanager
    def measured(self, record: Path) -> Iterator[None]:
        """Run the command; record what it took once the block has kept its results."""
        record.unlink(missing_ok=True)
        cost = run_measured(self.command, record.with_suffix(".log"))
        yield
        write_json(record, self._what() | asdict(cost))

    def _what(self) -> dict[str, Any]:
        digests = {path.name: _digest(path) for path in self.inputs}
        # Files by name alone: a work folder may be moved, and its content counts by digest.
        command = [Path(word).name if "/" in word else word for word in self.command]
        return {"version": self.version, "command": command, "inputs": digests}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
