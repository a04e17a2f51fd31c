"""Which gene a protein is of: headers of the programs people use, and a table."""

from __future__ import annotations

import pytest

from gst_core.errors import GstError
from gst_core.sequences import read_proteins
from gst_core.sequences.genes import gene_of, read_gene_map


@pytest.mark.parametrize(
    ("header", "gene"),
    [
        (
            "ENSP1.2 pep chromosome:GRCh38:11 gene:ENSG00000244734.4 gene_symbol:HBB",
            "ENSG00000244734",
        ),
        ("rna1 gene=gene7 CDS=1-30", "gene7"),
        ("lcl|NC_1_prot_NP_1 [gene=HBB] [locus_tag=X_1] [protein=beta globin]", "HBB"),
        ('t1 gene_id "g12"; transcript_id "t1"', "g12"),
        ("ENSP0|ENST0|ENSG00000244734.4|OTTHUMG|HBB-201|HBB|147", "ENSG00000244734"),
        ("g12.t3", "g12"),
        ("FUN_000012-T2 FUN_000012", "FUN_000012"),
        ("maker-chr1-augustus-gene-0.12-mRNA-2 protein AED:0.1", "maker-chr1-augustus-gene-0.12"),
        ("GB54321-RB", "GB54321"),
        ("sp|P68871|HBB_HUMAN Hemoglobin OS=Homo sapiens OX=9606 GN=HBB PE=1 SV=2", "HBB"),
        ("tr|A0A1|A0A1_X Something OS=Homo sapiens GN=HBB", "HBB"),
        ("tr|A0A1|A0A1_X Something OX=1 GN=C2cd4c C2CD4 family PE=1", "C2cd4c C2CD4 family"),
        ("tr|A0A1|A0A1_X Something OS=Homo sapiens GN= PE=1", "tr|A0A1|A0A1_X"),
        ("p1 the gene of something", "p1"),
        ("p1 gene_symbol:HBB", "p1"),
    ],
)
def test_headers(header, gene):
    assert gene_of(header.encode(), header.split()[0]) == gene


def test_proteins_carry_their_gene(tmp_path):
    path = tmp_path / "p.fa"
    path.write_text(">p1 gene:G1\nMKV\n>p2\nMKV\n")
    assert [p.gene for p in read_proteins(path)] == ["G1", "p2"]


@pytest.mark.parametrize("delimiter", ["\t", ","])
def test_a_gene_map(tmp_path, delimiter):
    path = tmp_path / "map.tsv"
    path.write_text(f"\ufeff# comment\np1{delimiter}g1\n\np2{delimiter}g1{delimiter}more\r\n")
    assert read_gene_map(path) == {"p1": "g1", "p2": "g1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("p1\n", "line 1"), ("p1\tg1\np1\tg2\n", "line 2"), ("\n", "empty"), ("p1\t\n", "line 1")],
)
def test_a_gene_map_that_says_no_gene(tmp_path, text, message):
    path = tmp_path / "map.tsv"
    path.write_text(text)
    with pytest.raises(GstError, match=message):
        read_gene_map(path)
