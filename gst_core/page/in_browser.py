"""What the page does in Python: it reads and writes files; its own code names the proteins.

It runs in Pyodide, where there is neither numpy nor a model.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

from gst_core.annotation import choose_names, read_annotation, translate_genes, write_annotation
from gst_core.annotation.genes import Gene
from gst_core.annotation.naming import Outcome
from gst_core.assignment import Assignment, Evidence
from gst_core.clades import CLADES
from gst_core.errors import GstError
from gst_core.results.table import TableWriter
from gst_core.sequences import Protein, ReadStatistics, proteins_from, read_proteins
from gst_core.styles import Style, styled
from gst_core.taxonomy import resolve
from gst_core.vocabulary import Symbol

#: Proteins and residues that are handed over together.
MOST_PROTEINS: Final = 64
MOST_RESIDUES: Final = 32_000
#: Candidates of a protein that are kept.
CANDIDATES: Final = 3


def species(text: str) -> str:
    """Find a species by name or NCBI taxon id.

    Returns
    -------
    found
        JSON: ``clade``, ``genus`` and ``note``, or ``error``. Without a text all are null.
    """
    text = text.strip()
    if not text:
        return json.dumps({"clade": None, "genus": None, "note": "no species: without a clade"})
    if text.lower() in CLADES:
        return json.dumps({"clade": text.lower(), "genus": None, "note": "a clade, as given"})
    try:
        taxon = resolve(text)
    except GstError as error:
        return json.dumps({"error": str(error)})
    return json.dumps({"clade": taxon.clade, "genus": taxon.genus, "note": taxon.note})


class Run:
    """One file on its way through the page.

    Parameters
    ----------
    path
        Proteins (FASTA), or an annotation (GFF3 or GTF) by its name.
    genome
        Of an annotation: FASTA of its genome; empty where it follows in the annotation.
    symbols
        Vocabulary of the model, JSON lists by name.
    clade
        Of the species; empty where unknown.
    style
        Case of the symbols.

    Raises
    ------
    GstError
        If the file cannot be read, or is neither.
    """

    def __init__(self, path: str, genome: str, symbols: str, clade: str, style: str) -> None:
        if style not in get_args(Style):
            raise GstError(f"there is no symbol style '{style}'")
        columns = json.loads(symbols)
        names = ("symbol", "description", "source", "accession")
        self._symbols = [Symbol(*row) for row in zip(*(columns[n] for n in names), strict=True)]
        self._clade, self._style = clade or None, style
        self._statistics = ReadStatistics()
        self._genes: list[Gene] = []
        self._assignments: list[Assignment] = []
        self._annotation = read_annotation(Path(path)) if is_annotation(path) else None
        self._table = io.StringIO()
        self._writer = TableWriter(self._table, top_k=CANDIDATES)
        self._waiting: list[list[Protein]] = []
        if self._annotation is None:
            proteins = read_proteins(path, name=Path(path).name, statistics=self._statistics)
        else:
            pairs = self._translated(Path(genome) if genome else None)
            proteins = proteins_from(pairs, statistics=self._statistics)
        self._proteins = iter(proteins)

    def _translated(self, genome: Path | None) -> Iterator[tuple[str, str]]:
        assert self._annotation is not None
        for gene, protein in translate_genes(self._annotation, genome, self._clade):
            self._genes.append(gene)
            yield gene.id, protein

    def next(self) -> list[bytes]:
        """Give the residues of the next proteins; none after the last."""
        batch: list[Protein] = []
        residues = 0
        for protein in self._proteins:
            batch.append(protein)
            residues += len(protein.residues)
            if len(batch) >= MOST_PROTEINS or residues >= MOST_RESIDUES:
                break
        if batch:
            self._waiting.append(batch)
        return [protein.residues for protein in batch]

    def add(self, named: str) -> str:
        """Take what the oldest batch was named.

        Parameters
        ----------
        named
            JSON: for each protein its ``candidates``, ``[class, probability]``, best first, and its
            ``evidence``, as the page's code has it, or null.

        Returns
        -------
        rows
            JSON: id, symbol, probability, description, source and other candidates of each.
        """
        batch = self._waiting.pop(0)
        assignments = [
            Assignment(
                protein.stable_id,
                tuple((self._symbols[n], p) for n, p in one["candidates"][:CANDIDATES])
                or ((Symbol(""), 0.0),),
                len(protein.residues),
                _evidence(one["evidence"]),
                protein.gene,
            )
            for protein, one in zip(batch, json.loads(named), strict=True)
        ]
        rows: list[list[Any]] = []
        for assignment in styled(assignments, self._clade, self._style):  # type: ignore[arg-type]
            self._writer.write(assignment)
            if self._annotation is not None:
                self._assignments.append(assignment)
            best = assignment.best
            others = (f"{s.symbol} {p:.2f}" for s, p in assignment.candidates[1:] if p >= 0.005)
            rows.append(
                [
                    *(assignment.stable_id, best.symbol, assignment.probability),
                    *(best.description, best.source, " ".join(others)),
                ]
            )
        return json.dumps(rows)

    def warnings(self) -> str:
        """Say what was odd about the file, JSON."""
        annotated = self._annotation.warnings() if self._annotation else []
        return json.dumps([*self._statistics.warnings(), *annotated])

    def table(self) -> str:
        """Give the result table."""
        return self._table.getvalue()

    def annotate(self, target: str, threshold: float, overwrite: bool, model: str) -> str:
        """Write the annotation with its new names; say what became of its genes.

        Parameters
        ----------
        target
            File to write.
        threshold, overwrite
            As for :func:`gst_core.annotation.choose_names`.
        model
            Name and version.
        """
        assert self._annotation is not None
        known = {symbol.symbol.casefold() for symbol in self._symbols}
        named = choose_names(
            zip(self._genes, self._assignments, strict=True),
            threshold=threshold,
            is_symbol=lambda text: text.casefold() in known,
            overwrite=overwrite,
        )
        write_annotation(self._annotation, named, target, model)
        outcomes = Counter(one.outcome for one in named)
        return f"{outcomes[Outcome.NAMED]:,} of {len(named):,} genes named"


def _evidence(shown: dict[str, Any] | None) -> Evidence | None:
    if shown is None:
        return None
    return Evidence(
        shown["reference"],
        shown["identity"],
        shown["queryCoverage"],
        shown["referenceCoverage"],
        tuple(shown["equals"]),
    )


def is_annotation(path: str | Path) -> bool:
    """Tell an annotation from FASTA by its name: ``.gff``, ``.gff3`` or ``.gtf``, then ``.gz``."""
    suffixes = Path(path).suffixes[-2:]
    return bool({".gff", ".gff3", ".gtf"} & {suffix.lower() for suffix in suffixes})
