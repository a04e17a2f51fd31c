"""The Transformer over candidates: a set in, and the same out of torch and of ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
import torch

from gst_core.export.candidates import build
from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.references.evidence import CANDIDATES
from gst_core.references.features import FEATURES
from gst_core.references.store import STORED, References, unpack
from tests.relatives import random_protein, references_of


@pytest.fixture(scope="module")
def network() -> CandidateTransformer:
    """A network with every weight at work."""
    torch.manual_seed(0)
    network = CandidateTransformer(CandidateConfig()).eval()
    with torch.no_grad():
        for name, weights in network.named_parameters():
            if weights.abs().max() == 0 or name.endswith("bias"):
                weights.normal_(0, 0.3)
            elif "norm" in name:
                weights.normal_(1, 0.2)
        network.mean.normal_()
        network.deviation.uniform_(0.5, 2)
        network.temperature.fill_(1.7)
        network.doubt.fill_(-0.6)
    return network


@pytest.fixture(scope="module")
def references() -> References:
    rng = np.random.default_rng(0)
    proteins = [random_protein(rng, int(n)) for n in rng.integers(1, 40, 9)]
    return references_of(proteins, [0, 0, 1, 2, 2, 2, 3, 4, 4], ["aves", None, "humans"] * 3)


def inputs(rows: int = 20, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of proteins with none to all of the candidates."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, CANDIDATES, FEATURES, generator=generator)
    there = torch.arange(rows) % (CANDIDATES + 1)
    return features, torch.arange(CANDIDATES)[None] < there[:, None]


def test_the_shape_is_that_of_the_evidence():
    assert CandidateConfig().features == FEATURES


@torch.no_grad()
def test_candidates_are_a_set(network):
    features, present = inputs()
    logits = network(features, present)
    order = torch.randperm(CANDIDATES, generator=torch.Generator().manual_seed(2))
    moved = network(features[:, order], present[:, order])
    torch.testing.assert_close(moved[:, 0], logits[:, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[:, 1:], logits[:, 1:][:, order], atol=1e-5, rtol=0)
    assert logits[present.any(1), 1:].std() > 0.01  # or there were nothing to tell apart


@torch.no_grad()
def test_absent_candidates_change_nothing(network):
    features, present = inputs()
    logits = network(features, present)
    features[~present] = 1e3
    torch.testing.assert_close(network(features, present), logits, atol=1e-5, rtol=0)
    assert (logits[:, 1:][~present] == -1e4).all()
    fewer = network(features[:6, :5], present[:6, :5])  # of at most five candidates
    torch.testing.assert_close(fewer, logits[:6, :6], atol=1e-5, rtol=0)


@torch.no_grad()
def test_candidates_are_judged_beside_each_other(network):
    features, present = inputs()
    rows = present.sum(1) > 1
    other = features.clone()
    other[rows, 0] += 1
    before, after = network(features, present)[rows], network(other, present)[rows]
    assert (before[:, 2] != after[:, 2]).all()
    assert (before[:, 0] != after[:, 0]).all()


@torch.no_grad()
def test_features_are_scaled_by_those_of_candidates_that_are_there():
    features, present = inputs(200)
    features = 3 * features + 5
    features[~present] = 1e6
    network = CandidateTransformer(CandidateConfig())
    network.scale_to(features, present)
    torch.testing.assert_close(network.mean, torch.full((FEATURES,), 5.0), atol=0.5, rtol=0)
    torch.testing.assert_close(network.deviation, torch.full((FEATURES,), 3.0), atol=0.3, rtol=0)


@torch.no_grad()
def test_a_single_candidate_is_enough_to_scale_to():
    features, present = inputs(2)
    lonely = CandidateTransformer(CandidateConfig()).eval()
    lonely.scale_to(features, present)
    assert lonely(features, present).isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize("rows", [0, 1, 20])
def test_the_file_says_what_the_network_says(network, references, rows):
    model = build(network, references, np.arange(5), np.arange(5))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features, present = inputs(rows)
    feed = {"features": features.numpy(), "present": present.numpy()}
    (found,) = session.run(["probabilities"], feed)
    expected = network(features, present).softmax(1).numpy()
    assert found.shape == (rows, 1 + CANDIDATES)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert (found[:, 1:][~present.numpy()] == 0).all()


def test_the_file_carries_the_references(network, references):
    model = build(network, references, np.array([9, 8, 7, 6, 5]), np.array([0, 1, 0, 3, 3]))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features, present = inputs(0)
    feed = {"features": features.numpy(), "present": present.numpy()}
    packed, lengths, classes, clades, counts, originals = session.run(list(STORED), feed)
    np.testing.assert_array_equal(unpack(packed, int(lengths.sum())), references.codes)
    np.testing.assert_array_equal(lengths, references.lengths)
    np.testing.assert_array_equal(classes, references.classes)
    np.testing.assert_array_equal(clades, references.clades)
    assert counts.tolist() == [9, 8, 7, 6, 5]
    assert originals.tolist() == [0, 1, 0, 3, 3]
