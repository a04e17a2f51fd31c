"""Which external database a symbol belongs to, and under which accession.

Results name a symbol's source as Ensembl displays it; ``external_db`` has
another name for it. Both lists below are those of Ensembl's production loader.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gst_core.errors import GstError
from gst_core.vocabulary import Vocabulary

#: source of a symbol -> ``external_db.db_name``
DB_NAMES = {
    "Clone-based (Ensembl) gene": "Clone_based_ensembl_gene",
    "FlyBase annotation": "flybase_annotation_id",
    "FlyBase gene name": "FlyBaseName_gene",
    "HGNC Symbol": "HGNC",
    "MGI Symbol": "MGI",
    "NCBI gene (formerly Entrezgene)": "EntrezGene",
    "RGD Symbol": "RGD",
    "SGD gene name": "SGD_GENE",
    "UniProtKB Gene Name": "Uniprot_gn",
    "VGNC Symbol": "VGNC",
    "WormBase Gene Sequence-name": "wormbase_gseqname",
    "WormBase Locus": "wormbase_locus",
    "Xenbase": "Xenbase",
    "ZFIN": "ZFIN_ID",
}

#: where an accession is sought, in this order, if the source's own has none
PRIORITY = (
    "HGNC",
    "MGI",
    "ZFIN_ID",
    "RGD",
    "Xenbase",
    "SGD_GENE",
    "wormbase_gseqname",
    "wormbase_locus",
    "FlyBaseName_gene",
    "flybase_annotation_id",
    "VGNC",
    "EntrezGene",
    "Uniprot_gn",
    "Clone_based_ensembl_gene",
)


@dataclass(frozen=True, slots=True)
class Accession:
    """A primary accession and the database it is one of (``external_db.db_name``)."""

    db_name: str
    accession: str


class Accessions:
    """The accessions known of each symbol."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = defaultdict(dict)

    def add(self, symbol: str, db_name: str, accession: str) -> None:
        """Add an accession; a symbol's first in a database stays."""
        self._known[symbol].setdefault(db_name, accession)

    def add_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Add those that a model brings along."""
        for symbol in vocabulary:
            db_name = DB_NAMES.get(symbol.source)
            if db_name is not None and symbol.accession:
                self.add(symbol.symbol, db_name, symbol.accession)

    def add_file(self, path: Path) -> None:
        """Add those of a primary ids file: symbol, ``db_name`` and accession, tab-separated.

        Raises
        ------
        GstError
            If a line does not have these three, naming the line.
        """
        for number, line in _lines(path):
            fields = line.split("\t")
            if len(fields) != 3 or not all(fields) or not fields[2].isprintable():
                raise GstError(
                    "is not a symbol, a database and an accession, separated by tabs",
                    where=f"{path}, line {number}",
                    hint="mend the line",
                )
            self.add(*fields)

    def find(self, symbol: str, source: str, accession: str = "") -> Accession | None:
        """Return the accession to store for a symbol.

        Parameters
        ----------
        symbol
            The symbol.
        source
            Its source as results name it.
        accession
            Its accession at that source, where the result says so itself.

        Returns
        -------
        accession
            The source's own, else the first by :data:`PRIORITY`; None if there
            is none.
        """
        known = self._known.get(symbol, {})
        own = DB_NAMES.get(source)
        if own is not None and accession:
            return Accession(own, accession)
        for db_name in (own, *PRIORITY):
            if db_name is not None and db_name in known:
                return Accession(db_name, known[db_name])
        return None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise GstError("is not UTF-8 text", where=str(path), hint="convert it") from error
