"""Perturbed cells: the reference's shifts; killed, shared and resumed; from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from click.testing import CliRunner

from gst_core.cli.geneformer.perturb import perturb
from gst_core.geneformer import Geneformer, perturbation_plan
from gst_core.geneformer.backends import open_encoder
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.dataset import TokenDataset, Tokens
from gst_core.geneformer.dataset_writer import DatasetWriter
from gst_core.geneformer.export import export
from gst_core.geneformer.network import MaskedLanguageModel
from gst_core.geneformer.perturbations import Perturber
from gst_core.geneformer.resources import resources_file
from gst_core.geneformer.shifts import Measure
from gst_core.geneformer.weights import save_checkpoint

#: Which cells of the small datasets the reference perturbed, the longest first.
CELLS = {"V1": ([7, 6, 0], [9, 5, 3]), "V2": ([7, 6, 0], [11, 5, 3])}
KIND = {"all_del": "delete", "all_over": "overexpress", "goal_del": "delete"}


def golden_values(folder: Path, number: int) -> dict[int, list[float]]:
    """What the reference has for one cell, by gene: a cosine, or shifts to A and B."""
    found: dict[int, list[float]] = {}
    for file in folder.glob(f"*_{number}batch*.json"):
        values = json.loads(file.read_text())
        for part in [values["A"], values["B"]] if "A" in values else [values]:
            for name, own in part.items():
                found.setdefault(int(name.split("|")[0]), []).extend(own)
    return found


@pytest.mark.parametrize("what", KIND)
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_the_reference_s_perturbations_of_all_genes(geneformer_data, version, what):
    golden = geneformer_data / "golden"
    special = [2, 3] if version == "V2" else []
    mode = "cls" if special else "cell"
    cells = TokenDataset.open(golden / "g" / f"tiny_{version}.dataset")
    encoder = open_encoder(golden / f"m_{version.lower()}", "cpu", 1)
    states = json.loads((golden / "g" / f"state_{version}.json").read_text())
    vectors = np.array([np.ravel(states[name]) for name in "AB"])
    perturber = Perturber(KIND[what], encoder.config.positions, special)
    measure = Measure(mode, special, vectors)
    for number, cell in enumerate(CELLS[version][what == "goal_del"]):
        theirs = golden_values(golden / "g" / f"isp_{version}_{what}", number)
        tokens = cells[cell]
        singles = perturber.singles(tokens).tolist()
        assert sorted(singles) == sorted(theirs)
        base = measure.base([tokens], encoder.states([tokens], -1))
        some = singles[number::80]
        edits = [perturber.edit(tokens, [gene]) for gene in some]
        states = encoder.states([edit.tokens for edit in edits], -1)
        shifts = measure.shifts(edits, base, [0] * len(edits), states)
        for gene, shift in zip(some, shifts, strict=True):
            ours = shift.to_states if what == "goal_del" else [shift.cosine]
            np.testing.assert_allclose(ours, theirs[gene], atol=1e-6)


@pytest.mark.parametrize("kind", ["delete", "overexpress"])
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_the_reference_s_perturbations_of_groups(
    geneformer_data, resources_folder, tmp_path, version, kind
):
    golden = geneformer_data / "golden"
    file = next((golden / "g" / f"isp_{version}_group_{kind}").glob("*.json"))
    theirs = next(iter(json.loads(file.read_text()).values()))
    tokens = [int(token) for token in file.name.split("tokens_")[1].split("_")[:2]]
    model = Geneformer.load(golden / f"m_{version.lower()}", resources=resources_folder, threads=1)
    ids = ",".join(model.names_of(np.array(tokens))[0])
    source = golden / "g" / f"tiny_{version}.dataset"
    words = [source, "--checkpoint", golden / f"m_{version.lower()}", "--perturbation", kind]
    words += [
        "--output",
        tmp_path / "p",
        "--genes",
        ids,
        "--resources",
        resources_folder,
        "--threads",
        1,
    ]
    result = CliRunner().invoke(perturb, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    table = pd.read_parquet(tmp_path / "p" / "shifts.parquet")
    assert set(table["ensembl_id"]) == {ids.replace(",", "+")}
    order = np.argsort(-TokenDataset.open(source).lengths, kind="stable")
    np.testing.assert_allclose(table.set_index("cell")["cosine"][order], theirs, atol=1e-6)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    config = NetworkConfig(34, 16, 3, 2, 32, 16, initializer_range=0.3)
    save_checkpoint(MaskedLanguageModel(config), folder)
    return folder


@pytest.fixture
def dataset(tiny_resources, tmp_path) -> Path:
    """Return 9 cells of 3 to 14 genes, 4 of state a and 5 of state b."""
    tiny_resources.save(resources_file("V2", tmp_path))
    random = np.random.default_rng(1)
    cells = [[2, *random.permutation(np.arange(4, 34))[: int(n)], 3] for n in [14, *range(3, 11)]]
    values = Tokens(np.concatenate(cells).astype(np.int32), np.cumsum([0, *map(len, cells)]))
    with DatasetWriter(tmp_path / "d.dataset", {"state": pa.string()}) as writer:
        writer.write(values, {"state": list("aaaabbbbb")})
    return tmp_path / "d.dataset"


def run(dataset: Path, checkpoint: Path, *words: object, kind: str = "delete"):
    common = ["--checkpoint", checkpoint, "--resources", dataset.parent, "--threads", 1]
    command = [dataset, *common, "--perturbation", kind, *words]
    return CliRunner().invoke(perturb, [str(word) for word in command])


def table_of(dataset: Path, checkpoint: Path, *words: object, kind: str = "delete"):
    output = dataset.parent / f"out{len(list(dataset.parent.iterdir()))}"
    result = run(dataset, checkpoint, "--output", output, *words, kind=kind)
    assert result.exit_code == 0, result.output + str(result.exception)
    assert not (output / "parts").exists()
    return pd.read_parquet(output / "shifts.parquet")


@pytest.mark.parametrize("kind", ["delete", "overexpress", "inhibit", "activate"])
@pytest.mark.parametrize("embedding", ["cls", "cell"])
def test_shifts_are_those_of_cells_encoded_one_by_one(dataset, checkpoint, kind, embedding):
    table = table_of(dataset, checkpoint, "--embedding", embedding, kind=kind)
    encoder, cells = open_encoder(checkpoint, "cpu", 1), TokenDataset.open(dataset)
    perturber = Perturber(kind, 16, (2, 3))
    assert len(table) == sum(len(perturber.singles(cell)) for cell in cells)
    for row in table.sample(8, random_state=0).itertuples():
        edit = perturber.edit(cells[row.cell], [int(row.token)])
        before, after = (encoder.states([t], -1).split()[0] for t in (edit.base, edit.tokens))
        pairs = [(before[0], after[0])]
        if embedding == "cell":
            pairs = list(zip(before[edit.before], after[edit.after], strict=True))
        norms = [np.linalg.norm(a) * np.linalg.norm(b) for a, b in pairs]
        cosines = [a @ b / norm for (a, b), norm in zip(pairs, norms, strict=True)]
        assert row.cosine == pytest.approx(np.mean(cosines), abs=1e-5)
        assert row.ensembl_id == f"ENSG{int(row.token) - 4:011d}"
        assert row.symbol == f"Gene{int(row.token) - 4}"


def test_an_onnx_file_gives_the_same(dataset, checkpoint, tiny_resources, tmp_path):
    export(checkpoint, tmp_path / "m.onnx", tiny_resources)
    words = ("--state_column", "state", "--start", "a", "--goal", "b")
    one, other = (table_of(dataset, c, *words) for c in (checkpoint, tmp_path / "m.onnx"))
    assert sorted(set(one["cell"])) == [0, 1, 2, 3]
    numbers = ["cosine", "shift_to_a", "shift_to_b"]
    np.testing.assert_allclose(one[numbers], other[numbers], atol=1e-5)


def test_a_full_cell_is_compared_with_itself_without_what_was_pushed_out(dataset, checkpoint):
    table = table_of(dataset, checkpoint, "--genes", "GENE0,GENE1", kind="overexpress")
    encoder, cell = open_encoder(checkpoint, "cpu", 1), TokenDataset.open(dataset)[0]
    assert len(table) == 9
    absent = [gene for gene in (4, 5) if gene not in cell]
    assert absent
    assert len(cell) == 16
    present = [gene for gene in cell[1:-1].tolist() if gene not in (4, 5)]
    kept = present[: 14 - 2]
    before = [gene for gene in cell.tolist() if gene in (2, 3, 4, 5, *kept)]
    cells = [np.array(t) for t in (before, [2, 4, 5, *kept, 3])]
    hidden = encoder.states(cells, -1).split()
    a, b = hidden[0][0], hidden[1][0]
    expected = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert table["cosine"][0] == pytest.approx(expected, abs=1e-5)


def test_shares_of_processes_make_the_table_of_one(dataset, checkpoint, monkeypatch, tmp_path):
    monkeypatch.setattr(perturbation_plan, "PART", 7)
    whole = table_of(dataset, checkpoint, "--gene_shifts")
    for share in ("2/3", "3/3", "1/3"):
        assert not (tmp_path / "s" / "shifts.parquet").exists()
        result = run(
            dataset, checkpoint, "--output", tmp_path / "s", "--shard", share, "--gene_shifts"
        )
        assert result.exit_code == 0, result.output
    found = pd.read_parquet(tmp_path / "s" / "shifts.parquet")
    pd.testing.assert_frame_equal(found, whole)
    genes = pd.read_parquet(tmp_path / "s" / "gene_shifts.parquet")
    lengths = TokenDataset.open(dataset).lengths - 2
    assert genes["cells"].sum() == (lengths * (lengths - 1)).sum()
    assert not genes.duplicated(["token", "affected_token"]).any()
    # Started once more, nothing is computed.
    result = run(dataset, checkpoint, "--output", tmp_path / "s", "--gene_shifts")
    assert "0 of" in result.output


def test_gene_shifts_are_means_over_cells(dataset, checkpoint, tmp_path):
    words = ("--output", tmp_path / "g", "--gene_shifts", "--embedding", "cell", "--genes")
    assert run(dataset, checkpoint, *words, "GENE3").exit_code == 0
    genes = pd.read_parquet(tmp_path / "g" / "gene_shifts.parquet")
    shifts = pd.read_parquet(tmp_path / "g" / "shifts.parquet")
    lengths = TokenDataset.open(dataset).lengths[shifts["cell"]] - 3
    total = (genes["cosine_mean"] * genes["cells"]).sum()
    assert total == pytest.approx((shifts["cosine"] * lengths).sum(), abs=1e-4)
    assert set(genes["symbol"]) == {"Gene3"}
    assert genes["cosine_stdev"].notna().all()


_KILLED = """
import sys
from gst_core.geneformer import perturbation_plan, perturbing
from gst_core.cli.geneformer.main import main
perturbation_plan.PART = 7
slow = sys.argv.pop(1) == "slow"
part = perturbing.Experiment.part
def told(self, number):
    print("part", number, flush=True)
    if slow and number == 3:
        sys.stdin.read()
    return part(self, number)
perturbing.Experiment.part = told
main()
"""


def test_a_killed_run_goes_on_where_it_was(dataset, checkpoint, monkeypatch, tmp_path):
    words = [str(dataset), "--checkpoint", str(checkpoint), "--resources", str(tmp_path)]
    words += ["--output", str(tmp_path / "k"), "--perturbation", "delete", "--threads", "1"]
    command = [sys.executable, "-c", _KILLED]
    first = subprocess.Popen(
        [*command, "slow", "perturb", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None
    for line in first.stdout:
        if line == "part 3\n":
            break
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "k" / "shifts.parquet").exists()
    command += ["quick", "perturb", *words]
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("part 3\n")
    monkeypatch.setattr(perturbation_plan, "PART", 7)
    expected = table_of(dataset, checkpoint)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "k" / "shifts.parquet"), expected)


def test_a_folder_of_another_perturbation_is_left_alone(dataset, checkpoint, tmp_path):
    assert run(dataset, checkpoint, "--output", tmp_path / "o").exit_code == 0
    before = (tmp_path / "o" / "shifts.parquet").read_bytes()
    result = run(dataset, checkpoint, "--output", tmp_path / "o", "--layer", "0")
    assert "holds another perturbation" in str(result.exception)
    assert (tmp_path / "o" / "shifts.parquet").read_bytes() == before


def test_the_cost_is_told_before(dataset, checkpoint, tmp_path):
    result = run(dataset, checkpoint, "--output", tmp_path / "n", "--dry_run")
    assert result.exit_code == 0
    genes = int((TokenDataset.open(dataset).lengths - 2).sum())
    assert f"{genes + 9} forward passes of 9 cells" in result.output
    assert "about" in result.output
    assert not (tmp_path / "n").exists()
    # what was looked at does not stand in the way of what is done
    done = run(dataset, checkpoint, "--output", tmp_path / "n", "--genes", "GENE1")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--genes", "GENE1,NOPE"), "no token of Geneformer V2 for: NOPE"),
        (("--filter", "state=c"), "no cell has state c; there is: a, b"),
        (("--state_column", "type", "--start", "a", "--goal", "b"), "no column type"),
        (("--genes", ",".join(f"GENE{i}" for i in range(30))), "none of 9 cells has the genes"),
    ],
)
def test_what_does_not_fit_is_said(dataset, checkpoint, tmp_path, words, message):
    result = run(dataset, checkpoint, "--output", tmp_path / "x", *words)
    assert message in str(result.exception)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--shard", "3/2"),
        ("--shard", "one"),
        ("--state_column", "state"),
        ("--state_column", "state", "--start", "a", "--goal", "a"),
        ("--filter", "state"),
        ("--pairs",),
        ("--genes", "all", "--genes", "GENE1"),
        ("--genes", "GENE1", "--anchor", "GENE2"),
    ],
)
def test_wrong_usage_ends_with_2(dataset, checkpoint, tmp_path, words):
    assert run(dataset, checkpoint, "--output", tmp_path / "x", *words).exit_code == 2
