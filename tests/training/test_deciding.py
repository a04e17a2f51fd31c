"""Training and calibrating the network that decides, on data whose truth is known."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from gst_core.model.candidates import CandidateConfig, CandidateTransformer
from gst_core.reliability import expected_calibration_error
from gst_core.training.deciding import (
    A_GENOME,
    DecidingConfig,
    calibrate,
    fit,
    logits_of,
    named,
    out_of_fold,
    probability_of,
)
from gst_core.training.simulation import Simulated, joined

#: None of the candidates is a copy.
ORIGINALS = np.arange(5)
SHAPE = CandidateConfig(features=4, dimension=16, layers=1, heads=2, feedforward=16)


def draws(size: int, seed: int) -> Simulated:
    """Proteins whose answer is drawn by the odds that the first feature tells."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 1.5, (size, 5, 4)).astype(np.float32)
    present = np.arange(5) < rng.integers(0, 6, (size, 1))
    odds = np.concatenate([np.ones((size, 1)), np.exp(features[..., 0]) * present], 1)
    chances = odds / odds.sum(1, keepdims=True)
    answers = (chances.cumsum(1) < rng.random((size, 1))).sum(1)
    features[~present] = 0
    genera = rng.choice(["Mus", "Homo", "Danio"], size, p=[0.6, 0.3, 0.1])
    classes = np.where(present, np.arange(5), -1).astype(np.int32)
    return Simulated(
        features,
        present,
        answers,
        genera,
        np.ones(size, dtype=bool),
        classes,
        answers[:, None] == np.arange(1, 6),
    )


def calibrated_by(network: CandidateTransformer, data: Simulated) -> None:
    calibrate(network, logits_of(network, data), data, ORIGINALS)


def best_probability(logits: np.ndarray) -> np.ndarray:
    classes = np.broadcast_to(np.arange(5), (len(logits), 5)).astype(np.int32)
    return probability_of(logits, named(logits, classes, ORIGINALS)[1])


@pytest.fixture(scope="module")
def losses() -> list[float]:
    return []


@pytest.fixture(scope="module")
def network(losses: list[float]) -> CandidateTransformer:
    config = DecidingConfig(epochs=6, batch_size=64)
    return fit(draws(3000, 1), SHAPE, config, on_epoch=lambda _, loss: losses.append(loss))


def loss_of(network: CandidateTransformer, data: Simulated) -> float:
    logits = logits_of(network, data)
    right = logits[:, 1:].argmax(1) + 1 == data.answers
    p = best_probability(logits)
    return float(-np.log(np.where(right, p, 1 - p).clip(1e-6)).mean())


def test_the_network_learns(network, losses):
    assert len(losses) == 6
    assert losses[-1] < 0.95 * losses[0]
    assert not network.training
    data = draws(1000, 2)
    there = data.present.sum(1) > 1
    best = logits_of(network, data)[there, 1:].argmax(1)
    first = np.where(data.present, data.features[..., 0], -9)[there].argmax(1)
    assert (best == first).mean() > 0.9


def test_the_same_seed_trains_the_same_network():
    data, config = draws(200, 1), DecidingConfig(epochs=1, batch_size=64)
    one, two = fit(data, SHAPE, config), fit(data, SHAPE, config)
    other = fit(data, SHAPE, DecidingConfig(epochs=1, batch_size=64, seed=2))
    weights = [network.state_dict()["mix.weight"] for network in (one, two, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_each_fold_is_weighed_by_a_network_of_the_others():
    data = draws(300, 1)
    fold = (data.genera == "Homo").astype(np.int64)
    config = DecidingConfig(epochs=2, batch_size=64)
    told: list[int] = []
    logits = out_of_fold(data, fold, SHAPE, config, on_epoch=lambda epoch, _: told.append(epoch))
    assert told == [1, 2, 3, 4]
    for number in (0, 1):
        network = fit(data[fold != number], SHAPE, config)
        own = data[fold == number]
        np.testing.assert_array_equal(logits[fold == number], logits_of(network, own))


def test_calibration_takes_back_what_is_too_sure(network):
    sure = copy.deepcopy(network)
    with torch.no_grad():
        sure.out.weight *= 6
        sure.out.bias *= 6
    data, others = draws(2000, 3), draws(2000, 4)
    before = loss_of(sure, others)
    calibrated_by(sure, data)
    assert 3 < float(sure.temperature) < 12
    assert loss_of(sure, others) < 0.9 * before
    logits = logits_of(sure, others)
    right = logits[:, 1:].argmax(1) + 1 == others.answers
    assert expected_calibration_error(best_probability(logits), right, equal="count") < 0.06


def test_calibration_takes_back_doubt(network):
    """A network that was trained to doubt more than there is reason to."""
    doubtful = copy.deepcopy(network)
    data = draws(2000, 3)
    nameable = data[data.answers > 0]
    calibrated_by(doubtful, nameable)
    assert float(doubtful.doubt) < -1
    assert loss_of(doubtful, nameable) < loss_of(network, nameable)


def test_the_best_candidate_stays_the_best(network):
    calibrated = copy.deepcopy(network)
    data = draws(500, 5)
    calibrated_by(calibrated, data)
    some = data.present.any(1)
    before, after = logits_of(network, data)[some], logits_of(calibrated, data)[some]
    np.testing.assert_array_equal(before[:, 1:].argmax(1), after[:, 1:].argmax(1))


def test_genera_count_alike(network):
    """However often a genus is there, the calibration is the same, if they are many enough."""
    data = draws(1500, 6)
    assert np.unique(data.genera, return_counts=True)[1].min() >= A_GENOME
    rows = np.concatenate([np.arange(1500), *[np.flatnonzero(data.genera == "Danio")] * 4])
    one, two = copy.deepcopy(network), copy.deepcopy(network)
    calibrated_by(one, data)
    calibrated_by(two, data[rows])
    assert float(one.temperature) == float(two.temperature)
    assert float(one.doubt) == float(two.doubt)


def test_a_handful_of_proteins_counts_little(network):
    """A genus whose proteins are all named wrongly, and has three, is not half of the world."""
    data = draws(600, 6)
    few = np.flatnonzero(data.genera == "Danio")[:3]
    many = np.flatnonzero(data.genera != "Danio")
    wrong = replace(data[few], answers=np.zeros(3, dtype=np.int64))
    without, with_few = copy.deepcopy(network), copy.deepcopy(network)
    calibrated_by(without, data[many])
    calibrated_by(with_few, joined([data[many], wrong]))
    shift = abs(float(without.doubt) - float(with_few.doubt))
    assert shift <= 0.25
    assert abs(float(without.temperature) - float(with_few.temperature)) < 0.15


def test_a_gene_is_named_with_what_its_copies_have():
    """By its own symbol where that leads them, else by the copy that leads."""
    logits = np.log(np.array([[1, 4, 2, 1, 2], [1, 2, 4, 1, 2]], dtype=np.float32))
    classes = np.array([[0, 1, 2, 3]] * 2, dtype=np.int32)
    best, members = named(logits, classes, np.array([0, 0, 0, 3]))
    assert best.tolist() == [0, 1]
    assert members.tolist() == [[True, True, True, False], [True, True, False, False]]
    np.testing.assert_allclose(probability_of(logits, members), [0.7, 0.6], rtol=1e-6)


def test_copies_of_the_gene_count_as_right_in_calibration(network):
    """Where symbols 0 and 1 are one gene, and half of its proteins are labelled as the copy."""
    data = draws(2000, 7)
    own = data.answers.copy()
    either = np.isin(own, (1, 2))
    of_gene = data.of_gene.copy()
    of_gene[either, :2] = data.present[either, :2]
    other = replace(data, of_gene=of_gene)
    plain, merged = copy.deepcopy(network), copy.deepcopy(network)
    calibrated_by(plain, data)
    calibrate(merged, logits_of(merged, other), other, np.array([0, 0, 2, 3, 4]))
    logits = logits_of(merged, other)
    best, members = named(logits, other.classes, np.array([0, 0, 2, 3, 4]))
    right = other.of_gene[np.arange(len(best)), best]
    assert expected_calibration_error(probability_of(logits, members), right, equal="count") < 0.06
    assert float(plain.temperature) != float(merged.temperature)


def test_the_probability_of_the_best():
    logits = np.array([[0, 0, 0], [0, -1e4, -1e4], [-1, 3, 1]], dtype=np.float32)
    classes = np.array([[0, 1], [-1, -1], [0, 1]], dtype=np.int32)
    _, members = named(logits, classes, ORIGINALS)
    expected = [1 / 3, 0, np.exp(3) / (np.exp(3) + np.exp(-1) + np.exp(1))]
    np.testing.assert_allclose(probability_of(logits, members), expected, atol=1e-7)
