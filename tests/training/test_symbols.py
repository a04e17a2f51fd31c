"""In which species symbols are given."""

from __future__ import annotations

import numpy as np
import pytest

from gst_core.clades import CLADES
from gst_core.nomenclature.tables import HgncGene, Tables
from gst_core.sequences import encode
from gst_core.taxonomy import resolve
from gst_core.training.proteins import LabelledProtein
from gst_core.training.symbols import where_given

HUMAN, CHIMPANZEE, MOUSE, FISH = 9606, 9598, 10090, 7955
TABLES = Tables(
    hgnc=tuple(
        HgncGene(f"HGNC:{number}", symbol, symbol, silent=silent)
        for number, (symbol, silent) in enumerate(
            [("HBB", False), ("HLA-A", False), ("CMAHP", True), ("UOX", True), ("ANXA2P2", True)]
        )
    )
)


def given(*labels: tuple[str, int]) -> dict[str, set[str]]:
    """Say where symbols are given, of those that are not given everywhere."""
    proteins = [
        LabelledProtein("A", encode(b"MKVLA"), symbol, resolve(taxon)) for symbol, taxon in labels
    ]
    names = sorted({p.key for p in proteins})
    classes = np.array([names.index(p.key) for p in proteins], dtype=np.int32)
    bases = ["HLA-A" if name == "PATR-A" else name for name in names]
    where = where_given(proteins, classes, bases, TABLES)
    return {names[number]: set(clades) for number, clades in where.items()}


def test_approved_symbols_are_given_everywhere():
    assert given(("HBB", HUMAN), ("Uox", MOUSE)) == {}


def test_a_pseudogene_that_humans_alone_have_is_given_in_humans():
    assert given(("ANXA2P2", HUMAN)) == {"ANXA2P2": {"humans"}}


@pytest.mark.parametrize("bearers", [[MOUSE], [MOUSE, FISH]])
def test_a_gene_that_humans_have_lost_is_given_in_all_others(bearers):
    """CMAH works in fishes as in mice; CMAHP is what is left of it in humans."""
    where = given(*(("Cmah", taxon) for taxon in bearers))["CMAH"]
    assert where == set(CLADES) - {"humans"}


def test_other_symbols_are_given_where_their_bearers_are():
    where = given(("hbb1", FISH), ("Patr-A", CHIMPANZEE), ("Krt87x", MOUSE))
    assert where["HBB1"] == {"teleostei"}
    assert where["PATR-A"] == {"Pan"}
    assert {"rodentia", "mammalia"} <= where["KRT87X"]
    assert "humans" not in where["KRT87X"]
    assert "teleostei" not in where["KRT87X"]
