"""Claims of genes to symbols: the Hungarian method, and beliefs beside all arrangements counted."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from gst_core.inference.claims import Claims, _least_cost, settle


def claims(*genes: dict[int, float]) -> Claims:
    rows = [(g, s, p, False) for g, own in enumerate(genes) for s, p in own.items()]
    return Claims(*(np.array(column) for column in zip(*rows, strict=True)))


def counted(genes: list[dict[int, float]], copies: int, penalty: float) -> np.ndarray:
    """Probability of each claim, every arrangement of the genome weighed."""
    sums = {(g, s): 0.0 for g, own in enumerate(genes) for s in own}
    total = 0.0
    choices = [[*own.items(), (-1, 1 - sum(own.values()))] for own in genes]
    for arrangement in itertools.product(*choices):
        weight = float(np.prod([p for _, p in arrangement]))
        names = [s for s, _ in arrangement if s >= 0]
        for symbol in set(names):
            weight *= penalty ** max(0, names.count(symbol) - copies)
        total += weight
        for gene, (symbol, _) in enumerate(arrangement):
            if symbol >= 0:
                sums[gene, symbol] += weight
    return np.array(list(sums.values())) / total


@given(st.integers(0, 2**32 - 1))
def test_the_assignment_costs_no_more_than_scipys(seed):
    random = np.random.default_rng(seed)
    rows = int(random.integers(1, 9))
    columns = rows + int(random.integers(0, 6))
    costs = random.random((rows, columns)).round(2)  # ties among them
    costs[random.random(costs.shape) < 0.4] = np.inf
    costs[np.arange(rows), random.permutation(columns)[:rows]] = random.random(rows)
    found = _least_cost(costs)
    assert len(set(found)) == rows
    assert costs[np.arange(rows), found].sum() == pytest.approx(
        costs[linear_sum_assignment(costs)].sum()
    )


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("penalty", [0.02, 0.3])
@pytest.mark.parametrize(
    "genes",
    [
        # Trees, where belief propagation is exact.
        [{0: 0.9, 1: 0.05}, {0: 0.6, 2: 0.3}],
        [{0: 0.7}, {0: 0.8}, {0: 0.5, 1: 0.4}, {1: 0.9}],
        [{0: 0.5, 1: 0.2, 2: 0.2}, {2: 0.6}, {1: 0.3, 3: 0.3}],
    ],
)
def test_beliefs_are_those_of_all_arrangements_counted(genes, copies, penalty):
    probabilities, _ = settle(claims(*genes), copies, penalty)
    assert probabilities == pytest.approx(counted(genes, copies, penalty), abs=2e-3)


def test_a_claim_that_nobody_rivals_stays_as_it_is():
    probabilities, chosen = settle(claims({0: 0.6, 1: 0.3}, {2: 0.99}), 1, 0.05)
    assert probabilities == pytest.approx([0.6, 0.3, 0.99], abs=1e-3)
    assert chosen.tolist() == [0, 2]


def test_the_weaker_claim_yields_to_the_next_symbol():
    probabilities, chosen = settle(claims({0: 0.95, 1: 0.02}, {0: 0.5, 1: 0.45}), 1, 0.05)
    assert chosen.tolist() == [0, 3]
    assert probabilities[3] > 0.8


def test_without_an_alternative_a_symbol_is_given_twice_and_less_sure():
    probabilities, chosen = settle(claims({0: 0.99}, {0: 0.9}), 1, 0.05)
    assert chosen.tolist() == [0, 1]
    assert probabilities[0] > 0.9 > 0.5 > probabilities[1]


def test_two_copies_are_no_rivals_where_the_genome_was_doubled():
    probabilities, _ = settle(claims({0: 0.99}, {0: 0.9}), 2, 0.05)
    assert probabilities == pytest.approx([0.99, 0.9], abs=0.01)


def test_genes_of_one_protein_share_its_symbols():
    same = {0: 0.33, 1: 0.33, 2: 0.33}
    made = claims(same, same, same)
    probabilities, chosen = settle(made, 1, 0.05)
    assert sorted(made.symbols[chosen].tolist()) == [0, 1, 2]
    assert probabilities == pytest.approx([0.33] * 9, abs=0.02)


def test_a_penalty_of_one_leaves_all_as_it_was():
    made = claims({0: 0.9}, {0: 0.8, 1: 0.1})
    probabilities, chosen = settle(made, 1, 1.0)
    assert probabilities == pytest.approx(made.probabilities)
    assert chosen.tolist() == [0, 1]
