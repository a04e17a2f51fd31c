"""Which genes get names, and what the command writes."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest
from Bio import SeqIO
from click.testing import CliRunner, Result

from gst_core.annotation import Gene, choose_names
from gst_core.annotation.genes import Transcript
from gst_core.annotation.naming import is_placeholder
from gst_core.assignment import Assignment
from gst_core.cli.assign import assign
from gst_core.vocabulary import Symbol
from tests.annotation import made

_SYMBOLS = {"brca2", "kiaa1549", "hoxa1", "trna-x"}


def _gene(own: str, *labels: str) -> Gene:
    return Gene(own, (1,), labels, frozenset([own]), "", [Transcript(own)])


@pytest.mark.parametrize(
    "label",
    [
        "g12",
        "g12.t1",
        "jg456.t1",
        "mRNA_45",
        "gene-12",
        "LOC102723996",
        "FUN_000123",
        "maker-chr1-snap-gene-0.3",
        "augustus_masked-s1-processed-gene-0.5-mRNA-1",
        "evm.TU.chr1.5",
        "MSTRG.7.1",
        "XLOC_000042",
        "MP000017",
        "ENSDARG00000012345",
        "gene:ENSG00000139618.17",
        "XM_012345.2",
        "Made_chr1_000042.1",
        "TRINITY_DN1_c0_g1",
        "ABC0012345",
        "nbis-gene-7",
        "agat-gene-8",
        "-",
        ".",
        "own-id",
        "hypothetical protein",
    ],
)
def test_placeholders(label: str) -> None:
    assert is_placeholder(label, _gene("own-id", label), lambda text: text.lower() in _SYMBOLS)


@pytest.mark.parametrize(
    "label", ["BRCA2", "KIAA1549", "C9orf72", "OR10A4", "ZNF385A", "hbb1", "HLA-DRB1", "H4C16"]
)
def test_names_are_no_placeholders(label: str) -> None:
    assert not is_placeholder(label, _gene("x", label), lambda text: text.lower() in _SYMBOLS)


def test_an_id_that_is_a_symbol_is_a_name() -> None:
    assert not is_placeholder("HOXA1", _gene("HOXA1", "HOXA1"), lambda t: t.lower() in _SYMBOLS)


def test_two_genes_with_one_symbol_are_settled_as_in_databases() -> None:
    rows = [
        (_gene(own, *labels), Assignment(own, ((Symbol(symbol), p),), 9))
        for own, labels, symbol, p in [
            ("a", (), "HBB", 0.9),
            ("b", (), "hbb", 0.95),
            ("c", ("Hoxa1",), "HOXA2", 0.9),
            ("d", (), "HOXA1", 0.99),
            ("e", (), "TP53", 0.5),
        ]
    ]

    def outcomes(**options: object) -> list[str]:
        named = choose_names(rows, threshold=0.7, is_symbol=lambda _: False, **options)  # type: ignore[arg-type]
        return [str(one.outcome) for one in named]

    kept = ["named", "named", "has_name", "named", "below_threshold"]
    assert outcomes() == kept
    best = ["duplicate_symbol", "named", "has_name", "duplicate_symbol", "below_threshold"]
    assert outcomes(duplicates="best") == best
    none = ["duplicate_symbol", "duplicate_symbol", "has_name", "duplicate_symbol", kept[4]]
    assert outcomes(duplicates="none") == none
    assert outcomes(overwrite=True) == ["named"] * 4 + ["below_threshold"]


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A genome of three known proteins, and its annotation: HBB, GH1 and, once more, HBB."""
    records = {
        r.description.split("GN=")[1]: str(r.seq)
        for r in SeqIO.parse("tests/data/known_proteins.fa", "fasta")
    }
    bases, genes = made.make_genome([records["HBB"], records["GH1"], records["HBB"]])
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(made.fasta(bases))
    return path, made.annotation("egapx", genes)


def _run(source: Path, genome: Path, *options: str) -> Result:
    common = ["--gff3", str(source), "--genome", str(genome), "--scientific_name", "Homo sapiens"]
    return CliRunner().invoke(assign, [*common, *options])


def _names(text: str) -> list[str]:
    return re.findall(r"\tgene\t.*;Name=([^;]+)", text)


def test_names_are_kept_unless_they_are_to_be_overwritten(
    genome: tuple[Path, str], tmp_path: Path
) -> None:
    fasta, text = genome
    source = tmp_path / "a.gff3"
    source.write_text(text.replace("Name=LOC100001;", "Name=Mine;description=my own;"))
    first = _run(source, fasta, "--output", str(tmp_path / "one.gff3"))
    assert first.exit_code == 0, first.output
    assert "2 of 3 genes named; 1 with the name that they had" in first.stderr
    one = (tmp_path / "one.gff3").read_text()
    assert _names(one)[0] == "Mine"
    assert "Name=Mine;description=my own;gbkey" in one.replace("Dbxref=GeneID:1;", "")
    assert re.search(r"Name=Mine.*gst_symbol=\w+;gst_probability=0\.\d{4};gst_reference=\w+", one)

    # naming what was named changes nothing
    assert _run(tmp_path / "one.gff3", fasta, "--output", str(tmp_path / "two.gff3")).exit_code == 0
    assert (tmp_path / "two.gff3").read_text() == one

    overwritten = _run(source, fasta, "--overwrite", "--output", str(tmp_path / "three.gff3"))
    assert overwritten.exit_code == 0
    assert sorted(_names((tmp_path / "three.gff3").read_text())) == ["GH1", "HBB", "HBB"]


def test_one_gene_a_symbol_where_it_is_asked_for(genome: tuple[Path, str], tmp_path: Path) -> None:
    fasta, text = genome
    source = tmp_path / "a.gff3"
    source.write_text(text)
    result = _run(source, fasta, "--duplicates", "none", "--output", str(tmp_path / "none.gff3"))
    assert result.exit_code == 0
    names = _names((tmp_path / "none.gff3").read_text())
    assert [name for name in names if not name.startswith("LOC")] == ["GH1"]
    assert (tmp_path / "none.gff3").read_text().count("gst_symbol=HBB") == 2


def test_a_threshold_of_names_leaves_the_table(genome: tuple[Path, str], tmp_path: Path) -> None:
    fasta, text = genome
    (tmp_path / "a.gff3").write_text(text)
    folder = f"{tmp_path}/named/"
    result = _run(tmp_path / "a.gff3", fasta, "--name_threshold", "1", "--output", folder)
    assert result.exit_code == 0, result.output
    assert "0 of 3 genes named; 3 below the threshold" in result.stderr
    table = (tmp_path / "named/a.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[1] for line in table].count("HBB") == 2


def test_all_other_bytes_stay(genome: tuple[Path, str], tmp_path: Path) -> None:
    fasta, text = genome
    odd = (
        b"# caf\xe9 \xff\r\n\r\n" + text.replace("\n", "\r\n").encode() + b"##FASTA\r\n>x ;=\r\nAC"
    )
    (tmp_path / "a.gff3").write_bytes(odd)
    assert _run(tmp_path / "a.gff3", fasta, "--output", str(tmp_path / "b.gff3")).exit_code == 0
    after = (tmp_path / "b.gff3").read_bytes().splitlines(keepends=True)
    changed = [(a, b) for a, b in zip(odd.splitlines(keepends=True), after, strict=True) if a != b]
    assert len(changed) == 3
    assert all(b"\tgene\t" in a and b.endswith(b"\r\n") for a, b in changed)


def test_results_lie_beside_the_annotation_or_where_they_are_told_to(
    genome: tuple[Path, str], tmp_path: Path
) -> None:
    fasta, text = genome
    source = tmp_path / "a.b.gff.gz"
    source.write_bytes(gzip.compress(text.encode()))
    assert _run(source, fasta).exit_code == 0
    packed = (tmp_path / "a.b_symbols.gff.gz").read_bytes()
    assert packed[:4] == b"\x1f\x8b\x08\x04"  # bgzip: a gzip member with an extra field
    assert sorted(_names(gzip.decompress(packed).decode())) == ["GH1", "HBB", "HBB"]
    table = (tmp_path / "a.b_symbols.csv").read_text().splitlines()
    assert table[0].split("\t") == ["stable_id", "symbol", "probability", "description", "source"]
    assert {row.split("\t")[0] for row in table[1:]} == {f"gene-egapxtmp_{n:06}" for n in (1, 2, 3)}

    folder = tmp_path / "out"
    assert _run(source, fasta, "--output", f"{folder}/").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.b.gff.gz", "a.b.tsv"]
    assert _run(source, fasta, "--output", str(tmp_path / "t.tsv")).exit_code == 0
    assert (tmp_path / "t.gff.gz").exists()
    result = _run(source, fasta, "--output", "-", "--quiet")
    assert sorted(_names(result.stdout)) == ["GH1", "HBB", "HBB"]


def test_a_manifest_holds_proteins_and_annotations(
    genome: tuple[Path, str], tmp_path: Path
) -> None:
    fasta, text = genome
    (tmp_path / "x.gff3").write_text(text)
    (tmp_path / "p.fa").write_text(">p\nMGINTRELFLNFTIVLITVILMWLLVRSYQY\n")
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"id,fasta,gff3,genome,clade\na,p.fa,,,humans\nb,,x.gff3,{fasta},humans\n")
    arguments = [
        "--manifest",
        str(manifest),
        "--duplicates",
        "none",
        "--output",
        f"{tmp_path}/out/",
    ]
    result = CliRunner().invoke(assign, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.tsv", "b.gff3", "b.tsv"]
    assert "\tSLN\t" in (tmp_path / "out/a.tsv").read_text()
    names = _names((tmp_path / "out/b.gff3").read_text())
    assert [name for name in names if not name.startswith("LOC")] == ["GH1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--genome", "README.md", "--sequences_fasta", "x"], "--genome serves --gff3"),
        (["--overwrite", "--sequences_fasta", "x"], "--overwrite serves --gff3"),
        (
            ["--gff3", "README.md", "--sequences_fasta", "x"],
            "give one of --sequences_fasta, --gff3",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(assign, arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_error_leaves_nothing_behind(genome: tuple[Path, str], tmp_path: Path) -> None:
    fasta, text = genome
    (tmp_path / "a.gff3").write_text(text + "chr1\tmade\tCDS\t9\t1\t.\t+\t0\tID=x\n")
    done = subprocess.run(
        ["bin/gst_assign", "--gff3", tmp_path / "a.gff3", "--genome", fasta],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "a.gff3, line" in done.stderr
    assert "'9 to 1' is not a stretch of a sequence" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.gff3"]
    # nor may the annotation be written over itself
    result = _run(tmp_path / "a.gff3", fasta, "--output", str(tmp_path / "a.gff3"))
    assert result.exit_code == 1
    assert "overwrite an input" in str(result.exception)
