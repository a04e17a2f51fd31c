"""A genome that names its genes together."""

from __future__ import annotations

import pytest

from gst_core import GeneNamer
from gst_core.assignment import Assignment, Evidence
from gst_core.inference.one_to_one import name_together
from gst_core.vocabulary import Symbol


def protein(stable_id: str, *candidates: tuple[str, float], gene: str = "") -> Assignment:
    named = tuple((Symbol(name), p) for name, p in candidates) or ((Symbol(""), 0.0),)
    return Assignment(stable_id, named, 100, Evidence(named[0][0].symbol, 1, 1, 1), gene)


def names(assignments: list[Assignment], **options: object) -> dict[str, str]:
    return {a.stable_id: a.symbol for a in name_together(assignments, **options)}  # type: ignore[arg-type]


BETA = protein("beta", ("HBB", 0.9), ("HBD", 0.08))
DELTA = protein("delta", ("HBB", 0.5), ("HBD", 0.45))


def test_the_one_with_the_better_claim_keeps_the_symbol():
    assert names([DELTA, BETA]) == {"delta": "HBD", "beta": "HBB"}


def test_what_became_of_a_contested_symbol_is_said():
    delta, beta = name_together([DELTA, BETA])
    assert delta.settled == "instead of HBB"
    assert beta.settled == "one of 2 claims"
    assert [a.settled for a in name_together([BETA])] == [""]


def test_case_is_no_difference():
    assert names([BETA, protein("d", ("hbb", 0.5), ("HBD", 0.45))])["d"] == "HBD"


def test_symbols_of_one_protein_come_before_a_likelier_single_one():
    # H2BC10: the protein of five genes, beside H2BC21, which is likelier than each and not than all
    five = [("H2BC10", 0.123), ("H2BC4", 0.123), ("H2BC6", 0.123), ("H2BC7", 0.123)]
    alone = protein("p", *five, ("H2BC21", 0.165))
    (found,) = name_together([alone])
    assert [s.symbol for s, _ in found.candidates] == [s.symbol for s, _ in alone.candidates]
    assert found.settled == ""
    # with a rival each has one of them
    assert set(names([alone, protein("q", *five, ("H2BC21", 0.165))]).values()) < {
        s for s, _ in five
    }
    # a single one that is likelier than all of them is the first already, and stays it
    single = protein("p", ("H2BC21", 0.6), *((s, 0.1) for s, _ in five))
    assert names([single]) == {"p": "H2BC21"}


def test_of_one_protein_s_symbols_a_gene_has_the_one_that_nobody_claims_with_reason():
    # The protein of TUBA3C and TUBA3D, which a mouse's Tuba3a makes a claim to TUBA1A
    shared = [("TUBA1A", 0.328), ("TUBA3C", 0.328), ("TUBA3D", 0.328)]
    genes = [protein("c", *shared), protein("d", *shared), protein("a", ("TUBA1A", 0.95))]
    found = names(genes)
    assert found["a"] == "TUBA1A"
    assert {found["c"], found["d"]} == {"TUBA3C", "TUBA3D"}


def test_isoforms_are_no_rivals_and_share_the_gene_s_symbol():
    first = protein("b1", ("HBB", 0.9), gene="b")
    second = protein("b2", ("HBD", 0.4), ("HBB", 0.3), gene="b")
    found = list(name_together([second, first]))
    assert [(a.stable_id, a.symbol, a.settled) for a in found] == [
        ("b2", "HBB", ""),
        ("b1", "HBB", ""),
    ]
    assert found[0].probability == pytest.approx(0.9, abs=0.001)


def test_a_doubled_genome_has_two_genes_a_symbol():
    twins = [protein("l", ("brca1", 0.9), ("brca2", 0.09)), protein("s", ("brca1", 0.8))]
    assert names(twins, copies=2) == {"l": "brca1", "s": "brca1"}


def test_evidence_is_asked_for_what_is_new_alone():
    asked = []

    def evidence(place: int, symbol: Symbol) -> Evidence:
        asked.append((place, symbol.symbol))
        return Evidence("new", 0.5, 1, 1)

    delta, beta = name_together([DELTA, BETA], evidence=evidence)
    assert asked == [(0, "HBD")]
    assert delta.evidence is not None
    assert delta.evidence.reference == "new"
    assert beta.evidence == BETA.evidence


def test_proteins_without_a_symbol_stay_so():
    assert names([protein("x"), BETA]) == {"x": "", "beta": "HBB"}
    assert names([]) == {}


def test_twelve_genes_of_one_protein_have_twelve_symbols():
    # Histone H4, of which humans have the genes by the dozen.
    h4 = (
        "MSGRGKGGKGLGKGGAKRHRKVLRDNIQGITKPAIRRLARRGGVKRISGLIYEETRGVLK"
        "VFLENVIRDAVTYTEHAKRKTVTAMDVVYALKRQGRTLYGFGG"
    )
    genes = [(f"gene{number}", h4) for number in range(12)]
    together = list(GeneNamer().assign(genes, scientific_name="Homo sapiens", one_to_one=True))
    symbols = {a.symbol for a in together}
    assert len(symbols) == 12
    assert all(symbol.startswith("H4C") for symbol in symbols)


def test_the_embedded_model_names_a_genome_together():
    # The same protein under three headers: two transcripts of one gene, and another gene.
    beta = (
        "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLSTPDAVMGNPKVKAHGKKVLGAFSDGLAHLDNLKGTFATLSELHCDKLHVDPENFRLL"
        "GNVLVCVLAHHFGKEFTPPVQAAYQKVVAGVANALAHKYH"
    )
    pairs = [("g1.t1", beta), ("g1.t2", beta[20:]), ("g2.t1", beta)]
    together = list(
        GeneNamer().assign(pairs, scientific_name="Homo sapiens", one_to_one=True, evidence=True)
    )
    symbols = [a.symbol for a in together]
    assert symbols[0] == symbols[1]
    assert set(symbols) <= {"HBB", "HBD"}
    assert together[0].settled
    assert together[2].settled
    alone = next(GeneNamer().assign(pairs[2:], scientific_name="Homo sapiens"))
    assert together[2].probability < alone.probability
    assert all(a.evidence is not None and a.evidence.identity > 0.9 for a in together)
