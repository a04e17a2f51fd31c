"""What perturbations do to ranked genes, and which parts a plan has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gst_core.errors import GstError
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.perturbation_plan import PART, Plan, Targets, select
from gst_core.geneformer.perturbations import KINDS, Perturber

GENES = np.arange(10, 22, dtype=np.int32)  # quartiles: 10 11 12 | 13 14 15 | 16 17 18 | 19 20 21


def perturbed(kind, chosen, quartiles=1, longest=100):
    return Perturber(kind, longest, (), quartiles).edit(GENES, chosen).tokens.tolist()


def test_deleted_genes_are_gone_and_overexpressed_ones_first_in_the_order_given():
    assert perturbed("delete", [12, 10]) == [11, *range(13, 22)]
    assert perturbed("overexpress", [15, 99]) == [15, 99, 10, 11, 12, 13, 14, *range(16, 22)]


@pytest.mark.parametrize(
    ("kind", "gene", "quartiles", "rank"),
    [
        ("inhibit", 10, 1, 4),  # to the middle of the second quartile
        ("inhibit", 10, 3, 10),
        ("inhibit", 19, 1, 11),  # none is below: to the end
        ("inhibit", 16, 2, 11),
        ("activate", 21, 1, 7),
        ("activate", 21, 3, 1),
        ("activate", 12, 1, 0),  # none is above: to the front
        ("activate", 15, 2, 0),
    ],
)
def test_ranks_are_shifted_by_quartiles(kind, gene, quartiles, rank):
    found = perturbed(kind, [gene], quartiles)
    assert found.index(gene) == rank
    assert [g for g in found if g != gene] == [g for g in GENES.tolist() if g != gene]


def test_genes_that_go_to_one_place_stand_there_in_their_order():
    assert perturbed("activate", [11, 12])[:3] == [11, 12, 10]
    assert perturbed("inhibit", [19, 20])[-3:] == [21, 19, 20]


def test_special_tokens_stay_at_the_ends():
    cell = np.array([2, 10, 11, 12, 3], dtype=np.int32)
    edit = Perturber("overexpress", 5, (2, 3)).edit(cell, [50])
    assert edit.tokens.tolist() == [2, 50, 10, 11, 3]
    # What was pushed out is missing from what it is compared with too.
    assert edit.base.tolist() == [2, 10, 11, 3]
    assert Perturber("delete", 5, (2, 3)).edit(cell, [10]).tokens.tolist() == [2, 11, 12, 3]


def test_a_gene_that_is_put_first_is_not_what_is_pushed_out():
    cell = np.array([10, 11, 12], dtype=np.int32)
    edit = Perturber("overexpress", 3).edit(cell, [50, 12])
    assert edit.tokens.tolist() == [50, 12, 10]
    assert edit.base.tolist() == [10, 12]
    assert edit.before.tolist() == [0]


def test_what_would_change_nothing_is_left_out():
    assert Perturber("overexpress", 50).singles(GENES).tolist() == list(range(11, 22))
    assert 21 not in Perturber("inhibit", 50).singles(GENES)
    assert 10 not in Perturber("activate", 50).singles(GENES)
    assert not len(Perturber("delete", 50).singles(GENES[:1]))


@given(
    kind=st.sampled_from(KINDS),
    n=st.integers(2, 40),
    special=st.booleans(),
    quartiles=st.integers(1, 3),
    data=st.data(),
)
def test_the_others_are_themselves_before_and_after(kind, n, special, quartiles, data):
    genes = np.array(data.draw(st.permutations(range(10, 10 + n))), dtype=np.int32)
    cell = np.concatenate([[2], genes, [3]]).astype(np.int32) if special else genes
    pool = list(range(10, 10 + n + (5 if kind == "overexpress" else 0)))
    chosen = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
    longest = len(cell) + data.draw(st.integers(0, 4))
    perturber = Perturber(kind, longest, (2, 3) if special else (), quartiles)
    if not perturber.applies(cell, chosen):
        return
    edit = perturber.edit(cell, chosen)
    others = edit.tokens[edit.after]
    assert others.tolist() == edit.base[edit.before].tolist()
    assert not np.isin(others, [*chosen, 2, 3]).any()
    assert len(np.unique(edit.tokens)) == len(edit.tokens) <= longest
    assert set(edit.tokens) - set(others) - {2, 3} == (set() if kind == "delete" else set(chosen))
    assert set(edit.base) - set(others) - {2, 3} == set(chosen) & set(cell)
    if special:
        assert (edit.tokens[0], edit.tokens[-1]) == (2, 3)


def tokens_of(*cells):
    return Tokens(
        np.concatenate(cells).astype(np.int32), np.cumsum([0, *map(len, cells)]).astype(np.int64)
    )


def test_pairs_come_beside_their_genes_alone():
    targets = Targets.pairs([10, 11, 13])
    assert targets.listed == ((10,), (11,), (13,), (10, 11), (10, 13), (11, 13))
    perturber = Perturber("delete", 50)
    assert targets.of(perturber, np.array([10, 11, 12])) == [(10,), (11,), (10, 11)]
    anchored = Targets(anchor=10).of(perturber, np.array([10, 11, 12]))
    assert anchored == [(10,), (11,), (12,), (10, 11), (10, 12)]
    assert Targets(anchor=99).of(perturber, np.array([10, 11, 12])) == []


@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_parts_hold_every_perturbation_once(lengths):
    cells = tokens_of(*(np.arange(10, 10 + n) for n in lengths))
    plan = Plan.of(cells, np.arange(len(cells)), Targets(), Perturber("delete", 1000))
    found = [own for number in range(plan.parts) for own in plan.part(number)]
    seen = [(cell, i) for cell, start, stop in found for i in range(start, stop)]
    assert seen == [(cell, i) for cell, n in enumerate(lengths) if n > 1 for i in range(n)]
    for number in range(plan.parts):
        assert sum(b - a for _, a, b in plan.part(number)) == plan.size(number) <= PART


def test_cells_are_chosen_by_what_they_are():
    columns = {"type": np.array(list("aabbc")), "n": np.arange(5)}
    assert select(5, columns, {"type": ["a", "c"]}).tolist() == [0, 1, 4]
    assert select(5, columns, {"type": ["a"], "n": ["1"]}).tolist() == [1]
    assert len(select(5, columns, {}, max_cells=2)) == 2
    with pytest.raises(GstError, match="no cell has type d; there is: a, b, c"):
        select(5, columns, {"type": ["d"]})
    with pytest.raises(GstError, match="no column kind; it has: type, n"):
        select(5, columns, {"kind": ["d"]})
    with pytest.raises(GstError, match="no cell fits"):
        select(5, columns, {"type": ["a"], "n": ["4"]})
