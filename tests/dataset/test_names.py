"""Names of genes in Ensembl's GFF3 and EMBL files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.dataset.names import GeneName, by_id, named
from gst_core.dataset.names_embl import qualifiers_of, read_embl
from gst_core.dataset.names_gff3 import read_gff3
from gst_core.errors import GstError
from tests.dataset.conftest import refusal
from tests.dataset.made import sample, write
from tests.dataset.release_tree import embl_of, genes_of, gff3_of

GENES = genes_of([p for p in sample() if p.species == "Bos taurus"])
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("description", "wanted"),
    [
        (
            "tumor protein p53 [Source:HGNC Symbol;Acc:HGNC:11998]",
            ("tumor protein p53", "HGNC Symbol", "HGNC:11998"),
        ),
        ("[Source:ZFIN;Acc:ZDB-GENE-1]", ("", "ZFIN", "ZDB-GENE-1")),
        ("a [b] c [Source:NCBI gene;Acc:12]", ("a [b] c", "NCBI gene", "12")),
        ("no source", ("no source", "", "")),
        ("", ("", "", "")),
    ],
)
def test_the_end_of_a_description_names_its_source(description: str, wanted: tuple) -> None:
    assert named(" x ", description) == GeneName("x", *wanted)


def test_what_follows_a_full_stop_is_a_version_or_is_not() -> None:
    assert by_id({"ENSG1": 1, "AT1G1.1": 2, "AT1G1": 3}, "ENSG1.5") == 1
    assert by_id({"AT1G1.1": 2, "AT1G1": 3}, "AT1G1.1") == 2
    assert by_id({"AT1G1": 3}, "AT2G1.1") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no gene of Ensembl's"),
        ("1\tx\tgene\t1\t9\t.\t+\t.\tID=g1;biotype=protein_coding\n", "has no gene of Ensembl's"),
        ("1\tx\tgene\t1\tID=gene:g1\n", "5 columns where GFF3 has 9"),
    ],
)
def test_another_gff3_is_an_error(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GstError, match=r"x\.gff3") as raised:
        read_gff3(write(tmp_path / "x.gff3", text))
    assert words in str(raised.value)


def test_embl_and_gff3_name_the_same_genes(tmp_path: Path) -> None:
    gff3 = read_gff3(write(tmp_path / "x.gff3", gff3_of(GENES)))
    embl = read_embl([write(tmp_path / "x.dat", embl_of(GENES))])
    assert {gene.partition(".")[0]: name for gene, name in embl.genes.items()} == gff3.genes
    assert not embl.canonical
    assert len(gff3.canonical) == len([gene for gene in GENES if gene.placed])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (embl_of(GENES)[:-3], "has no end (//)"),
        ("ID   1\nFT   source          1..9\n//\n", "there is no gene in it"),
        ("", "there is no gene in it"),
    ],
)
def test_a_damaged_embl_file_is_an_error(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GstError, match=r"x\.dat") as raised:
        read_embl([write(tmp_path / "x.dat", text)])
    assert words in str(raised.value)


@given(
    st.lists(st.tuples(st.sampled_from(("note", "gene")), st.lists(WORDS, min_size=1, max_size=9))),
    st.integers(20, 60),
)
def test_qualifiers_survive_being_wrapped(values: list[tuple[str, list[str]]], width: int) -> None:
    wanted: dict[str, list[str]] = {}
    lines = []
    for name, words in values:
        # only notes have spaces, and lines are broken there
        text = " ".join(words) if name == "note" else words[0]
        wanted.setdefault(name, []).append(text)
        quoted = text.replace('"', '""')
        line = f'/{name}="'
        for word in quoted.split(" "):
            if len(line) + len(word) > width and not line.endswith('="'):
                lines.append(line)
                line = word
            else:
                line += word if line.endswith('="') else f" {word}"
        lines.append(f'{line}"')
    assert qualifiers_of(lines) == wanted


@settings(max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_text_is_read_or_refused(tmp_path_factory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = "".join(f"FT   {line}\n" for line in lines)
    embl, gff3 = folder / "any.dat", folder / "any.gff3"
    embl.write_bytes(f"ID   1\n{text}//\n".encode("utf-8", "surrogatepass"))
    gff3.write_bytes(
        "".join(f"ID=gene:{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    )
    assert "any.dat" in (refusal(lambda: read_embl([embl])) or "any.dat")
    assert "any.gff3" in (refusal(lambda: read_gff3(gff3)) or "any.gff3")
