"""What is read of the committees' tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.nomenclature import Tables, read_hgnc, read_mouse, read_tables, read_zebrafish


def test_hgnc_gives_approved_genes_and_their_other_symbols(
    table_files: dict[str, Path], tmp_path: Path
) -> None:
    packed = tmp_path / "hgnc.txt.gz"
    packed.write_bytes(gzip.compress(table_files["hgnc"].read_bytes()))
    genes = {gene.symbol: gene for gene in read_hgnc(packed)}
    assert "GONE" not in genes
    assert genes["EIF3B"].previous == ("EIF3S9",)
    assert genes["EIF3B"].aliases == ("PRT1", "EIF3-ETA")
    assert genes["EIF3B"].uniprot == ("P55884",)
    assert genes["MYC"].previous == ()
    assert (genes["MYC"].coding, genes["COX8BP"].coding) == (True, False)


def test_both_reports_of_mgi_are_joined(table_files: dict[str, Path]) -> None:
    hgnc = read_hgnc(table_files["hgnc"])
    genes = {g.symbol: g for g in read_mouse([table_files["homology"]], hgnc)}
    # The approved symbol, whatever the report still calls the human gene.
    assert (genes["Trp53"].human, genes["Trp53"].name) == (("TP53",), "")
    both = [table_files["alliance"], table_files["homology"]]
    genes = {g.symbol: g for g in read_mouse(both, hgnc)}
    assert genes["Trp53"].gene_id == "MGI:98834"
    assert genes["Trp53"].name == "transformation related protein 53"
    assert genes["Trp53"].human == ("TP53",)
    assert (genes["Kap"].human, genes["Hbb-b2"].human) == ((), ("HBB",))


def test_zfins_lines_of_evidence_are_one_gene(table_files: dict[str, Path]) -> None:
    myca, mycb = read_zebrafish(table_files["zfin"])
    assert (myca.gene_id, myca.symbol, myca.name, myca.human) == (
        "ZDB-GENE-1",
        "myca",
        "MYC proto-oncogene a",
        ("MYC",),
    )
    assert mycb.symbol == "mycb"


def test_a_table_in_the_wrong_place_is_an_error(table_files: dict[str, Path]) -> None:
    with pytest.raises(GstError, match="column hgnc_id is missing"):
        read_tables(hgnc=table_files["zfin"])
    with pytest.raises(GstError, match="not a homology report of MGI"):
        read_tables(mgi=[table_files["hgnc"]])
    with pytest.raises(GstError, match="not a line of ZFIN"):
        read_tables(zfin=table_files["homology"])
    assert read_tables() == Tables([], [], [])
