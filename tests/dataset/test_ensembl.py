"""A release of Ensembl from a server, a folder and databases; killed, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gst_core.dataset import names_mysql
from gst_core.dataset.genomes import choose_genomes, parse_genomes
from gst_core.dataset.http import UnreachableError
from gst_core.errors import GstError
from tests.conftest import ROOT
from tests.dataset.conftest import Gst, rows_of
from tests.dataset.core_database import make_databases
from tests.dataset.made import sample
from tests.dataset.release_tree import HEADER, SPECIES, make_release
from tests.dataset.server import Fault, Server, serving

BASE = ("dataset", "ensembl", "--release", 113)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("release"))


@pytest.fixture
def server(tree: Path) -> Iterator[Server]:
    with serving(tree) as running:
        yield running


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def test_a_release_becomes_a_dataset(server: Server, run_gst: Gst, tmp_path: Path) -> None:
    output, cache = tmp_path / "made", tmp_path / "cache"
    run = (*BASE, "--server", server.url, "--output", output, "--cache", cache)
    result = run_gst(*run)
    assert result.exit_code == 0, result.output
    rows = rows_of(output)
    wanted = [p for name in SPECIES for p in sample() if p.species == name]
    assert [(r["species"], r["symbol"], r["sequence"]) for r in rows] == [
        (p.species, p.symbol, p.sequence) for p in wanted
    ]
    first = rows[2]  # of a gene with three transcripts, of which the longest is not canonical
    assert first["stable_id"].endswith("P00000000300.1")
    assert first["transcript"].endswith("T00000000300.3")
    assert (first["source"], first["accession"]) == ("VGNC Symbol", "VGNC:3")
    assert first["description"] == f"made gene, {first['symbol']}; first"
    assert (first["database"], first["taxon_id"], first["clade"]) == ("Ensembl", 9913, "mammalia")
    manifest = manifest_of(output)
    assert manifest["left_out"] == {
        "another protein stands for the gene": 120,
        "protein of a gene that is not protein-coding": 3,
        "no gene symbol": 3,
        "gene that the annotation does not have as protein-coding": 3,
        "name that a program has assigned": 3,
        "placeholder in place of a symbol": 3,
    }
    assert "of 180 genes the canonical protein is marked; of 0" in manifest["notes"][0]
    assert [g["species"] for g in manifest["genomes"]] == [
        "bos_taurus",
        "danio_rerio",
        "gallus_gallus",
    ]
    assert all(f["verified"] for f in manifest["files"][1:])
    assert manifest["files"][1]["checksum"].startswith("sum:")
    assert sorted(p.name for p in output.iterdir()) == ["manifest.json", "proteins.parquet"]
    # nothing is asked for again, and the table is the same to the byte
    table, asked = (output / "proteins.parquet").read_bytes(), len(server.asked)
    assert run_gst(*run).exit_code == 0
    assert len(server.asked) == asked
    assert (output / "proteins.parquet").read_bytes() == table


def test_all_three_sources_of_names_say_the_same(tree: Path, run_gst: Gst, tmp_path: Path) -> None:
    mysql = make_databases(tmp_path / "databases")
    made = {}
    for names in ("gff3", "embl", "mysql"):
        output = tmp_path / names
        options = ("--mysql", mysql) if names == "mysql" else ()
        result = run_gst(
            *BASE, "--server", tree, "--names", names, "--output", output, *options, "--quiet"
        )
        assert result.exit_code == 0, (result.output, result.exception)
        made[names] = rows_of(output)
    assert made["mysql"] == made["gff3"]
    # EMBL files do not tell which protein is canonical: of these genes the longest was taken
    shared = ("gene", "symbol", "label", "description", "source", "accession", "species")
    for embl, gff3 in zip(made["embl"], made["gff3"], strict=True):
        assert [embl[name] for name in shared] == [gff3[name] for name in shared]
        assert embl["sequence"] in (gff3["sequence"], gff3["sequence"] + "KKKKKK")
    assert sum(len(row["sequence"]) for row in made["embl"]) > sum(
        len(row["sequence"]) for row in made["gff3"]
    )
    notes = manifest_of(tmp_path / "embl")["notes"]
    assert "of 0 genes the canonical protein is marked; of 180" in notes[0]


def test_a_server_of_databases_that_is_away_ends_all_at_once(
    tree: Path, run_gst: Gst, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_mysql.time, "sleep", lambda _: None)
    names = ("--names", "mysql", "--mysql", "mysql://anonymous@127.0.0.1:9")
    result = run_gst(*BASE, "--server", tree, *names, "--output", tmp_path / "made")
    assert isinstance(result.exception, UnreachableError)
    # not a line for each genome, and then one for all
    assert "error" not in result.output


def test_where_nothing_is_marked_the_longest_is_taken_and_that_is_said(
    run_gst: Gst, tmp_path: Path
) -> None:
    tree = make_release(tmp_path / "old", ["Danio rerio"], marked=False)
    output = tmp_path / "made"
    assert run_gst(*BASE, "--server", tree, "--output", output).exit_code == 0
    assert sum(row["sequence"].endswith("KKKKKK") for row in rows_of(output)) == 20
    (genome,) = manifest_of(output)["genomes"]
    assert (genome["canonical"], genome["longest"]) == (0, 60)


def test_species_are_chosen_by_name_and_number(tree: Path, run_gst: Gst, tmp_path: Path) -> None:
    output = tmp_path / "made"
    run = (*BASE, "--server", tree, "--output", output, "--quiet", "--species")
    assert run_gst(*run, "Danio rerio", "--species", "9031").exit_code == 0
    assert {row["species"] for row in rows_of(output)} == {"Danio rerio", "Gallus gallus"}
    result = run_gst(*run, "danio_reri")
    assert isinstance(result.exception, GstError)
    assert "did you mean danio_rerio?" in str(result.exception)


def test_a_checksum_that_stays_wrong_fails_the_run_and_the_rest_is_kept(
    server: Server, run_gst: Gst, tmp_path: Path
) -> None:
    name = "Danio_rerio.Made1.pep.all.fa.gz"
    server.faults[name] = [Fault(changed=True)] * 2
    output, cache = tmp_path / "made", tmp_path / "cache"
    run = (*BASE, "--server", server.url, "--output", output, "--cache", cache)
    result = run_gst(*run)
    assert isinstance(result.exception, GstError)
    assert "1 of 3 genomes cannot be had, danio_rerio first" in str(result.exception)
    assert f"the checksum of {name} is sum:" in result.stderr
    assert not (output / "manifest.json").exists()
    asked = len(server.asked)
    assert run_gst(*run).exit_code == 0
    assert {path.rpartition("/")[2] for path, _ in server.asked[asked:]} <= {
        name,
        "CHECKSUMS",
        "Danio_rerio.Made1.113.gff3.gz",
    }
    assert len(rows_of(output)) == 180


def test_a_release_that_is_not_there_is_an_error(
    server: Server, run_gst: Gst, tmp_path: Path
) -> None:
    run = ("dataset", "ensembl", "--release", 7, "--server", server.url, "--output", tmp_path / "x")
    result = run_gst(*run, "--cache", tmp_path / "cache")
    assert isinstance(result.exception, GstError)
    assert "check the release, the division and --server" in str(result.exception)


def test_killed_and_started_again_it_goes_on(
    server: Server, tree: Path, run_gst: Gst, tmp_path: Path
) -> None:
    output, cache = tmp_path / "made", tmp_path / "cache"
    command = [
        *(sys.executable, "-m", "gst_core.cli.main", "dataset", "ensembl", "--release", "113"),
        *("--server", server.url, "--output", str(output), "--cache", str(cache)),
        *("--connections", "1"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    size = (tree / "release-113/fasta/bos_taurus/pep/Bos_taurus.Made1.pep.all.fa.gz").stat().st_size
    kills = 0
    for after in (size // 2, size + 3000):
        server.delay, begun = 0.1, server.sent
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
            while server.sent - begun < after and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
    assert kills == 2
    assert not (output / "manifest.json").exists()
    server.delay = 0.0
    assert run_gst(*command[3:]).exit_code == 0
    ranges = [own for path, own in server.asked if path.endswith(".gz") and own]
    assert len(ranges) >= 2  # it went on within the files that it was killed in
    total = sum(f["size"] for f in manifest_of(output)["files"])
    assert server.sent < total + 40_000
    other = tmp_path / "other"
    assert run_gst(*BASE, "--server", tree, "--output", other, "--quiet").exit_code == 0
    table = "proteins.parquet"
    assert (output / table).read_bytes() == (other / table).read_bytes()


def test_a_host_gets_no_more_connections_than_asked_for(
    server: Server, run_gst: Gst, tmp_path: Path
) -> None:
    server.delay = 0.05
    run = (*BASE, "--server", server.url, "--output", tmp_path / "made", "--cache", tmp_path / "c")
    assert run_gst(*run, "--connections", "2").exit_code == 0
    assert server.most_open == 2


def test_tables_of_species_of_all_years_are_read() -> None:
    line = (
        "Pig\tsus_scrofa\tEnsemblVertebrates\t9823\tSscrofa11.1\tGCA_000003025.6\t2017\tN\tN\tN\tN"
        "\tY\tY\tsus_scrofa_core_113_111\t1\t\n"
    )
    fewer = line.replace("\tN\tN\tN\tN\t", "\tN\tN\t")
    collection = (
        "Yeast\tpichia_sp\tEnsemblFungi\t4922\tX 1\t\t2010\tN\tN\tN\tN\tN\tN\t"
        "fungi_ascomycota1_collection_core_57_110_1\t12\t\n"
    )
    pig, again, yeast = parse_genomes(HEADER + line + "\n" + fewer + collection, "table")
    assert pig == again
    assert (pig.species, pig.taxon_id, pig.core_db) == (
        "sus_scrofa",
        9823,
        "sus_scrofa_core_113_111",
    )
    assert (pig.folder, pig.species_id) == ("sus_scrofa", 1)
    assert (yeast.folder, yeast.species_id) == ("fungi_ascomycota1_collection/pichia_sp", 12)
    assert yeast.file_stem == "Pichia_sp"
    assert choose_genomes([pig, yeast], ["4922", "PIG"]) == [pig, yeast]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no genome"),
        (HEADER, "has no genome"),
        ("<html>\n", "has no column 'species'"),
        (HEADER + "a\tb\n", "without production name or core database"),
        (
            HEADER + "a\t../x\tE\t1\tM\tG\t1\tN\tN\tN\tN\tN\tN\tx_core_1_1\t1\n",
            "without production",
        ),
        (HEADER + "a\tx_y\tE\t?\tM\tG\t1\tN\tN\tN\tN\tN\tN\tx_core_1_1\t1\n", "is no taxon id"),
    ],
)
def test_another_table_is_an_error(text: str, words: str) -> None:
    with pytest.raises(GstError, match="table") as raised:
        parse_genomes(text, "table")
    assert words in str(raised.value)
