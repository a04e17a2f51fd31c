"""A small core database of our own making, as table files.

It has the shape of the human test database that Ensembl publishes: a chromosome put together
from contigs on either strand, a mitochondrial sequence with a code of its own, genes with
several exons and transcripts, cross-references, and what datachecks find amiss in old
databases. The ids that tests name are those of the real one; the sequences are random.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq

CHROMOSOME, MITOCHONDRION = 469283, 965899
ANALYSIS, HGNC, SWISSPROT, GO = 1282, 1100, 2200, 1000
#: stable ids of genes that tests name; the others are made up
GENES = {
    18256: "ENSG00000131044",
    18257: "ENSG00000174873",
    18258: "ENSG00000088356",
    18259: "ENSG00000101321",
    18261: "ENSG00000101336",
    18264: "ENSG00000126003",
    18266: "ENSG00000101350",
    18272: "ENSG00000088305",
    18273: "ENSG00000101367",
    18274: "ENSG00000167097",
    18275: "ENSG00000355555",
}
FIRST_GENE, LAST_GENE, FIRST_TRANSCRIPT = 18256, 18277, 21716
#: genes that display no cross-reference, whether by NULL or by the 0 of old databases
UNNAMED = (18257, 18274, 18275)
PARTIAL = 18259  # its first codon is cut
LATER_START = 18261  # its coding sequence begins at base 172, with ATG GGG GGA
COLUMNS = {
    "analysis": "analysis_id created logic_name",
    "assembly": "asm_seq_region_id cmp_seq_region_id asm_start asm_end cmp_start cmp_end ori",
    "attrib_type": "attrib_type_id code name",
    "coord_system": "coord_system_id species_id name version rank attrib",
    "dna": "seq_region_id sequence",
    "exon": "exon_id seq_region_id seq_region_start seq_region_end seq_region_strand phase "
    "end_phase is_current is_constitutive stable_id version",
    "exon_transcript": "exon_id transcript_id rank",
    "external_db": "external_db_id db_name db_release status priority db_display_name type "
    "secondary_db_name secondary_db_table description",
    "gene": "gene_id biotype analysis_id seq_region_id seq_region_start seq_region_end "
    "seq_region_strand display_xref_id source description is_current canonical_transcript_id "
    "stable_id version",
    "meta": "meta_id species_id meta_key meta_value",
    "object_xref": "object_xref_id ensembl_id ensembl_object_type xref_id linkage_annotation "
    "analysis_id",
    "seq_region": "seq_region_id name coord_system_id length",
    "seq_region_attrib": "seq_region_id attrib_type_id value",
    "transcript": "transcript_id gene_id analysis_id seq_region_id seq_region_start "
    "seq_region_end seq_region_strand display_xref_id source biotype description is_current "
    "canonical_translation_id stable_id version",
    "translation": "translation_id transcript_id seq_start start_exon_id seq_end end_exon_id "
    "stable_id version",
    "xref": "xref_id external_db_id dbprimary_acc display_label version description info_type "
    "info_text",
}
SOURCES = [
    (GO, "GO", 1, "XREF", 5, "GO", "MISC"),
    (HGNC, "HGNC", 1, "KNOWNXREF", 100, "HGNC Symbol", "PRIMARY_DB_SYNONYM"),
    (SWISSPROT, "Uniprot/SWISSPROT", 1, "KNOWN", 220, "UniProtKB/Swiss-Prot", "MISC"),
    (2202, "Uniprot/Varsplic", 1, "KNOWN", 15, "UniProtKB/SpliceVariant", "MISC"),
]
FURTHER_SOURCES = [
    (10, "EntrezGene", 1, "KNOWNXREF", 10, "EntrezGene", "ARRAY"),
    (1400, "MGI", 1, "KNOWNXREF", 270, "MGI Symbol", "PRIMARY_DB_SYNONYM"),
    # A number that the database has given to another source.
    (2202, "ZFIN_ID", 1, "KNOWNXREF", 100, "ZFIN", "PRIMARY_DB_SYNONYM"),
    (2600, "Xenbase", 1, "KNOWNXREF", 150, "Xenbase", "MISC"),
]

Row = Sequence[object]


class _Genome:
    """The tables, filled gene by gene."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in COLUMNS}
        self.random = random.Random(20)
        self.chromosome = ""
        self.exons = 100

    def bases(self, length: int) -> str:
        return "".join(self.random.choices("ACGT", k=length))

    def coding(self, start: str, codons: int, code: int) -> str:
        """Return a coding sequence without a stop within, and one at its end."""
        table = unambiguous_dna_by_id[code]
        triplets = sorted(table.forward_table)
        return start + "".join(self.random.choices(triplets, k=codons)) + table.stop_codons[0]

    def add_transcript(
        self, number: int, gene: int, leader: str, coding: str, strand: int, phase: int = -1
    ) -> tuple[int, int]:
        """Put a transcript of three exons on the chromosome; return its first and last base."""
        spliced = leader + coding + self.bases(30)
        cuts = sorted(self.random.sample(range(len(leader) + 9, len(spliced) - 40), 2))
        pieces = [spliced[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True)]
        offset = len(self.chromosome) + 101
        text, placed = "", []
        for piece in pieces:
            text += self.bases(60) if text else ""
            placed.append((len(text), len(text) + len(piece) - 1))
            text += piece
        if strand < 0:
            placed = [(len(text) - 1 - end, len(text) - 1 - start) for start, end in placed]
        self.chromosome += self.bases(100) + (
            text if strand > 0 else str(Seq(text).reverse_complement())
        )
        exons = []
        for rank, (start, end) in enumerate(placed, start=1):
            self.exons += 1
            exons.append(self.exons)
            self.add_exon(
                CHROMOSOME, offset + start, offset + end, strand, phase if rank == 1 else -1
            )
            self.rows["exon_transcript"].append((self.exons, number, rank))
        self.finish_transcript(
            number, gene, CHROMOSOME, offset, offset + len(text) - 1, strand,
            len(leader) + 1, exons, len(leader) + len(coding) - cuts[1],
        )  # fmt: skip
        return offset, offset + len(text) - 1

    def add_exon(self, region: int, start: int, end: int, strand: int, phase: int) -> None:
        name = f"ENSE{self.exons:011d}"
        self.rows["exon"].append((self.exons, region, start, end, strand, phase, -1, 1, 0, name, 1))

    def finish_transcript(
        self, number: int, gene: int, region: int, start: int, end: int, strand: int,
        first: int, exons: list[int], last: int,
    ) -> None:  # fmt: skip
        name = {21716: "00000310998", 21717: "00000278995", 21723: "00000262651"}.get(
            number, f"{number:011d}"
        )
        protein = {21716: "00000308980"}.get(number, name)
        self.rows["transcript"].append(
            (number, gene, ANALYSIS, region, start, end, strand, None, "ensembl",
             "protein_coding", None, 1, number, f"ENST{name}", 1)
        )  # fmt: skip
        self.rows["translation"].append(
            (number, number, first, exons[0], last, exons[-1], f"ENSP{protein}", 1)
        )

    def add_gene(self, gene: int, transcript: int) -> int:
        """Add a gene; return the number after that of its last transcript."""
        canonical, strand = transcript, -1 if gene % 3 == 0 else 1
        if gene == 18275:
            coding = self.coding("ATG", 60, 2)
            self.exons += 1
            self.rows["dna"].append((MITOCHONDRION, self.bases(10) + coding + self.bases(10)))
            start, end, region = 11, 10 + len(coding), MITOCHONDRION
            self.add_exon(region, start, end, 1, 0)
            self.rows["exon_transcript"].append((self.exons, transcript, 1))
            self.finish_transcript(
                transcript, gene, region, start, end, 1, 1, [self.exons], len(coding)
            )
            strand = 1
        else:
            region = CHROMOSOME
            head, leader, phase = "ATG", self.random.randint(20, 60), -1
            if gene == LATER_START:
                head, leader = "ATGGGGGGA", 171
            elif gene == PARTIAL:
                head, leader, phase = "GCTTTTT", 0, 2
            start, end = self.add_transcript(
                transcript, gene, self.bases(leader),
                self.coding(head, self.random.randint(60, 150), 1), strand, phase,
            )  # fmt: skip
            if gene == FIRST_GENE:
                transcript += 1
                _, end = self.add_transcript(
                    transcript, gene, self.bases(30), self.coding("ATG", 80, 1), strand
                )
        display = None if gene in UNNAMED else gene
        self.rows["gene"].append(
            (gene, "protein_coding", ANALYSIS, region, start, end, strand, display, "ensembl",
             f"invented protein {gene} [Source:SWISSPROT]" if gene % 2 else None, 1, canonical,
             GENES.get(gene, f"ENSG{gene:011d}"), 1)
        )  # fmt: skip
        if display:
            label = "DNM3B_HUMAN" if gene == 18272 else f"P{gene}_HUMAN"
            self.rows["xref"].append(
                (display, SWISSPROT, f"P{gene}", label, "0", f"protein {gene}", "DIRECT", "")
            )
            self.rows["object_xref"].append(
                (display, canonical, "Translation", display, None, ANALYSIS)
            )
        return transcript + 1

    def add_contigs(self, length: int = 3000) -> None:
        """Cut the chromosome into contigs, every second one backwards."""
        self.rows["seq_region"].append((CHROMOSOME, "20", 1, len(self.chromosome)))
        for number, start in enumerate(range(0, len(self.chromosome), length), start=1):
            text = self.chromosome[start : start + length]
            backward = number % 2 == 0
            stored = str(Seq(text).reverse_complement()) if backward else text
            self.rows["dna"].append((number, stored))
            self.rows["seq_region"].append((number, f"contig{number}", 4, len(text)))
            self.rows["assembly"].append(
                (CHROMOSOME, number, start + 1, start + len(text), 1, len(text),
                 -1 if backward else 1)
            )  # fmt: skip

    def add_what_is_amiss(self) -> None:
        """GO terms of translations, and a link to nothing, as old databases have them."""
        for number in range(30_000, 30_048):
            accession = f"GO:{number:07d}"
            self.rows["xref"].append((number, GO, accession, accession, "0", None, "DIRECT", ""))
            self.rows["object_xref"].append(
                (number, FIRST_TRANSCRIPT, "Translation", number, None, ANALYSIS)
            )
        # No analysis of this number.
        self.rows["object_xref"].append((40_000, 21718, "Translation", 31_000, None, 99))
        for number in range(31_000, 31_120):
            self.rows["xref"].append(
                (number, 2202, f"Q{number}", f"Q{number}", "0", None, "SEQUENCE_MATCH", "")
            )


def write_tables(folder: Path) -> None:
    """Write the table files, ``table.sql`` beside them, and further sources in the folder above."""
    genome = _Genome()
    transcript = FIRST_TRANSCRIPT
    for gene in range(FIRST_GENE, LAST_GENE + 1):
        # As in the real database, three genes have two numbers for transcripts.
        transcript = genome.add_gene(gene, _number(gene, transcript))
    genome.add_contigs()
    genome.add_what_is_amiss()
    rows = genome.rows
    rows["gene"].append(
        (70674, "processed_pseudogene", ANALYSIS, CHROMOSOME, 1, 50, -1, None, "havana",
         "a pseudogene", 1, 21741, "ENSG00000215540", 11)
    )  # fmt: skip
    rows["transcript"].append(
        (21741, 70674, ANALYSIS, CHROMOSOME, 1, 50, -1, None, "havana", "processed_pseudogene",
         None, 1, None, "ENST00000215540", 1)
    )  # fmt: skip
    length = len(str(rows["dna"][0][1]))
    rows["seq_region"].append((MITOCHONDRION, "MT", 4, length))
    rows["seq_region_attrib"].append((MITOCHONDRION, 17, 2))
    rows["attrib_type"].append((17, "codon_table", "Codon Table"))
    rows["analysis"].append((ANALYSIS, None, "ensembl"))
    rows["coord_system"] += [
        (1, 1, "chromosome", "M1", 1, "default_version"),
        (4, 1, "contig", None, 4, "default_version,sequence_level"),
    ]
    rows["external_db"] += [(*source, None, None, None) for source in SOURCES]
    facts = {
        "schema_version": "114",
        "species.production_name": "homo_sapiens",
        "species.taxonomy_id": "9606",
        "species.division": "EnsemblVertebrates",
        "assembly.mapping": "chromosome:M1#contig",
    }
    for number, (key, value) in enumerate(facts.items(), start=1):
        rows["meta"].append((number, None if key == "schema_version" else 1, key, value))
    folder.mkdir(parents=True)
    definitions = []
    for name, columns in COLUMNS.items():
        (folder / f"{name}.txt").write_text("".join(map(_line, rows[name])))
        body = ",\n".join(f"  `{column}` text" for column in columns.split())
        definitions.append(f"CREATE TABLE `{name}` (\n{body}\n) ENGINE=MyISAM;\n")
    (folder / "table.sql").write_text("".join(definitions))
    further = [(*source, None, None, None) for source in FURTHER_SOURCES]
    (folder.parent / "external_db.full.txt").write_text("".join(map(_line, further)))


def _number(gene: int, transcript: int) -> int:
    return {18257: 21718, 18261: 21723, 18275: 21740, 18276: 21742}.get(gene, transcript)


def _line(row: Row) -> str:
    return "\t".join(r"\N" if value is None else str(value) for value in row) + "\n"
