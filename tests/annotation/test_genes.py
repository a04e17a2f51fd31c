"""What a gene is, what its protein is, and what is wrong with a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gst_core.annotation import Annotation, read_annotation, translate_genes
from gst_core.annotation.translate import reverse_complement
from gst_core.annotation.writing import check_named_as_it_is, write_annotation
from gst_core.errors import GstError


def line(kind: str, start: int, end: int, last: str, strand: str = "+", phase: object = ".") -> str:
    return f"chr1\tmade\t{kind}\t{start}\t{end}\t.\t{strand}\t{phase}\t{last}\n"


def proteins(tmp_path: Path, text: str, genome: str, clade: str | None = None) -> dict[str, str]:
    return {
        gene.id: protein
        for gene, protein in translate_genes(read(tmp_path, text), fasta(tmp_path, genome), clade)
    }


def read(tmp_path: Path, text: str) -> Annotation:
    source = tmp_path / "a.gff3"
    source.write_text("##gff-version 3\n" + text)
    return read_annotation(source)


def fasta(tmp_path: Path, bases: str, name: str = "chr1") -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(f">{name}\n{bases}\n")
    return path


def test_the_marked_transcript_stands_for_the_gene_else_the_longest(tmp_path: Path) -> None:
    text = line("gene", 1, 30, "ID=g") + "".join(
        line("mRNA", 1, 30, f"ID=t{n};Parent=g{tag}")
        + line("CDS", 1, end, f"ID=c{n};Parent=t{n}", phase=0)
        for n, (end, tag) in enumerate([(9, ""), (12, ""), (6, ";tag=basic,Ensembl_canonical")])
    )
    genome = "ATGGCTTGCGACGAATTTGGGCACATCAAA"
    assert proteins(tmp_path, text, genome) == {"g": "MA"}
    assert proteins(tmp_path, text.replace(",Ensembl_canonical", ""), genome) == {"g": "MACD"}
    assert proteins(tmp_path, text.replace("Ensembl_canonical", "MANE Select"), genome) == {
        "g": "MA"
    }


def test_the_phase_of_the_first_coding_base_counts_on_both_strands(tmp_path: Path) -> None:
    text = line("gene", 1, 11, "ID=g") + line("CDS", 1, 11, "ID=c;Parent=g", phase=2)
    assert proteins(tmp_path, text, "CTATGGCTTGC") == {"g": "MAC"}
    text = line("gene", 1, 11, "ID=g", "-") + line("CDS", 1, 11, "ID=c;Parent=g", "-", 2)
    assert proteins(tmp_path, text, reverse_complement("CTATGGCTTGC")) == {"g": "MAC"}


def test_a_partial_sequence_does_not_start_with_methionine(tmp_path: Path) -> None:
    text = line("gene", 1, 10, "ID=g") + line("CDS", 1, 10, "ID=c;Parent=g", phase=1)
    assert proteins(tmp_path, text, "GCTGGCTTGC") == {"g": "LAC"}


def test_genetic_codes(tmp_path: Path) -> None:
    bases = "ATGTGAATAAGATAA"
    text = line("gene", 1, 15, "ID=g") + line("CDS", 1, 15, "ID=c;Parent=g", phase=0)
    assert proteins(tmp_path, text, bases) == {"g": "M*IR"}
    # of vertebrate mitochondria: TGA is W, ATA is M, AGA a stop
    assert proteins(tmp_path, text.replace("ID=c;", "ID=c;transl_table=2;"), bases) == {"g": "MWM"}
    region = line("region", 1, 15, "ID=chr1;genome=mitochondrion")
    assert proteins(tmp_path, region + text, bases) == {"g": "MWM"}
    assert proteins(tmp_path, region + text, bases, "insects") == {"g": "MWMS"}
    (tmp_path / "a.gff3").write_text(text.replace("chr1\t", "MT\t"))
    found = translate_genes(read_annotation(tmp_path / "a.gff3"), fasta(tmp_path, bases, "MT"))
    assert [protein for _, protein in found] == ["MWM"]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_selenocysteine_and_a_stop_made_by_polyadenylation(tmp_path: Path, strand: str) -> None:
    # a stop codon is told by place; that of TA- at the end by its exception alone
    coding = "ATGGCTTGAGCTTA"
    bases = coding if strand == "+" else reverse_complement(coding)
    pos = {"+": "7..9", "-": "complement(6..8)"}[strand]
    term = {"+": "13..14", "-": "complement(1..2)"}[strand]
    last = f"ID=c;Parent=g;transl_except=(pos:{pos}%2Caa:Sec),(pos:{term}%2Caa:TERM)"
    text = line("gene", 1, 14, "ID=g", strand) + line("CDS", 1, 14, last, strand, 0)
    assert proteins(tmp_path, text, bases) == {"g": "MAUA"}


def test_slipping_back_repeats_a_base_and_slipping_forth_leaves_one_out(tmp_path: Path) -> None:
    whole = "ATGGCTTGCGACGAATTT"
    back = line("gene", 1, 18, "ID=g") + "".join(
        line("CDS", a, b, "ID=c;Parent=g", phase=p) for a, b, p in [(1, 7, 0), (7, 17, 2)]
    )
    assert proteins(tmp_path, back, whole) == {"g": "MALRRI"}
    forth = line("gene", 1, 18, "ID=g") + "".join(
        line("CDS", a, b, "ID=c;Parent=g", phase=p) for a, b, p in [(1, 6, 0), (8, 18, 0)]
    )
    assert proteins(tmp_path, forth, whole) == {"g": "MAATN"}


def test_two_products_of_one_transcript_overlap(tmp_path: Path) -> None:
    bases = "ATGGCTATGTGCGACGAATTT"
    text = line("gene", 1, 21, "ID=g") + line("mRNA", 1, 21, "ID=t;Parent=g")
    text += line("CDS", 1, 12, "ID=c1;Parent=t", phase=0) + line(
        "CDS", 7, 21, "ID=c2;Parent=t", phase=0
    )
    assert proteins(tmp_path, text, bases) == {"g": "MCDEF"}


def test_a_gene_crosses_the_origin_of_a_circular_sequence(tmp_path: Path) -> None:
    circle = "TTTTAAACCCATGGCTTGCG"  # reads on: ACGAA...
    genome = "ACGAATAG" + circle
    text = line("region", 1, 28, "ID=chr1;Is_circular=true")
    text += line("gene", 19, 36, "ID=g") + line("CDS", 19, 36, "ID=c;Parent=g", phase=0)
    assert proteins(tmp_path, text, genome) == {"g": "MACDE"}
    with pytest.raises(GstError, match=r"line 3: the CDS ends at 36, and 'chr1' has 28 bases"):
        proteins(tmp_path, text.split("\n", 1)[1], genome)


def test_trans_splicing_is_believed_where_it_is_said(tmp_path: Path) -> None:
    genome = "ATGGCTTTTTTT" + reverse_complement("TGCGAC")
    cds = line("CDS", 1, 6, "ID=c;Parent=g{}", phase=0) + line(
        "CDS", 13, 18, "ID=c;Parent=g{}", "-", 0
    )
    text = line("gene", 1, 18, "ID=g") + cds
    assert proteins(tmp_path, text.replace("{}", ";exception=trans-splicing"), genome) == {
        "g": "MACD"
    }
    with pytest.raises(GstError, match="no gene in it has a coding sequence"):
        proteins(tmp_path, text.replace("{}", ""), genome)


def test_what_is_left_out_is_counted_with_its_line(tmp_path: Path) -> None:
    text = line("CDS", 1, 9, "ID=c1;Parent=t1", phase=0)  # before its parents
    text += line("mRNA", 1, 9, "ID=t1;Parent=g1") + line("gene", 1, 9, "ID=g1")
    text += line("gene", 1, 9, "ID=g2") + line("ncRNA", 1, 9, "ID=r2;Parent=g2")
    text += line("pseudogene", 1, 9, "ID=g3") + line("CDS", 1, 9, "ID=c3;Parent=g3", phase=0)
    text += line("CDS", 1, 9, "ID=c4;Parent=gone", phase=0)
    text += line("mRNA", 1, 9, "ID=t5;Parent=lost") + line("CDS", 1, 9, "Parent=t5", phase=0)
    text += line("CDS", 1, 6, "ID=c6;Parent=g6", phase=0).replace("chr1", "chr2")
    annotation = read(tmp_path, text + line("gene", 1, 9, "ID=g6").replace("chr1", "chr2"))
    found = translate_genes(annotation, fasta(tmp_path, "ATGGCTTGC"))
    assert {gene.id: protein for gene, protein in found} == {
        "g1": "MAC",
        "gone": "MAC",
        "t5": "MAC",
    }
    assert sorted(annotation.warnings()) == [
        "CDS whose parent is not in the file, taken for genes: 1, first gone, line 9",
        "features whose parent is not in the file, taken for genes: 1, first t5, line 10",
        "genes on sequences that the genome lacks, left out: 1, first g6 on 'chr2', line 12",
        "genes without a coding sequence, left out: 1, first g2, line 5",
        "pseudogenes, left out: 1, first g3, line 7",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "chr1 made gene 1 9 . + . ID=g\nchr1\tx\ty\t1\t2\t.\t+\t.\tID=x\n",
            "1 column where an annotation has 9; .*tabs",
        ),
        (line("gene", 9, 1, "ID=g"), "line 2: '9 to 1' is not a stretch"),
        (line("gene", 1, 9, "ID=g").replace("\t9\t", "\tx\t"), "'1 to x' is not a stretch"),
        (line("gene", 1, 9, "ID=g", "x"), "'x' is not a strand"),
        (line("CDS", 1, 9, "ID=c", phase=3), "'3' is not a phase"),
        (line("CDS", 1, 9, "ID=c", "."), "a CDS without a strand"),
        (line("CDS", 1, 9, "ID=c;transl_table=x", phase=0), "transl_table 'x' is not a number"),
        (line("gene", 1, 9, "ID=g"), "no gene in it has a coding sequence"),
        ("", "there is no feature in it"),
        (line("gene", 1, 9, "."), "neither GFF3 nor GTF: the last column has no attributes"),
        (
            line("gene", 1, 9, "ID=g").replace("\t", "    "),
            "neither GFF3 nor GTF: spaces, and no tabs, stand between its columns",
        ),
        ("chr1\t100\t200\tg1\t0\t+\n", "neither GFF3 nor GTF: it has 6 columns"),
        (">chr1 a\nACGT\n", "neither GFF3 nor GTF: it begins as FASTA does"),
        (
            line("gene", 1, 9, "ID=a;Parent=b")
            + line("gene", 1, 9, "ID=b;Parent=a")
            + line("CDS", 1, 9, "ID=c;Parent=b"),
            "'b' is an ancestor of its own",
        ),
    ],
)
def test_broken_files_are_errors_with_a_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GstError, match=message):
        read(tmp_path, text)


def test_the_genome_must_be_the_annotations(tmp_path: Path) -> None:
    text = line("gene", 1, 9, "ID=g") + line("CDS", 1, 9, "ID=c;Parent=g", phase=0)
    annotation = read(tmp_path, text)
    with pytest.raises(
        GstError, match="none of the annotation's sequences, such as 'chr1', but '1'"
    ):
        list(translate_genes(annotation, fasta(tmp_path, "ATGGCTTGC", "1")))
    with pytest.raises(GstError, match="the sequence 'chr1' is there twice"):
        list(translate_genes(annotation, fasta(tmp_path, "ATG\n>chr1\nATG")))
    (tmp_path / "genome.fa").write_text("ATG")
    with pytest.raises(GstError, match="does not begin with '>'"):
        list(translate_genes(annotation, tmp_path / "genome.fa"))
    with pytest.raises(GstError, match="give the genome by --genome"):
        list(translate_genes(annotation, None))


def test_the_genome_may_follow_the_features(tmp_path: Path) -> None:
    text = line("gene", 1, 9, "ID=g") + line("CDS", 1, 9, "ID=c;Parent=g", phase=0)
    annotation = read(tmp_path, text + "##FASTA\n>chr0\nAAA\n>chr1 made\nATGGC\nTTGC\n")
    assert [protein for _, protein in translate_genes(annotation, None)] == ["MAC"]


def test_a_byte_order_mark_does_no_harm_and_stays(tmp_path: Path) -> None:
    features = line("gene", 1, 9, "ID=g") + line("CDS", 1, 9, "ID=c;Parent=g", phase=0)
    for header in ("##gff-version 3\n", ""):
        source = tmp_path / "a.gff3"
        source.write_text("\ufeff" + (header + features).replace("\n", "\r\n"), newline="")
        annotation = read_annotation(source)
        assert [p for _, p in translate_genes(annotation, fasta(tmp_path, "ATGGCTTGC"))] == ["MAC"]
        write_annotation(annotation, [], tmp_path / "b.gff3", "made 1")
        assert (tmp_path / "b.gff3").read_bytes() == source.read_bytes()


def test_a_pipe_is_told_apart_from_an_empty_file(tmp_path: Path) -> None:
    pipe = tmp_path / "a.gff3"
    os.mkfifo(pipe)
    with pytest.raises(GstError, match="is a pipe, and an annotation is read more than once"):
        read_annotation(pipe)


@pytest.mark.parametrize(
    ("source", "target", "fine"),
    [
        ("a.gff3", "b.gtf", False),
        ("a.gff", "b.gtf.gz", False),
        ("a.gff3", "b.gff", True),
        ("a.gff3.gz", "b.gff3", True),
        ("a.gtf", "b.gtf", True),  # its owner calls GFF3 so
        ("a.gff3", "-", True),
    ],
)
def test_no_format_is_written_under_the_name_of_the_other(
    tmp_path: Path, source: str, target: str, fine: bool
) -> None:
    path = tmp_path / source
    path.write_text(line("gene", 1, 9, "ID=g") + line("CDS", 1, 9, "ID=c;Parent=g", phase=0))
    annotation = read_annotation(path)
    if fine:
        check_named_as_it_is(annotation, target)
    else:
        with pytest.raises(GstError, match="is named as GTF, and the annotation is GFF3"):
            write_annotation(annotation, [], tmp_path / target, "made 1")
        assert not (tmp_path / target).exists()
