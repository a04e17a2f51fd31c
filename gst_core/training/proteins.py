"""Labelled proteins: FASTA whose headers name species and gene, and tables of ``gst dataset``."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from Bio.SeqIO.FastaIO import SimpleFastaParser
from numpy.typing import NDArray

from gst_core.clades import CLADES, VERTEBRATE_CLADES
from gst_core.errors import GstError
from gst_core.sequences import encode
from gst_core.sequences.streams import open_blocks
from gst_core.taxonomy import Taxon, load_taxonomy

#: UniProt's ``GN=``, and the ``gene_symbol:`` of the human RefSeq set.
_GENE: Final = re.compile(r"(?:GN=|gene_symbol:)(\S+)")
_TAXON: Final = re.compile(r"OX=(\d+)")
#: The accession of a UniProt or a RefSeq header.
_ACCESSION: Final = re.compile(r"(?:(?:sp|tr)\|([^|]+)\||([ANXWY]P_\d+(?:\.\d+)?)(?!\S))")
#: The protein's name: after the id, before ``OS=`` (UniProt) or the species (RefSeq).
_NAME: Final = re.compile(
    r"\S+\s+(?!O[SX]=|GN=|\[)(.+?)\s+(?:OS=|OX=|GN=|(?:\[[^]]*\]\s+)?gene_symbol:|\[[^]]*\]\s+OX=)"
)


@dataclass(frozen=True, slots=True)
class LabelledProtein:
    """A protein with the gene symbol that its database gives it.

    Attributes
    ----------
    accession
        UniProt or RefSeq accession; empty for proteins of other databases.
    codes
        Residue codes, uint8, at least one.
    symbol
        In the capitalisation of the database.
    taxon
        The species.
    name
        The protein's name, where the header has it; the gene's description in tables.
    source, source_accession
        The committee that gave the symbol and its id for the gene, where a table says so.
    """

    accession: str
    codes: NDArray[np.uint8]
    symbol: str
    taxon: Taxon
    name: str = ""
    source: str = ""
    source_accession: str = ""

    @property
    def key(self) -> str:
        """The form in which symbols are compared: without regard to case."""
        return self.symbol.upper()


def clade_indices(proteins: Iterable[LabelledProtein]) -> NDArray[np.int64]:
    """Clade index of each protein's species; the number of clades where it has none."""
    clades = [CLADES.index(p.taxon.clade) if p.taxon.clade else len(CLADES) for p in proteins]
    return np.array(clades, dtype=np.int64)


def require_genera(genera: Iterable[str], proteins: Iterable[LabelledProtein]) -> None:
    """Make sure that each genus has a protein.

    Raises
    ------
    GstError
        If one has none.
    """
    there = {protein.taxon.genus for protein in proteins}
    for genus in genera:
        if genus not in there:
            raise GstError(
                f"no protein is of the genus '{genus}'", hint="give its scientific name, as Bos"
            )


#: Genera of the clade that are left out though the table knows their species: tunicates and
#: lancelets with a genome; and hagfishes, which stood outside of Vertebrata when the protocol of
#: the benchmark was published.
_NO_VERTEBRATES = frozenset(
    (
        "Eptatretus",
        "Myxine",
        "Neomyxine",
        "Notomyxine",
        "Paramyxine",
        "Rubicundus",
        "Ciona",
        "Branchiostoma",
        "Styela",
        "Oikopleura",
        "Phallusia",
        "Halocynthia",
        "Botryllus",
        "Asymmetron",
        "Salpa",
        "Molgula",
        "Didemnum",
        "Clavelina",
        "Ascidia",
        "Corella",
        "Thalia",
    )
)


def is_vertebrate(taxon: Taxon) -> bool:
    """Whether a species is below Vertebrata in the NCBI taxonomy.

    The clade ``distant_vertebrate`` also holds tunicates, lancelets and hagfishes. They
    are told apart by what the table holds: of Vertebrata every species has a line of its
    own, elsewhere the genus answers for it; and by their genera where that does not tell.
    """
    if taxon.genus in _NO_VERTEBRATES:
        return False
    if taxon.clade == "distant_vertebrate":
        return taxon.exact and taxon.genus is not None and taxon.rank not in ("genus", "subgenus")
    return taxon.clade in VERTEBRATE_CLADES


def read_labelled(paths: Iterable[Path], *, vertebrates_only: bool = True) -> list[LabelledProtein]:
    """Read FASTA files whose headers name species and gene, and datasets of ``gst dataset``.

    Parameters
    ----------
    paths
        FASTA files, plain or compressed, with ``OX=<taxon id>`` and ``GN=<symbol>``
        (UniProt) or ``gene_symbol:<symbol>`` in the headers; Parquet tables of datasets, or
        their folders. Records without a gene or without residues are left out.
    vertebrates_only
        Leave out all other species.

    Returns
    -------
    proteins
        In the order of the files.

    Raises
    ------
    GstError
        If a file cannot be read, a header names a gene but no species or a species that
        the taxonomy does not know, or no protein is left.
    """
    taxa = _Taxa()
    paths = list(paths)
    proteins = [
        protein
        for path in paths
        for protein in (_of_table if path.is_dir() or _is_parquet(path) else _of_fasta)(path, taxa)
        if not vertebrates_only or is_vertebrate(protein.taxon)
    ]
    if not proteins:
        raise GstError(
            "no protein with a gene symbol" + (" of a vertebrate" if vertebrates_only else ""),
            where=", ".join(map(str, paths)),
            hint="headers need OX=<NCBI taxon id> and GN=<symbol>, as UniProt writes them",
        )
    return proteins


class _Taxa:
    """Species by their ids, each looked up once."""

    def __init__(self) -> None:
        self._taxonomy = load_taxonomy()
        self._found: dict[str, Taxon] = {}

    def get(self, taxon_id: str, where: str) -> Taxon:
        """Find a species; `where` is for the error if the taxonomy does not know it."""
        taxon = self._found.get(taxon_id)
        if taxon is None:
            try:
                taxon = self._found[taxon_id] = self._taxonomy.resolve(taxon_id)
            except GstError as error:
                raise GstError(error.what, where=where, hint=error.hint) from error
        return taxon


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


def _of_table(path: Path, taxa: _Taxa) -> Iterator[LabelledProtein]:
    # Only here: who trains on FASTA needs no pyarrow.
    from gst_core.dataset.table import read_rows, table_of

    columns = ("stable_id", "symbol", "description", "source", "accession", "database")
    for row in read_rows(table_of(path), (*columns, "taxon_id", "sequence")):
        yield LabelledProtein(
            # HGNC knows entries of UniProt and RefSeq, not proteins of Ensembl
            row["stable_id"] if row["database"] != "Ensembl" else "",
            encode(row["sequence"].encode("ascii", "replace")),
            row["symbol"],
            taxa.get(str(row["taxon_id"]), f"{path}, {row['stable_id']}"),
            row["description"],
            row["source"],
            row["accession"],
        )


def _of_fasta(path: Path, taxa: _Taxa) -> Iterator[LabelledProtein]:
    for record, (header, sequence) in enumerate(_records(path), 1):
        gene = _GENE.search(header)
        residues = sequence.upper().rstrip("*")
        if gene is None or not residues:
            continue
        where = f"{path}, record {record:,} ({header.split(None, 1)[0]})"
        species = _TAXON.search(header)
        if species is None:
            raise GstError(
                "the header names a gene but no species",
                where=where,
                hint="add OX=<NCBI taxon id>",
            )
        accession, name = _ACCESSION.match(header), _NAME.match(header)
        yield LabelledProtein(
            (accession[1] or accession[2]) if accession else "",
            encode(residues.encode("ascii", "replace")),
            gene[1],
            taxa.get(species[1], where),
            name[1] if name else "",
        )


class _Bytes(io.RawIOBase):
    """Blocks as a file object, for parsers that want one."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            self._left = memoryview(next(self._blocks, b""))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def _records(path: Path) -> Iterator[tuple[str, str]]:
    """Headers and sequences of a FASTA file."""
    with open_blocks(path, str(path)) as blocks:
        text = io.TextIOWrapper(
            io.BufferedReader(_Bytes(blocks)), encoding="utf-8", errors="replace"
        )
        yield from SimpleFastaParser(text)  # type: ignore[no-untyped-call]
