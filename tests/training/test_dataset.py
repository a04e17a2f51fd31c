"""Labelled proteins: headers, vertebrates, vocabulary, splits; and the benchmark's own counts."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from gst_core.clades import CLADES
from gst_core.errors import GstError
from gst_core.nomenclature import (
    Canonical,
    Entry,
    HgncGene,
    ModelGene,
    Rule,
    Tables,
    read_hgnc,
    read_tables,
)
from gst_core.sequences import encode
from gst_core.taxonomy import resolve
from gst_core.training.dataset import prepare
from gst_core.training.proteins import LabelledProtein, is_vertebrate, read_labelled
from gst_core.training.symbols import build_vocabulary

HELD_OUT = ("Bos", "Gallus", "Xenopus", "Danio")

FASTA = """\
>sp|P1|BRCA1_HUMAN OS=Homo sapiens OX=9606 GN=BRCA1
MDLSALRVEEVQNVINAMQKI
>sp|P2|BRCA1_MOUSE OS=Mus musculus OX=10090 GN=Brca1
MDLSAVQIQEVQNVLHAMQKI
>sp|P3|NONAME_MOUSE OS=Mus musculus OX=10090
MAAAAA
>sp|P4|EYS_DROME OS=Drosophila melanogaster OX=7227 GN=eys
MSNVHQ
>sp|P5|EMPTY_HUMAN OS=Homo sapiens OX=9606 GN=EMPTY

>NP_1.1 some protein [Homo sapiens] gene_symbol:A1BG OX=9606
mslvv*
>sp|P6|X_CIOIN OS=Ciona intestinalis OX=7719 GN=xyz
MKKK
"""


def protein(
    symbol: str, species: str, accession: str = "P0", residues: bytes = b"MKV"
) -> LabelledProtein:
    return LabelledProtein(accession, encode(residues), symbol, resolve(species))


def test_headers_of_both_databases_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.fasta.gz"
    file.write_bytes(gzip.compress(FASTA.encode()))
    proteins = read_labelled([file])
    assert [(p.accession, p.symbol, p.taxon.taxon_id) for p in proteins] == [
        ("P1", "BRCA1", 9606),
        ("P2", "Brca1", 10090),
        ("NP_1.1", "A1BG", 9606),
    ]
    assert proteins[2].codes.tolist() == encode(b"MSLVV").tolist()
    assert [p.name for p in proteins] == ["", "", "some protein"]
    everything = read_labelled([file], vertebrates_only=False)
    assert [p.symbol for p in everything] == ["BRCA1", "Brca1", "eys", "A1BG", "xyz"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">sp|P1|A_B OS=Homo sapiens GN=ABC\nMKV\n", "no species"),
        (">sp|P1|A_B OX=99999999 GN=ABC\nMKV\n", "99999999"),
        (">sp|P1|A_B OS=Homo sapiens OX=9606\nMKV\n", "no protein with a gene symbol"),
    ],
)
def test_unusable_headers_are_errors(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.fasta"
    file.write_text(text)
    with pytest.raises(GstError, match=message) as error:
        read_labelled([file])
    assert "bad.fasta" in str(error.value)


@pytest.mark.parametrize(
    ("species", "expected"),
    [
        ("Homo sapiens", True),
        ("Petromyzon marinus", True),
        ("Latimeria chalumnae", True),
        ("Lepisosteus oculatus", True),
        ("Callorhinchus milii", True),
        ("Ciona intestinalis", False),
        ("Branchiostoma floridae", False),
        ("Myxine glutinosa", False),
        ("Lethenteron camtschaticum", True),
        ("Drosophila melanogaster", False),
        ("Arabidopsis thaliana", False),
    ],
)
def test_vertebrates(species: str, expected: bool) -> None:
    assert is_vertebrate(resolve(species)) is expected


def test_spelling_follows_the_nomenclature_authorities() -> None:
    proteins = [
        protein("BRCA1", "Bos taurus"),
        protein("Brca1", "Mus musculus"),
        protein("c1ORF1", "Homo sapiens"),
        protein("C1ORF1", "Bos taurus"),
        protein("Xyz", "Mus musculus"),
        protein("XYZ", "Bos taurus"),
        protein("abc", "Danio rerio"),
        protein("ABC", "Bos taurus"),
        protein("Def", "Salmo salar"),
        protein("def", "Salmo salar", "Q1"),
        protein("def", "Salmo salar", "Q2"),
    ]
    hgnc = [HgncGene("HGNC:1100", "BRCA1", "BRCA1 DNA repair associated")]
    vocabulary = list(build_vocabulary(proteins, Tables(hgnc)))
    assert [s.symbol for s in vocabulary] == ["abc", "BRCA1", "c1ORF1", "def", "Xyz"]
    assert vocabulary[1].source == "HGNC Symbol"
    assert vocabulary[1].accession == "HGNC:1100"
    assert vocabulary[1].description == "BRCA1 DNA repair associated"
    assert vocabulary[3].source == "UniProtKB Gene Name"
    assert vocabulary[3].accession == "P0"
    assert vocabulary[3].description == ""


def test_names_of_proteins_are_read_where_headers_have_them(tmp_path: Path) -> None:
    file = tmp_path / "a.fasta"
    file.write_text(
        ">sp|P1|A_HUMAN Cellular tumor antigen p53 OS=Homo sapiens OX=9606 GN=TP53 PE=1\nMKV\n"
        ">NP_1.2 toll-like [fused] protein [Homo sapiens] gene_symbol:TLX OX=9606\nMKV\n"
        ">mine OX=9606 GN=ABC\nMKV\n"
    )
    found = [(p.accession, p.name) for p in read_labelled([file])]
    assert found == [
        ("P1", "Cellular tumor antigen p53"),
        ("NP_1.2", "toll-like [fused] protein"),
        ("", ""),
    ]


def test_symbols_are_described_by_the_best_source() -> None:
    tables = Tables(
        [HgncGene("HGNC:7553", "MYC", "MYC proto-oncogene")],
        [ModelGene("MGI:1", "Kap", "kidney protein"), ModelGene("MGI:2", "bare", "")],
        [ModelGene("ZDB-1", "kap", "fish protein")],
    )
    canonical = Canonical([Entry("MYC-A", "myc-a", Rule.COPY, "MYC")])
    proteins = [
        protein("Kap", "Mus musculus"),
        protein("myc-a", "Xenopus laevis", "Q1"),
        LabelledProtein("NP_1.1", encode(b"MKV"), "REFONLY", resolve("Homo sapiens"), "a protein"),
        LabelledProtein("NP_2.1", encode(b"MKV"), "BOTH", resolve("Homo sapiens"), "another"),
        protein("both", "Bos taurus", "Q2"),
        protein("Bare", "Gallus gallus", "Q3"),
        protein("nothing", "Gallus gallus", ""),
    ]
    found = {s.symbol: s for s in build_vocabulary(proteins, tables, canonical)}
    facts = {name: (s.description, s.source, s.accession) for name, s in found.items()}
    assert facts == {
        "Kap": ("kidney protein", "MGI Symbol", "MGI:1"),
        "myc-a": ("MYC proto-oncogene (copy of MYC)", "UniProtKB Gene Name", "Q1"),
        "REFONLY": ("a protein", "RefSeq peptide", "NP_1.1"),
        "BOTH": ("another", "UniProtKB Gene Name", "Q2"),
        "Bare": ("", "UniProtKB Gene Name", "Q3"),
        "nothing": ("", "", ""),
    }
    fish = list(build_vocabulary([protein("kap", "Danio rerio")], tables))
    assert (fish[0].source, fish[0].accession) == ("ZFIN", "ZDB-1")


def test_training_learns_symbols_and_not_labels() -> None:
    canonical = Canonical([Entry("OLD", "NEW", Rule.PREVIOUS)])
    proteins = [protein("OLD", "Homo sapiens"), protein("new", "Mus musculus")]
    assert [s.symbol for s in prepare(proteins).vocabulary] == ["new", "OLD"]
    data = prepare(proteins, canonical=canonical)
    assert [s.symbol for s in data.vocabulary] == ["NEW"]
    assert data.training.classes.tolist() == [0, 0]


def test_genera_are_split() -> None:
    proteins = [
        protein("AAA", "Homo sapiens"),
        protein("BBB", "Bos taurus"),
        protein("AAA", "Bos taurus"),
        protein("CCC", "Salmo salar"),
        protein("DDD", "Mus musculus", residues=b"MKVLL"),
    ]
    data = prepare(proteins, hold_out=("Bos",), validation=("Salmo",))
    assert [s.symbol for s in data.vocabulary] == ["AAA", "CCC", "DDD"]
    assert data.training.classes.tolist() == [0, 2]
    assert data.training.lengths.tolist() == [3, 5]
    assert data.validation.classes.tolist() == [-1]  # known, but there is nothing to learn from
    assert data.held_out.classes.tolist() == [-1, 0]
    assert [CLADES[i] for i in data.training.clades] == ["humans", "rodentia"]
    with pytest.raises(GstError, match="Boss"):
        prepare(proteins, hold_out=("Boss",))
    with pytest.raises(GstError, match="none is left"):
        prepare(proteins, hold_out=("Bos", "Homo", "Mus"), validation=("Salmo",))


def test_a_table_that_is_not_hgncs_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "hgnc.txt"
    file.write_text("hgnc_id\tsymbol\n")
    with pytest.raises(GstError, match="column name is missing"):
        read_hgnc(file)


def test_the_benchmark_is_reproduced(shared_data: Path) -> None:
    """The counts that every comparison with other programs is made on."""
    proteins = read_labelled(
        [
            shared_data / "proteins/swissprot_eukaryota.fasta.zst",
            shared_data / "proteins/human_refseq_one_per_gene.fasta.gz",
        ]
    )
    tables = read_tables(shared_data / "mappings/hgnc_complete_set.txt.gz")
    data = prepare(proteins, tables, hold_out=HELD_OUT)
    assert len(data.training) == 74_102
    assert len(data.vocabulary) == 21_825
    genera = np.array([p.taxon.genus for p in proteins if p.taxon.genus in HELD_OUT])
    counts = {
        genus: (
            int((genera == genus).sum()),
            int((data.held_out.classes[genera == genus] >= 0).sum()),
        )
        for genus in HELD_OUT
    }
    assert counts == {
        "Bos": (5606, 5538),
        "Gallus": (2052, 1936),
        "Xenopus": (4578, 3405),
        "Danio": (2756, 2111),
    }
    keys = [symbol.symbol.upper() for symbol in data.vocabulary]
    assert keys == sorted(set(keys))
    brca2 = data.vocabulary[keys.index("BRCA2")]
    assert (brca2.source, brca2.accession) == ("HGNC Symbol", "HGNC:1101")
    assert data.training.codes.max() < 27
