"""What users try first: proteins that the embedded model was built from, twins, and chance.

Sequences are UniProtKB/Swiss-Prot's (The UniProt Consortium, CC BY 4.0) and NCBI RefSeq's.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from Bio.SeqIO.FastaIO import SimpleFastaParser

from gst_core import GeneNamer

DATA = Path(__file__).resolve().parents[1] / "data"
#: Labels of the data that HGNC has replaced since; and one that is older than the gene, whose entry
#: HGNC gives to DERPC.
SINCE = {"CYHR1": "ZFTRAF1", "CHTF8": "DERPC"}


@pytest.fixture(scope="module")
def namer() -> GeneNamer:
    return GeneNamer(device="cpu", threads=2)


def records(name: str) -> list[tuple[str, str]]:
    with (DATA / name).open() as file:
        return list(SimpleFastaParser(file))


def test_a_known_protein_keeps_its_name(namer):
    """HBB is no HBD, HLA-A no ``Patr-A``, MT-ND1 no ``ND1``, a mouse's Krt86 no KRT81."""
    species = defaultdict(list)
    for header, sequence in records("known_proteins.fa"):
        match = re.search(r"OX=(\d+) GN=(\S+)", header)
        assert match
        species[int(match[1])].append((match[2], sequence))
    for taxon_id, proteins in species.items():
        found = namer.assign(proteins, taxon_id=taxon_id, evidence=True)
        for assignment in found:
            wanted = SINCE.get(assignment.stable_id, assignment.stable_id)
            assert assignment.symbol.upper() == wanted.upper()
            assert assignment.evidence is not None
            assert not assignment.evidence.equals, wanted
            assert assignment.probability >= 0.7, wanted


def test_of_twins_each_is_as_likely_and_all_are_told(namer):
    pairs = []
    for header, sequence in records("identical_twins.fa"):
        match = re.search(r"gene_symbol:(\S+)", header)
        assert match
        pairs.append((match[1], sequence))
    # Of a histone of five genes each is less likely than H2BC21, whose own differs in a residue.
    (histone,) = (sequence for symbol, sequence in pairs if symbol == "H2BC10")
    (found,) = namer.assign([("p", histone)], taxon_id=9606, top_k=6, evidence=True)
    symbols = [symbol.symbol for symbol, _ in found.candidates]
    assert symbols == ["H2BC10", "H2BC4", "H2BC6", "H2BC7", "H2BC8", "H2BC21"]
    assert found.evidence is not None
    assert found.evidence.identity == 1
    # LIMS1 has another protein as well, which tells it.
    (lims1,) = (sequence for symbol, sequence in pairs if symbol == "LIMS1")
    assert next(namer.assign([("p", lims1)], scientific_name="Homo sapiens")).symbol == "LIMS1"
    asked = [pair for pair in pairs if pair[0] not in ("LIMS1", "H2BC10")]
    found = namer.assign(asked, scientific_name="Homo sapiens", evidence=True, top_k=12)
    for assignment in found:
        assert assignment.evidence is not None
        twins = {assignment.symbol, *assignment.evidence.equals}
        assert assignment.stable_id in twins
        chances = {
            symbol.symbol: probability
            for symbol, probability in assignment.candidates
            if symbol.symbol in twins
        }
        assert set(chances) == twins
        assert max(chances.values()) - min(chances.values()) < 1e-6
        assert 0.8 < sum(chances.values()) <= 1 + 1e-6


def test_random_peptides_have_hardly_any_name(namer):
    pairs = records("random_peptides.fa")
    named = Counter(
        assignment.stable_id.split("_")[1]
        for assignment in namer.assign(pairs, scientific_name="Homo sapiens")
        if assignment.probability >= 0.7
    )
    assert len(pairs) == 200
    # One in a hundred, and the chance of a draw.
    assert named.total() <= 3, named


def test_symbols_of_another_lineage_are_not_given(namer):
    """In a fish a haemoglobin may be ``hbb1``; of a human protein nothing of the kind is said."""
    proteins = records("known_proteins.fa")
    sequences = [sequence for header, sequence in proteins if "GN=HBB" in header]
    (human,) = namer.assign([("b", sequences[0])], scientific_name="Homo sapiens", top_k=12)
    assert all(symbol.source == "HGNC Symbol" for symbol, _ in human.candidates if symbol.symbol)
    hla = [sequence for header, sequence in proteins if "GN=HLA-A" in header]
    for sequence, name in itertools.product(
        hla, ("Homo sapiens", "Gorilla gorilla", "Mus musculus")
    ):
        (found,) = namer.assign([("a", sequence)], scientific_name=name, top_k=12)
        assert not any(symbol.symbol.startswith("Patr-") for symbol, _ in found.candidates)
