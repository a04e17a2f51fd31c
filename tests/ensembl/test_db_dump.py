"""Proteins out of the human test database and out of small made-up ones."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

from gst_core.ensembl.assembly import Span
from gst_core.ensembl.connect import open_database, parse_address
from gst_core.ensembl.dna import DnaReader
from tests.ensembl.conftest import Gst
from tests.ensembl.mariadb import Server


def read_fasta(text: str) -> dict[str, tuple[str, str]]:
    """Return gene to (rest of the header, sequence)."""
    records = (record.partition("\n") for record in text.split(">")[1:])
    return {
        header.split(" ")[0]: (header.partition(" ")[2], sequence.replace("\n", ""))
        for header, _, sequence in records
    }


def table(folder: Path, name: str) -> Iterator[list[str]]:
    for line in (folder / f"{name}.txt").read_text(encoding="latin-1").splitlines():
        yield line.split("\t")


def derive_proteins(folder: Path) -> dict[str, str]:
    """Derive the proteins from the table files alone, base by base, with Biopython."""
    dna = {row[0]: row[1] for row in table(folder, "dna")}
    contigs = {row[0] for row in table(folder, "seq_region") if row[2] == "4"}
    assembly = [row for row in table(folder, "assembly") if row[1] in contigs]

    def base(region: str, position: int) -> str:
        for asm, contig, *numbers in assembly:
            start, end, contig_start, contig_end, orientation = map(int, numbers)
            if asm == region and start <= position <= end:
                if orientation == 1:
                    return dna[contig][contig_start + position - start - 1]
                return str(Seq(dna[contig][contig_end - (position - start) - 1]).complement())
        return dna[region][position - 1] if region in dna else "N"

    exons = {row[0]: row for row in table(folder, "exon")}
    ranks: dict[str, list[tuple[int, str]]] = {}
    for exon, transcript, rank in table(folder, "exon_transcript"):
        ranks.setdefault(transcript, []).append((int(rank), exon))
    translations = {row[1]: row for row in table(folder, "translation")}
    codes = {row[0]: int(row[2]) for row in table(folder, "seq_region_attrib") if row[1] == "17"}
    proteins = {}
    for gene in table(folder, "gene"):
        if gene[1] != "protein_coding":
            continue
        others = (row[0] for row in table(folder, "transcript") if row[1] == gene[0])
        transcript = next(t for t in (gene[11], *others) if t in translations)
        _, _, seq_start, first, seq_end, last = translations[transcript][:6]
        spliced, starts = "", {}
        for _, exon in sorted(ranks[transcript]):
            _, region, start, end, strand = exons[exon][:5]
            starts[exon] = len(spliced)
            forward = Seq("".join(base(region, p) for p in range(int(start), int(end) + 1)))
            spliced += str(forward if strand == "1" else forward.reverse_complement())
        coding = spliced[starts[first] + int(seq_start) - 1 : starts[last] + int(seq_end)]
        coding = "N" * max(0, int(exons[first][5])) + coding
        code = codes.get(gene[3], 1)
        protein = str(Seq(coding[: len(coding) // 3 * 3]).translate(code))
        if coding[:3] in unambiguous_dna_by_id[code].start_codons:
            protein = f"M{protein[1:]}"
        proteins[f"{gene[12]}.{gene[13]}"] = protein.removesuffix("*")
    return proteins


@pytest.fixture(scope="session")
def derived(core_tables: Path) -> dict[str, str]:
    return derive_proteins(core_tables)


def test_the_human_proteins_are_those_derived_otherwise(
    human_sqlite: Path, run_gst: Gst, derived: dict[str, str]
) -> None:
    result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}")
    assert result.exit_code == 0
    proteins = read_fasta(result.stdout)
    assert {gene: sequence for gene, (_, sequence) in proteins.items()} == derived
    assert len(proteins) == 22
    assert "22 proteins of 22 protein-coding genes" in result.stderr


def test_the_server_gives_the_same(
    human_sqlite: Path, human_mariadb: str, server: Server, run_gst: Gst, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("r3ader\n")
    output = tmp_path / "proteins.fa"
    url = server.url(human_mariadb, user="reader")
    result = run_gst(
        "db", "dump", "--url", url, "--password_file", password, "--output", output, "--quiet"
    )
    assert result.exit_code == 0, result.exception
    assert result.output == ""
    expected = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", "--quiet").stdout
    assert output.read_text() == expected


def test_known_proteins_of_the_same_genes(
    shared_data: Path, human_sqlite: Path, run_gst: Gst
) -> None:
    with gzip.open(shared_data / "proteins" / "human_refseq_one_per_gene.fasta.gz", "rt") as file:
        known = {
            record.description.partition("gene_symbol:")[2].split()[0]: str(record.seq)
            for record in SeqIO.parse(file, "fasta")
        }
    dumped = read_fasta(run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}").stdout)
    # HCK's translation starts at a CTG, and with methionine all the same.
    same = {
        "ENSG00000101336.1": "HCK",
        "ENSG00000126003.1": "PLAGL2",
        "ENSG00000101346.1": "POFUT1",
        "ENSG00000101350.1": "KIF3B",
        "ENSG00000088305.1": "DNMT3B",
        "ENSG00000101367.1": "MAPRE1",
    }
    assert {gene: dumped[gene][1] for gene in same} == {g: known[s] for g, s in same.items()}
    # These two are annotated with an incomplete start, and lie within the known protein.
    assert dumped["ENSG00000088356.1"][1].find(known["PDRG1"]) > 0
    assert dumped["ENSG00000101321.1"][1] in known["XKR7"]
    # Mitochondrial: read with another code, this gene would end at its first tryptophan.
    assert dumped["ENSG00000355555.1"][1].endswith("SLAYEWLQKGLDWAE")


def test_the_header_is_productions(human_sqlite: Path, run_gst: Gst) -> None:
    result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", "--quiet")
    first = result.stdout.splitlines()[0]
    assert first == (
        ">ENSG00000131044.1 transcript:ENST00000310998.1 translation:ENSP00000308980.1"
    )


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def dump_one(path: Path, gene: str, run_gst: Gst) -> tuple[str, str] | None:
    result = run_gst("db", "dump", "--url", f"sqlite:///{path}", "--quiet")
    assert result.exit_code == 0, result.exception
    return read_fasta(result.stdout).get(gene)


def test_another_transcript_steps_in_for_a_canonical_one_without_translation(
    human_sqlite: Path, run_gst: Gst
) -> None:
    change(
        human_sqlite,
        "UPDATE transcript SET canonical_translation_id = NULL WHERE transcript_id = 21716",
    )
    dumped = dump_one(human_sqlite, "ENSG00000131044.1", run_gst)
    assert dumped is not None
    assert dumped[0] == "transcript:ENST00000278995.1 translation:ENSP00000278995.1"


def test_a_gene_without_translation_is_counted(human_sqlite: Path, run_gst: Gst) -> None:
    change(
        human_sqlite, "UPDATE transcript SET canonical_translation_id = NULL WHERE gene_id = 18257"
    )
    result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}")
    assert "ENSG00000174873" not in result.stdout
    assert "21 proteins of 22 protein-coding genes; 1 without a translation" in result.stderr


@pytest.mark.parametrize(
    ("attribute", "table", "owner", "value", "start"),
    [
        ("_selenocysteine", "translation", 21723, "3 3 U", "MGU"),
        ("amino_acid_sub", "translation", 21723, "2 3 PP", "MPP"),
        ("initial_met", "translation", 21720, "1 1 M", "MLF"),
        # The coding sequence begins at base 172; ATG GGG becomes ATG TAT GGG.
        ("_rna_edit", "transcript", 21723, "175 174 TAT", "MYG"),
        # A base less in front of it moves it along.
        ("_rna_edit", "transcript", 21723, "1 1", "MGG"),
    ],
)
def test_attributes_edit_the_sequence(
    human_sqlite: Path,
    run_gst: Gst,
    attribute: str,
    table: str,
    owner: int,
    value: str,
    start: str,
) -> None:
    change(
        human_sqlite,
        f"INSERT INTO attrib_type (code, name) SELECT '{attribute}', '' "
        f"WHERE NOT EXISTS (SELECT 1 FROM attrib_type WHERE code = '{attribute}')",
        f"INSERT INTO {table}_attrib SELECT {owner}, attrib_type_id, '{value}' "
        f"FROM attrib_type WHERE code = '{attribute}'",
    )
    gene = {21723: "ENSG00000101336.1", 21720: "ENSG00000101321.1"}[owner]
    dumped = dump_one(human_sqlite, gene, run_gst)
    assert dumped is not None
    assert dumped[1].startswith(start)


def test_a_translation_in_foreign_exons_is_an_error(human_sqlite: Path, run_gst: Gst) -> None:
    change(human_sqlite, "UPDATE translation SET end_exon_id = 1 WHERE translation_id = 21723")
    result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", "--quiet")
    assert "transcript ENST00000262651" in str(result.exception)


def test_an_interrupted_dump_leaves_no_file(
    human_sqlite: Path, run_gst: Gst, tmp_path: Path
) -> None:
    change(human_sqlite, "UPDATE translation SET end_exon_id = 1 WHERE translation_id = 21740")
    output = tmp_path / "proteins.fa"
    run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", "--output", output)
    assert not output.exists()


class TestSpecies:
    def test_one_of_several_must_be_chosen(self, human_sqlite: Path, run_gst: Gst) -> None:
        self.add_species(human_sqlite)
        result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}")
        assert "2 species" in str(result.exception)
        assert "homo_sapiens, pan_troglodytes" in str(result.exception)

    @pytest.mark.parametrize("option", [("--species", "pan_troglodytes"), ("--species_id", "2")])
    def test_only_its_genes_are_dumped(
        self, human_sqlite: Path, run_gst: Gst, option: tuple[str, str]
    ) -> None:
        self.add_species(human_sqlite)
        result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", *option, "--quiet")
        assert list(read_fasta(result.stdout)) == ["ENSG00000101336.1"]

    @pytest.mark.parametrize("option", [("--species", "mus_musculus"), ("--species_id", "7")])
    def test_one_that_is_not_there_is_named(
        self, human_sqlite: Path, run_gst: Gst, option: tuple[str, str]
    ) -> None:
        result = run_gst("db", "dump", "--url", f"sqlite:///{human_sqlite}", *option)
        assert f"{option[0]}: the database has no species" in str(result.exception)

    @staticmethod
    def add_species(path: Path) -> None:
        change(
            path,
            "INSERT INTO coord_system VALUES (20, 2, 'chromosome', 'X1', 1, 'default_version')",
            "INSERT INTO seq_region VALUES (900, 'chimp', 20, 1000)",
            "INSERT INTO meta (species_id, meta_key, meta_value) "
            "VALUES (2, 'species.production_name', 'pan_troglodytes')",
            "UPDATE gene SET seq_region_id = 900 WHERE gene_id = 18261",
        )


@pytest.fixture
def reader(human_sqlite: Path) -> Iterator[DnaReader]:
    """Return a reader of a database with regions assembled in two steps, with gaps and a PAR.

    chromosome C (30 bases) = scaffold S (20 bases) backwards on 1 to 20, a gap of
    ten; S = contig K (ACGTACGTAA) on 1 to 10, a gap of five, K's first five
    backwards. Y's bases 11 to 15 are C's 1 to 5. O is a circular contig.
    """
    change(
        human_sqlite,
        *(f"DELETE FROM {name}" for name in ("coord_system", "seq_region", "assembly", "dna")),
        "DELETE FROM assembly_exception",
        "DELETE FROM meta WHERE meta_key = 'assembly.mapping'",
        "INSERT INTO coord_system VALUES (1, 1, 'chromosome', 'V', 1, 'default_version'), "
        "(2, 1, 'scaffold', NULL, 2, 'default_version'), "
        "(3, 1, 'contig', NULL, 3, 'default_version,sequence_level')",
        "INSERT INTO meta (species_id, meta_key, meta_value) VALUES "
        "(1, 'assembly.mapping', 'chromosome:V|scaffold'), "
        "(1, 'assembly.mapping', 'scaffold|contig')",
        "INSERT INTO seq_region VALUES (10, 'C', 1, 30), (11, 'Y', 1, 20), (20, 'S', 2, 20), "
        "(30, 'K', 3, 10), (31, 'O', 3, 6), (32, 'L', 3, 300000)",
        "INSERT INTO assembly VALUES (10, 20, 1, 20, 1, 20, -1), (20, 30, 1, 10, 1, 10, 1), "
        "(20, 30, 16, 20, 1, 5, -1)",
        "INSERT INTO assembly_exception VALUES (1, 11, 11, 15, 'PAR', 10, 1, 5, 1)",
        "INSERT INTO dna VALUES (30, 'ACGTACGTAA'), (31, 'AACCGT')",
        f"INSERT INTO dna VALUES (32, '{'ACGTTGCATC' * 30000}')",
    )
    address = parse_address(f"sqlite:///{human_sqlite}")
    with open_database(address).connect() as connection:
        yield DnaReader(connection)


SCAFFOLD = "ACGTACGTAANNNNNTACGT"
CHROMOSOME = str(Seq(SCAFFOLD).reverse_complement()) + "N" * 10


@pytest.mark.parametrize("start", [1, 4, 9, 18])
@pytest.mark.parametrize("end", [18, 20, 25, 30])
def test_regions_are_put_together_from_their_parts(reader: DnaReader, start: int, end: int) -> None:
    forward, backward = reader.read([Span(10, start, end), Span(10, start, end, -1)])
    assert forward == CHROMOSOME[start - 1 : end]
    assert backward == str(Seq(forward).reverse_complement())


def test_a_pseudoautosomal_region_is_the_other_chromosomes(reader: DnaReader) -> None:
    assert reader.read([Span(11, 9, 17)]) == ["NN" + CHROMOSOME[:5] + "NN"]


def test_a_span_may_cross_the_origin(reader: DnaReader) -> None:
    assert reader.read([Span(31, 5, 2), Span(31, 5, 2, -1)]) == ["GTAA", "TTAC"]


def test_long_regions_are_read_in_parts(reader: DnaReader) -> None:
    whole = "ACGTTGCATC" * 30000
    spans = [Span(32, start, start + 14, strand) for start in (1, 7, 90001, 299986)
             for strand in (1, -1)]  # fmt: skip
    expected = [whole[s.start - 1 : s.end] for s in spans]
    expected = [
        text if span.strand > 0 else str(Seq(text).reverse_complement())
        for span, text in zip(spans, expected, strict=True)
    ]
    assert reader.read(spans) == expected
