"""Splits: nothing that is to stay together is on two sides."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.dataset import clusters
from gst_core.dataset.clusters import cluster
from gst_core.dataset.sketches import sketch
from gst_core.dataset.splits import SIDES, Split, choose_sides
from gst_core.errors import GstError
from gst_core.sequences import ALPHABET
from tests.dataset.conftest import Gst, rows_of
from tests.dataset.made import Known, fasta_of, sample, write

#: Small enough to be clustered in no time.
SAMPLE = [p for p in sample()[::3] if len(p.sequence) < 700]
LETTERS = np.array(list(ALPHABET[:20]))


def relative(sequence: str, rng: np.random.Generator, changed: float, gaps: int = 0) -> str:
    """Return a sequence with a share of its residues replaced, and a few residues taken out."""
    own = np.array(list(sequence))
    places = rng.choice(len(own), round(changed * len(own)), replace=False)
    own[places] = np.roll(LETTERS, 1)[np.searchsorted(LETTERS, own[places]) % 20]
    kept = np.ones(len(own), bool)
    for place in rng.choice(len(own) - 3, gaps, replace=False):
        kept[place : place + 2] = False
    return "".join(own[kept])


def family(seed: int = 1) -> list[Known]:
    """Return proteins of the sample with relatives of each, in three more species."""
    rng = np.random.default_rng(seed)
    found = list(SAMPLE)
    for number, own in enumerate(SAMPLE):
        changed = (0.02, 0.06, 0.3)[number % 3]
        relatives = ("Felis catus", "Salmo salar", "Gallus gallus")
        for rank, species in enumerate(relatives):
            found.append(
                Known(
                    f"R{rank}{number:04}",
                    species,
                    own.symbol,
                    relative(
                        own.sequence, rng, changed, gaps=rank if len(own.sequence) > 80 else 0
                    ),
                )
            )
    return found


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from gst_core.cli.main import gst

    folder = tmp_path_factory.mktemp("dataset")
    fasta = write(folder / "sprot.fasta", fasta_of(family()))
    run = ["dataset", "uniprot", str(fasta), "--output", str(folder / "made"), "--quiet"]
    result = CliRunner().invoke(gst, run)
    assert result.exit_code == 0, result.output
    return folder / "made"


def sides_of(output: Path) -> dict[str, list[dict[str, Any]]]:
    return {side: rows_of(output / side) for side in SIDES if (output / side).is_dir()}


@pytest.mark.parametrize("by", ["random", "genus", "clade", "cluster"])
def test_every_protein_is_on_one_side_and_groups_stay_together(
    by: str, dataset: Path, run_gst: Gst, tmp_path: Path
) -> None:
    shares = ("--test", "0.05" if by == "clade" else "0.1", "--validation", "0.1")
    run = ("dataset", "split", dataset, "--by", by, *shares)
    result = run_gst(*run, "--output", tmp_path / "a")
    assert result.exit_code == 0, result.output
    sides = sides_of(tmp_path / "a")
    assert list(sides) == ["train", "validation", "test"]
    rows = rows_of(dataset)
    together = [row for side in sides.values() for row in side]
    assert sorted(r["stable_id"] for r in together) == sorted(r["stable_id"] for r in rows)
    assert 0 < len(sides["test"]) <= 0.1 * len(rows)
    if by in ("genus", "clade"):
        groups = [{row[by] for row in side} for side in sides.values()]
        assert sum(map(len, groups)) == len(set.union(*groups))
    for name, side in sides.items():
        manifest = json.loads((tmp_path / "a" / name / "manifest.json").read_text())
        assert manifest["proteins"] == len(side)
        assert manifest["options"]["split"]["by"] == by
        assert manifest["licence"]["name"] == "CC BY 4.0"
        assert f"{len(side):,}" in result.stdout
    if by == "genus":
        # the same seed divides in the same way, another one does not
        assert run_gst(*run, "--output", tmp_path / "b").exit_code == 0
        assert sides_of(tmp_path / "b") == sides
        assert run_gst(*run, "--seed", 5, "--output", tmp_path / "c").exit_code == 0
        assert sides_of(tmp_path / "c")["test"] != sides["test"]


def test_genera_are_held_out_by_name(dataset: Path, run_gst: Gst, tmp_path: Path) -> None:
    run = ("dataset", "split", dataset, "--output", tmp_path / "made", "--by")
    result = run_gst(*run, "genus", "--hold_out", "danio", "--hold_out", "Bos")
    assert result.exit_code == 0, result.output
    sides = sides_of(tmp_path / "made")
    assert {row["genus"] for row in sides["test"]} == {"Danio", "Bos"}
    assert {row["genus"] for row in sides["train"]}.isdisjoint({"Danio", "Bos"})
    nowhere = ("dataset", "split", dataset, "--output", tmp_path / "none", "--by")
    result = run_gst(*nowhere, "genus", "--hold_out", "Homo")
    assert isinstance(result.exception, GstError)
    assert not (tmp_path / "none").exists()
    assert "no protein is of the genus 'Homo'" in str(result.exception)
    assert run_gst(*run, "random", "--hold_out", "Bos").exit_code == 2
    assert run_gst(*run, "random", "--test", "0.6", "--validation", "0.4").exit_code == 2


def test_a_side_that_stays_empty_is_an_error(dataset: Path, run_gst: Gst, tmp_path: Path) -> None:
    run = ("dataset", "split", dataset, "--output", tmp_path / "made", "--by", "clade")
    result = run_gst(*run, "--test", "0.0005")
    assert isinstance(result.exception, GstError)
    assert "nothing is left for the side 'test'" in str(result.exception)


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.floats(0.05, 0.6),
    st.floats(0, 0.3),
    st.integers(0, 99),
)
def test_sides_are_no_larger_than_asked_for(
    groups: list[int], test: float, validation: float, seed: int
) -> None:
    split = Split("genus", test, validation, seed=seed)
    try:
        sides = choose_sides(groups, split)
    except GstError:
        return
    assert set(sides) == set(groups)
    sizes: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        sizes[sides[group]] += 1
    assert 0 < sizes["test"] <= test * len(groups)
    assert sizes["validation"] <= validation * len(groups)
    assert sizes["train"] > 0


def test_near_relatives_are_one_cluster_and_strangers_are_not() -> None:
    proteins = [p for p in family() if len(p.sequence) > 80]
    found = cluster([p.sequence for p in proteins], 0.9)
    assert (found <= np.arange(len(found))).all()
    cluster_of = {p.accession: c for p, c in zip(proteins, found.tolist(), strict=True)}
    far, near = [], []
    for number, own in enumerate(SAMPLE):
        wanted = far if number % 3 == 2 else near
        for other in (f"R{rank}{number:04}" for rank in range(3)):
            if own.accession in cluster_of and other in cluster_of:
                wanted.append(cluster_of[own.accession] == cluster_of[other])
    assert np.mean(near) > 0.99
    assert not any(far)
    assert len(near) > 150


def test_a_fragment_goes_with_its_protein_and_order_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    own = [p.sequence for p in SAMPLE[:40] if len(p.sequence) > 150]
    fragments = [sequence[30:110] for sequence in own]
    sequences = [*own, *fragments]
    found = cluster(sequences, 0.9)
    assert (found[: len(own)] == found[len(own) :]).all()
    order = rng.permutation(len(sequences))
    shuffled = cluster([sequences[i] for i in order], 0.9)
    same = found[:, None] == found[None, :]
    assert (same[np.ix_(order, order)] == (shuffled[:, None] == shuffled[None, :])).all()


def test_short_and_odd_sequences_do_no_harm() -> None:
    sequences = ["M", "MK", "M", "", "A" * 300, "A" * 290, "X" * 12, "MKV" * 40, "MKV" * 40 + "L"]
    found = cluster(sequences, 0.9).tolist()
    assert found[0] == found[2] == 0
    assert found[4] == found[5]
    assert found[7] == found[8]
    assert len(set(found)) == 6
    assert cluster([], 0.9).tolist() == []


def test_without_the_compiled_library_clusters_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sequences = [p.sequence for p in family() if len(p.sequence) < 130]
    wanted = cluster(sequences, 0.9).tolist()
    monkeypatch.setattr(clusters, "LIBRARY", None)
    assert cluster(sequences, 0.9).tolist() == wanted


def test_a_sketch_is_of_the_protein_alone() -> None:
    rng = np.random.default_rng(1)
    proteins = [rng.integers(0, 20, n).astype(np.uint8) for n in (9, 10, 11, 400, 30)]
    starts = np.cumsum([0, *map(len, proteins)])
    hashes, owners, places = sketch(np.concatenate(proteins), starts, 10)
    kept = np.bincount(owners, minlength=5).tolist()
    assert (kept[:3], kept[4]) == ([0, 1, 2], 20)
    assert 20 < kept[3] < 60
    for number, own in enumerate(proteins):
        alone = sketch(own, np.array([0, len(own)]), 10)
        assert (alone[0] == hashes[owners == number]).all()
        assert (alone[2] == places[owners == number]).all()


def test_a_dataset_becomes_fasta_again(dataset: Path, run_gst: Gst, tmp_path: Path) -> None:
    fasta, known = tmp_path / "cow.fa", tmp_path / "known.tsv"
    run = ("dataset", "fasta", dataset, "--output", fasta, "--species")
    result = run_gst(*run, "Bos taurus", "--known_symbols", known)
    assert result.exit_code == 0, result.output
    again = tmp_path / "again"
    cows = [p for p in SAMPLE if p.species == "Bos taurus"]
    assert known.read_text().splitlines()[1] == f"{cows[0].accession}\t{cows[0].symbol}\tBos taurus"
    text = fasta.read_text()
    assert text.startswith(f">{cows[0].accession} OS=Bos taurus OX=9913 GN={cows[0].symbol}\n")
    assert text.count(">") == len(cows)
    assert not again.exists()
    result = run_gst(*run, "Homo sapiens")
    assert isinstance(result.exception, GstError)
    assert "no protein is of this species" in str(result.exception)
