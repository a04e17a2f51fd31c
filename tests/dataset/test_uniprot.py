"""Datasets of UniProt: FASTA and flat files as UniProt writes them, and damaged ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.dataset.entry import LeftOut, clean_symbol
from gst_core.dataset.manifest import sha256
from gst_core.dataset.uniprot import gene_name, protein_name, read_fasta, read_flat
from gst_core.errors import GstError
from gst_core.training.proteins import read_labelled
from tests.dataset.conftest import Gst, refusal, rows_of
from tests.dataset.made import Known, fasta_of, flat_of, sample, write

COW = next(p for p in sample() if p.species == "Bos taurus")


def test_proteins_of_the_sample_become_a_table_and_a_manifest(run_gst: Gst, tmp_path: Path) -> None:
    fasta = write(tmp_path / "sprot.fasta", fasta_of(sample()))
    output = tmp_path / "made"
    result = run_gst("dataset", "uniprot", fasta, "--release", "2025_03", "--output", output)
    assert result.exit_code == 0, result.output
    assert "340 proteins" in result.stdout
    rows = rows_of(output)
    assert [(r["stable_id"], r["symbol"], r["sequence"]) for r in rows] == [
        (p.accession, p.symbol, p.sequence) for p in sample()
    ]
    first = next(row for row in rows if row["stable_id"] == COW.accession)
    assert (first["species"], first["taxon_id"], first["genus"]) == ("Bos taurus", 9913, "Bos")
    assert (first["clade"], first["database"]) == ("mammalia", "UniProtKB")
    assert first["description"] == f"Protein {COW.symbol}, form 1"
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["release"] == "2025_03"
    assert manifest["licence"]["name"] == "CC BY 4.0"
    assert manifest["files"][0]["checksum"] == f"sha256:{sha256(fasta)}"
    assert manifest["table"]["sha256"] == sha256(output / "proteins.parquet")
    assert (manifest["proteins"], manifest["left_out"]) == (340, {})
    assert {s["name"]: s["proteins"] for s in manifest["species"]}["Danio rerio"] > 30
    assert sorted(p.name for p in output.iterdir()) == ["manifest.json", "proteins.parquet"]


def test_what_is_not_fit_to_learn_from_is_counted(run_gst: Gst, tmp_path: Path) -> None:
    text = fasta_of([COW, COW._replace(accession="P00001")])
    text += fasta_of([COW._replace(accession="P00002", symbol="LOC123456")])
    text += fasta_of([COW._replace(accession="P12345-2")])
    text += fasta_of([COW])
    text += ">sp|P00003|X_X No gene OS=Bos taurus OX=9913 PE=2 SV=1\nMKV\n"
    text += ">sp|P00004|X_X Odd OS=Bos taurus OX=9913 GN=ODD1 PE=2 SV=1\nMK1V\n"
    text += ">sp|P00005|X_X Empty OS=Bos taurus OX=9913 GN=NONE1 PE=2 SV=1\n*\n"
    text += ">sp|P00006|X_X Coli OS=Escherichia coli OX=562 GN=lacZ PE=2 SV=1\nMK\n"
    fasta = write(tmp_path / "sprot.fasta", text)
    result = run_gst("dataset", "uniprot", fasta, "--output", tmp_path / "made")
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "made" / "manifest.json").read_text())
    assert manifest["proteins"] == 2
    assert manifest["left_out"] == {
        "placeholder in place of a symbol": 1,
        "isoform that is not the canonical one": 1,
        "accession that is there twice": 1,
        "no gene symbol": 1,
        "sequence that is no protein": 1,
        "no residues": 1,
        "species that the taxonomy does not know": 1,
    }
    coli = next(s for s in manifest["species"] if s["name"] == "Escherichia coli")
    assert (coli["proteins"], coli["taxon_id"]) == (0, None)


def test_a_symbol_needs_as_many_proteins_as_asked_for(run_gst: Gst, tmp_path: Path) -> None:
    twice = [COW, COW._replace(accession="P00001", symbol=COW.symbol.lower())]
    once = COW._replace(accession="P00002", symbol="ABC1")
    fasta = write(tmp_path / "sprot.fasta", fasta_of([*twice, once]))
    run = ("dataset", "uniprot", fasta, "--output", tmp_path / "made", "--min_count")
    assert run_gst(*run, 2).exit_code == 0
    assert [r["stable_id"] for r in rows_of(tmp_path / "made")] == [COW.accession, "P00001"]
    result = run_gst(*run, 3)
    assert isinstance(result.exception, GstError)
    assert "no protein is left" in str(result.exception)
    assert not (tmp_path / "made" / "manifest.json").exists()


def test_clades_are_chosen(run_gst: Gst, tmp_path: Path) -> None:
    fasta = write(tmp_path / "sprot.fasta", fasta_of(sample()))
    output = tmp_path / "made"
    result = run_gst("dataset", "uniprot", fasta, "--clade", "teleostei", "--output", output)
    assert result.exit_code == 0, result.output
    assert {r["clade"] for r in rows_of(output)} == {"teleostei"}
    assert "clade that was not asked for" in result.stdout


def test_the_flat_file_says_who_gave_the_name(run_gst: Gst, tmp_path: Path) -> None:
    references = (
        "DR   Ensembl; ENSBTAT00000001.2; ENSBTAP00000001.1; ENSBTAG00000001.3.\n"
        f"DR   VGNC; VGNC:7; {COW.symbol}.\nDR   HGNC; HGNC:8; OTHER.\n"
    )
    path = tmp_path / "cow.dat.gz"
    path.write_bytes(gzip.compress(flat_of(COW, references).encode()))
    output = tmp_path / "made"
    assert run_gst("dataset", "uniprot", path, "--output", output).exit_code == 0
    (row,) = rows_of(output)
    assert (row["source"], row["accession"]) == ("VGNC Symbol", "VGNC:7")
    assert row["gene"] == "ENSBTAG00000001.3"
    assert (row["stable_id"], row["symbol"], row["species"]) == (
        COW.accession,
        COW.symbol,
        "Bos taurus",
    )
    assert (row["description"], row["sequence"]) == (f"Protein {COW.symbol}", COW.sequence)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-4], "no end (//)"),
        (lambda text: text.replace(COW.sequence[:10], "", 1), "residues, and says it has"),
        (lambda text: text.replace("OX   ", "OO   "), "without species (OX)"),
        (lambda text: text.replace("AC   ", "AA   "), "without accession (AC)"),
        (lambda text: text.replace("ID   ", "LOCUS"), "an entry begins with"),
        (lambda text: "", "is empty"),
    ],
)
def test_a_damaged_flat_file_is_an_error(damage, words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "cow.dat", damage(flat_of(COW)))
    with pytest.raises(GstError, match=r"cow\.dat") as raised:
        list(read_flat(path, LeftOut()))
    assert words in str(raised.value)


@pytest.mark.parametrize("text", ["MKV\n", "", ">tr|\nMKV\n", ">ENSP01 gene:x\nMKV\n"])
def test_another_fasta_is_an_error(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.fasta", text)
    with pytest.raises(GstError, match=r"x\.fasta"):
        list(read_fasta(path, LeftOut()))


WORDS = st.text(
    st.characters(whitelist_categories=("L", "N"), max_codepoint=0x17F), min_size=1, max_size=12
)


@given(WORDS, st.lists(WORDS, max_size=4), st.integers(20, 75))
def test_a_gene_name_survives_evidence_synonyms_and_line_ends(
    name: str, synonyms: list[str], width: int
) -> None:
    text = f"Name={name} {{ECO:0000303|PubMed:1, ECO:0000312|X:Y}};"
    if synonyms:
        text += f" Synonyms={', '.join(synonyms)};"
    words, lines = text.split(" "), [""]
    for word in words:
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    assert gene_name(lines) == name
    assert gene_name([*lines, "and", "Name=OTHER;"]) == name


@given(st.lists(st.text(max_size=60), max_size=6))
def test_no_line_breaks_the_readers_of_lines(lines: list[str]) -> None:
    assert isinstance(gene_name(lines), str)
    assert isinstance(protein_name(lines), str)
    for line in lines:
        symbol, why = clean_symbol(line)
        assert bool(symbol) != bool(why)
        assert symbol == "".join(symbol.split())


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "any.dat"
    path.write_bytes(f"ID   X\n{text}".encode("utf-8", "surrogatepass"))
    for read in (read_flat, read_fasta):
        said = refusal(lambda read=read: list(read(path, LeftOut())))
        assert not said or "any.dat" in said


def test_training_reads_the_folder_and_the_table_as_it_reads_fasta(
    run_gst: Gst, tmp_path: Path
) -> None:
    fasta = write(tmp_path / "sprot.fasta", fasta_of(sample()))
    output = tmp_path / "made"
    assert run_gst("dataset", "uniprot", fasta, "--output", output, "--quiet").exit_code == 0
    wanted = [
        (p.accession, p.symbol, p.taxon, p.name, p.codes.tobytes()) for p in read_labelled([fasta])
    ]
    for path in (output, output / "proteins.parquet"):
        read = read_labelled([path])
        assert [(p.accession, p.symbol, p.taxon, p.name, p.codes.tobytes()) for p in read] == wanted
    (output / "manifest.json").unlink()
    with pytest.raises(GstError, match="no whole dataset"):
        read_labelled([output])


def test_species_that_the_taxonomy_knows_by_genus_keep_their_own_number(
    run_gst: Gst, tmp_path: Path
) -> None:
    text = ">sp|P00001|X_X Some OS=Acorus calamus (Sweet flag) OX=4465 GN=rbcL PE=3\nMSPQT\n"
    fasta = write(tmp_path / "sprot.fasta", text)
    assert run_gst("dataset", "uniprot", fasta, "--output", tmp_path / "made").exit_code == 0
    (row,) = rows_of(tmp_path / "made")
    assert (row["species"], row["taxon_id"]) == ("Acorus calamus", 4465)
    assert (row["genus"], row["clade"]) == ("Acorus", "plants")


def test_labels_get_the_symbols_that_they_stand_for(run_gst: Gst, tmp_path: Path) -> None:
    hgnc = write(
        tmp_path / "hgnc.txt",
        "hgnc_id\tsymbol\tname\tlocus_group\tlocus_type\tstatus\talias_symbol\tprev_symbol\t"
        "uniprot_ids\nHGNC:1\tNEW1\tnew one\tprotein-coding gene\tgene with protein product\t"
        f"Approved\t\t{COW.symbol}\t\n",
    )
    other = Known("P00001", "Danio rerio", "new1", COW.sequence)
    fasta = write(tmp_path / "sprot.fasta", fasta_of([COW, other]))
    output = tmp_path / "made"
    result = run_gst("dataset", "uniprot", fasta, "--hgnc", hgnc, "--output", output)
    assert result.exit_code == 0, result.output
    rows = rows_of(output)
    assert [(r["label"], r["symbol"]) for r in rows] == [(COW.symbol, "NEW1"), ("new1", "new1")]
    assert (output / "symbols.tsv").is_file()
    again = tmp_path / "again"
    run = ("dataset", "uniprot", fasta, "--symbols", output / "symbols.tsv", "--output", again)
    assert run_gst(*run).exit_code == 0
    assert rows_of(again) == rows


def test_a_folder_is_left_behind_only_with_something_in_it(run_gst: Gst, tmp_path: Path) -> None:
    fasta = write(tmp_path / "no.fasta", ">sp|P00003|X_X No gene OS=Bos taurus OX=9913\nMKV\n")
    result = run_gst("dataset", "uniprot", fasta, "--output", tmp_path / "made")
    assert result.exit_code != 0
    assert not (tmp_path / "made").exists()
    own = tmp_path / "own"
    own.mkdir()
    assert run_gst("dataset", "uniprot", fasta, "--output", own).exit_code != 0
    assert own.is_dir()
