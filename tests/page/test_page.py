"""The page in a browser: the answers of ``gst_assign``, and what goes wrong is said."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from gst_core.cli.assign import assign
from tests.annotation.made import annotation, fasta, make_genome
from tests.page.conftest import Page, Server

TWINS = Path(__file__).parents[1] / "data" / "identical_twins.fa"
SAMPLE = Path(__file__).parents[2] / "gst_core" / "assets" / "sample"
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def sample(*species: str) -> dict[str, str]:
    proteins = {}
    for name in species or [path.stem for path in SAMPLE.glob("*.fa")]:
        for record in (SAMPLE / f"{name}.fa").read_text().split(">")[1:]:
            header, *lines = record.split("\n")
            proteins[header.split()[0]] = "".join(lines)
    return proteins


def changed(protein: str, share: float, chance: random.Random) -> str:
    return "".join(chance.choice(RESIDUES) if chance.random() < share else r for r in protein)


def thousand() -> str:
    """Write the sample as it is, a little and much changed, and things that are no proteins."""
    chance = random.Random(5)
    records = [
        f">{id}_{share}\n{changed(protein, share, chance)}\n"
        for share in (0, 0.03, 0.4)
        for id, protein in sample().items()
    ]
    records += [f">random{n}\n{''.join(chance.choices(RESIDUES, k=n))}\n" for n in range(1, 60, 3)]
    records += [">empty\n\n", ">low\n" + "Q" * 300 + "\n", ">odd letters; ß\nMKV!LA*\n"]
    return TWINS.read_text() + "".join(records)


def assigned(*options: str | Path) -> None:
    result = CliRunner().invoke(assign, [*map(str, options), "--threads", "2", "--quiet"])
    assert result.exit_code == 0, result.output


def test_it_gives_the_answers_of_gst_assign(page: Page, server: Server, tmp_path: Path) -> None:
    proteins = tmp_path / "proteins.fa"
    proteins.write_text(thousand())
    page.name(proteins, species="Sus scrofa")
    page.done()
    assert page.text("error") == ""
    assert page.text("found").endswith("(taxon id 9823, species): clade mammalia")
    table = tmp_path / "expected.tsv"
    options = ("--scientific_name", "Sus scrofa", "--top_k", "3", "--output", table)
    assigned("--sequences_fasta", proteins, *options)
    expected = list(csv.reader(table.open(newline=""), delimiter="\t"))
    found = list(csv.reader(page.download("_symbols.tsv").splitlines(), delimiter="\t"))
    assert len(found) == len(expected) > 1000
    numbers = [n for n, name in enumerate(expected[0]) if name.startswith("probability")]
    for one, other in zip(found, expected, strict=True):
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            if n in numbers and a != b:
                assert float(a) == pytest.approx(float(b), abs=1.01e-4), one[0]
            else:
                assert a == b, one[0]
    assert "letters that no protein has" in page.text("warnings")
    # files came, and nothing went
    assert {request.split()[0] for request in server.requests} == {"GET"}


def test_the_table_is_searched_and_sorted_and_shows_evidence(page: Page, tmp_path: Path) -> None:
    proteins = tmp_path / "two.fa"
    known = dict(list(sample("bos_taurus").items())[:2])
    proteins.write_text("".join(f">{id}\n{p}\n" for id, p in known.items()))
    page.name(proteins, species="Bos taurus")
    page.done()
    assert [cell.text for cell in page.all("#table tbody td.id")] == list(known)
    page.find("find").send_keys(list(known)[1].lower())
    assert [cell.text for cell in page.all("#table tbody td.id")] == [list(known)[1]]
    assert page.text("count") == "1 of 2"
    page.all("#table tbody button")[0].click()
    page.until(lambda: page.all("#table pre"))
    drawn = page.all("#table pre")[0].text.splitlines()
    assert drawn[0].split()[2] == known[list(known)[1]][:60]


def test_an_annotation_comes_back_with_names(page: Page, tmp_path: Path) -> None:
    genome, genes = make_genome(list(sample("danio_rerio").values())[:30])
    (tmp_path / "genome.fa").write_text(fasta(genome))
    given = tmp_path / "genes.gff3.gz"
    given.write_bytes(gzip.compress(annotation("maker", genes).encode()))
    page.name(given, tmp_path / "genome.fa", species="Danio rerio", threshold="0.7")
    page.done()
    assert page.text("error") == ""
    named = tmp_path / "named.gff3"
    options = ("--genome", tmp_path / "genome.fa", "--scientific_name", "Danio rerio")
    assigned("--gff3", given, *options, "--threshold", "0.7", "--output", named)
    assert page.download("_named.gff3") == named.read_text()
    assert "of 30 genes named" in page.text("downloads")


@pytest.mark.parametrize(
    ("content", "species", "said"),
    [
        (">a\n" + "ACGT" * 200 + "\n", "", "odd.fa: "),
        ("", "", "odd.fa: is empty"),
        (">a\nMKV\n", "Hmoo sapiens", "is not a name in the NCBI taxonomy"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    page: Page, tmp_path: Path, content: str, species: str, said: str
) -> None:
    file = tmp_path / "odd.fa"
    file.write_text(content)
    page.name(file, species=species)
    page.done()
    assert said in page.text("error")
    assert "Traceback" not in page.text("error")
    assert "/input" not in page.text("error")


def test_a_run_can_be_cancelled_and_begun_again(page: Page, tmp_path: Path) -> None:
    many = tmp_path / "many.fa"
    many.write_text(thousand() * 20)
    page.name(many)
    page.until(lambda: page.all("#table tbody tr"))
    page.find("cancel").click()
    page.done()
    assert page.text("status") == "Cancelled"
    page.find("sample").click()
    page.until(lambda: page.text("chosen") == "sample.fa")
    page.find("start").click()
    page.done()
    assert page.text("status") == "Done"
    assert len(page.download("_symbols.tsv").splitlines()) == 61


def test_every_field_has_a_name(page: Page) -> None:
    fields = page.all("input, select")
    assert len(fields) >= 6
    for field in fields:
        assert field.accessible_name if field.is_displayed() else True


def test_once_opened_it_needs_no_network(page: Page, server: Server) -> None:
    script = "navigator.serviceWorker.ready.then(() => arguments[0]())"
    page.driver.execute_async_script(script)
    server.stop()
    page.open(server.url)
    assert page.text("status") == "Ready"
