"""Which genomes to name and where each result goes, decided before any work is done."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError, display
from gst_core.files import is_descriptor, is_folder
from gst_core.sheets import SheetRow, read_sheet

_COMPRESSED = {".gz", ".bgz", ".zst"}
#: How the name of an annotation's file ends.
_ANNOTATION = re.compile(r"\.(?:gff3?|gtf)(?:\.b?gz)?$")
#: Of a manifest; a genome has either proteins or an annotation.
COLUMNS = ("id", "fasta", "gff3", "genome", "scientific_name", "taxon_id", "clade")


@dataclass(frozen=True, slots=True)
class Job:
    """One genome to name.

    Attributes
    ----------
    id
        A short name for messages and reports.
    fasta
        Path of its proteins, or ``-`` for standard input; of the annotation that they are
        translated from, where `annotated` is given.
    scientific_name, taxon_id, clade
        The species, as far as given.
    output
        Where its table goes; ``-`` is standard output.
    annotated
        Where the annotation with its new names goes.
    genome
        The annotation's genome; ``None`` where it stands in the annotation's own file.
    """

    id: str
    fasta: str
    scientific_name: str | None
    taxon_id: int | None
    clade: str | None
    output: str
    annotated: str | None = None
    genome: str | None = None


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
    that of standard input, and of the shell's ``<(zcat proteins.fa.gz)``, goes to
    standard output; an `output` that is a folder
    gets ``<stem>.tsv``; any other takes the tables of all inputs, one after the
    other.

    Raises
    ------
    GstError
        If two inputs would write the same file.
    """
    jobs = [
        # an id is text for people and documents; the file keeps its name, whatever its bytes
        Job(
            *(display(stem(f)), f, scientific_name, taxon_id, clade),
            _output(stem(f), f, output, format),
        )
        for f in fastas
    ]
    return _checked(jobs, output)


def plan_annotation(
    annotation: Path,
    genome: Path | None,
    output: str | None,
    format: str,
    *,
    scientific_name: str | None = None,
    taxon_id: int | None = None,
    clade: str | None = None,
    id: str | None = None,
) -> Job:
    """Plan the naming of the genes of an annotation.

    Without `output`, ``<stem>_symbols.gff3`` and the table ``<stem>_symbols.csv`` lie beside the
    annotation; an `output` that is a folder gets ``<id>.gff3`` and
    ``<id>.tsv``, by the stem of the file where there is no `id`. One whose name
    is an annotation's, or ``-``, is the annotation, and no table is written; any other is the
    table, with the annotation beside it. Annotations have the extension of the one that is read.
    """
    name = stem(str(annotation))
    extension = annotation.name[len(name) :]
    plain = extension.lower().removesuffix(".zst")
    if not _ANNOTATION.fullmatch(plain):
        plain = ".gff3"
    table = "csv" if format == "tsv" else format
    if output is None and is_descriptor(annotation):
        output = "-"
    if output is None:
        annotated = str(annotation.with_name(f"{name}_symbols{plain}"))
        target = str(annotation.with_name(f"{name}_symbols.{table}"))
    elif is_folder(output):
        annotated = str(Path(output, (id or name) + plain))
        target = str(Path(output, f"{id or name}.{format}"))
    elif output == "-" or _ANNOTATION.search(output.lower()):
        annotated, target = output, os.devnull
    else:
        annotated, target = str(Path(output).with_suffix(plain)), output
    return Job(
        *(id or display(name), str(annotation), scientific_name, taxon_id, clade, target),
        annotated=annotated,
        genome=None if genome is None else str(genome),
    )


def read_manifest(path: Path, output: str | None, format: str) -> list[Job]:
    """Plan the naming of the genomes of a manifest.

    Parameters
    ----------
    path
        Table as :func:`gst_core.sheets.read_sheet` reads it, with the columns ``id``,
        ``fasta`` or ``gff3`` and ``genome``, and, where known, ``scientific_name``,
        ``taxon_id``, ``clade``. A relative path is relative to the manifest.
    output, format
        As for :func:`plan`; a folder gets ``<id>.tsv``.

    Raises
    ------
    GstError
        With line and column, for anything that is not as above, and for ids that are equal
        but for case: some file systems take their files for one.
    """
    rows = read_sheet(path, COLUMNS[:1], COLUMNS[1:])
    if not rows:
        raise GstError("the manifest lists no genome", where=str(path))
    jobs = []
    lines: dict[str, int] = {}
    for row in rows:
        job = _job(path, row, output, format)
        before = lines.setdefault(unicodedata.normalize("NFC", job.id).casefold(), row.line)
        if before != row.line:
            raise GstError(
                f"the id '{job.id}' is there twice, first in line {before} "
                "(upper and lower case count as the same)",
                where=f"{path}, line {row.line}, column id",
                hint="give each genome its own",
            )
        jobs.append(job)
    return _checked(jobs, output)


def _job(path: Path, row: SheetRow, output: str | None, format: str) -> Job:
    """One row of a manifest."""
    cells = row.cells

    def where(column: str) -> str:
        return f"{path}, line {row.line}, column {column}"

    if not cells["id"]:
        raise GstError("empty cell", where=where("id"))
    if not cells["fasta"] and not cells["gff3"]:
        raise GstError(
            "neither proteins nor an annotation",
            where=where("fasta"),
            hint="give fasta, or gff3 and genome",
        )
    if cells["fasta"] and (cells["gff3"] or cells["genome"]):
        raise GstError(
            "proteins and an annotation",
            where=where("gff3" if cells["gff3"] else "genome"),
            hint="give fasta, or gff3 and genome",
        )
    if "/" in cells["id"] or cells["id"] in {".", ".."} or not cells["id"].isprintable():
        raise GstError(f"the id '{cells['id']}' cannot name a file", where=where("id"))
    taxon = cells["taxon_id"]
    if taxon and not (taxon.isascii() and taxon.isdigit() and int(taxon)):
        raise GstError(f"'{taxon}' is not an NCBI taxon id", where=where("taxon_id"))
    name, clade = cells["scientific_name"] or None, cells["clade"] or None
    taxon_id = int(taxon) if taxon else None
    if cells["gff3"]:
        annotation = path.parent / cells["gff3"]
        genome = path.parent / cells["genome"] if cells["genome"] else None
        return plan_annotation(
            annotation,
            genome,
            output,
            format,
            scientific_name=name,
            taxon_id=taxon_id,
            clade=clade,
            id=cells["id"],
        )
    fasta = "-" if cells["fasta"] == "-" else str(path.parent / cells["fasta"])
    target = _output(cells["id"], fasta, output, format)
    return Job(cells["id"], fasta, name, taxon_id, clade, target)


def _output(id: str, fasta: str, output: str | None, format: str) -> str:
    """Where a genome's result goes."""
    if output is None:
        if fasta == "-" or is_descriptor(fasta):
            return "-"
        if Path(fasta).name in ("", ".."):
            raise GstError("is a folder", where=fasta, hint="name a FASTA file")
        extension = "csv" if format == "tsv" else format  # the original's table is called .csv
        return str(Path(fasta).with_name(f"{stem(fasta)}_symbols.{extension}"))
    return str(Path(output) / f"{id}.{format}") if is_folder(output) else output


def _checked(jobs: list[Job], output: str | None) -> list[Job]:
    """Refuse to write one result over another."""
    shared = output is not None and not is_folder(output)
    if shared and len(jobs) > 1 and any(job.annotated for job in jobs):
        raise GstError(
            "annotations of several genomes cannot be one file",
            where=output,
            hint="give a folder as output, its name ending with a slash",
        )
    seen: dict[str, str] = {}
    for job in jobs:
        if not shared and job.output in seen:
            raise GstError(
                f"the results of {seen[job.output]} and {job.fasta} would be the same file",
                where=job.output,
                hint="rename one, or give --output",
            )
        seen[job.output] = job.fasta
    for job in jobs:
        if job.fasta == "-" and sys.stdin is None:
            raise GstError("is closed", where="standard input", hint="name a FASTA file")
    if sum(job.fasta == "-" for job in jobs) > 1:
        raise GstError("standard input can be read only once", where="--sequences_fasta -")
    return jobs
