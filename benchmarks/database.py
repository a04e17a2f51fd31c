"""Times gst db on a generated core database, beside the row-by-row way.

    python benchmarks/database.py --url mysql://user@host/empty_database --genes 25000

The genome is made of proteins that are known before, so that the dump can be
compared with them. The row-by-row way sends the statements that Ensembl's
production programs send, gene by gene and each committed by itself.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from Bio.Data import CodonTable
from sqlalchemy import Connection, text

from gst_core.annotation.translate import reverse_complement
from gst_core.cli.main import gst
from gst_core.ensembl.connect import Address, open_database, parse_address
from gst_core.ensembl.table_files import create_database

RESIDUES = 400
EXONS = 9
INTRON = 300
SPACE = 1000
GENES_A_CHROMOSOME = 1000
#: genes timed row by row; the rest would take as long each
ROW_BY_ROW = 1000

_CODONS = CodonTable.unambiguous_dna_by_id[1].back_table


class Genome:
    """A genome's table files, and the proteins that must come out of it."""

    def __init__(self, folder: Path, genes: int) -> None:
        self.folder = folder
        self.proteins: dict[str, str] = {}
        self._random = random.Random(7)
        self._noise = "".join(self._random.choices("ACGT", k=1_000_000))
        self._tables: dict[str, list[tuple[Any, ...]]] = {}
        self._add(
            "coord_system", 1, 1, "primary_assembly", "G1", 1, "default_version,sequence_level"
        )
        self._add("meta", 1, 1, "species.production_name", "generata_benchmarki")
        self._add("analysis", 1, r"\N", "ensembl", *[r"\N"] * 11)
        self._add(
            "external_db",
            1100,
            "HGNC",
            r"\N",
            "KNOWNXREF",
            100,
            "HGNC Symbol",
            "MISC",
            *[r"\N"] * 3,
        )
        for first in range(0, genes, GENES_A_CHROMOSOME):
            self._chromosome(
                first // GENES_A_CHROMOSOME + 1, first, min(first + GENES_A_CHROMOSOME, genes)
            )
        for table, rows in self._tables.items():
            with (folder / f"{table}.txt").open("w") as file:
                file.writelines("\t".join(map(str, row)) + "\n" for row in rows)

    def write_assignments(self, path: Path) -> None:
        """Write a symbol for every gene, as gst_assign would."""
        with path.open("w") as file:
            file.write("stable_id\tsymbol\tprobability\tdescription\tsource\taccession\n")
            for number, gene in enumerate(self.proteins):
                file.write(
                    f"{gene}.1\tSYM{number}\t0.{9000 + number % 999}\tbenchmark protein {number}\t"
                    f"HGNC Symbol\tHGNC:{number + 1}\n"
                )

    def _add(self, table: str, *row: Any) -> None:
        self._tables.setdefault(table, []).append(row)

    def _chromosome(self, region: int, first: int, last: int) -> None:
        pieces: list[str] = []
        position = 1
        for gene in range(first, last):
            pieces.append(self._stretch(SPACE))
            position += SPACE
            piece = self._gene(gene + 1, region, position)
            pieces.append(piece)
            position += len(piece)
        self._add("seq_region", region, f"chromosome{region}", 1, position - 1)
        self._add("dna", region, "".join(pieces))

    def _gene(self, number: int, region: int, start: int) -> str:
        protein = "M" + "".join(self._random.choices("ACDEFGHIKLMNPQRSTVWY", k=RESIDUES - 1))
        coding = "".join(_CODONS[residue] for residue in protein) + "TAA"
        cuts = sorted(self._random.sample(range(1, len(coding)), EXONS - 1))
        exons = [coding[a:b] for a, b in zip([0, *cuts], [*cuts, len(coding)], strict=True)]
        introns = [self._stretch(INTRON) for _ in exons[1:]] + [""]
        strand = self._random.choice((1, -1))
        length = sum(map(len, exons)) + sum(map(len, introns))
        offset = 0
        for rank, (exon, intron) in enumerate(zip(exons, introns, strict=True), start=1):
            left = start + offset if strand > 0 else start + length - offset - len(exon)
            exon_id = (number - 1) * EXONS + rank
            phase = sum(map(len, exons[: rank - 1])) % 3
            self._add("exon", exon_id, region, left, left + len(exon) - 1, strand, phase, 0, 1, 0,
                      f"EXON{exon_id}", 1, r"\N", r"\N")  # fmt: skip
            self._add("exon_transcript", exon_id, number, rank)
            offset += len(exon) + len(intron)
        name = f"BENG{number:011d}"
        self.proteins[name] = protein
        place = (region, start, start + length - 1, strand)
        self._add("gene", number, "protein_coding", 1, *place, r"\N", "ensembl", r"\N", 1, number,
                  name, 1, r"\N", r"\N")  # fmt: skip
        self._add("transcript", number, number, 1, *place, r"\N", "ensembl", "protein_coding",
                  r"\N", 1, number, f"BENT{number:011d}", 1, r"\N", r"\N")  # fmt: skip
        self._add("translation", number, number, 1, (number - 1) * EXONS + 1, len(exons[-1]),
                  number * EXONS, f"BENP{number:011d}", 1, r"\N", r"\N")  # fmt: skip
        sequence = "".join(e + i for e, i in zip(exons, introns, strict=True))
        return sequence if strand > 0 else reverse_complement(sequence)

    def _stretch(self, length: int) -> str:
        start = self._random.randrange(len(self._noise) - length)
        return self._noise[start : start + length]


def load_row_by_row(address: Address, assignments: Path, genes: int) -> None:
    """Load symbols as production does: some statements a gene, each its own transaction."""
    engine = open_database(address, "write").execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO analysis (logic_name) VALUES ('row_by_row')"))
        for row in _rows(assignments, genes):
            _load_row(connection, *row)


def _load_row(
    connection: Connection, gene: str, symbol: str, p: str, description: str, _: str, accession: str
) -> None:
    def run(statement: str, **values: Any) -> Any:
        return connection.execute(text(statement), values)

    gene_id = run(
        "SELECT gene_id FROM gene LEFT JOIN xref ON display_xref_id = xref_id "
        "WHERE stable_id = :name AND is_current = 1", name=gene.partition(".")[0]
    ).scalar()  # fmt: skip
    source = run("SELECT external_db_id FROM external_db WHERE db_name = 'HGNC'").scalar()
    run(
        "INSERT INTO xref (external_db_id, dbprimary_acc, display_label, version, description, "
        "info_type, info_text) "
        "VALUES (:source, :accession, :symbol, '0', :description, 'NONE', '')",
        source=source, accession=f"R{accession}", symbol=symbol, description=description,
    )  # fmt: skip
    xref_id = run(
        "SELECT xref_id FROM xref WHERE dbprimary_acc = :accession", accession=f"R{accession}"
    ).scalar()
    analysis = run("SELECT analysis_id FROM analysis WHERE logic_name = 'row_by_row'").scalar()
    run(
        "INSERT INTO object_xref (ensembl_id, ensembl_object_type, xref_id, analysis_id) "
        "VALUES (:gene, 'Gene', :xref, :analysis)", gene=gene_id, xref=xref_id, analysis=analysis
    )  # fmt: skip
    run(
        "UPDATE gene SET display_xref_id = :xref, description = :description WHERE gene_id = :gene",
        xref=xref_id, gene=gene_id,
        description=f"{description} [Ensembl NN prediction with score {100 * float(p):.15g}%]",
    )  # fmt: skip


def dump_row_by_row(address: Address, genes: int) -> None:
    """Read proteins' parts as the Ensembl API does: some statements a gene, one an exon."""
    with open_database(address).connect() as connection:
        for gene in range(1, genes + 1):
            transcript = connection.execute(
                text("SELECT canonical_transcript_id FROM gene WHERE gene_id = :gene"),
                {"gene": gene},
            ).scalar()
            exons = connection.execute(
                text(
                    "SELECT seq_region_id, seq_region_start, seq_region_end FROM exon "
                    "JOIN exon_transcript USING (exon_id) WHERE transcript_id = :transcript "
                    "ORDER BY `rank`"
                ),
                {"transcript": transcript},
            ).all()
            connection.execute(
                text("SELECT * FROM translation WHERE transcript_id = :transcript"),
                {"transcript": transcript},
            ).all()
            for region, start, end in exons:
                connection.execute(
                    text(
                        "SELECT SUBSTR(sequence, :start, :length) FROM dna "
                        "WHERE seq_region_id = :region"
                    ),
                    {"start": start, "length": end - start + 1, "region": region},
                ).scalar()


def _rows(assignments: Path, genes: int) -> Iterator[list[str]]:
    with assignments.open() as file:
        next(file)
        for _, line in zip(range(genes), file, strict=False):
            yield line.rstrip("\n").split("\t")


def _timed(what: str, genes: int, work: Callable[[], Any]) -> None:
    start, processor = time.perf_counter(), time.process_time()
    work()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    click.echo(f"{what}\t{genes}\t{seconds:.2f}\t{processor:.2f}\t{genes / seconds:.0f}", err=True)


@click.command()
@click.option("--url", required=True, help="An empty database, or a new SQLite file.")
@click.option("--genes", default=25_000, show_default=True)
def main(url: str, genes: int) -> None:
    """Time all commands; the table goes to standard error, seconds of our processor beside them."""
    address = parse_address(url)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        genome = Genome(folder, genes)
        assignments, proteins = folder / "symbols.tsv", folder / "proteins.fa"
        genome.write_assignments(assignments)

        def run(*arguments: str | Path) -> None:
            command = ["db", arguments[0], "--url", url, *arguments[1:], "--quiet"]
            gst.main(list(map(str, command)), standalone_mode=False)

        click.echo("what\tgenes\tseconds\tprocessor\tgenes/s", err=True)
        _timed("create", genes, lambda: create_database(open_database(address, "create"), folder))
        _timed("dump", genes, lambda: run("dump", "--output", proteins))
        found = proteins.read_text().split(">")[1:]
        dumped = {r.partition(".")[0]: r.split("\n")[1] for r in found}
        if dumped != genome.proteins:
            raise click.ClickException("the dump differs from the proteins the genome was made of")
        few = min(genes, ROW_BY_ROW)
        _timed("dump, row by row", few, lambda: dump_row_by_row(address, few))
        _timed("load", genes, lambda: run("load", "--symbol_assignments", assignments))
        _timed("load again", genes, lambda: run("load", "--symbol_assignments", assignments))
        _timed(
            "check",
            genes,
            lambda: gst.main(
                ["db", "check", "--url", url, "--format", "json"], standalone_mode=False
            ),
        )
        _timed("unload", genes, lambda: run("unload"))
        _timed("load, row by row", few, lambda: load_row_by_row(address, assignments, few))


if __name__ == "__main__":
    main()
