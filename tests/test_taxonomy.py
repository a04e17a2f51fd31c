"""Names and ids to clades, against the original's answers and the NCBI dump."""

from __future__ import annotations

import contextlib
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
from gst_core.taxonomy_table import Entry, IdTable, NameTable, pack_ids, pack_names

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
        ("Apis mellifera", 7460, "species", True),
        ("Apis inventa", 7459, "genus", False),
        ("7464", 7459, "genus", False),
        ("Saccharomyces cerevisiae S288C", 559292, "strain", True),
        ("Saccharomyces cerevisiae inventus", 4932, "species", False),
        ("Mammalia", 40674, "class", True),
        ("562", 562, "species", True),
        ("Escherichia inventa", 561, "genus", False),
        ("10240", 10239, "superkingdom", False),
    ],
)
def test_nearest_taxon_that_the_table_holds(
    query: str, taxon_id: int, rank: str, exact: bool
) -> None:
    taxon = resolve(query)
    assert (taxon.taxon_id, taxon.rank, taxon.exact) == (taxon_id, rank, exact)
    assert query in taxon.note
    assert taxon.scientific_name in taxon.note


@pytest.mark.parametrize(
    ("query", "name", "clade"),
    [
        ("Neogale vison", "Neogale vison", "mammalia"),
        ("Neovison vison", "Neogale vison", "mammalia"),
        ("Neomonachus schauinslandi", "Neomonachus schauinslandi", "mammalia"),
        ("Salvator merianae", "Salvator merianae", "reptiles"),
        ("Hypanus sabinus", "Hypanus sabinus", "sharks"),
        ("Hemitrygon akajei", "Hemitrygon akajei", "sharks"),
        ("Plecturocebus moloch", "Plecturocebus moloch", "primates"),
        ("Lithobates catesbeianus", "Aquarana catesbeiana", "amphibians"),
        ("Rana catesbeiana", "Aquarana catesbeiana", "amphibians"),
        ("Bos indicus \N{MULTIPLICATION SIGN} Bos taurus", "Bos indicus x Bos taurus", "mammalia"),
        ("Homo_sapiens.GRCh38", "Homo sapiens", "humans"),
        ("human", "Homo sapiens", "humans"),
        ("vertebrata", "Vertebrata", "distant_vertebrate"),
        ("Mouse", "Mus musculus", "rodentia"),
        ("Zaire ebolavirus", "Zaire ebolavirus", "viral"),
    ],
)
def test_names_of_today_and_of_yesterday(query: str, name: str, clade: str) -> None:
    taxon = resolve(query)
    assert (taxon.scientific_name, taxon.clade, taxon.exact) == (
        name,
        clade,
        query != "Homo_sapiens.GRCh38",
    )


def test_names_as_people_write_them() -> None:
    lines = (Path(__file__).parent / "data" / "species_clades.tsv").read_text().splitlines()
    expected = dict(line.split("\t") for line in lines)
    assert len(expected) == 102
    assert sum(clade in CLADES for clade in expected.values()) == 95

    def clade(name: str) -> str:
        try:
            return resolve(name).clade or "-"
        except GstError:
            return "unknown"

    assert {name: clade(name) for name in expected} == expected


def test_bacteria_have_no_clade() -> None:
    taxon = resolve("Escherichia coli")
    assert (taxon.taxon_id, taxon.clade, taxon.legacy_clade) == (562, None, None)
    assert "no clade" in taxon.note


def test_a_species_mistyped_goes_on_with_its_genus_and_says_what_was_meant() -> None:
    taxon = resolve("Homo sapines")
    assert (taxon.taxon_id, taxon.clade, taxon.suggestions) == (9605, "humans", ("Homo sapiens",))
    assert "Homo (taxon id 9605, genus)" in taxon.note
    assert taxon.note.endswith("(did you mean Homo sapiens?)")
    assert resolve("Homo inventus").suggestions == ()
    assert resolve("Gadus sp.").suggestions == ()


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
        ("Drosophilla melanogaster", "Drosophila melanogaster"),
        ("S. scrofa", "Sus scrofa"),
        ("Ornithorynchus anatinus", "Ornithorhynchus anatinus"),
        ("xenopsu_laevis", "Xenopus laevis"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(query: str, meant: str) -> None:
    with pytest.raises(GstError, match=f"did you mean .*{meant}.*genus") as caught:
        resolve(query)
    assert query in str(caught.value)


def test_unrelated_names_are_not_suggested() -> None:
    with pytest.raises(GstError) as caught:
        resolve("Zqxwvut merianae")
    assert "did you mean" not in str(caught.value)


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


def _dump(folder: Path, taxa: list[tuple[int, int, str, list[str]]]) -> tuple[Path, Path]:
    """Write a dump as NCBI does; of each taxon's names the first is its scientific name."""
    rows = [f"{t}\t|\t{p}\t|\t{rank}\t|\t\t|\n" for t, p, rank, _ in taxa]
    names = [
        f"{t}\t|\t{name}\t|\t\t|\t{'synonym' if i else 'scientific name'}\t|\n"
        for t, _, _, all_names in taxa
        for i, name in enumerate(all_names)
    ]
    folder.mkdir()
    for file, lines in (("nodes", rows), ("names", names)):
        (folder / file).write_bytes(gzip.compress("".join(lines).encode()))
    return folder / "nodes", folder / "names"


TREE = [
    (1, 1, "no rank", ["root"]),
    (2759, 1, "superkingdom", ["Eukaryota"]),
    (33208, 2759, "kingdom", ["Metazoa"]),
    (7742, 33208, "no rank", ["Vertebrata"]),
    (10, 7742, "genus", ["Exemplum"]),
]


def test_build_from_the_tree_of_today_and_a_former_one(tmp_path: Path) -> None:
    today = [
        *TREE,
        (11, 10, "species", ["Exemplum (Sub) unum", "Exemplum primum", "Exemplum Smith, 1900"]),
        (20, 33208, "genus", ["Alterum"]),
        (21, 20, "species", ["Alterum communis"]),
        (22, 20, "species", ["[Exemplum] migrans"]),
        (23, 20, "species", ["Alterum genomicum"]),
        (24, 23, "subspecies", ["Alterum genomicum minus"]),
        (30, 7742, "genus", ["Novum"]),
        (31, 30, "species", ["Novum nomen"]),
        (40, 33208, "no rank", ["unclassified Metazoa"]),
    ]
    former = [
        *TREE,
        (31, 10, "species", ["Exemplum nomen", "Exemplum vetus"]),
        (32, 10, "species", ["Exemplum (Sub) unum"]),
        (33, 10, "species", ["Exemplum perditum"]),
        (34, 33, "subspecies", ["Exemplum perditum minus"]),
    ]
    build = runpy.run_path(str(BUILD))
    nodes = build["read_dump"](*_dump(tmp_path / "today", today))
    nodes[24].has_genome = True
    nodes[23].common.add("common example")
    nodes[24].common.add("lesser example")
    table = Taxonomy(
        *build["build"](nodes, build["read_dump"](*_dump(tmp_path / "former", former)))
    )
    asked = {
        "exemplum (Sub) unum": (11, True),
        "Exemplum unum": (11, True),
        "Exemplum primum": (11, True),
        11: (11, True),
        "Exemplum migrans": (20, False),
        22: (20, False),
        "Alterum communis": (20, False),
        "Alterum genomicum": (23, True),
        "Alterum genomicum minus": (24, True),
        "lesser example": (24, True),
        "Exemplum nomen": (31, True),
        "Exemplum vetus": (31, True),
        "Novum nomen": (31, True),
        32: (11, False),
        33: (10, False),
        34: (10, False),
        40: (33208, False),
    }
    found = {query: table.resolve(query) for query in asked}
    assert {query: (t.taxon_id, t.exact) for query, t in found.items()} == asked
    assert found[22].genus == "Alterum"
    assert found[11].genus == "Exemplum"
    for unknown in ("common example", "Exemplum Smith, 1901 x", 41, 5):
        with contextlib.suppress(GstError):
            assert table.resolve(unknown).rank == "genus"


def test_the_table_as_it_is_stored() -> None:
    many = [
        Entry(f"Genus{i:05d}", "", i + 1, "aves", "", "genus", f"Genus{i:05d}") for i in range(9000)
    ]
    many += [
        Entry("Zeta", "", 9001, "", "x", "order", ""),
        Entry("zeta", "=", 1),
        Entry("ZETA", "<", 2),
    ]
    names = NameTable(pack_names(many))
    assert [names.line(i) for i in range(len(many))] == many
    assert names.named("genus04711") == [many[4711]]
    assert names.named("zeta") == many[-3:]
    assert [
        names.named(key)
        for key in ("", "a", "genus", "zz", "genus04711\t0", "\N{GREEK SMALL LETTER ALPHA}")
    ] == [[]] * 6
    assert list(names.starting("genus0471")) == [f"Genus0471{i}" for i in range(10)]
    assert list(names.starting("b")) == []
    assert list(names.words(4, 9)) == ["Zeta", "zeta", "ZETA"]
    ids = IdTable(pack_ids([0, *range(1, 100_000), 0]))
    assert [ids.line(i) for i in (-1, 0, 1, 99_999, 100_000, 100_001, 10**30)] == [
        None, None, 0, 99_998, None, None, None,
    ]  # fmt: skip
