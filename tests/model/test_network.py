"""The network: words, masks, and that a protein's result is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.errors import GstError
from gst_core.model.checkpoint import load_tensors, save_tensors
from gst_core.model.config import BAG_PATTERNS, PATCH_PATTERNS
from gst_core.model.network import WordIndex, count_words
from gst_core.sequences import ALPHABET, PADDING, encode
from gst_core.training.batches import Batch
from gst_core.training.prediction import predict
from tests.networks import TINY, as_set, lively_network, random_proteins

GROUPS_15 = ["LVIM", "C", "A", "G", "S", "T", "P", "FY", "W", "E", "D", "N", "Q", "KR", "H"]
GROUPS_10 = ["LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H"]
ALIASES = {"U": "C", "O": "K", "B": "D", "Z": "E", "J": "L"}


def plain_words(residues: str, groups: list[str], positions: tuple[int, ...], rows: int) -> list:
    """Rows of the words at each residue, None where there is none, written out by hand."""
    found = []
    for start in range(len(residues)):
        number = 0
        for position in positions:
            letter = residues[start + position] if start + position < len(residues) else "X"
            letter = ALIASES.get(letter, letter)
            digit = next((i for i, group in enumerate(groups) if letter in group), None)
            if digit is None:
                number = None
                break
            number = number * len(groups) + digit
        found.append(None if number is None else number % rows)
    return found


@given(st.text(ALPHABET, min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_words_are_numbered_as_documented(residues: str) -> None:
    rows, present = WordIndex(BAG_PATTERNS)(torch.tensor(encode(residues.encode()))[None])
    plain = [
        plain_words(residues, GROUPS_15, (0, 1, 2, 3), 22751),
        plain_words(residues, GROUPS_10, (0, 1, 3, 4), 10000),
    ]
    for kind, offset in ((0, 0), (1, 22751)):
        for position, row in enumerate(plain[kind]):
            assert bool(present[0, position, kind]) == (row is not None)
            assert rows[0, position, kind] == (0 if row is None else offset + row)


def test_patch_words_have_rows_of_their_own() -> None:
    rows, present = WordIndex(PATCH_PATTERNS)(torch.tensor(encode(b"LCAGS"))[None])
    assert rows[0, 0].tolist() == [0, 15 + 1, 240 + 2, 465 + 3, 690 + 4]
    assert present[0, 4].tolist() == [True, False, False, False, False]


def test_counts_are_cut() -> None:
    rows = torch.tensor([[0, 0, 0, 2, 1]])
    present = torch.tensor([[True, True, True, True, False]])
    assert count_words(rows, present, 4, 255).tolist() == [[3, 0, 1, 0]]
    assert count_words(rows, present, 4, 1).tolist() == [[1, 0, 1, 0]]


@torch.no_grad()
def test_a_proteins_result_never_depends_on_its_batch() -> None:
    network = lively_network()
    data = as_set(random_proteins(40))
    together = network(*inputs(Batch.of(data)))
    for row in range(len(data)):
        alone = network(*inputs(Batch.of(data.take(np.array([row])))))
        torch.testing.assert_close(together[row], alone[0], rtol=1e-6, atol=2e-5)


@torch.no_grad()
def test_padding_is_masked() -> None:
    network = lively_network()
    batch = Batch.of(as_set(random_proteins(8)))
    wider = torch.nn.functional.pad(batch.codes, (0, 70), value=PADDING)
    narrow = network(batch.codes, batch.lengths, batch.clades)
    wide = network(wider, batch.lengths, batch.clades)
    torch.testing.assert_close(narrow, wide, rtol=1e-6, atol=2e-5)


@torch.no_grad()
def test_every_input_matters() -> None:
    network = lively_network()
    batch = Batch.of(as_set(random_proteins(8, longest=60)))
    before = network(*inputs(batch))
    assert not torch.allclose(before, network(batch.codes, batch.lengths, (batch.clades + 1) % 20))
    codes = batch.codes.clone()
    codes[:, 0] = (codes[:, 0] + 7) % 20
    assert (before != network(codes, batch.lengths, batch.clades)).any(1).all()
    # the encoder reads an order that the bag does not
    bag_only = network.words(torch.tensor(encode(b"A" * 60))[None])
    assert int(bag_only[1][..., 0].sum()) == 57


def test_predictions_keep_the_order_of_the_proteins() -> None:
    network = lively_network()
    data = as_set(random_proteins(30))
    one = predict(network, data, batch_size=7)
    two = predict(network, data, batch_size=30)
    np.testing.assert_allclose(one, two, atol=2e-5)
    assert one.shape == (30, TINY.num_symbols)


def test_checkpoints_are_whole_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"a": torch.arange(6)[::2], "b": torch.tensor(2.5)}, {"step": "3"})
    tensors, metadata = load_tensors(path)
    assert tensors["a"].tolist() == [0, 2, 4]
    assert metadata == {"step": "3"}
    assert [p.name for p in tmp_path.iterdir()] == ["state.safetensors"]
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode, "who may read others may read it"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(GstError, match=r"state\.safetensors: cannot read the checkpoint"):
        load_tensors(path)


def inputs(batch: Batch) -> tuple[torch.Tensor, ...]:
    return batch.codes, batch.lengths, batch.clades
