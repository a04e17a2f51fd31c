"""The network computes what transformers' BertForMaskedLM does, without padding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gst_core.geneformer.config import NetworkConfig
from gst_core.geneformer.layout import Layout, Places
from gst_core.geneformer.network import IGNORED, MaskedLanguageModel

SMALL = NetworkConfig(vocabulary=50, width=16, layers=3, heads=2, feedforward=24, positions=12)
#: vocabulary, width, layers, heads, feed-forward width, positions -> the published count
PUBLISHED = {
    "V1-10M": ((25_426, 256, 6, 4, 512, 2048), 10_288_722),
    "V2-104M": ((20_275, 768, 12, 12, 3072, 4096), 104_386_867),
    "V2-316M": ((20_275, 1152, 18, 18, 4608, 4096), 316_354_867),
}
LENGTHS = [5, 5, 12, 3, 5]


def model(config: NetworkConfig = SMALL, seed: int = 0) -> MaskedLanguageModel:
    torch.manual_seed(seed)
    return MaskedLanguageModel(config).eval()


def tokens(lengths: list[int] = LENGTHS, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, SMALL.vocabulary, (sum(lengths),), generator=generator)


@pytest.mark.parametrize(("shape", "count"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_shapes_have_the_published_number_of_weights(
    shape: tuple[int, ...], count: int
) -> None:
    config = NetworkConfig(*shape)
    with torch.device("meta"):
        network = MaskedLanguageModel(config)
    assert sum(p.numel() for p in network.parameters()) == config.parameters == count


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
def test_hidden_states_logits_and_loss_are_those_of_transformers(activation: str) -> None:
    transformers = pytest.importorskip("transformers")
    config = NetworkConfig(**{**_fields(SMALL), "activation": activation, "initializer_range": 0.3})
    ours = model(config)
    theirs = transformers.BertForMaskedLM(transformers.BertConfig(**config.to_json())).eval()
    assert set(theirs.state_dict()) == set(ours.state_dict())
    theirs.load_state_dict(ours.state_dict())
    row, layout = tokens(), Layout.of(LENGTHS)
    labels = torch.where(torch.arange(len(row)) % 4 == 0, row, IGNORED)
    padded = [part.new_zeros(12) for part in row.split(LENGTHS)]
    mask, padded_labels = torch.zeros(5, 12), torch.full((5, 12), IGNORED)
    for i, part in enumerate(row.split(LENGTHS)):
        padded[i][: len(part)] = part
        mask[i, : len(part)] = 1
        padded_labels[i, : len(part)] = labels.split(LENGTHS)[i]
    with torch.no_grad():
        expected = theirs(
            torch.stack(padded),
            attention_mask=mask,
            labels=padded_labels,
            output_hidden_states=True,
        )
        real = mask.bool()
        for depth, hidden in enumerate(expected.hidden_states):
            torch.testing.assert_close(ours.bert(row, layout, depth=depth), hidden[real])
        torch.testing.assert_close(ours(row, layout), expected.logits[real])
        torch.testing.assert_close(ours.loss(row, layout, labels), expected.loss)


def _fields(config: NetworkConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__slots__}


def test_a_cell_does_not_depend_on_its_neighbours() -> None:
    encoder, row = model().bert, tokens()
    together = encoder(row, Layout.of(LENGTHS)).split(LENGTHS)
    for cell, expected in zip(row.split(LENGTHS), together, strict=True):
        torch.testing.assert_close(encoder(cell, Layout.of([len(cell)])), expected)


def test_logits_of_some_positions_are_those_of_all() -> None:
    network, row, layout = model(), tokens(), Layout.of(LENGTHS)
    places = Places(torch.tensor([0, 7, 29]), (1, 1, 0, 0, 1))
    torch.testing.assert_close(network(row, layout, places), network(row, layout)[places.rows])


def test_attention_weights_are_those_that_the_network_uses() -> None:
    encoder = model().bert
    cell = tokens([12])
    attention = encoder.encoder.layer[0].attention.self
    layout = Layout.of([12])
    x = encoder(cell, layout, depth=0)
    weights = attention.weights(x)
    torch.testing.assert_close(weights.sum(-1), torch.ones(SMALL.heads, 12))
    value = attention.value(x).view(12, SMALL.heads, -1).transpose(0, 1)
    by_hand = (weights @ value).transpose(0, 1).reshape(12, -1)
    torch.testing.assert_close(attention(x, layout), by_hand)


def test_gradients_reach_the_vectors_of_the_genes() -> None:
    encoder, row, layout = model().bert, tokens(), Layout.of(LENGTHS)
    words = encoder.words(row).detach().requires_grad_()
    encoder(row, layout, words=words)[0].sum().backward()
    assert words.grad is not None
    assert words.grad[:5].abs().sum() > 0
    assert words.grad[5:].abs().sum() == 0  # other cells have no part in it


def test_it_learns_and_dropout_is_for_training_alone() -> None:
    network = model(NetworkConfig(**{**_fields(SMALL), "hidden_dropout": 0.5}))
    row, layout = tokens(), Layout.of(LENGTHS)
    labels = torch.where(torch.arange(len(row)) % 3 == 0, row, IGNORED)
    assert torch.equal(network(row, layout), network(row, layout))
    network.train()
    assert not torch.equal(network(row, layout), network(row, layout))
    network.eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    before = network.loss(row, layout, labels)
    for _ in range(20):
        optimizer.zero_grad()
        network.loss(row, layout, labels).backward()
        optimizer.step()
    assert network.loss(row, layout, labels) < 0.5 * before
    words = network.bert.embeddings.word_embeddings.weight
    assert network.cls.predictions.decoder.weight is words


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_places_alone_are_those_of_whole_cells(depth: int) -> None:
    encoder = model().bert
    row, layout = tokens(), Layout.of(LENGTHS)
    asked = torch.rand(len(row), generator=torch.Generator().manual_seed(1)) < 0.3
    asked[: LENGTHS[0]] = False  # nothing is asked of the first cell
    some, none = Places.where(layout, asked), Places.where(layout, asked & False)
    with torch.no_grad():
        whole = encoder(row, layout, depth=depth)
        for places in (Places.first(layout), some, none):
            found = encoder(row, layout, depth=depth, places=places)
            torch.testing.assert_close(found, whole[places.rows])
        upper = encoder.layers(encoder(row, layout, depth=1), layout, first=1, depth=3)
        torch.testing.assert_close(upper, encoder(row, layout, depth=3))
    assert sum(some.counts) == len(some.rows) == int(asked.sum())


def test_gradients_of_places_are_those_of_whole_cells() -> None:
    encoder = model().bert
    row, layout = tokens(), Layout.of(LENGTHS)
    gradients = []
    for places in (Places.first(layout), None):
        encoder.zero_grad()
        hidden = encoder(row, layout, places=places)
        (hidden if places else hidden[layout.starts()]).square().sum().backward()
        gradients.append([p.grad.clone() for p in encoder.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
