"""Parts of the training loop: order, learning rate, batches, early stopping."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from gst_core.model import GeneSymbolTransformer
from gst_core.model.checkpoint import load_tensors
from gst_core.model.precision import autocast
from gst_core.training import loop
from gst_core.training.augmentation import Evolution
from gst_core.training.batches import (
    TrainingSet,
    draw,
    order,
    pad,
    steps_per_epoch,
    training_batches,
)
from gst_core.training.config import TrainingConfig
from gst_core.training.metrics import log, rewind
from gst_core.training.prediction import accuracy, predict
from gst_core.training.prototypes import inverse_document_frequency, start_from_prototypes
from tests.networks import TINY, as_set, lively_network, random_proteins


def labelled(number: int, seed: int = 0) -> TrainingSet:
    classes = np.arange(number) % TINY.num_symbols
    data = as_set(random_proteins(number, seed, longest=120))
    return dataclasses.replace(data, classes=classes, clades=data.clades % TINY.num_clades)


def test_take_keeps_proteins_whole_and_in_order() -> None:
    data = as_set([b"MKV", b"AC", b"W"])
    taken = data.take(np.array([2, 0]))
    assert taken.lengths.tolist() == [1, 3]
    assert taken.codes.tolist() == [data.codes[5], *data.codes[:3]]
    assert taken.clades.tolist() == data.clades[[2, 0]].tolist()
    assert data.take(np.array([0]), longest=2).codes.tolist() == data.codes[:2].tolist()


def test_padding_follows_each_protein() -> None:
    assert pad(np.array([1, 2, 3], np.uint8), np.array([1, 2])).tolist() == [[1, 27], [2, 3]]


def test_an_epoch_sees_each_protein_once_and_epochs_differ() -> None:
    data = labelled(200)
    config = TrainingConfig(batch_size=8)
    first, second = order(data, config, 0), order(data, config, 1)
    assert sorted(first.tolist()) == list(range(200))
    assert first.tolist() != second.tolist()
    assert first.tolist() == order(data, config, 0).tolist()
    other_seed = dataclasses.replace(config, seed=2)
    assert first.tolist() != order(data, other_seed, 0).tolist()


def test_batches_are_full_and_of_like_lengths() -> None:
    data = labelled(203)
    config = TrainingConfig(batch_size=8)
    rows = order(data, config, 0)
    assert len(rows) == 200 == 8 * steps_per_epoch(data, config)
    spread = [np.ptp(data.lengths[rows[i : i + 8]]) for i in range(0, 200, 8)]
    assert np.mean(spread) < 0.3 * np.ptp(data.lengths)


def test_fewer_proteins_than_a_batch_are_one_batch() -> None:
    data = labelled(5)
    config = TrainingConfig(batch_size=8)
    assert sorted(order(data, config, 0).tolist()) == [0, 1, 2, 3, 4]
    assert steps_per_epoch(data, config) == 1


def test_balance_draws_rare_symbols_more_often() -> None:
    data = labelled(400)
    data = dataclasses.replace(data, classes=np.where(np.arange(400) < 390, 0, 1))
    rows = order(data, TrainingConfig(batch_size=8, balance=1.0), 0)
    assert 0.4 < (data.classes[rows] == 1).mean() < 0.6


def test_the_rate_rises_and_falls_to_zero() -> None:
    rates = [loop.rate(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1.0
    assert (np.diff(rates[:10]) > 0).all()
    assert (np.diff(rates[10:]) < 0).all()
    assert rates[-1] < 0.001
    assert loop.rate(0, 1, 0.05) == 1.0


def test_clades_are_forgotten_and_mistaken_as_often_as_asked() -> None:
    data = labelled(4000)
    rows = np.arange(4000)
    keep = TrainingConfig(clade_dropout=0, clade_noise=0)
    assert (draw(data, rows, keep, None, 20, 0).clades.numpy() == data.clades).all()
    forget = TrainingConfig(clade_dropout=0.3, clade_noise=0)
    assert (draw(data, rows, forget, None, 20, 0).clades == 20).float().mean() == pytest.approx(
        0.3, abs=0.03
    )
    mistake = draw(data, rows, TrainingConfig(clade_dropout=0, clade_noise=0.5), None, 20, 0)
    wrong = (mistake.clades.numpy() != data.clades).mean()
    assert wrong == pytest.approx(0.5 * 19 / 20, abs=0.03)


def test_batches_begin_anywhere() -> None:
    data = labelled(100)
    config = TrainingConfig(batch_size=8)
    whole = list(training_batches(data, config, Evolution(), 20, 0, 30))
    rest = list(training_batches(data, config, Evolution(), 20, 17, 30))
    assert len(whole) == 30
    assert len(rest) == 13
    for one, two in zip(whole[17:], rest, strict=True):
        assert torch.equal(one.codes, two.codes)
        assert torch.equal(one.clades, two.clades)
        assert torch.equal(one.classes, two.classes)


def test_a_failing_batch_is_not_the_end_of_the_data() -> None:
    data = labelled(20)
    broken = dataclasses.replace(data, lengths=data.lengths + 10**6)
    with pytest.raises(IndexError):
        list(training_batches(broken, TrainingConfig(batch_size=8), None, 20, 0, 2))


def test_prototypes_tell_training_proteins_apart() -> None:
    network = GeneSymbolTransformer(TINY)
    data = labelled(TINY.num_symbols)
    rarity = inverse_document_frequency(network, data)
    counts = torch.zeros(TINY.bag_rows)
    for row in range(len(data)):
        protein = data.take(np.array([row]))
        words, present = network.words(torch.from_numpy(protein.codes)[None])
        counts[torch.unique(words[present])] += 1
    expected = torch.log(len(data) / (counts + 1)).clamp(min=0.1)
    torch.testing.assert_close(rarity, expected / expected.mean())
    start_from_prototypes(network, data)
    assert accuracy(network, data) > 0.9


def test_accuracy_counts_proteins_of_the_vocabulary() -> None:
    network = lively_network()
    data = as_set(random_proteins(30))
    best = predict(network, data).argmax(1)
    right = dataclasses.replace(data, classes=best)
    assert accuracy(network, right) == 1.0
    mixed = np.where(np.arange(30) < 10, best, np.where(np.arange(30) < 20, -1, (best + 1) % 40))
    assert accuracy(network, dataclasses.replace(data, classes=mixed)) == 0.5


def test_a_run_without_gain_ends_early_with_its_best_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = labelled(64)
    values = iter([0.2, 0.5, 0.4, 0.3, 0.9])
    snapshots = []

    def judge(network: torch.nn.Module, *_: object) -> float:
        snapshots.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(values)

    monkeypatch.setattr(loop, "accuracy", judge)
    config = TrainingConfig(epochs=10, batch_size=8, validate_every=2, patience=2)
    seen: list[int] = []
    network = lively_network()
    loop.train(network, data, data, config, tmp_path, on_step=lambda step, *_: seen.append(step))
    assert seen[-1] == 8
    for name, value in network.state_dict().items():
        assert torch.equal(value, snapshots[1][name])
    stored, _ = load_tensors(tmp_path / "state.safetensors")
    assert torch.equal(stored["network.table"], snapshots[1]["table"])
    # Asked again, it stays as it ended.
    loop.train(network, data, data, config, tmp_path, on_step=lambda *_: pytest.fail("goes on"))


def test_metrics_are_rewound_to_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    rewind(path, 3)
    assert not path.exists()
    for step in (1, 2, 3):
        log(path, {"step": step, "loss": 1 / 3, "accuracy": 0.5, "seconds": 1.0})
    with path.open("a") as file:
        file.write("4,0.1")  # cut off by a kill
    rewind(path, 2)
    assert path.read_text().splitlines() == [
        "step,loss,accuracy,seconds,validation_accuracy",
        "1,0.333333,0.5,1,",
        "2,0.333333,0.5,1,",
    ]


def test_numbers_of_16_bits_are_for_processors_that_have_them() -> None:
    """Elsewhere products of matrices would take some seventy times as long."""
    able = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    with autocast("cpu"):
        assert torch.is_autocast_enabled("cpu") == able
    with autocast("cpu"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if able else torch.float32)
