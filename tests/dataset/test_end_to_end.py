"""From a release to named proteins of a genus that the model has not seen."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gst_core.cli.assign import assign as gst_assign
from gst_core.sequences.streams import open_blocks
from tests.conftest import SHARED_DATA
from tests.dataset.conftest import Gst, rows_of
from tests.dataset.made import TAXA, Known, sample
from tests.dataset.release_tree import make_release
from tests.dataset.server import serving
from tests.dataset.test_splits import relative

SPECIES = ("Homo sapiens", "Mus musculus", "Gallus gallus", "Danio rerio", "Bos taurus")
SYMBOLS = 40
_RECORD = re.compile(r"sp\|(\w+)\|.*? OX=(\d+) GN=(\S+)\n(\w+)")


def _real() -> list[Known]:
    """Choose genes of Swiss-Prot that all of the species have, of moderate length."""
    names = {taxon: name for name, taxon in TAXA.items() if name in SPECIES}
    found: defaultdict[str, dict[str, Known]] = defaultdict(dict)
    path = SHARED_DATA / "proteins" / "swissprot_eukaryota.fasta.zst"
    with open_blocks(path, path.name) as blocks:
        text = b"".join(blocks).decode()
    for record in text.split(">")[1:]:
        read = _RECORD.match(record)
        if read and int(read[2]) in names and len(read[4]) < 400:
            known = Known(read[1], names[int(read[2])], read[3].upper(), read[4])
            found[known.symbol].setdefault(known.species, known)
    whole = [symbol for symbol in sorted(found) if len(found[symbol]) == len(SPECIES)]
    return [known for symbol in whole[::5][:SYMBOLS] for known in found[symbol].values()]


def _made() -> list[Known]:
    """Make relatives of proteins of the bundled sample."""
    rng = np.random.default_rng(2)
    own = [p for p in sample() if 100 < len(p.sequence) < 400][:SYMBOLS]
    return [
        Known(f"{name[0]}{number}", name, p.symbol, relative(p.sequence, rng, 0.2, gaps=1))
        for number, p in enumerate(own)
        for name in SPECIES
    ]


@pytest.fixture(scope="module")
def proteins() -> list[Known]:
    return _real() if SHARED_DATA.is_dir() else _made()


def test_a_release_becomes_a_model_that_names_another_genus(
    proteins: list[Known], run_gst: Gst, tmp_path: Path
) -> None:
    tree = make_release(tmp_path / "tree", SPECIES, proteins=proteins)
    with serving(tree) as server:
        run = ("dataset", "ensembl", "--release", 113, "--server", server.url, "--min_count", 3)
        made, cache = tmp_path / "made", tmp_path / "cache"
        result = run_gst(*run, "--output", made, "--cache", cache, "--quiet")
    assert result.exit_code == 0, (result.output, result.exception)
    symbols = {p.symbol.upper() for p in proteins}
    assert len(symbols) > 30
    assert {row["symbol"].upper() for row in rows_of(made)} == symbols

    sides = tmp_path / "split"
    run = ("dataset", "split", made, "--by", "genus", "--hold_out", "Bos", "--output", sides)
    assert run_gst(*run, "--quiet").exit_code == 0
    cows = rows_of(sides / "test")
    assert {row["genus"] for row in cows} == {"Bos"}

    model = tmp_path / "model.onnx"
    run = ("build", "--proteins", sides / "train", "--output", model, "--threads", 1)
    result = run_gst(*run, "--epochs", 30)
    assert result.exit_code == 0, (result.output, result.exception)

    fasta, known, named = (tmp_path / name for name in ("cow.fa", "known.tsv", "named.tsv"))
    run = ("dataset", "fasta", sides / "test", "--output", fasta, "--known_symbols", known)
    assert run_gst(*run).exit_code == 0
    arguments = ["--checkpoint", model, "--sequences_fasta", fasta, "--output", named]
    arguments += ["--scientific_name", "Bos taurus", "--quiet"]
    result = CliRunner().invoke(gst_assign, list(map(str, arguments)))
    assert result.exit_code == 0, (result.output, result.exception)
    with named.open() as file:
        table = {row["stable_id"]: row for row in csv.DictReader(file, delimiter="\t")}
    right = [table[row["stable_id"]]["symbol"] == row["symbol"] for row in cows]
    assert len(right) == len(symbols)
    assert np.mean(right) >= 0.95
    # the committee that the release names, and its id, have come through to the results
    assert {row["source"] for row in table.values()} == {"VGNC Symbol"}
    assert run_gst("compare", "--assignments_csv", named, "--known_symbols", known).exit_code == 0


def test_a_network_learns_from_a_dataset(
    proteins: list[Known], run_gst: Gst, tmp_path: Path
) -> None:
    tree = make_release(tmp_path / "tree", SPECIES[:2], proteins=proteins)
    made = tmp_path / "made"
    run = ("dataset", "ensembl", "--release", 113, "--server", tree, "--output", made, "--quiet")
    assert run_gst(*run).exit_code == 0
    config = tmp_path / "tiny.json"
    model = {"width": 32, "dimension": 12, "layers": 1, "heads": 2, "feedforward": 24}
    config.write_text(json.dumps({"model": model}))
    run = ("train", "--proteins", made, "--output", tmp_path / "run", "--config", config)
    result = run_gst(*run, "--epochs", 1, "--batch_size", 16, "--device", "cpu")
    assert result.exit_code == 0, (result.output, result.exception)
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    manifest = json.loads((made / "manifest.json").read_text())
    assert facts["data"][0]["sha256"] == manifest["table"]["sha256"]
