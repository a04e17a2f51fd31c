"""What is read and where results go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gst_core.errors import GstError
from gst_core.inference.jobs import plan, plan_annotation, read_manifest, stem


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


@pytest.mark.parametrize("folder", [".", "..", "./", "a/.."])
def test_a_folder_is_no_input(folder):
    with pytest.raises(GstError, match="is a folder"):
        plan([folder], None, "tsv")


def test_standard_input_goes_to_standard_output():
    (job,) = plan(["-"], None, "tsv")
    assert (job.output, job.id) == ("-", "stdin")


def test_what_the_shell_hands_over_goes_to_standard_output_too():
    # as `<(zcat proteins.fa.gz)` does; nothing is written into /dev
    reading, writing = os.pipe()
    try:
        for path in ("/dev/stdin", f"/dev/fd/{reading}"):
            (job,) = plan([path], None, "tsv")
            assert job.output == "-"
            job = plan_annotation(Path(path), None, None, "tsv")
            assert (job.annotated, job.output) == ("-", os.devnull)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_folder_takes_one_table_a_genome(tmp_path):
    jobs = plan(["a.fa", "b.fa"], str(tmp_path), "tsv")
    assert [job.output for job in jobs] == [str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv")]


def test_a_file_takes_all(tmp_path):
    jobs = plan(["a.fa", "b.fa"], str(tmp_path / "all.tsv"), "tsv")
    assert {job.output for job in jobs} == {str(tmp_path / "all.tsv")}


def test_two_inputs_never_write_one_file_unasked(tmp_path):
    with pytest.raises(GstError, match="would be the same file"):
        plan(["a.fa", "a.fasta"], None, "tsv")


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
        "\ufeffid,fasta,scientific_name,taxon_id,clade\r\n"
        "pig,pig.fa,Sus scrofa,,\r\n\r\ncow,/data/cow.fa.gz,,9913,\r\nowl,o.fa,,,aves\r\n",
    )
    pig, cow, owl = read_manifest(path, None, "tsv")
    assert pig.fasta == str(tmp_path / "pig.fa")
    assert pig.scientific_name == "Sus scrofa"
    assert pig.output == str(tmp_path / "pig_symbols.csv")
    assert (cow.fasta, cow.taxon_id, cow.scientific_name) == ("/data/cow.fa.gz", 9913, None)
    assert owl.clade == "aves"


@pytest.mark.parametrize(
    "text",
    [
        "id, fasta, scientific_name\nx, a b.fa, Sus scrofa\n",
        "id;fasta;scientific_name\nx;a b.fa;Sus scrofa\n",
        "id\tfasta\tscientific_name\nx\ta b.fa\tSus scrofa\n",
        'fasta,id,scientific_name,,\n"a b.fa", x ,"Sus scrofa",,\n',
        "\ufeffid,fasta,scientific_name\r\n\r\nx,a b.fa,Sus scrofa\r\n",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path, text):
    (job,) = read_manifest(manifest(tmp_path, text), None, "tsv")
    assert (job.id, job.fasta) == ("x", str(tmp_path / "a b.fa"))
    assert job.scientific_name == "Sus scrofa"


def test_a_genome_may_be_an_annotation(tmp_path):
    text = "id,fasta,gff3,genome,clade\na,a.fa,,,aves\nb,,x.gff3.gz,g.fa.gz,\nc,,y.gtf,,\n"
    a, b, c = read_manifest(manifest(tmp_path, text), "out/", "tsv")
    assert (a.annotated, a.genome) == (None, None)
    assert (b.fasta, b.genome) == (str(tmp_path / "x.gff3.gz"), str(tmp_path / "g.fa.gz"))
    assert (b.output, b.annotated) == ("out/b.tsv", "out/b.gff3.gz")
    assert (c.annotated, c.genome) == ("out/c.gtf", None)
    with pytest.raises(GstError, match="annotations of several genomes cannot be one file"):
        read_manifest(manifest(tmp_path, text), "all.tsv", "tsv")


def test_names_of_files_are_any(tmp_path):
    """A comma, a quote, a parenthesis: RFC 4180 writes them all."""
    text = 'id,fasta\na,"x, (1) ""y"" \'z\'.fa"\n'
    (job,) = read_manifest(manifest(tmp_path, text), "out/", "tsv")
    assert job.fasta == str(tmp_path / "x, (1) \"y\" 'z'.fa")
    assert job.output == "out/a.tsv"


def test_a_name_that_is_not_utf8_has_an_id_that_is():
    (job,) = plan([os.fsdecode(b"/d/b\xf6ck.fa")], None, "tsv")
    assert job.id == r"b\xf6ck"
    assert os.fsencode(job.output) == b"/d/b\xf6ck_symbols.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fasta\nx.fa\n", "line 1: no column 'id'; it has fasta; the columns are id, fasta, "),
        ("id,fasta\n", "lists no genome"),
        ("", "is empty; its first line names the columns: id, fasta, gff3"),
        ("\n \n", "is empty"),
        ("id,fasta,Scientific_Name\n", "line 1: 'Scientific_Name' is no column; 'scientific_name'"),
        ("id,fasta,note\n", "line 1: 'note' is no column; it has id, fasta, note; the columns"),
        ("id,fasta,fasta\n", "line 1: the column 'fasta' is there twice"),
        ("id,fasta\n\n\na,x.fa,y\n", "line 4: 3 fields where the header has 2"),
        ("\n\nid,fasta\n\na,x.fa\n\nA,y.fa\n", "line 7, column id: the id 'A' is there twice"),
        ('id,fasta\na,"x\n.fa"\n', "line 2, column fasta: a control character"),
        ('id,fasta\nb,y.fa\na,"x.fa\n', "line 3: broken quoting"),
        ("id,fasta,taxon_id\na,x.fa,0\n", "line 2, column taxon_id: '0' is not"),
        (
            "id,fasta\npig,\n",
            "line 2, column fasta: neither proteins nor an annotation; give fasta",
        ),
        ("id,fasta,gff3\npig,p.fa,p.gff3\n", "line 2, column gff3: proteins and an annotation"),
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
