"""Which genomes to name and where each result goes, decided before any work is done."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError

_COMPRESSED = {".gz", ".bgz", ".zst"}
_COLUMNS = ("id", "fasta", "scientific_name", "taxon_id", "clade")


@dataclass(frozen=True, slots=True)
class Job:
    """One genome to name.

    Attributes
    ----------
    id
        A short name for messages and reports.
    fasta
        Path of its proteins, or ``-`` for standard input.
    scientific_name, taxon_id, clade
        The species, as far as given.
    output
        Where its table goes; ``-`` is standard output.
    """

    id: str
    fasta: str
    scientific_name: str | None
    taxon_id: int | None
    clade: str | None
    output: str


def stem(fasta: str) -> str:
    """Name of a FASTA file without its folder, its extension and that of a compression."""
    if fasta == "-":
        return "stdin"
    path = Path(fasta)
    if path.suffix in _COMPRESSED and path.stem:
        path = path.with_suffix("")
    return path.stem


def plan(
    fastas: Sequence[str],
    output: str | None,
    format: str,
    *,
    scientific_name: str | None = None,
    taxon_id: int | None = None,
    clade: str | None = None,
) -> list[Job]:
    """Plan the naming of FASTA files of one species.

    Without `output` the table lies beside its input as ``<stem>_symbols.csv``,
    that of standard input goes to standard output; an `output` that is a folder
    gets ``<stem>.tsv``; any other takes the tables of all inputs, one after the
    other.

    Raises
    ------
    GstError
        If two inputs would write the same file, or an input would be overwritten.
    """
    jobs = [
        Job(stem(f), f, scientific_name, taxon_id, clade, _output(stem(f), f, output, format))
        for f in fastas
    ]
    return _checked(jobs, output)


def read_manifest(path: Path, output: str | None, format: str) -> list[Job]:
    """Plan the naming of the genomes of a manifest.

    Parameters
    ----------
    path
        CSV with the columns ``id``, ``fasta`` and, where known,
        ``scientific_name``, ``taxon_id``, ``clade``. A relative FASTA path is
        relative to the manifest.
    output, format
        As for :func:`plan`; a folder gets ``<id>.tsv``.

    Raises
    ------
    GstError
        With line and column, for anything that is not as above.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = reader.fieldnames or []
            for column in _COLUMNS[:2]:
                if column not in header:
                    raise GstError(
                        f"the manifest has no column '{column}'",
                        where=f"{path}, line 1",
                        hint=f"it needs id and fasta; known columns: {','.join(_COLUMNS)}",
                    )
            jobs = [
                _job(path, reader.line_num, row, output, format)
                for row in reader
                if any(row.values())
            ]
    except UnicodeDecodeError as error:
        raise GstError("the manifest is not UTF-8 text", where=str(path)) from error
    if not jobs:
        raise GstError("the manifest lists no genome", where=str(path))
    seen: set[str] = set()
    for job in jobs:
        if job.id in seen:
            raise GstError(
                f"the id '{job.id}' is there twice",
                where=str(path),
                hint="give each genome its own",
            )
        seen.add(job.id)
    return _checked(jobs, output)


def _job(path: Path, line: int, row: dict[str, str | None], output: str | None, format: str) -> Job:
    """One row of a manifest."""
    cells = {column: (row.get(column) or "").strip() for column in _COLUMNS}
    for column in ("id", "fasta"):
        if not cells[column]:
            raise GstError("empty cell", where=f"{path}, line {line}, column {column}")
    if "/" in cells["id"] or cells["id"] in {".", ".."}:
        raise GstError(
            f"the id '{cells['id']}' cannot name a file", where=f"{path}, line {line}, column id"
        )
    taxon = cells["taxon_id"]
    if taxon and not (taxon.isascii() and taxon.isdigit()):
        raise GstError(
            f"'{taxon}' is not an NCBI taxon id", where=f"{path}, line {line}, column taxon_id"
        )
    fasta = str(path.parent / cells["fasta"])
    target = _output(cells["id"], fasta, output, format)
    name, clade = cells["scientific_name"] or None, cells["clade"] or None
    return Job(cells["id"], fasta, name, int(taxon) if taxon else None, clade, target)


def _output(id: str, fasta: str, output: str | None, format: str) -> str:
    """Where a genome's result goes."""
    if output is None:
        if fasta == "-":
            return "-"
        extension = "csv" if format == "tsv" else format  # the original's table is called .csv
        return str(Path(fasta).with_name(f"{stem(fasta)}_symbols.{extension}"))
    if output != "-" and Path(output).is_dir():
        return str(Path(output) / f"{id}.{format}")
    return output


def _checked(jobs: list[Job], output: str | None) -> list[Job]:
    """Refuse to overwrite an input, or one result with another."""
    shared = output is not None and (output == "-" or not Path(output).is_dir())
    inputs = {Path(job.fasta).resolve() for job in jobs if job.fasta != "-"}
    seen: dict[str, str] = {}
    for job in jobs:
        if job.output != "-" and Path(job.output).resolve() in inputs:
            raise GstError(
                "the result would overwrite an input",
                where=job.output,
                hint="choose another --output",
            )
        if not shared and job.output in seen:
            raise GstError(
                f"the results of {seen[job.output]} and {job.fasta} would be the same file",
                where=job.output,
                hint="rename one, or give --output",
            )
        seen[job.output] = job.fasta
    if sum(job.fasta == "-" for job in jobs) > 1:
        raise GstError("standard input can be read only once", where="--sequences_fasta -")
    return jobs
