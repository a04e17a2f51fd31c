"""The work folder of the benchmark, and what lies in it.

``<split>/training.fasta, training.tsv``
    Training sequences; and their accession, symbol, genus and clade.
``<split>/<set>/queries.fasta, queries.tsv``
    Queries of a set, the same way.
``<split>/<set>/manifest.csv, species/*.fasta``
    The same queries by species, as gst_assign takes them.
``<split>/<set>/<method>.tsv, <method>.json``
    The symbols that a method gives, best first; and what it took.
``symbols.tsv``
    The symbols that labels stand for, as ``gst symbols`` writes them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.protocol.sets import Query, Split, letters
from gst_core.errors import GstError
from gst_core.files import atomic_write

SYMBOLS_FILE: Final = "symbols.tsv"
_TRAINING = ("id", "accession", "symbol", "genus", "clade")
_QUERIES = ("id", "accession", "symbol", "kind", "genus", "clade", "length")
_CANDIDATES = ("id", "symbol", "score", "identity")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A symbol that a method gives.

    Attributes
    ----------
    symbol
        As the method writes it.
    score
        A probability or a bit score: what the method ranks by.
    identity
        Percent identity to the training sequence behind it; None where there is none.
    """

    symbol: str
    score: float
    identity: float | None = None


def write_split(folder: Path, split: Split) -> None:
    """Write a split; methods find in `folder` all that they need."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, records = [], []
    for number, protein in enumerate(split.training, 1):
        taxon = protein.taxon
        rows.append((f"t{number}", protein.accession, protein.symbol, taxon.genus, taxon.clade))
        records.append((f"t{number}", letters(protein)))
    write_fasta(folder / "training.fasta", records)
    _write_table(folder / "training.tsv", _TRAINING, rows)
    for name, queries in split.queries.items():
        _write_queries(folder / name, queries)


def _write_queries(folder: Path, queries: Sequence[Query]) -> None:
    species_folder = folder / "species"
    species_folder.mkdir(parents=True, exist_ok=True)
    species: dict[int, list[Query]] = {}
    for query in queries:
        species.setdefault(query.taxon.taxon_id, []).append(query)
    with atomic_write(folder / "manifest.csv") as file:
        manifest = csv.writer(file, lineterminator="\n")
        manifest.writerow(("id", "fasta", "taxon_id"))
        for taxon_id, own in species.items():
            path = species_folder / f"{taxon_id}.fasta"
            write_fasta(path, ((q.query_id, q.residues) for q in own))
            manifest.writerow((taxon_id, path.relative_to(folder), taxon_id))
    write_fasta(folder / "queries.fasta", ((q.query_id, q.residues) for q in queries))
    _write_table(
        folder / "queries.tsv",
        _QUERIES,
        (
            (
                q.query_id,
                q.accession,
                q.symbol,
                q.kind,
                q.taxon.genus,
                q.taxon.clade,
                len(q.residues),
            )
            for q in queries
        ),
    )


def write_candidates(path: Path, candidates: Iterable[tuple[str, Sequence[Candidate]]]) -> None:
    """Write what a method gives: for each query its candidates, best first."""
    rows = ((i, c.symbol, c.score, c.identity) for i, found in candidates for c in found)
    _write_table(path, _CANDIDATES, rows)


def read_candidates(path: Path) -> dict[str, list[Candidate]]:
    """Read what :func:`write_candidates` wrote; queries without an answer are missing."""
    found: dict[str, list[Candidate]] = {}
    for row in read_rows(path):
        identity = float(row["identity"]) if row["identity"] else None
        candidate = Candidate(row["symbol"], float(row["score"]), identity)
        found.setdefault(row["id"], []).append(candidate)
    return found


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Read a tab-separated table of the work folder.

    Raises
    ------
    GstError
        If it is not there.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file, delimiter="\t")
    except FileNotFoundError as error:
        raise GstError(
            "is not there", where=str(path), hint="run the stage that makes it first"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON for people to read too; NaN becomes null."""
    with atomic_write(path) as file:
        json.dump(_plain(value), file, indent=1, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        finite = value - value == 0
        return value if finite else None
    return value


def write_fasta(path: Path, records: Iterable[tuple[str, bytes]]) -> None:
    """Write pairs of id and residues, a sequence a line."""
    with atomic_write(path, "wb") as file:
        for name, residues in records:
            file.write(b">%s\n%s\n" % (name.encode(), residues))


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with atomic_write(path) as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
