"""What frozen layers say of cells is computed once; parts of a batch give the whole's gradient."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gst_core.geneformer import finetuning
from gst_core.geneformer.asking import predict
from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.course import FineTuningConfig, Lesson
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.finetuning import fine_tune
from gst_core.geneformer.frozen import Reader
from gst_core.geneformer.heads import Classifier, Kind
from gst_core.geneformer.network import GeneEncoder

LENGTHS = (7, 12, 5, 9, 12, 3)


def encoder() -> GeneEncoder:
    torch.manual_seed(0)
    return GeneEncoder(NetworkConfig(40, 16, 3, 4, 32, 32, hidden_dropout=0.0)).eval()


def cells() -> Tokens:
    generator = np.random.default_rng(0)
    rows = [generator.permutation(36)[:length] + 4 for length in LENGTHS]
    return Tokens(np.concatenate(rows), np.array([0, *np.cumsum(LENGTHS)]))


def computed(network: GeneEncoder) -> list[int]:
    """Numbers of tokens that the embeddings read from here on, a call each."""
    calls: list[int] = []
    network.embeddings.register_forward_hook(lambda module, args, out: calls.append(len(out)))
    return calls


def test_states_are_those_of_the_layers_and_computed_once(tmp_path: Path) -> None:
    network = encoder()
    reader, plain = Reader(network, cells(), 2, folder=tmp_path), Reader(network, cells())
    calls = computed(network)
    first = reader.batch([3, 0])
    again = reader.batch([0, 3, 0])
    assert calls == [9, 7]
    assert first.states is not None
    assert again.states is not None
    torch.testing.assert_close(again.states[7:16], first.states[:9], rtol=0, atol=0)
    whole = network(first.tokens, first.layout, depth=2)
    torch.testing.assert_close(first.states, whole.detach())
    classifier = Classifier(network, [3]).eval()
    torch.testing.assert_close(classifier(first)[0], classifier(plain.batch([3, 0]))[0])
    assert not list(tmp_path.iterdir())  # the file has no name


def test_a_full_disk_costs_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    network = encoder()
    reader = Reader(network, cells(), 1, folder=tmp_path)
    calls = computed(network)
    monkeypatch.setattr(os, "pwrite", full)
    first, again = reader.batch([1]), reader.batch([1])
    assert calls == [12, 12]
    assert first.states is not None
    assert again.states is not None
    assert torch.equal(first.states, again.states)


@pytest.mark.parametrize("kind", ["cells", "genes"])
def test_a_course_computes_frozen_layers_once_a_cell(tmp_path: Path, kind: Kind) -> None:
    network = encoder()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    labels = np.arange(len(LENGTHS) if kind == "cells" else 40, dtype=np.int64)[None] % 2
    lesson = Lesson(np.arange(len(LENGTHS)), labels)
    calls = computed(network)
    classifier = Classifier(network, [2], kind=kind)
    reader = Reader(network, cells(), 2, folder=tmp_path)
    config = FineTuningConfig(epochs=4, batch_cells=2, freeze_layers=2, patience=0)
    fine_tune(classifier, reader, lesson, lesson, config)
    assert sorted(calls) == sorted(LENGTHS)
    after = network.state_dict()
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("encoder.layer.2.") for name in changed)


@pytest.mark.parametrize("kind", ["cells", "genes"])
def test_parts_of_a_batch_give_the_gradient_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    network = encoder()
    classifier = Classifier(network, [2, 3], kind=kind)
    labels = np.stack([np.arange(40) % 2, np.arange(40) % 4 - 1])
    weights = [torch.tensor([0.5, 2.0]), torch.tensor([1.0, 3.0, 0.2])]
    chosen = np.arange(len(LENGTHS))
    gradients = []
    for budget in (1, 1000):
        monkeypatch.setitem(finetuning.BATCH_TOKENS, "cpu", budget)
        classifier.zero_grad()
        arguments = (Reader(network, cells()), chosen, labels, weights, FineTuningConfig())
        assert finetuning._learn(classifier, *arguments)
        gradients.append([p.grad.clone() for p in classifier.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_cells_without_a_gene_that_is_asked_about_are_read_too() -> None:
    """One of the genes of a label may be in few cells, so that a batch has none of them."""
    classifier = Classifier(encoder(), [2], kind="genes")
    reader = Reader(classifier.bert, cells())
    labels = np.full((1, 40), -1, np.int64)
    own = [int(token) for token in cells()[0] if token not in cells()[1]][:2]
    labels[0, own] = [0, 1]
    lesson = Lesson(np.arange(len(LENGTHS)), labels)
    config = FineTuningConfig(epochs=1, batch_cells=1, patience=0)
    fine_tune(classifier, reader, lesson, lesson, config)
    (found,) = predict(classifier, reader, np.array([1]), labels[0] >= 0)
    assert np.isnan(found).all()
    (found,) = predict(classifier, reader, np.array([0, 1]), labels[0] >= 0)
    assert np.flatnonzero(np.isfinite(found[:, 0])).tolist() == sorted(own)
