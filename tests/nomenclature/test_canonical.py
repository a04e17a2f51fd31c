"""Which symbol labels stand for: each rule, what stops it, and what always holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.nomenclature import (
    Canonical,
    Entry,
    Rule,
    Tables,
    canonicalise,
    normal_form,
    read_tables,
    relabel,
    settle_entries,
)
from gst_core.sequences import encode
from gst_core.taxonomy import resolve
from gst_core.training.proteins import LabelledProtein
from tests.nomenclature.conftest import HGNC, Make


@pytest.fixture
def tables(table_files: dict[str, Path]) -> Tables:
    mgi = [table_files["homology"], table_files["alliance"]]
    return read_tables(table_files["hgnc"], mgi, table_files["zfin"])


@pytest.fixture
def background(make: Make) -> list[LabelledProtein]:
    """Approved symbols with proteins, for something to compare with."""
    approved = ("EIF3B", "MT-ND4", "MYC", "YES1", "TP53", "HBB", "PATCHED", "CCDC6", "TWIN1")
    return [make(symbol, "Homo sapiens", symbol) for symbol in approved]


def decided(proteins: list[LabelledProtein], tables: Tables, label: str) -> tuple[str, Rule, str]:
    entry = canonicalise(proteins, tables)[label]
    return entry.symbol, entry.rule, entry.copy_of


@pytest.mark.parametrize(
    ("label", "species", "family", "expected"),
    [
        ("Eif3b", "Bos taurus", "EIF3B", ("EIF3B", Rule.APPROVED, "")),
        ("mt-nd4", "Bos taurus", "MT-ND4", ("MT-ND4", Rule.APPROVED, "")),
        ("MTND4", "Bos taurus", "MT-ND4", ("MT-ND4", Rule.SPELLING, "")),
        ("EIF3S9", "Bos taurus", "EIF3B", ("EIF3B", Rule.PREVIOUS, "")),
        ("eif3s9", "Bos taurus", "stranger", ("eif3s9", Rule.KEPT, "")),
        ("YES", "Bos taurus", "YES1", ("YES1", Rule.ALIAS, "")),
        ("yes", "Bos taurus", "stranger", ("yes", Rule.KEPT, "")),
        # The alias of one gene, and in other species the name of another.
        ("ptc1", "Xenopus laevis", "PATCHED", ("ptc1", Rule.KEPT, "")),
        ("Trp53", "Mus musculus", "TP53", ("TP53", Rule.MOUSE, "")),
        ("Trp53", "Bos taurus", "TP53", ("Trp53", Rule.KEPT, "")),
        ("Hbb-b1", "Mus musculus", "HBB", ("Hbb-b1", Rule.COPY, "HBB")),
        ("myca", "Danio rerio", "MYC", ("myca", Rule.COPY, "MYC")),
        ("myca", "Danio rerio", "stranger", ("myca", Rule.KEPT, "")),
        ("myc-b", "Xenopus laevis", "MYC", ("myc-b", Rule.COPY, "MYC")),
        ("myc.2.L", "Xenopus tropicalis", "MYC", ("myc.2.L", Rule.COPY, "MYC")),
        ("mtnd4b", "Salmo salar", "MT-ND4", ("mtnd4b", Rule.COPY, "MT-ND4")),
        # A copy of what no protein is called any more.
        ("eif3s9-a", "Xenopus laevis", "EIF3B", ("eif3s9-a", Rule.COPY, "EIF3B")),
        ("eif3s9-a", "Xenopus laevis", "stranger", ("eif3s9-a", Rule.KEPT, "")),
        # A family, of which one member had the name without a number.
        ("Yes3", "Bos taurus", "YES1", ("Yes3", Rule.KEPT, "")),
        ("hbb1", "Salmo salar", "HBB", ("hbb1", Rule.COPY, "HBB")),
        ("hbb1", "Salmo salar", "stranger", ("hbb1", Rule.KEPT, "")),
        # The new symbol has no protein: the table alone decides for a previous symbol,
        # never for an alias, and not where the human gene is dead.
        ("LEXM", "Bos taurus", "LEXM", ("CIMAP2", Rule.PREVIOUS, "")),
        ("C1orf177", "Bos taurus", "LEXM", ("C1orf177", Rule.PROVISIONAL, "")),
        # Placeholders name nothing.
        ("LOC100996701", "Homo sapiens", "MYC", ("LOC100996701", Rule.PROVISIONAL, "")),
        ("LOC84773-MYC", "Homo sapiens", "MYC", ("LOC84773-MYC", Rule.PROVISIONAL, "")),
        ("MYC-TP53", "Homo sapiens", "MYC", ("MYC-TP53", Rule.PROVISIONAL, "")),
        ("FLJ20019", "Homo sapiens", "MYC", ("FLJ20019", Rule.PROVISIONAL, "")),
        ("COX8B", "Bos taurus", "COX8B", ("COX8B", Rule.KEPT, "")),
        ("COX8B", "Homo sapiens", "COX8B", ("COX8BP", Rule.PREVIOUS, "")),
        # Two genes had it: the one it is like.
        ("TWIN", "Bos taurus", "TWIN1", ("TWIN1", Rule.FAMILY, "")),
        ("TWIN", "Bos taurus", "MYC", ("TWIN", Rule.KEPT, "")),
        ("TWIN", "Bos taurus", "stranger", ("TWIN", Rule.KEPT, "")),
    ],
)
def test_rules(
    label: str,
    species: str,
    family: str,
    expected: tuple[str, Rule, str],
    background: list[LabelledProtein],
    tables: Tables,
    make: Make,
) -> None:
    protein = make(label, species, family)
    assert decided([*background, protein], tables, label) == expected


def test_a_nearer_relative_stops_a_rename(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    """Of a family, the label's own proteins must be nearest to the symbol proposed."""
    old = make("EIF3S9", "Bos taurus", "EIF3B")
    half = old.codes.copy()
    half[:100] = make("x", "Bos taurus", "other").codes[:100]
    mixed = LabelledProtein("", half, "EIF3S9", old.taxon)
    assert decided([*background, mixed], tables, "EIF3S9")[0] == "EIF3B"
    nearer = LabelledProtein("", half, "YES1", old.taxon)
    assert decided([*background, mixed, nearer], tables, "EIF3S9")[0] == "EIF3S9"


def test_the_entry_of_a_human_protein_decides_between_two_genes(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    known = make("TWIN", "Homo sapiens", "TWIN1", "P00001")
    assert decided([*background, known], tables, "TWIN") == ("TWIN1", Rule.PREVIOUS, "")
    unnamed = make("NOVEL", "Homo sapiens", "TWIN1", "P00001")
    assert decided([*background, unnamed], tables, "NOVEL") == ("TWIN1", Rule.ACCESSION, "")
    stranger = make("NOVEL", "Homo sapiens", "stranger", "P00001")
    assert decided([*background, stranger], tables, "NOVEL")[1] is Rule.KEPT


def test_an_entry_goes_to_the_gene_that_table_and_sequence_agree_on(
    tables: Tables, make: Make
) -> None:
    """As P0CG12, which is labelled as the gene that DERPC was split from."""
    entry = make("TWIN1", "Homo sapiens", "TWIN2", "P00002")
    same = dataclasses.replace(entry, symbol="TWIN2", accession="NP_000002")
    mouse = dataclasses.replace(entry, accession="Q00002", taxon=resolve("Mus musculus"))
    settled = settle_entries([entry, same, mouse], tables)
    assert [protein.symbol for protein in settled] == ["TWIN2", "TWIN2", "TWIN1"]
    assert settled[1] is same
    other = make("TWIN2", "Homo sapiens", "another")
    assert settle_entries([entry, other], tables)[0] is entry, "no sequence agrees"
    elsewhere = dataclasses.replace(entry, accession="P00001")
    assert settle_entries([elsewhere, same], tables)[0] is elsewhere, "HGNC gives it to its label"


def test_a_pseudogene_lends_no_name_to_another_species(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    """Not even where HGNC names the human protein's entry, and all are alike."""
    human = make("COX8B", "Homo sapiens", "COX8B", "Q00008")
    assert decided([*background, human], tables, "COX8B")[0] == "COX8BP"
    living = make("COX8B", "Bos taurus", "COX8B")
    assert decided([*background, human, living], tables, "COX8B") == ("COX8B", Rule.KEPT, "")


def test_a_copy_of_an_old_name_is_a_copy_of_the_new_one(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    old = make("eif3s9", "Bos taurus", "EIF3B")
    copy = make("eif3s9-a", "Xenopus laevis", "EIF3B")
    canonical = canonicalise([*background, old, copy], tables)
    assert canonical["eif3s9-a"].copy_of == "EIF3B"
    assert canonical.base("EIF3S9-A") == canonical.base("eif3s9") == "EIF3B"
    # Of a copy of a copy, the original.
    twice = make("eif3s9-a.2", "Xenopus laevis", "EIF3B")
    assert canonicalise([*background, old, copy, twice], tables).base("eif3s9-a.2") == "EIF3B"


def test_a_member_of_a_family_is_no_copy_of_another(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    """YES is YES1 today: YES3 was never a copy of it, whereas yes-a says that it is one."""
    old = make("YES", "Gallus gallus", "YES1")
    third = make("Yes3", "Bos taurus", "YES1")
    copy = make("yes-a", "Xenopus laevis", "YES1")
    canonical = canonicalise([*background, old, third, copy], tables)
    assert (canonical["YES"].symbol, canonical["YES3"].rule) == ("YES1", Rule.KEPT)
    assert canonical["YES-A"].copy_of == "YES1"


def test_evidence_is_told(background: list[LabelledProtein], tables: Tables, make: Make) -> None:
    nearest = make("EIF3B", "Bos taurus", "EIF3B", "Q00002")
    old = LabelledProtein("", nearest.codes, "EIF3S9", nearest.taxon)
    canonical = canonicalise([*background, nearest, old], tables)
    entry = canonical["eif3s9"]
    assert (entry.proteins, entry.against) == (1, "Q00002")
    assert entry.likeness > 0.8 > canonical.chance
    assert canonical.counts()[Rule.PREVIOUS] == (1, 1)
    assert sum(proteins for _, proteins in canonical.counts().values()) == len(background) + 2


def test_relabelling_renames_and_keeps_copies(
    background: list[LabelledProtein], tables: Tables, make: Make
) -> None:
    proteins = [
        *background,
        make("EIF3S9", "Bos taurus", "EIF3B", "Q00003"),
        make("myca", "Danio rerio", "MYC"),
    ]
    renamed = relabel(proteins, canonicalise(proteins, tables))
    assert [p.symbol for p in renamed[-2:]] == ["EIF3B", "myca"]
    assert renamed[-2].accession == "Q00003"
    assert renamed[-1] is proteins[-1]


LABELS = st.lists(
    st.sampled_from([c for line in HGNC.splitlines()[1:] for c in line.split("\t")[1:6] if c])
    .map(lambda text: text.strip('"').split("|")[0])
    .filter(lambda text: " " not in text)
    .flatmap(
        lambda text: st.sampled_from(["", "a", "-b", ".1", "1", ".2.L"]).map(lambda s: text + s)
    ),
    min_size=1,
    max_size=8,
)


@given(LABELS, st.sampled_from(["Homo sapiens", "Mus musculus", "Danio rerio", "Xenopus laevis"]))
def test_twice_is_once(table_files: dict[str, Path], labels: list[str], species: str) -> None:
    tables = read_tables(table_files["hgnc"], [table_files["homology"]], table_files["zfin"])
    taxon = resolve(species)
    codes = encode(b"MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPD")
    proteins = [LabelledProtein("", codes, label, taxon) for label in labels]
    canonical = canonicalise(proteins, tables)
    approved = {gene.symbol.upper() for gene in tables.hgnc}
    for label in labels:
        symbol = canonical.symbol(label)
        assert canonical.symbol(symbol) == symbol
        assert canonical.base(symbol) == canonical.base(label) == canonical.base(label.lower())
        assert canonical.base(canonical.base(label)) == canonical.base(label)
        if label.upper() in approved:
            assert symbol.upper() == label.upper()
        if canonical[label].rule.renames:
            assert symbol.upper() in approved
    again = relabel(relabel(proteins, canonical), canonical)
    assert [p.symbol for p in again] == [p.symbol for p in relabel(proteins, canonical)]


def test_what_is_not_known_stands_for_itself() -> None:
    canonical = Canonical([Entry("OLD", "New", Rule.PREVIOUS), Entry("X-A", "x-a", Rule.COPY, "X")])
    assert (canonical.symbol("old"), canonical.symbol("other")) == ("New", "other")
    assert (canonical.base("x-A"), canonical.base("new"), canonical.base("z")) == ("X", "NEW", "Z")
    with pytest.raises(KeyError):
        canonical["other"]


@given(st.text(alphabet="aBc1-._/ "))
def test_spellings_share_a_normal_form(text: str) -> None:
    plain = normal_form(text)
    assert normal_form(plain) == normal_form(text.lower()) == plain
    assert plain.isalnum() or not plain
