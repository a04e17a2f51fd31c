"""Hidden states give the same numbers as numpy's arrays and as torch's tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gst_core.geneformer.hidden_states import HiddenStates

LENGTHS = [3, 1, 4]
CELLS = [np.array([2, 5, 3]), np.array([2]), np.array([2, 9, 7, 3])]


def both(seed: int) -> list[HiddenStates]:
    hidden = np.random.default_rng(seed).normal(size=(8, 5)).astype(np.float32)
    return [HiddenStates(array, LENGTHS) for array in (hidden, torch.from_numpy(hidden))]


@pytest.mark.parametrize("states", both(0), ids=["numpy", "torch"])
def test_each_cell_has_its_own_rows(states: HiddenStates) -> None:
    parts = states.split()
    assert [len(part) for part in parts] == LENGTHS
    np.testing.assert_array_equal(states.firsts(), [part[0] for part in parts])
    means = states.means(CELLS, [2, 3])
    np.testing.assert_allclose(means[0], parts[0][1], rtol=1e-6)
    assert np.isnan(means[1]).all()
    np.testing.assert_allclose(means[2], parts[2][1:3].mean(0), rtol=1e-5)


def test_cosines_are_those_of_single_rows() -> None:
    rows, theirs = np.array([0, 4, 7]), np.array([9, 0, 15])
    found = []
    for states, others in zip(both(0), both(1), strict=True):
        joined = HiddenStates.join([others, states])
        found.append(states.cosines(rows, joined.units(), theirs))
        own = np.concatenate(states.split())[rows]
        other = np.concatenate(joined.split())[theirs]
        lengths = np.linalg.norm(own, axis=1) * np.linalg.norm(other, axis=1)
        np.testing.assert_allclose(found[-1], (own * other).sum(1) / lengths, atol=1e-6)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
