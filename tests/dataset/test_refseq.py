"""Datasets of RefSeq: headers of three kinds, NCBI's tables, and what they lack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.dataset.gene_info import read_gene2refseq, read_gene_info
from gst_core.errors import GstError
from tests.dataset.conftest import Gst, refusal, rows_of
from tests.dataset.made import GENE_INFO, gene_info_line, sample, write

COW, OTHER = [p for p in sample() if p.species == "Bos taurus"][:2]
FISH = next(p for p in sample() if p.species == "Danio rerio")
TABLE = (
    GENE_INFO
    + gene_info_line(7, COW, "VGNC:VGNC:70|Ensembl:ENSBTAG1", official=True)
    + gene_info_line(8, OTHER, "Ensembl:ENSBTAG2")
    + gene_info_line(9, FISH, "ZFIN:ZDB-GENE-1", official=True)
)


def _record(accession: str, rest: str, sequence: str) -> str:
    return f">{accession} {rest}\n{sequence}\n"


def test_the_longest_curated_protein_stands_for_its_gene(run_gst: Gst, tmp_path: Path) -> None:
    name = f"protein {COW.symbol}"
    faa = write(
        tmp_path / "cow.faa",
        _record("NP_000001.1", f"{name} isoform 1 precursor [Bos taurus]", COW.sequence)
        + _record("NP_000002.1", f"{name} isoform 2 [Bos taurus]", COW.sequence[:-9])
        + _record("XP_000003.1", f"{name} isoform X1 [Bos taurus]", COW.sequence + "MMM")
        + _record("XP_000004.1", f"gene {OTHER.symbol} [Bos taurus]", OTHER.sequence)
        + _record("NP_000005.1", "nothing that anyone has named [Bos taurus]", "MKV"),
    )
    table = write(tmp_path / "gene_info", TABLE)
    output = tmp_path / "made"
    run = ("dataset", "refseq", "--proteins", faa, "--gene_info", table, "--output", output)
    result = run_gst(*run)
    assert result.exit_code == 0, result.output
    first, second = rows_of(output)
    assert (first["stable_id"], first["gene"]) == ("NP_000001.1", "GeneID:7")
    assert (first["source"], first["accession"]) == ("VGNC Symbol", "VGNC:70")
    assert (first["symbol"], first["description"]) == (COW.symbol, "official name")
    assert (second["stable_id"], second["source"]) == ("XP_000004.1", "EntrezGene")
    assert (second["accession"], second["taxon_id"]) == ("8", 9913)
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["left_out"] == {
        "another protein stands for the gene": 2,
        "protein whose gene nothing tells": 1,
    }
    assert manifest["licence"]["name"] == "public domain"


@pytest.mark.parametrize(
    "header",
    [
        "NP_000001.1 any name [organism=Danio rerio] [GeneID=9] [isoform=a]",
        f"lcl|NC_1_prot_NP_000001.1_1 [gene={FISH.symbol}] [protein_id=NP_000001.1] "
        "[organism=Danio rerio]",
        "lcl|NC_1_prot_NP_000001.1_1 [db_xref=GeneID:9] [protein_id=NP_000001.1] OX=7955",
        f"NP_000001.1 x [Danio rerio] gene_symbol:{FISH.symbol} OX=7955",
    ],
)
def test_the_header_tells_the_gene(header: str, run_gst: Gst, tmp_path: Path) -> None:
    faa = write(tmp_path / "fish.faa", f">{header}\n{FISH.sequence}\n")
    table = write(tmp_path / "gene_info", TABLE)
    output = tmp_path / "made"
    run = ("dataset", "refseq", "--proteins", faa, "--gene_info", table, "--output", output)
    result = run_gst(*run)
    assert result.exit_code == 0, result.output
    (row,) = rows_of(output)
    assert (row["stable_id"], row["symbol"]) == ("NP_000001.1", FISH.symbol)
    assert (row["source"], row["accession"]) == ("ZFIN", "ZDB-GENE-1")


def test_gene2refseq_tells_the_gene(run_gst: Gst, tmp_path: Path) -> None:
    faa = write(tmp_path / "fish.faa", f">NP_000001.1 x [Danio rerio]\n{FISH.sequence}\n")
    table = write(tmp_path / "gene_info", TABLE)
    output = tmp_path / "made"
    run = ("dataset", "refseq", "--proteins", faa, "--gene_info", table, "--output", output)
    result = run_gst(*run)
    assert isinstance(result.exception, GstError)
    assert "--gene2refseq" in str(result.exception)
    links = write(
        tmp_path / "gene2refseq",
        "#tax_id\tGeneID\tstatus\tprotein_accession.version\n7955\t9\tPROVISIONAL\tNP_000001.2\n"
        "7955\t10\t-\t-\n",
    )
    assert run_gst(*run, "--gene2refseq", links).exit_code == 0
    assert [row["gene"] for row in rows_of(output)] == ["GeneID:9"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("#tax_id\tGeneID\n", "no column 'Symbol'"),
        (GENE_INFO, "has no gene"),
        (TABLE[:-20], "columns where the header has"),
    ],
)
def test_a_damaged_table_is_an_error(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GstError, match="gene_info") as raised:
        read_gene_info(write(tmp_path / "gene_info", text))
    assert words in str(raised.value)


@given(st.text(max_size=300))
def test_any_text_behind_the_header_is_read_or_refused(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "gene_info"
    path.write_bytes((GENE_INFO + text).encode("utf-8", "surrogatepass"))
    for read in (read_gene_info, read_gene2refseq):
        said = refusal(lambda read=read: read(path))
        assert not said or "gene_info" in said
