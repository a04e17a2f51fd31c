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
    best_probability,
    calibrate,
    fit,
    fit_best,
    logits_of,
)
from gst_core.training.deciding import loss_of as cross_entropy_of
from gst_core.training.simulation import Simulated, joined

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
    return Simulated(features, present, answers, genera, np.ones(size, dtype=bool))


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


def test_of_several_networks_the_one_that_fits_others_best_is_kept():
    data, seen = draws(300, 1), draws(300, 2)
    config = DecidingConfig(epochs=2, batch_size=64, networks=3)
    told: list[int] = []
    best = fit_best(data, seen, SHAPE, config, on_epoch=lambda epoch, _: told.append(epoch))
    assert told == [1, 2, 3, 4, 5, 6]
    each = [cross_entropy_of(fit(data, SHAPE, replace(config, seed=s)), seen) for s in (1, 2, 3)]
    assert len(set(each)) == 3
    assert cross_entropy_of(best, seen) == min(each)


def test_calibration_takes_back_what_is_too_sure(network):
    sure = copy.deepcopy(network)
    with torch.no_grad():
        sure.out.weight *= 6
        sure.out.bias *= 6
    data, others = draws(2000, 3), draws(2000, 4)
    before = loss_of(sure, others)
    calibrate(sure, data)
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
    calibrate(doubtful, nameable)
    assert float(doubtful.doubt) < -1
    assert loss_of(doubtful, nameable) < loss_of(network, nameable)


def test_the_best_candidate_stays_the_best(network):
    calibrated = copy.deepcopy(network)
    data = draws(500, 5)
    calibrate(calibrated, data)
    some = data.present.any(1)
    before, after = logits_of(network, data)[some], logits_of(calibrated, data)[some]
    np.testing.assert_array_equal(before[:, 1:].argmax(1), after[:, 1:].argmax(1))


def test_genera_count_alike(network):
    """However often a genus is there, the calibration is the same, if they are many enough."""
    data = draws(1500, 6)
    assert np.unique(data.genera, return_counts=True)[1].min() >= A_GENOME
    rows = np.concatenate([np.arange(1500), *[np.flatnonzero(data.genera == "Danio")] * 4])
    one, two = copy.deepcopy(network), copy.deepcopy(network)
    calibrate(one, data)
    calibrate(two, data[rows])
    assert float(one.temperature) == float(two.temperature)
    assert float(one.doubt) == float(two.doubt)


def test_a_handful_of_proteins_counts_little(network):
    """A genus whose proteins are all named wrongly, and has three, is not half of the world."""
    data = draws(600, 6)
    few = np.flatnonzero(data.genera == "Danio")[:3]
    many = np.flatnonzero(data.genera != "Danio")
    wrong = replace(data[few], answers=np.zeros(3, dtype=np.int64))
    without, with_few = copy.deepcopy(network), copy.deepcopy(network)
    calibrate(without, data[many])
    calibrate(with_few, joined([data[many], wrong]))
    shift = abs(float(without.doubt) - float(with_few.doubt))
    assert shift <= 0.25
    assert abs(float(without.temperature) - float(with_few.temperature)) < 0.15


def test_the_probability_of_the_best():
    logits = np.array([[0, 0, 0], [0, -1e4, -1e4], [-1, 3, 1]], dtype=np.float32)
    expected = [1 / 3, 0, np.exp(3) / (np.exp(3) + np.exp(-1) + np.exp(1))]
    np.testing.assert_allclose(best_probability(logits), expected, atol=1e-7)
