"""What is read and where results go."""

from __future__ import annotations

from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.inference.jobs import plan, read_manifest, stem


@pytest.mark.parametrize(
    ("fasta", "expected"),
    [
        ("proteins.fa", "proteins"),
        ("a/b/Sus_scrofa.pep.all.fa.gz", "Sus_scrofa.pep.all"),
        ("x.fasta.zst", "x"),
        ("x.fa.bgz", "x"),
        ("noextension", "noextension"),
        (".gz", ".gz"),
        ("-", "stdin"),
    ],
)
def test_stem(fasta, expected):
    assert stem(fasta) == expected


def test_the_table_lies_beside_its_input_as_the_original_has_it():
    (job,) = plan(["/data/pig.fa.gz"], None, "tsv")
    assert job.output == "/data/pig_symbols.csv"
    (job,) = plan(["/data/pig.fa"], None, "json")
    assert job.output == "/data/pig_symbols.json"


def test_standard_input_goes_to_standard_output():
    (job,) = plan(["-"], None, "tsv")
    assert (job.output, job.id) == ("-", "stdin")


def test_a_folder_takes_one_table_a_genome(tmp_path):
    jobs = plan(["a.fa", "b.fa"], str(tmp_path), "tsv")
    assert [job.output for job in jobs] == [str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv")]


def test_a_file_takes_all(tmp_path):
    jobs = plan(["a.fa", "b.fa"], str(tmp_path / "all.tsv"), "tsv")
    assert {job.output for job in jobs} == {str(tmp_path / "all.tsv")}


def test_two_inputs_never_write_one_file_unasked(tmp_path):
    with pytest.raises(GstError, match="would be the same file"):
        plan(["a.fa", "a.fasta"], None, "tsv")


def test_an_input_is_never_overwritten(tmp_path):
    fasta = tmp_path / "a.fa"
    fasta.write_text(">p\nMKV\n")
    with pytest.raises(GstError, match="overwrite an input"):
        plan([str(fasta)], str(fasta), "tsv")


def test_standard_input_is_read_once():
    with pytest.raises(GstError, match="only once"):
        plan(["-", "-"], "all.tsv", "tsv")


def manifest(folder: Path, text: str) -> Path:
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_manifest(tmp_path):
    path = manifest(
        tmp_path,
        "\ufeffid,fasta,scientific_name,taxon_id,clade,note\n"
        "pig,pig.fa,Sus scrofa,,,x\n\ncow,/data/cow.fa.gz,,9913,,\nowl,o.fa,,,aves,\n",
    )
    pig, cow, owl = read_manifest(path, None, "tsv")
    assert pig.fasta == str(tmp_path / "pig.fa")
    assert pig.scientific_name == "Sus scrofa"
    assert pig.output == str(tmp_path / "pig_symbols.csv")
    assert (cow.fasta, cow.taxon_id, cow.scientific_name) == ("/data/cow.fa.gz", 9913, None)
    assert owl.clade == "aves"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fasta\nx.fa\n", "line 1: the manifest has no column 'id'"),
        ("id,fasta\n", "lists no genome"),
        ("", "no column 'id'"),
        ("id,fasta\npig,\n", "line 2, column fasta: empty cell"),
        ("id,fasta\n,x.fa\n", "line 2, column id: empty cell"),
        ("id,fasta\na,x.fa\na,y.fa\n", "the id 'a' is there twice"),
        ("id,fasta,taxon_id\na,x.fa,pig\n", "line 2, column taxon_id: 'pig' is not"),
        ("id,fasta\n../a,x.fa\n", "line 2, column id"),
    ],
)
def test_a_bad_manifest_is_told_by_line_and_column(tmp_path, text, message):
    with pytest.raises(GstError) as error:
        read_manifest(manifest(tmp_path, text), None, "tsv")
    assert message in str(error.value)


def test_a_manifest_in_another_encoding(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"id,fasta\nB\xf6ck,x.fa\n")
    with pytest.raises(GstError, match="not UTF-8"):
        read_manifest(path, None, "tsv")
