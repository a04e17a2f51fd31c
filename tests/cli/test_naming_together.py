"""``gst_assign --one_to_one``, ``--gene_map`` and ``--symbol_style`` with the embedded model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gst_core import GeneNamer
from gst_core.cli.assign import assign

BETA = (
    "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLSTPDAVMGNPKVKAHGKKVLGAFSDGLAHLDNLKGTFATLSE"
    "LHCDKLHVDPENFRLLGNVLVCVLAHHFGKEFTPPVQAAYQKVVAGVANALAHKYH"
)
INSULIN = (
    "MALWMRLLPLLALLALWGPDPAAAFVNQHLCGSHLVEALYLVCGERGFFYTPKTRREAEDLQVGQVELGGGPGAGSLQPLALEGSLQKRGI"
    "VEQCCTSICSLYQLENYCN"
)

PATR_A = (
    "MAVMPPRTLLLLLSGALALTQTWAGSHSMRYFYTSVSRPGRGEPRFIAVGYVDDTQFVRFDSDAASQRMEPRAPWIEQEGPEYWDQETRNMKASAQTDRVDLGTLRG"
    "YYNQSEDGSHTIQIMYGCDVGSDGRFLRGYRQDAYDGKDYIALNEDLRSWTAAAMAAQITKRKWEAAHAAEQLRAYLEGRCVEWLRRYLENGKETLQRTDPPKTHMT"
    "HHPISDHEATLRCWALGFYPAVITLTWQRDGEDQTQDTELVETRPAGDGTFQKWAAVVVPSGEEQRYTCHVQHEGLPKPLTLRWEPSSQPTIPIVGIIAGLVLLGAV"
    "ITGAVVAAVMWRRKSSDRKGGSYTQAASSDSAQGSDVSLTACKV"
)


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "p.fa"
    path.write_text(f">b1\n{BETA}\n>b2\n{BETA[20:]}\n>b3\n{BETA}\n>ins\n{INSULIN}\n")
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(assign, [str(word) for word in words], catch_exceptions=True)


def rows(result: Result) -> dict[str, dict[str, str]]:
    assert result.exit_code == 0, result.output
    return {
        row["stable_id"]: row for row in csv.DictReader(result.stdout.splitlines(), delimiter="\t")
    }


def test_rivals_of_one_symbol_are_told_and_isoforms_are_none(fasta, tmp_path):
    table = tmp_path / "genes.tsv"
    table.write_text("b1\tg1\nb2\tg1\nb3\tg2\n")
    common = ("--sequences_fasta", fasta, "--scientific_name", "Homo sapiens", "--output", "-")
    found = rows(run(*common, "--one_to_one", "--gene_map", table, "--evidence", "--quiet"))
    assert list(found) == ["b1", "b2", "b3", "ins"]
    assert {found[b]["symbol"] for b in ("b1", "b2", "b3")} <= {"HBB", "HBD"}
    assert found["b1"]["symbol"] == found["b2"]["symbol"]
    # One and the same protein in two genes: whoever has the symbol, its claim is not the only one.
    settled = {found["b1"]["settled"], found["b3"]["settled"]}
    assert settled <= {"one of 2 claims", "instead of HBB", "instead of HBD"}
    assert found["ins"]["symbol"] == "INS"
    assert found["ins"]["settled"] == ""
    columns = list(found["ins"])
    assert columns.index("settled") > columns.index("reference_coverage")
    document = json.loads(
        run(*common, "--one_to_one", "--evidence", "--format", "json", "--quiet").stdout
    )
    assert all("settled" in a for a in document["genomes"][0]["assignments"])


def test_without_evidence_the_table_has_its_five_columns(fasta):
    found = rows(run("--sequences_fasta", fasta, "--output", "-", "--one_to_one", "--quiet"))
    assert list(found["ins"]) == ["stable_id", "symbol", "probability", "description", "source"]


@pytest.mark.parametrize(
    ("species", "symbol"),
    [("Mus musculus", "Ins"), ("Danio rerio", "ins"), ("Homo sapiens", "INS")],
)
def test_the_style_of_the_species(fasta, species, symbol):
    found = rows(
        run(
            *("--sequences_fasta", fasta, "--output", "-", "--quiet"),
            *("--scientific_name", species, "--symbol_style", "species"),
        )
    )
    assert found["ins"]["symbol"].startswith(symbol)


@pytest.mark.parametrize(
    ("species", "symbol"),
    [("Pan troglodytes", "Patr-A"), ("Macaca mulatta", "HLA-A"), ("Gorilla gorilla", "HLA-A")],
)
def test_a_symbol_of_one_genus_is_given_there_alone(tmp_path, species, symbol):
    # P13748 of Swiss-Prot
    path = tmp_path / "mhc.fa"
    path.write_text(f">a\n{PATR_A}\n")
    found = rows(
        run("--sequences_fasta", path, "--output", "-", "--quiet", "--scientific_name", species)
    )
    assert found["a"]["symbol"] == symbol


@pytest.mark.parametrize("species", ["Xenopus laevis", "Xenopus tropicalis"])
def test_the_command_and_python_say_the_same(fasta, species):
    options = ("--one_to_one", "--output", "-", "--quiet", "--scientific_name", species)
    found = rows(run("--sequences_fasta", fasta, *options))
    named = list(GeneNamer().assign(fasta, scientific_name=species, one_to_one=True))
    assert {a.stable_id: (a.symbol, f"{a.probability:.4f}") for a in named} == {
        id: (row["symbol"], row["probability"]) for id, row in found.items()
    }


def test_a_gene_map_for_nothing_is_wrong_usage(fasta, tmp_path):
    table = tmp_path / "genes.tsv"
    table.write_text("b1\tg1\n")
    result = run("--sequences_fasta", fasta, "--gene_map", table)
    assert result.exit_code == 2
    assert "--one_to_one" in result.output
