"""Results as one JSON document, streamed."""

from __future__ import annotations

import json
from typing import Any, Final, TextIO

from gst_core import __version__
from gst_core.assignment import Assignment, Evidence
from gst_core.results.provenance import Genome, ModelInfo
from gst_core.results.table import DECIMALS, SHARE_DECIMALS

#: Raised when a reader of the present version would misread the document.
DOCUMENT_VERSION: Final = 1


class DocumentWriter:
    """Write genomes and their assignments as one JSON object to an open text stream.

    The shape never depends on the number of genomes or candidates; each
    assignment is one line, so that memory stays flat here and line tools work
    on the file. See ``docs/results.md`` for the fields.

    Parameters
    ----------
    stream
        Open for text.
    model
        What the results were made with.
    top_k
        The most candidates of an assignment to write.
    evidence
        Say of each protein what speaks for its best symbol; ``null`` where nothing does.
    settled
        Say what became of a symbol that several genes of the genome claim.
    """

    def __init__(
        self,
        stream: TextIO,
        model: ModelInfo,
        *,
        top_k: int = 1,
        evidence: bool = False,
        settled: bool = False,
    ) -> None:
        self._stream = stream
        self._top_k = top_k
        self._evidence = evidence
        self._settled = settled
        self._genomes = 0
        self._assignments = 0
        head = {
            "format": "gst.assignments",
            "version": DOCUMENT_VERSION,
            "program": {"name": "gst_assign", "version": __version__},
            "model": {"name": model.name, "version": model.version},
        }
        # the closing brace comes last, after the genomes
        stream.write(f'{_dump(head)[:-1]},\n"genomes":[')

    def begin(self, genome: Genome) -> None:
        """Open the next genome."""
        head = {
            "id": genome.id,
            "scientific_name": genome.scientific_name or None,
            "taxon_id": genome.taxon_id,
            "clade": genome.clade,
        }
        separator = ",\n" if self._genomes else "\n"
        self._stream.write(f'{separator}{_dump(head)[:-1]},"assignments":[')
        self._genomes += 1
        self._assignments = 0

    def write(self, assignment: Assignment) -> None:
        """Add one protein to the open genome; one without a symbol has no candidates."""
        record: dict[str, Any] = {
            "stable_id": assignment.stable_id,
            "length": assignment.length,
            "candidates": [
                {
                    "symbol": symbol.symbol,
                    "probability": round(float(probability), DECIMALS),
                    "description": symbol.description,
                    "source": symbol.source,
                    "accession": symbol.accession,
                }
                for symbol, probability in assignment.candidates[: self._top_k]
                if symbol.symbol
            ],
        }
        if self._evidence:
            record["evidence"] = _evidence(assignment.evidence)
        if self._settled:
            record["settled"] = assignment.settled
        self._stream.write((",\n" if self._assignments else "\n") + _dump(record))
        self._assignments += 1

    def end(self) -> None:
        """Close the open genome."""
        self._stream.write("\n]}" if self._assignments else "]}")

    def close(self) -> None:
        """Complete the document; the stream stays open."""
        self._stream.write("\n]}\n")


def _evidence(evidence: Evidence | None) -> dict[str, str | float | list[str]] | None:
    if evidence is None:
        return None
    return {
        "reference": evidence.reference,
        "identity": round(float(evidence.identity), SHARE_DECIMALS),
        "query_coverage": round(float(evidence.query_coverage), SHARE_DECIMALS),
        "reference_coverage": round(float(evidence.reference_coverage), SHARE_DECIMALS),
        "fits_equally": list(evidence.equals),
    }


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
