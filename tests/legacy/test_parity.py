"""The same probabilities as the original's, and the same values layer by layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gst_core.model.legacy import LegacyMLP, LegacyTransformer, load_legacy
from tests.legacy.golden import Golden

#: float32 rounding: the original differs from itself by up to 7.5e-7 between
#: versions of torch and sizes of batches.
TOLERANCE = 2e-6

Proteins = list[tuple[str, bytes]]


def all_probabilities(golden: Golden, proteins: Proteins, clade: str | None) -> np.ndarray:
    symbols = len(golden.engine.vocabulary)
    residues = [sequence for _, sequence in proteins]
    top, indices, _ = golden.engine.predict(residues, clade, symbols)
    matrix = np.full((len(proteins), symbols), np.nan, dtype=np.float32)
    np.put_along_axis(matrix, indices, top, axis=1)
    return matrix


@pytest.mark.parametrize("clade", ["humans", "teleostei"])
def test_probabilities(golden: Golden, proteins: Proteins, clade: str) -> None:
    expected = golden.expected("probabilities")[f"probabilities_{clade}"]
    found = all_probabilities(golden, proteins, clade)
    assert np.abs(found - expected).max() < TOLERANCE
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


def test_a_result_does_not_depend_on_the_batch(golden: Golden, proteins: Proteins) -> None:
    together = all_probabilities(golden, proteins[:30], "humans")
    alone = np.vstack([all_probabilities(golden, [p], "humans") for p in proteins[:30]])
    assert np.abs(together - alone).max() < TOLERANCE


def test_torch_network_has_the_same_probabilities(golden: Golden, proteins: Proteins) -> None:
    codes = torch.from_numpy(golden.engine.encode([residues for _, residues in proteins]))
    vector = torch.zeros(len(codes), len(golden.checkpoint.clades))
    vector[:, golden.checkpoint.clades.index("teleostei")] = 1
    with torch.inference_mode():
        found = load_legacy(golden.checkpoint)(codes, vector).exp().numpy()
    expected = golden.expected("probabilities")["probabilities_teleostei"]
    assert np.abs(found - expected).max() < TOLERANCE


def test_encoding_is_the_original_s(golden: Golden, proteins: Proteins) -> None:
    codes = golden.engine.encode([residues for _, residues in proteins[:5]])
    expected = golden.expected("first5")["label_encoded_sequence"]
    np.testing.assert_array_equal(codes, expected)


def _close(found: torch.Tensor, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["transformer", "variant"])
def test_transformer_layer_by_layer(
    original_data: Path, goldens: dict[str, Golden], name: str
) -> None:
    golden = goldens[name]
    expected = golden.expected("first5")
    network = load_legacy(golden.checkpoint)
    assert isinstance(network, LegacyTransformer)
    codes = torch.from_numpy(expected["label_encoded_sequence"])
    clade = torch.from_numpy(expected["clade_features_humans"])
    one_hot = torch.from_numpy(expected["flat_one_hot_sequence"]).float()
    path = network.sequence_transformer
    with torch.inference_mode():
        _close(network.mlp(one_hot), expected["mlp_output"])
        x = path.token_embedding(codes[:1]) + path.position_embedding
        for number, block in enumerate(path.transformer_blocks):
            _close(block.attention(x)[0], expected[f"attention_{number}_first_sequence"])
            x = block(x)
            _close(x[0], expected[f"transformer_block_{number}_first_sequence"])
        _close(path(codes), expected["transformer_output"])
        _close(network(codes, clade), expected["log_probabilities_humans"])


def test_mlp_layer_by_layer(original_data: Path, goldens: dict[str, Golden]) -> None:
    golden = goldens["mlp"]
    expected = golden.expected("first5")
    network = load_legacy(golden.checkpoint)
    assert isinstance(network, LegacyMLP)
    features = torch.from_numpy(expected["features_humans"]).float()
    with torch.inference_mode():
        hidden = network.input_layer(features)
        _close(hidden, expected["input_layer_output"])
        _close(network.output_layer(hidden.relu()), expected["output_layer_output"])
        clade = features[:, -len(golden.checkpoint.clades) :]
        codes = torch.from_numpy(expected["label_encoded_sequence"])
        _close(network(codes, clade), expected["log_probabilities_humans"])
