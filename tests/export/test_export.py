"""The exported model beside the torch network, and ``gst export``."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from click.testing import CliRunner

from gst_core.cli.export import export as export_command
from gst_core.errors import GstError
from gst_core.export import build
from gst_core.export.tables import TableBits, quantise_columns, quantise_rows
from gst_core.files import atomic_write
from gst_core.inference.namer import GeneNamer
from gst_core.model import GeneSymbolTransformer, ModelConfig
from gst_core.sequences import read_proteins
from gst_core.training.augmentation import Evolution
from gst_core.training.batches import Batch, TrainingSet, by_length
from gst_core.training.config import TrainingConfig
from gst_core.training.run import RUN_FILE, Run
from gst_core.training.state import TrainingState, store
from gst_core.vocabulary import Symbol, Vocabulary
from tests.networks import TINY, as_set, lively_network, random_proteins


def open_model(
    network: GeneSymbolTransformer, bits: TableBits, temperature: float = 1.0
) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    data = build(network, temperature, bits).SerializeToString()
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run_model(
    session: ort.InferenceSession, data: TrainingSet, top_k: int, batch_size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    probabilities = np.empty((len(data), top_k), dtype=np.float32)
    indices = np.empty((len(data), top_k), dtype=np.int64)
    for rows, batch in by_length(data, batch_size):
        feed = {
            "codes": batch.codes.numpy(),
            "lengths": batch.lengths.numpy(),
            "clade": batch.clades.numpy(),
            "top_k": np.array([top_k]),
        }
        probabilities[rows], indices[rows] = session.run(["probabilities", "indices"], feed)
    return probabilities, indices


@torch.no_grad()
def run_torch(network: GeneSymbolTransformer, data: TrainingSet) -> np.ndarray:
    result = np.empty((len(data), network.config.num_symbols), dtype=np.float32)
    for rows, batch in by_length(data, 32):
        logits = network(batch.codes, batch.lengths, batch.clades)
        result[rows] = logits.softmax(1).numpy()
    return result


def scattered(probabilities: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Probabilities in the order of the symbols."""
    result = np.empty_like(probabilities)
    np.put_along_axis(result, indices, probabilities, axis=1)
    return result


@pytest.mark.parametrize(("bits", "tolerance"), [(32, 1e-5), (16, 5e-3)])
def test_torch_and_onnx_agree(bits: TableBits, tolerance: float) -> None:
    network = lively_network()
    data = as_set(random_proteins(60))
    result = run_model(open_model(network, bits), data, TINY.num_symbols)
    expected = run_torch(network, data)
    np.testing.assert_allclose(scattered(*result), expected, atol=tolerance)


def test_torch_and_onnx_agree_on_real_proteins(shared_data: Path) -> None:
    fasta = shared_data / "proteins/human_refseq_one_per_gene.fasta.gz"
    proteins = [p.residues for p in itertools.islice(read_proteins(fasta), 1000)]
    config = ModelConfig(
        1000, 20, width=64, dimension=48, layers=2, heads=3, feedforward=96, scale=48.0
    )
    network = lively_network(config)
    data = as_set(proteins)
    with torch.no_grad():  # each protein a symbol of its own: there is something to tell apart
        for rows, batch in by_length(data, 32):
            network.symbols[rows] = network.represent(batch.codes, batch.lengths, batch.clades)
    expected = run_torch(network, data)
    found = scattered(*run_model(open_model(network, 32), data, 1000))
    assert np.median(expected.max(1)) > 0.3
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert (found.argmax(1) == expected.argmax(1)).all()
    # Rounding decides among symbols that are all but equally probable, of which an untrained
    # network has many: it must not where one stands out.
    clear = expected.max(1) > 0.9
    assert clear.sum() > 50
    for bits, least in ((16, 1.0), (8, 0.99), (4, 0.9)):
        best = run_model(open_model(network, bits), data, 1)[1][:, 0]
        assert (best == expected.argmax(1))[clear].mean() >= least, bits


@pytest.mark.parametrize("bits", [4, 8, 32])
def test_a_proteins_result_never_depends_on_its_batch(bits: TableBits) -> None:
    session = open_model(lively_network(), bits)
    data = as_set(random_proteins(40))
    together, names = run_model(session, data, 5, batch_size=40)
    alone, names_alone = run_model(session, data, 5, batch_size=1)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    assert (names == names_alone).all()


def test_temperature_divides_logits() -> None:
    network = lively_network()
    data = as_set(random_proteins(10))
    plain = scattered(*run_model(open_model(network, 32), data, TINY.num_symbols))
    warm = scattered(*run_model(open_model(network, 32, 2.0), data, TINY.num_symbols))
    softened = np.sqrt(plain) / np.sqrt(plain).sum(1, keepdims=True)
    np.testing.assert_allclose(warm, softened, atol=1e-5)


def test_top_k_is_sorted_and_its_probabilities_sum_to_one() -> None:
    session = open_model(lively_network(), 4)
    probabilities, indices = run_model(session, as_set(random_proteins(10)), TINY.num_symbols)
    assert (np.diff(probabilities) <= 0).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert (np.sort(indices) == np.arange(TINY.num_symbols)).all()


@pytest.mark.parametrize(("largest", "error"), [(7, 0.15), (127, 0.01)])
def test_quantised_rows_are_near_and_in_range(largest: int, error: float) -> None:
    table = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    levels, scales = quantise_rows(table, largest)
    assert np.abs(levels).max() <= largest
    difference = np.linalg.norm(levels * scales[:, None] - table) / np.linalg.norm(table)
    assert difference < error
    levels, scales = quantise_columns(table, largest)
    assert np.abs(levels).max() <= largest
    assert np.abs(levels * scales - table).max() <= scales.max() * 0.501


def test_quantising_zeros_gives_zeros() -> None:
    levels, scales = quantise_rows(np.zeros((2, 4), np.float32), 7)
    assert not levels.any()
    assert np.isfinite(scales).all()


def save_run(folder: Path) -> GeneSymbolTransformer:
    network = lively_network()
    vocabulary = Vocabulary(Symbol(f"SYM{i}", f"symbol {i}") for i in range(TINY.num_symbols))
    clades = (*tuple(f"clade{i}" for i in range(19)), "mammalia")
    run = Run(TINY, TrainingConfig(), Evolution(), vocabulary, clades, hold_out=("Bos",))
    folder.mkdir()
    with atomic_write(folder / RUN_FILE) as file:
        file.write(run.to_json())
    store(network, torch.optim.AdamW(network.parameters()), TrainingState(), folder)
    return network


def test_gst_export_makes_a_model_that_names_proteins(tmp_path: Path) -> None:
    network = save_run(tmp_path / "run")
    (tmp_path / "facts.json").write_text('{"held_out_accuracy": {"Bos": 0.9}}')
    model = tmp_path / "model.onnx"
    result = CliRunner().invoke(
        export_command,
        [str(tmp_path / "run"), "-o", str(model), "--name", "tiny", "--version", "0.1",
         "--table_bits", "32", "--facts", str(tmp_path / "facts.json")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    namer = GeneNamer(model, device="cpu", threads=1)
    assert (namer.engine.name, namer.engine.version) == ("tiny", "0.1")
    assert namer.fact("held_out_accuracy") == {"Bos": 0.9}
    assert "without the genera Bos" in namer.fact("training_data")
    proteins = random_proteins(5)
    probabilities, indices, evidence = namer.engine.predict(proteins, "mammalia", 3)
    batch = Batch.of(as_set(proteins))
    with torch.no_grad():
        expected = network(batch.codes, batch.lengths, torch.full((5,), 19)).softmax(1)
    values, best = expected.topk(3)
    assert evidence is None
    assert (indices == best.numpy()).all()
    np.testing.assert_allclose(probabilities, values.numpy(), atol=1e-5)
    assert namer.engine.vocabulary[int(indices[0, 0])].description.startswith("symbol ")


def test_exports_of_one_run_are_the_same_to_the_byte(tmp_path: Path) -> None:
    save_run(tmp_path / "run")
    for name in ("a.onnx", "b.onnx"):
        arguments = [str(tmp_path / "run"), "-o", str(tmp_path / name)]
        assert CliRunner().invoke(export_command, arguments).exit_code == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_what_cannot_be_exported_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    save_run(folder)
    arguments = [str(folder), "-o", str(tmp_path / "model.onnx")]
    (folder / "state.safetensors").unlink()
    result = CliRunner().invoke(export_command, arguments)
    assert isinstance(result.exception, GstError)
    assert "no checkpoint yet" in str(result.exception)

    facts = json.loads((folder / RUN_FILE).read_text())
    other = tmp_path / "other"
    save_run(other)
    facts["model"]["width"] = 16
    (other / RUN_FILE).write_text(json.dumps(facts))
    result = CliRunner().invoke(export_command, [str(other), "-o", str(tmp_path / "model.onnx")])
    assert isinstance(result.exception, GstError)
    assert "do not fit" in str(result.exception)
    assert not (tmp_path / "model.onnx").exists()
