"""An annotation as it was, with the names of its genes put in."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from gst_core.annotation.genes import Annotation
from gst_core.annotation.lines import FASTA, numbered_lines, with_attributes
from gst_core.annotation.naming import Named, Outcome
from gst_core.errors import GstError
from gst_core.files import atomic_write, named_when_full
from gst_core.results.table import format_probability

_GENE_ID: Final = re.compile(rb'(?:^|[\t; ])gene_id\s+"?([^";]+)"?')
#: How a name says which format a file has; ``.gff`` may be either.
_ENDING: Final = re.compile(r"\.(gff3|gtf)(?:\.b?gz)?$")


def write_annotation(
    annotation: Annotation, named: Iterable[Named], target: str | Path, model: str
) -> None:
    """Write the annotation with its new names; every other byte stays as it is.

    A gene of GFF3 gets ``Name``, where the file has them ``gene``, and ``description`` where it has
    none, and a ``Note`` on whose word; a gene of GTF gets ``gene_name`` on each of its lines.
    Every gene above the threshold gets ``gst_symbol``, ``gst_probability`` and, where the model
    knows one, ``gst_reference``, also where it keeps the name that it has.

    Parameters
    ----------
    annotation
        What was read.
    named
        Its genes with what becomes of their symbols.
    target
        File to write, compressed as its name says (``.gz`` and ``.bgz``: bgzip, which tabix can
        index); ``-`` is standard output.
    model
        Name and version of the model, for the ``Note``.

    Raises
    ------
    GstError
        If the file cannot be written, or its name is that of the other format.
    """
    check_named_as_it_is(annotation, target)
    changes: dict[int, tuple[dict[str, str], dict[str, str]]] = {}
    names: dict[bytes, str] = {}
    for one in named:
        if one.outcome is Outcome.BELOW_THRESHOLD:
            continue
        change = _change(annotation, one, model)
        changes.update(dict.fromkeys(one.gene.lines, change))
        if one.outcome is Outcome.NAMED:
            names[one.gene.id.encode()] = one.assignment.symbol
    with _opened(target) as stream:
        if annotation.dialect == "gff3":
            _write_gff3(annotation, changes, stream)
        else:
            _write_gtf(annotation, changes, names, stream)


def check_named_as_it_is(annotation: Annotation, target: str | Path) -> None:
    """Make sure that GFF3 is not written under the name of GTF, nor the other way round.

    A name of the source's own ending is left to its owner.

    Raises
    ------
    GstError
        If it would be.
    """
    ending, own = (_ENDING.search(str(path).lower()) for path in (target, annotation.path))
    if ending is None or ending[1] == annotation.dialect or (own and own[1] == ending[1]):
        return
    shown = {"gff3": "GFF3", "gtf": "GTF"}
    raise GstError(
        f"is named as {shown[ending[1]]}, and the annotation is {shown[annotation.dialect]}",
        where=str(target),
        hint="an annotation keeps its format; name the output as it is",
    )


def _change(
    annotation: Annotation, one: Named, model: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Give the attributes to add to a gene's lines, and those to replace."""
    best = one.assignment.best
    probability = format_probability(one.assignment.probability)
    replaced = {"gst_symbol": best.symbol, "gst_probability": probability}
    if one.assignment.evidence is not None:
        replaced["gst_reference"] = one.assignment.evidence.reference
    if one.outcome is not Outcome.NAMED:
        return {}, replaced
    first = {}
    if annotation.dialect == "gff3":
        first["Name"] = best.symbol
        if annotation.names_genes:
            first["gene"] = best.symbol
    if best.description and not one.gene.description:
        first["description"] = best.description
    note = f"symbol {best.symbol} by GST with {model}"
    return {"Note": note} if annotation.dialect == "gff3" else {}, first | replaced


def _write_gff3(
    annotation: Annotation,
    changes: dict[int, tuple[dict[str, str], dict[str, str]]],
    stream: IO[bytes],
) -> None:
    for number, line in numbered_lines(annotation.path):
        change = changes.get(number)
        stream.write(line if change is None else with_attributes(line, "gff3", *change))


def _write_gtf(
    annotation: Annotation,
    changes: dict[int, tuple[dict[str, str], dict[str, str]]],
    names: dict[bytes, str],
    stream: IO[bytes],
) -> None:
    """Write GTF, whose lines each repeat the name of their gene."""
    for number, line in numbered_lines(annotation.path):
        if not line.startswith((b"#", FASTA)):
            if change := changes.get(number):
                line = with_attributes(line, "gtf", *change)
            found = _GENE_ID.search(line)
            if found and (symbol := names.get(found[1])):
                line = with_attributes(line, "gtf", {}, {"gene_name": symbol})
        stream.write(line)


@contextlib.contextmanager
def _opened(target: str | Path) -> Iterator[IO[bytes]]:
    if str(target) == "-":
        with named_when_full("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with atomic_write(target, "wb") as file:
        if Path(target).suffix in {".gz", ".bgz"}:
            from Bio.bgzf import BgzfWriter

            writer: Any = BgzfWriter  # which has no types
            compressed = writer(fileobj=_Unclosed(file))
            yield compressed
            compressed.close()
        else:
            yield file


class _Unclosed:
    """A file that a writer may flush but not close: it is renamed first."""

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write
        self.flush = file.flush
        self.mode = "wb"

    def close(self) -> None:
        """Leave the file open."""
