"""The protocol of the benchmark against homology search."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.homology import homology
from benchmarks.protocol import methods
from benchmarks.protocol.answers import read_query_set
from benchmarks.protocol.files import (
    SYMBOLS_FILE,
    Candidate,
    read_candidates,
    write_candidates,
    write_split,
)
from benchmarks.protocol.measure import run_measured
from benchmarks.protocol.scores import score_folder
from benchmarks.protocol.sets import (
    HELD_OUT,
    NEGATIVES,
    TRAINING_FILES,
    UNSEEN,
    Split,
    all_labelled,
    as_queries,
    genera_split,
    negatives,
    symbols_of,
    tetrapod_split,
    unseen_split,
)
from benchmarks.protocol.tables import as_markdown, table
from gst_core.errors import GstError
from gst_core.nomenclature import Canonical, Entry, Rule, write_canonical
from gst_core.sequences import encode
from gst_core.taxonomy import resolve
from gst_core.training.proteins import LabelledProtein, read_labelled


def protein(symbol, species, residues=b"MKTAYIAKQR"):
    return LabelledProtein("", encode(residues), symbol, resolve(species))


@pytest.fixture(scope="module")
def small():
    """Two training species and one query for each held-out genus."""
    species = ("Bos taurus", "Gallus gallus", "Xenopus laevis", "Danio rerio")
    queries = [protein(f"Gene{i}", name, b"MKTAYIAKQRW" * 9) for i, name in enumerate(species)]
    training = [
        protein("GENE0", "Homo sapiens"),
        protein("gene0", "Mus musculus"),
        protein("GENE1", "Homo sapiens"),
        protein("GENE2", "Mus musculus"),
        protein("ACT1", "Salmo salar"),
    ]
    split = genera_split([*training, *queries])
    foreign = [
        protein("YFG1", "Saccharomyces cerevisiae"),
        protein("act1", "Saccharomyces cerevisiae"),
        protein("PSBA", "Arabidopsis thaliana"),
    ]
    split.queries["negatives"] = negatives(split, foreign)
    return split


@pytest.fixture(scope="module")
def real(shared_data):
    return genera_split(read_labelled([shared_data / "proteins" / f for f in TRAINING_FILES]))


def test_protocol_is_the_published_one(real):
    known = symbols_of(real.training)
    assert (len(real.training), len(known)) == (74_102, 21_825)
    asked = {
        genus: (len(queries), sum(query.symbol.upper() in known for query in queries))
        for genus, queries in real.queries.items()
    }
    assert asked == {
        "Bos": (5_606, 5_538),
        "Gallus": (2_052, 1_936),
        "Xenopus": (4_578, 3_405),
        "Danio": (2_756, 2_111),
    }


def test_no_fish_is_left_among_tetrapods(real):
    split = tetrapod_split(real)
    assert len(split.training) == 72_951
    assert {p.taxon.genus for p in real.training} >= {"Salmo", "Latimeria", "Petromyzon"}
    genera = {p.taxon.genus for p in split.training}
    assert not genera & {"Salmo", "Oryzias", "Squalus", "Latimeria", "Protopterus", "Petromyzon"}
    assert split.queries["Danio"] == real.queries["Danio"]


def test_unseen_genera_are_asked_and_not_known(shared_data):
    everything = list(read_labelled([shared_data / "proteins" / f for f in TRAINING_FILES]))
    split = unseen_split(everything)
    held_out = {genus for genera in UNSEEN.values() for genus in genera}
    assert not held_out & {p.taxon.genus for p in split.training}
    assert not held_out & set(HELD_OUT)
    asked = {name: len(queries) for name, queries in split.queries.items()}
    assert len(split.training) + sum(asked.values()) == len(everything)
    assert asked == {"Canis": 801, "Oryctolagus": 805, "birds": 82, "fishes": 344}


def test_negatives_are_what_they_are_called(small):
    by_kind = {}
    for query in small.queries["negatives"]:
        by_kind.setdefault(query.kind, []).append(query)
    # A fungal protein whose symbol a vertebrate has is no negative.
    assert [q.symbol for q in by_kind["fungi"]] == ["YFG1"]
    assert [q.symbol for q in by_kind["plants"]] == ["PSBA"]
    assert "protists" not in by_kind
    held_out = [q.residues for genus in HELD_OUT for q in small.queries[genus]]
    for query in by_kind["shuffled"]:
        assert query.residues not in held_out
        assert sorted(query.residues) == sorted(held_out[0])
    trained = set(b"MKTAYIAKQR")
    assert all(set(query.residues) <= trained for query in by_kind["random"])
    assert len(by_kind["shuffled"]) == len(by_kind["random"]) == 2 <= NEGATIVES
    assert all(q.symbol == "" for q in by_kind["random"] + by_kind["shuffled"])


def test_sequences_are_drawn_alike_each_time(small):
    again = negatives(small, [protein("YFG1", "Saccharomyces cerevisiae")])
    artificial = [q for q in small.queries["negatives"] if not q.symbol]
    assert [q for q in again if not q.symbol] == artificial


def answer(folder: Path, method: str, answers: dict[str, list[Candidate]]) -> None:
    write_candidates(folder / f"{method}.tsv", answers.items())
    record = {"version": "1", "seconds": 2.0, "cpu_seconds": 3.0, "peak_mib": 50.0}
    (folder / f"{method}.json").write_text(json.dumps(record))


@pytest.fixture
def scored(small, tmp_path):
    write_split(tmp_path / "genera", small)
    folder = tmp_path / "genera"
    # GENE3 is in no training sequence: Danio's answer cannot be right.
    for number, genus in enumerate(HELD_OUT):
        right = Candidate(f"gene{number}", 90.0, 80.0)
        wrong = Candidate("ACT1", 40.0, 35.0)
        hits = {"Bos": [right], "Gallus": [wrong, right], "Xenopus": [], "Danio": [wrong]}[genus]
        answer(folder / genus, "diamond_sensitive", {f"{genus}_1": hits})
        named = [Candidate(c.symbol, c.score / 100) for c in hits or [right]]
        answer(folder / genus, "gst", {f"{genus}_1": named})
    others = [q.query_id for q in small.queries["negatives"]]
    answer(folder / "negatives", "diamond_sensitive", {})
    answer(folder / "negatives", "gst", {i: [Candidate("ACT1", 0.8)] for i in others})
    return score_folder(tmp_path)


def test_accuracy_counts_what_is_in_vocabulary(scored):
    assert scored["protocol"]["genera"]["symbols"] == 4
    assert scored["protocol"]["genera"]["sets"]["Danio"] == {"proteins": 1, "in_vocabulary": 0}
    rows = {row["group"]: row for row in scored["accuracy"]["set"]}
    assert rows["genera/Gallus"]["methods"]["gst"] == {"top1": 0.0, "top5": 1.0}
    assert rows["genera/Bos"]["methods"]["diamond_sensitive"] == {"top1": 1.0, "top5": 1.0}
    clades = {row["group"]: row for row in scored["accuracy"]["clade"]}
    assert clades["amphibians"]["methods"]["diamond_sensitive"]["top1"] == 0.0
    assert clades["amphibians"]["methods"]["gst"]["top1"] == 1.0


def test_strata_hold_each_protein_once(scored):
    for key in ("identity", "length", "training_count"):
        assert sum(row["proteins"] for row in scored["accuracy"][key]) == 3
    identities = {row["group"]: row["proteins"] for row in scored["accuracy"]["identity"]}
    assert (identities["30 to below 50"], identities["70 to below 90"]) == (1, 1)
    assert identities["no hit"] == 1
    counts = {row["group"]: row["proteins"] for row in scored["accuracy"]["training_count"]}
    assert (counts["below 2"], counts["2 to below 3"]) == (2, 1)


def test_unknown_symbols_and_negatives_count_as_wrong(scored):
    # Right: Bos and Xenopus at 0.9; wrong: Gallus and, out of vocabulary, Danio at 0.4.
    facts = scored["probabilities"]["gst, probability"]
    everything = facts["populations"]["all"]
    assert (everything["proteins"], everything["auroc"]) == (4, 1.0)
    assert everything["at_precision"].recall == pytest.approx(2 / 3)
    assert everything["at_precision"].threshold == 0.9
    assert facts["populations"]["in vocabulary"]["proteins"] == 3
    together = facts["populations"]["in vocabulary, and negatives"]
    assert (together["proteins"], together["auroc"]) == (9, 1.0)
    assert facts["negatives_named"]["random"] == 0.0
    # Of Gallus and Danio nothing is right.
    assert facts["auroc_of_each"] == {"genera/Bos": 1.0, "genera/Xenopus": 1.0}
    # The search leaves them without a hit, and so without a score.
    search = scored["probabilities"]["diamond_sensitive, bit score"]
    assert search["populations"]["all, and negatives"]["at_precision"].recall == pytest.approx(
        1 / 3
    )
    stated = scored["calibration"]["gst"]["stated"]["0.7"]
    assert stated["negatives_named"] == 1.0
    assert stated["held-out genera"].precision == 1.0
    assert scored["calibration"]["gst"]["ece_in_vocabulary"] == pytest.approx((0.1 + 0.1 + 0.4) / 3)


def test_tables_show_the_numbers(scored):
    text = as_markdown(scored)
    assert "5 training sequences, 4 symbols" in text
    assert "| genera/Gallus | 1 | 0.0 (100.0) | 0.0 (100.0) |" in text
    assert "| genera/Bos | diamond_sensitive (1) | 2.0 | 3.0 | 0 | 1.0 | 50 |" in text
    assert "nan" not in text.lower().replace("nanog", "")
    assert table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"


def test_canonical_scoring_compares_what_labels_stand_for(small, tmp_path):
    """For queries, training sequences and the answers of all methods alike."""
    write_split(tmp_path / "genera", small)
    entries = [
        Entry("GENE0", "New0", Rule.PREVIOUS, proteins=3),
        Entry("GENE3", "gene3", Rule.COPY, "GENE2", proteins=1),
    ]
    write_canonical(tmp_path / SYMBOLS_FILE, Canonical(entries))
    hits = {
        # GENE0 and New0 are one candidate: what came third is second.
        "Bos": ["ACT1", "GENE0", "New0", "GENE1"],
        "Gallus": ["GENE0", "NEW0", "GENE1"],
        "Xenopus": ["GENE2"],
        # A copy is right where its original is known, and the other way round.
        "Danio": ["GENE2"],
    }
    for genus in HELD_OUT:
        candidates = [Candidate(name, 0.9 - i / 10, 80.0) for i, name in enumerate(hits[genus])]
        for method in ("diamond_sensitive", "gst"):
            answer(tmp_path / "genera" / genus, method, {f"{genus}_1": candidates})
    answer(tmp_path / "genera" / "negatives", "diamond_sensitive", {})
    result = score_folder(tmp_path)
    raw, canonical = result, result["canonical"]
    assert raw["protocol"]["genera"]["sets"]["Danio"]["in_vocabulary"] == 0
    assert canonical["protocol"]["genera"]["sets"]["Danio"]["in_vocabulary"] == 1
    assert canonical["protocol"]["genera"]["symbols"] == 4
    rows = {row["group"]: row["methods"] for row in canonical["accuracy"]["set"]}
    for method in ("diamond_sensitive", "gst"):
        assert rows["genera/Danio"][method]["top1"] == 1.0
        assert rows["genera/Bos"][method] == {"top1": 0.0, "top5": 1.0}
    text = as_markdown(result)
    assert "| genera/Danio | 0 | 1 | - | 100.0 | - | 100.0 |" in text
    assert text.count("| Query set |") == 2


def test_candidates_of_one_symbol_are_one(small, tmp_path):
    write_split(tmp_path, small)
    folder = tmp_path / "Gallus"
    found = [Candidate("GENE0", 3.0, 80.0), Candidate("gene0", 2.0, 70.0), Candidate("GENE1", 1.0)]
    answer(folder, "diamond_sensitive", {"Gallus_1": found})
    answers = read_query_set(folder, {"GENE1": 1}).answers["diamond_sensitive"]
    assert answers.ranks.tolist() == [2]
    assert answers.scores.tolist() == [3.0]
    same = read_query_set(folder, {"X": 1}, lambda symbol: "X").answers["diamond_sensitive"]
    assert same.ranks.tolist() == [1]


def test_symbols_are_found_from_all_proteins_but_negatives(small):
    found = all_labelled(small)
    assert [p.symbol for p in found[:5]] == [p.symbol for p in small.training]
    assert sorted(p.symbol for p in found[5:]) == ["Gene0", "Gene1", "Gene2", "Gene3"]


def test_scoring_needs_the_reference_search(small, tmp_path):
    write_split(tmp_path / "genera", small)
    with pytest.raises(GstError, match="run the stage that makes it first"):
        score_folder(tmp_path)
    with pytest.raises(GstError, match="run 'prepare' first"):
        score_folder(tmp_path / "genera" / "Bos")


def test_candidates_survive_the_file(tmp_path):
    found = {"q1": [Candidate('a"b', 12.5, 33.3), Candidate("c", 0.1)], "q2": [Candidate("d", 1.0)]}
    write_candidates(tmp_path / "x.tsv", found.items())
    assert read_candidates(tmp_path / "x.tsv") == found


FAKE_DIAMOND = """#!{python}
import sys
a = sys.argv[1:]
if a == ["version"]:
    print("diamond version 0.0.1")
elif a[0] == "makedb":
    open(a[a.index("--db") + 1], "w").close()
else:
    with open({calls!r}, "a") as calls:
        calls.write(a[1] + "\\n")
    with open(a[a.index("--out") + 1], "w") as out:
        out.write("Bos_1\\tt1\\t90.0\\t200\\nBos_1\\tt2\\t80.0\\t150\\nBos_1\\tt3\\t70.0\\t100\\n")
"""


def test_a_search_runs_once_and_gives_symbols(small, tmp_path):
    program, calls = tmp_path / "diamond", tmp_path / "calls"
    program.write_text(FAKE_DIAMOND.format(python=sys.executable, calls=str(calls)))
    program.chmod(0o755)
    work = tmp_path / "work"
    write_split(work / "genera", Split("genera", small.training, {"Bos": small.queries["Bos"]}))

    def stage(*options):
        arguments = ["--work_folder", str(work), "--threads", "1", *options]
        arguments += ["diamond", "--program", str(program), "--mode", "fast"]
        result = CliRunner().invoke(homology, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output

    stage()
    found = read_candidates(work / "genera" / "Bos" / "diamond_fast.tsv")
    # t1 and t2 are GENE0 and gene0: one symbol, its best hit.
    assert found == {"Bos_1": [Candidate("GENE0", 200.0, 90.0), Candidate("GENE1", 100.0, 70.0)]}
    stage()
    assert calls.read_text() == "--fast\n"
    stage("--afresh")
    (work / "genera" / "Bos" / "queries.fasta").write_text(">Bos_1\nMKV\n")
    stage()
    assert calls.read_text() == "--fast\n" * 3


@pytest.mark.skipif(shutil.which("diamond") is None, reason="DIAMOND is not installed")
def test_diamond_finds_the_nearest_relative(tmp_path):
    rng = np.random.default_rng(1)
    letters = np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", dtype=np.uint8)
    original = rng.choice(letters, (3, 300))
    distant = np.where(rng.random(300) < 0.3, rng.choice(letters, 300), original[0])
    near = np.where(rng.random(300) < 0.1, rng.choice(letters, 300), original[0])
    training = [protein(f"G{i}", "Homo sapiens", s.tobytes()) for i, s in enumerate(original)]
    training.append(protein("PARALOGUE", "Homo sapiens", distant.tobytes()))
    split = Split(
        "genera",
        training,
        {"Bos": as_queries("Bos", [protein("g0", "Bos taurus", near.tobytes())])},
    )
    write_split(tmp_path, split)
    methods.make_database("diamond", tmp_path, 1, afresh=False)
    methods.search("diamond", tmp_path, "Bos", "sensitive", 1, afresh=False)
    first, second = read_candidates(tmp_path / "Bos" / "diamond_sensitive.tsv")["Bos_1"]
    assert (first.symbol, second.symbol) == ("G0", "PARALOGUE")
    assert first.score > second.score > 100
    assert 85 < first.identity < 95
    record = json.loads((tmp_path / "Bos" / "diamond_sensitive.json").read_text())
    assert record["peak_mib"] > 5
    assert not any("/" in word for word in record["command"])


def test_diamond_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GstError, match="apt install diamond-aligner"):
        methods.diamond_version(str(tmp_path / "diamond"))


def test_cost_is_that_of_the_whole_program(tmp_path):
    # What the measuring process itself holds must not count.
    ballast = np.ones(50_000_000)
    code = "b = bytearray(150_000_000); b[::4096] = b'x' * len(b[::4096])"
    cost = run_measured([sys.executable, "-c", code], tmp_path / "log")
    assert 143 < cost.peak_mib < 200
    assert cost.cpu_seconds > 0
    idle = run_measured([sys.executable, "-c", "pass"], tmp_path / "log")
    assert idle.peak_mib < 50 < ballast.nbytes / 2**20


def test_a_program_that_fails_says_why(tmp_path):
    with pytest.raises(GstError, match="status 3: no space"):
        run_measured(
            [sys.executable, "-c", "print('no space'); raise SystemExit(3)"], tmp_path / "log"
        )
    with pytest.raises(GstError, match="cannot be started"):
        run_measured([str(tmp_path / "nothing")], tmp_path / "log")


def test_queries_keep_residues_and_species(small):
    (query,) = as_queries("x", [protein("A", "Danio rerio", b"MXKU")])
    assert (query.query_id, query.residues, query.taxon.clade) == ("x_1", b"MXKU", "teleostei")
    assert np.all([q.kind == "protein" for q in small.queries["Bos"]])
