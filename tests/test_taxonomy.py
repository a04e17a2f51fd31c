"""Names and ids to clades, against the original's answers and the NCBI dump."""

from __future__ import annotations

import gzip
import io
import re
import runpy
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.clades import CLADE_OF_TAXON
from gst_core.errors import GstError
from gst_core.taxonomy import CLADES, Taxonomy, load_taxonomy, resolve

BUILD = Path(__file__).resolve().parents[1] / "scripts" / "build_taxonomy.py"


def test_the_original_categories_keep_their_index() -> None:
    original = (
        "amphibians arthropods aves humans insects lepidoptera mammalia marsupials metazoa "
        "non_vertebrates plants primates protists reptiles rodentia sharks teleostei viral"
    )
    assert (*original.split(), "fungi", "distant_vertebrate") == CLADES
    assert set(CLADE_OF_TAXON.values()) == set(CLADES)


@pytest.mark.parametrize(
    ("name", "clade"),
    [
        ("Homo sapiens", "humans"),
        ("Homo sapiens neanderthalensis", "humans"),
        ("Pan troglodytes", "primates"),
        ("Mus musculus", "rodentia"),
        ("Sus scrofa", "mammalia"),
        ("Ornithorhynchus anatinus", "mammalia"),
        ("Monodelphis domestica", "marsupials"),
        ("Phascolarctos cinereus", "marsupials"),
        ("Gallus gallus", "aves"),
        ("Crocodylus porosus", "reptiles"),
        ("Chelonia mydas", "reptiles"),
        ("Sphenodon punctatus", "reptiles"),
        ("Xenopus laevis", "amphibians"),
        ("Danio rerio", "teleostei"),
        ("Lepisosteus oculatus", "teleostei"),
        ("Acipenser ruthenus", "teleostei"),
        ("Polypterus senegalus", "teleostei"),
        ("Callorhinchus milii", "sharks"),
        ("Latimeria chalumnae", "distant_vertebrate"),
        ("Protopterus annectens", "distant_vertebrate"),
        ("Petromyzon marinus", "distant_vertebrate"),
        ("Eptatretus burgeri", "distant_vertebrate"),
        ("Ciona intestinalis", "distant_vertebrate"),
        ("Branchiostoma floridae", "distant_vertebrate"),
        ("Strongylocentrotus purpuratus", "metazoa"),
        ("Caenorhabditis elegans", "metazoa"),
        ("Ixodes scapularis", "arthropods"),
        ("Drosophila melanogaster", "insects"),
        ("Bombyx mori", "lepidoptera"),
        ("Saccharomyces cerevisiae", "fungi"),
        ("Arabidopsis thaliana", "plants"),
        ("Chondrus crispus", "plants"),
        ("Phytophthora infestans", "protists"),
        ("Emiliania huxleyi", "protists"),
        ("Monosiga brevicollis", "protists"),
        ("Capsaspora owczarzaki", "protists"),
        ("Viruses", "viral"),
    ],
)
def test_clade_of_a_name(name: str, clade: str) -> None:
    assert resolve(name).clade == clade


def test_the_original_answers_are_reproduced(shared_data: Path) -> None:
    table = shared_data / "legacy-gst" / "taxonomy" / "taxon_clades.tsv"
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    assert len(rows) >= 70
    expected = {int(t): None if clade.startswith("raises") else clade for t, _, clade, _ in rows}
    assert {taxon_id: resolve(taxon_id).legacy_clade for taxon_id in expected} == expected
    by_name = {name: clade for t, name, _, _ in rows if (clade := expected[int(t)])}
    assert {name: resolve(name).legacy_clade for name in by_name} == by_name


def test_legacy_clade_looks_at_ancestors_only() -> None:
    assert resolve("Mammalia").legacy_clade == "metazoa"
    assert resolve("Homo").legacy_clade == "primates"
    assert resolve("Homo inventus").legacy_clade == "humans"


@pytest.mark.parametrize("spelling", ["Sus scrofa", "sus_scrofa", " SUS  SCROFA ", "9823", 9823])
def test_spellings_of_one_species(spelling: str | int) -> None:
    taxon = resolve(spelling)
    assert (taxon.taxon_id, taxon.scientific_name, taxon.rank) == (9823, "Sus scrofa", "species")
    assert (taxon.genus, taxon.exact) == ("Sus", True)


@pytest.mark.parametrize(
    ("query", "taxon_id", "rank", "exact"),
    [
        ("canis_lupus_familiaris", 9615, "subspecies", True),
        ("Xenopus tropicalis", 8364, "species", True),
        ("Xenopus (Silurana) tropicalis", 8364, "species", True),
        ("Silurana tropicalis", 8364, "species", True),
        ("mus_musculus_c57bl6nj", 10090, "species", False),
        ("sus_scrofa_gca000003025v6", 9823, "species", False),
        ("Sus inventus", 9822, "genus", False),
        ("Apis mellifera", 7459, "genus", False),
        ("7460", 7459, "genus", False),
        ("Saccharomyces cerevisiae S288C", 4930, "genus", False),
        ("Mammalia", 40674, "class", True),
        ("562", 2, "superkingdom", False),
        ("11676", 10239, "superkingdom", False),
    ],
)
def test_nearest_taxon_that_the_table_holds(
    query: str, taxon_id: int, rank: str, exact: bool
) -> None:
    taxon = resolve(query)
    assert (taxon.taxon_id, taxon.rank, taxon.exact) == (taxon_id, rank, exact)
    assert query in taxon.note
    assert taxon.scientific_name in taxon.note


def test_bacteria_have_no_clade() -> None:
    taxon = resolve(562)
    assert (taxon.clade, taxon.legacy_clade, taxon.genus) == (None, None, None)
    assert "no clade" in taxon.note


def test_higher_taxa_are_not_taken_for_a_genus() -> None:
    with pytest.raises(GstError, match="not a name"):
        resolve("Mammalia inventus")


def test_one_genus_name_of_a_bird_and_a_plant() -> None:
    with pytest.raises(GstError, match=r"3497 \(genus, plants\), 37577 \(genus, aves\)"):
        resolve("Morus")
    with pytest.raises(GstError, match="different clades"):
        resolve("Morus inventus")
    assert resolve("Morus bassanus").clade == "aves"
    assert resolve("Morus alba").clade == "plants"
    assert resolve(3497).clade == "plants"


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("Suss scrofa", "Sus scrofa"),
        ("Hommo sapiens", "Homo sapiens"),
        ("Drosophilla melanogaster", "Drosophila"),
        ("Ornithorynchus anatinus", "Ornithorhynchus anatinus"),
        ("xenopsu_laevis", "Xenopus laevis"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(query: str, meant: str) -> None:
    with pytest.raises(GstError, match=f"did you mean .*{meant}.*genus") as caught:
        resolve(query)
    assert query in str(caught.value)


@pytest.mark.parametrize("query", ["", "  ", "_", "...", "Zqxw", "genus", "\t9823", "é", "٣"])
def test_what_is_no_name(query: str) -> None:
    if query.strip() == "9823":
        assert resolve(query).taxon_id == 9823
    else:
        with pytest.raises(GstError):
            resolve(query)


@pytest.mark.parametrize("taxon_id", [0, -1, 5, 99_999_999, 10**30])
def test_unknown_ids(taxon_id: int) -> None:
    with pytest.raises(GstError):
        resolve(taxon_id)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30) | st.integers() | st.from_regex(r"[A-Z][a-z]{1,9} [a-z|\t\n]{1,9}"))
def test_any_query_gives_a_taxon_or_our_error(query: str | int) -> None:
    try:
        taxon = resolve(query)
    except GstError:
        return
    assert taxon.clade is None or taxon.clade in CLADES


def test_every_taxon_of_swiss_prot_has_a_clade_and_a_genus(shared_data: Path) -> None:
    ids: set[int] = set()
    file = shared_data / "proteins" / "swissprot_eukaryota.fasta.zst"
    with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.BufferedReader(stream):
            if line.startswith(b">") and (found := re.search(rb" OX=(\d+)", line)):
                ids.add(int(found[1]))
    assert len(ids) > 1_000
    table = load_taxonomy()
    assert all(table.resolve(taxon_id).clade in CLADES for taxon_id in ids)
    without = {taxon_id for taxon_id in ids if table.resolve(taxon_id).genus is None}
    assert len(without) <= len(ids) // 100
    held_out = {table.resolve(taxon_id).genus for taxon_id in (9913, 9031, 8364, 8355, 7955)}
    assert held_out == {"Bos", "Gallus", "Xenopus", "Danio"}


def test_build_from_a_small_dump(tmp_path: Path) -> None:
    taxa = [
        (1, 1, "no rank", ["root"]),
        (2759, 1, "superkingdom", ["Eukaryota"]),
        (33208, 2759, "kingdom", ["Metazoa"]),
        (7742, 33208, "no rank", ["Vertebrata"]),
        (10, 7742, "genus", ["Exemplum"]),
        (11, 10, "species", ["Exemplum (Sub) unum", "Exemplum primum", "Exemplum Smith, 1900"]),
        (20, 33208, "genus", ["Alterum"]),
        (21, 20, "species", ["Alterum communis"]),
        (22, 20, "species", ["[Exemplum] migrans"]),
    ]
    rows = [f"{t}\t|\t{p}\t|\t{rank}\t|\t\t|\n" for t, p, rank, _ in taxa]
    names = [
        f"{t}\t|\t{name}\t|\t\t|\t{'synonym' if i else 'scientific name'}\t|\n"
        for t, _, _, all_names in taxa
        for i, name in enumerate(all_names)
    ]
    for file, lines in (("nodes", rows), ("names", names)):
        (tmp_path / file).write_bytes(gzip.compress("".join(lines).encode()))
    build = runpy.run_path(str(BUILD))
    text, ids = build["build"](build["read_dump"](tmp_path / "nodes", tmp_path / "names"))
    assert {
        "11|metazoa|metazoa|Exemplum|species\tExemplum (Sub) unum\texemplum unum\tExemplum primum",
        "20|metazoa|metazoa|Alterum|genus\tAlterum\t\texemplum migrans",
    } < set(text.decode().splitlines())
    table = Taxonomy(text, ids)
    assert table.resolve("Exemplum primum").taxon_id == table.resolve("11").taxon_id == 11
    assert table.resolve("Exemplum migrans").taxon_id == table.resolve(22).taxon_id == 20
    assert table.resolve(21).genus == "Alterum"
